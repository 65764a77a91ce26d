local json = require "host.json"
local model = require "spec.aws.protocols.model"
local params = require "infra.aws.protocols.params"

describe("infra.aws.protocols.params", function()
  local function problems(members, value, traits)
    return params.problems(model.structure(members, traits), value)
  end

  local integer, list = { type = "integer" }, { type = "list", member = {} }

  it("accepts what fits", function()
    assert.same({}, problems({
      text = {},
      count = integer,
      ratio = { type = "double" },
      yes = { type = "boolean" },
      at = { type = "timestamp" },
      later = { type = "timestamp" },
      bytes = { type = "blob" },
      names = list,
      none = list,
      tags = { type = "map", key = {}, value = integer },
      anything = { type = "structure", members = {}, document = true },
      policy = { jsonvalue = true },
      unset = {},
    }, {
      text = "é",
      count = 3.0,
      ratio = 1 / 0,
      yes = false,
      at = 0,
      later = "2024-01-01T00:00:00Z",
      bytes = "\0\255",
      names = { "a", "b" },
      none = json.array(),
      tags = { a = 1 },
      anything = json.null,
      policy = { Statement = {} },
      unset = json.null,
    }))
  end)

  it("names the path, what was expected and what came, but not its content", function()
    local members = {
      CidrBlock = {},
      Filters = { type = "list", member = {
        type = "structure",
        members = { Values = list },
      } },
      Tags = { type = "map", key = {}, value = {} },
    }
    assert.same({ "CidrBlock: expected a string, got a table" }, problems(members, { CidrBlock = {} }))
    assert.same({ "CidrBlock: expected a string, got a list" }, problems(members, { CidrBlock = { "secret" } }))
    assert.same({ "Filters[2].Values[1]: expected a string, got a number" },
      problems(members, { Filters = { {}, { Values = { 1 } } } }))
    assert.same({ "Tags.Name: expected a string, got a boolean" }, problems(members, { Tags = { Name = true } }))
    assert.same({ "expected a table of members, got a list" }, problems(members, { "a" }))
  end)

  it("tells lists, maps and mixtures apart", function()
    local map = { type = "map", key = {}, value = {} }
    assert.same({ "a: expected a list, got a table" }, problems({ a = list }, { a = { x = "1" } }))
    assert.same({ "a: expected a list, got a list" }, problems({ a = list }, { a = { "1", x = "2" } }))
    assert.same({ "a: item 2 is missing" }, problems({ a = list }, { a = { "1", nil, "3" } }))
    assert.same({ "a: item 1 is missing" }, problems({ a = list }, { a = json.array { [1 << 40] = "x" } }))
    assert.same({ "a: expected a table keyed by strings, got a list" }, problems({ a = map }, { a = { "1" } }))
    assert.same({ "a: expected a list, got a string" }, problems({ a = list }, { a = "1" }))
  end)

  it("names what is unknown, with what was probably meant, and what is missing", function()
    assert.same(
      { "GroupName: required, but missing", "GroupNme: unknown parameter, did you mean GroupName?" },
      problems({ GroupName = {} }, { GroupNme = "a" }, { required = { "GroupName" } }))
    assert.same({ "GroupName: required, but missing" },
      problems({ GroupName = {} }, { GroupName = json.null }, { required = { "GroupName" } }))
  end)

  it("wants whole numbers where the model does, and real numbers elsewhere", function()
    assert.same({ "n: expected an integer, got a fraction" }, problems({ n = integer }, { n = 1.5 }))
    assert.same({ "n: expected an integer, got a string" }, problems({ n = integer }, { n = "1" }))
    assert.same({ "n: expected a number, got a string" }, problems({ n = { type = "float" } }, { n = "1" }))
  end)

  it("refuses text that no format can carry", function()
    local problem = { "t: expected text in UTF-8 without NUL characters" }
    assert.same(problem, problems({ t = {} }, { t = "a\0b" }))
    assert.same(problem, problems({ t = {} }, { t = "\xff" }))
  end)

  it("allows null among items only where the model does", function()
    local sparse = { type = "list", member = {}, sparse = true }
    assert.same({}, problems({ a = sparse }, { a = { "x", json.null } }))
    assert.same({ "a[2]: must not be null" }, problems({ a = list }, { a = { "x", json.null } }))
  end)

  it("wants exactly one member of a union", function()
    local union = { u = { type = "structure", union = true, members = { a = {}, b = {} } } }
    assert.same({}, problems(union, { u = { a = "1" } }))
    assert.same({ "u: expected exactly one member" }, problems(union, { u = {} }))
    assert.same({ "u: expected exactly one member" }, problems(union, { u = { a = "1", b = "2" } }))
  end)

  it("guards what becomes part of the address", function()
    local members = { Key = { location = "uri" }, AccountId = { hostLabel = true } }
    assert.same({ "AccountId: required, but missing", "Key: required, but missing" }, problems(members, {}))
    assert.same({ "Key: must not be empty" }, problems(members, { Key = "", AccountId = "123" }))
    local hosts = { "AccountId: must consist of letters, digits, hyphens and periods" }
    assert.same(hosts, problems(members, { Key = "k", AccountId = "evil.com/" }))
    assert.same(hosts, problems(members, { Key = "k", AccountId = "" }))
  end)

  it("survives a table that contains itself", function()
    local nodes = { Node = { type = "structure", members = { next = { shape = "Node" } } } }
    local value = {}
    value.next = value
    local found = params.problems(model.shape({ shape = "Node" }, nodes), value)
    assert.equal(1, #found)
    assert.matches("nested too deeply$", found[1])
  end)
end)
