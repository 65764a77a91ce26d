local diff = require "infra.engine.diff"
local json = require "host.json"
local merged = require "infra.merged"
local reference = require "infra.engine.reference"
local resources = require "infra.resources"

local KEY <const> = "key"

-- A type with properties of every kind. `spec` are further entries of its handler spec.
local function a_type(spec)
  local all = merged({
    identity = { "Id" },
    facets = { { properties = { "Text", "Number", "Flag", "List", "Set", "Map", "Structure", "Document", "Hidden" },
      write = function() end } },
    sets = { "Set" },
    tags = { form = "list" },
  }, spec)
  local properties = {
    Text = { type = { type = "string" } }, Number = { type = { type = "integer" } },
    Flag = { type = { type = "boolean" } }, Hidden = { type = { type = "string" } },
    List = { type = { type = "array", element = { type = "string" } } },
    Set = { type = { type = "array", element = { type = "ref", reference = "Item" } } },
    Map = { type = { type = "map", element = { type = "string" } } },
    Structure = { type = { type = "ref", reference = "Structure" } },
    Document = { type = { type = "json" } }, Tags = { type = { type = "array", element = { type = "tag" } } },
    Fixed = { type = { type = "string" }, replacement = "yes" }, CreateOnly = { type = { type = "string" } },
  }
  local definitions = {
    Structure = { properties = { On = { type = { type = "boolean" } }, Size = { type = { type = "integer" } },
      Password = { type = { type = "string" } } } },
    Item = { properties = { Port = { type = { type = "integer" } } } },
  }
  local readable, updatable = {}, {}
  for name in pairs(properties) do
    readable[name] = name ~= "Hidden"
    updatable[name] = name ~= "Fixed" and name ~= "CreateOnly"
  end
  return {
    name = "Test::Type", spec = all, readable = readable, updatable = updatable,
    schema = { properties = properties, attributes = {}, tag_property = "Tags", definition = function(_, name)
      return definitions[name]
    end },
  }
end

-- { name = change } of a type with these declared, recorded (by default as declared) and live properties.
local function changes(declared, live, recorded, more)
  more = more or {}
  local found = {}
  local row = { status = more.status or "ready", properties = assert(json.decode(json.encode(
    reference.seal(recorded or declared, KEY)))) }
  for _, change in ipairs(diff.changes(a_type(more.spec), declared, row, { values = live, tags = more.tags }, KEY)) do
    found[change.name] = change
  end
  return found
end

local function assert_same(...)
  assert.same({}, changes(...))
end

describe("differences", function()
  it("are none between what means the same", function()
    assert_same({ Text = "a", Number = 1, Flag = false }, { Text = "a", Number = 1, Flag = false })
    assert_same({ Number = 1, Flag = true }, { Number = "1", Flag = "true" })
    assert_same({ Flag = false }, { Flag = "false" })
    assert_same({ Text = 30 }, { Text = "30" })
    assert_same({ Text = 30.0 }, { Text = "30" })
    assert_same({ Text = true }, { Text = "true" })
    assert_same({ Structure = { On = false } }, { Structure = { On = "false" } })
    assert_same({ Text = json.null }, {}, {})
  end)

  it("are told with what was before and what is wanted", function()
    assert.same({ Text = { name = "Text", before = "b", after = "a", replaces = false } },
      changes({ Text = "a" }, { Text = "b" }))
    assert.same({ Flag = { name = "Flag", before = true, after = false, replaces = false } },
      changes({ Flag = false }, { Flag = true }))
  end)

  it("in lists are of order and length, in sets of members only", function()
    assert.is_not_nil(changes({ List = { "a", "b" } }, { List = { "b", "a" } }).List)
    assert.is_not_nil(changes({ List = {} }, { List = { "a" } }).List)
    assert_same({ List = {} }, { List = json.array {} })
    assert_same({ Set = { { Port = 1 }, { Port = 2 } } }, { Set = { { Port = "2" }, { Port = 1 } } })
    assert.is_not_nil(changes({ Set = { { Port = 1 } } }, { Set = { { Port = 1 }, { Port = 2 } } }).Set)
  end)

  it("are not what AWS adds to a structure, but what somebody adds to a map or a document", function()
    assert_same({ Structure = { On = true } }, { Structure = { On = true, Size = 5 } })
    assert.is_not_nil(changes({ Map = { a = "1" } }, { Map = { a = "1", b = "2" } }).Map)
    assert.is_not_nil(changes({ Document = { a = 1 } }, { Document = '{"a":1,"b":2}' }).Document)
    assert_same({ Document = { a = { 1 } } }, { Document = '{"a":[1]}' })
  end)

  it("show a member of a structure that was declared and is not any more", function()
    local declared, recorded = { Structure = { On = true } }, { Structure = { On = true, Size = 5 } }
    assert.is_not_nil(changes(declared, { Structure = { On = true, Size = 5 } }, recorded).Structure)
    assert_same(declared, { Structure = { On = true } }, recorded) -- it is gone already
    assert_same(declared, { Structure = { On = true, Size = 5 } }, declared) -- it never was declared
  end)

  it("of what is declared against what is not known yet are changes", function()
    assert.is_not_nil(changes({ Text = reference.unknown("a", "b") }, { Text = "x" }, { Text = "x" }).Text)
    assert.is_not_nil(changes({ List = { reference.unknown("a", "b") } }, { List = { "x" } }, { List = { "x" } }).List)
  end)

  it("of a property that left the schema are none", function()
    assert_same({}, {}, { Gone = "x" })
  end)
end)

describe("tags", function()
  it("are compared as maps, without AWS's own and the mark of ownership", function()
    local live = { a = "1", ["aws:cloudformation:stack-name"] = "x", ["infra:id"] = "nonce" }
    assert_same({ Tags = { a = "1" } }, {}, nil, { tags = live })
    assert.is_not_nil(changes({ Tags = { a = "2" } }, {}, nil, { tags = live }).Tags)
    assert.is_not_nil(changes({ Tags = {} }, {}, nil, { tags = live }).Tags)
    assert.is_not_nil(changes({}, {}, { Tags = { a = "1" } }, { tags = live }).Tags)
  end)
end)

describe("a property that is not declared any more", function()
  it("goes back to its default", function()
    local spec = { defaults = { Number = 7, Flag = false } }
    assert.same({ Number = { name = "Number", before = 9, after = 7, replaces = false } },
      changes({}, { Number = 9 }, { Number = 9 }, { spec = spec }))
    assert_same({}, { Number = 7, Flag = false }, { Number = 9, Flag = true }, { spec = spec })
    assert_same({}, {}, { Flag = false }, { spec = spec })
  end)

  it("is cleared where that is possible, and otherwise stays", function()
    assert.is_not_nil(changes({}, { Text = "a" }, { Text = "a" }).Text)
    assert_same({}, { Text = "a" }, { Text = "a" }, { spec = { sticky = { "Text" } } })
    local sends = { facets = { { properties = { "Text" }, write = { "Modify" } } } }
    assert_same({}, { Text = "a" }, { Text = "a" }, { spec = sends })
    sends.facets[1].clear = { "Reset" }
    assert.is_not_nil(changes({}, { Text = "a" }, { Text = "a" }, { spec = sends }).Text)
    assert_same({}, { CreateOnly = "a", Fixed = "b" }, { CreateOnly = "a", Fixed = "b" })
  end)
end)

describe("what AWS does not return", function()
  it("is what was recorded, once the resource was finished", function()
    assert_same({ Hidden = "a" }, {})
    assert.is_not_nil(changes({ Hidden = "b" }, {}, { Hidden = "a" }).Hidden)
    assert.is_not_nil(changes({ Hidden = "a" }, {}, { Hidden = "a" }, { status = "creating" }).Hidden)
  end)
end)

describe("secrets", function()
  local secret = reference.secret

  it("are compared by digest with what was recorded", function()
    assert_same({ Hidden = secret "one" }, {}, { Hidden = secret "one" })
    local change = changes({ Hidden = secret "two" }, {}, { Hidden = secret "one" }).Hidden
    assert.is_true(reference.is_digest(change.before))
    assert.is_true(reference.is_digest(change.after))
    assert.is_not_nil(changes({ Hidden = secret "one" }, {}, { Hidden = secret "one" }, { status = "creating" }).Hidden)
    assert.is_not_nil(changes({ Hidden = secret "one" }, {}, {}).Hidden)
  end)

  it("are compared with what is live, where AWS returns it", function()
    local declared = { Map = { PASSWORD = secret "one", USER = "app" } }
    assert_same(declared, { Map = { PASSWORD = "one", USER = "app" } })
    local change = changes(declared, { Map = { PASSWORD = "two", USER = "app" } }).Map
    assert.is_true(reference.is_digest(change.before.PASSWORD))
    assert.is_not_nil(changes(declared, { Map = { PASSWORD = "one", USER = "root" } }).Map)
  end)

  it("inside a structure may be missing from what is live", function()
    local declared = { Structure = { On = true, Password = secret "one" } }
    assert_same(declared, { Structure = { On = true } })
    assert.is_not_nil(changes(declared, { Structure = { On = false } }).Structure)
    assert.is_not_nil(changes(declared, { Structure = { On = true } }, { Structure = { On = true } }).Structure)
    assert.is_not_nil(changes(declared, { Structure = { On = true } }, declared, { status = "creating" }).Structure)
  end)

  it("do not show when they are not declared any more, or not secret any more", function()
    local live = { Map = { PASSWORD = "hunter22" } }
    local change = changes({ Map = {} }, live, { Map = { PASSWORD = secret "hunter22" } }).Map
    assert.is_nil(json.encode(change):find("hunter22", 1, true))
  end)

  it("are recognised in what was recorded in clear", function()
    assert_same({ Map = { PASSWORD = secret "one" } }, { Map = { PASSWORD = "one" } }, { Map = { PASSWORD = "one" } })
  end)
end)

describe("replacement", function()
  local function replaces(declared, live, spec)
    return changes(declared, live, nil, { spec = spec })[next(declared)].replaces
  end

  it("is what the schema says, and what no call can change", function()
    assert.is_true(replaces({ Fixed = "a" }, { Fixed = "b" }))
    assert.is_true(replaces({ CreateOnly = "a" }, { CreateOnly = "b" }))
    assert.is_false(replaces({ Text = "a" }, { Text = "b" }))
  end)

  it("may depend on the values", function()
    local spec = { replaces = function(name, before, after) return name == "Text" and before == "b"
      and after == "a" end }
    assert.is_true(replaces({ Text = "a" }, { Text = "b" }, spec))
    assert.is_false(replaces({ Text = "b" }, { Text = "a" }, spec))
  end)
end)

describe("drift", function()
  local function drift(recorded, live, spec)
    local row = { status = "ready", properties = assert(json.decode(json.encode(reference.seal(recorded, KEY)))) }
    return diff.drift(a_type(spec), row, { values = live, tags = {} }, KEY)
  end

  it("is what differs from what was recorded", function()
    assert.same({ { name = "Text", recorded = "a", live = "b" } }, drift({ Text = "a", Number = 1 },
      { Text = "b", Number = 1 }))
    assert.same({}, drift({ Hidden = "a" }, {}))
  end)

  it("of secrets is seen and not shown", function()
    local recorded = { Hidden = reference.secret "one", Map = { P = reference.secret "one" } }
    assert.same({}, drift(recorded, { Map = { P = "one" } }))
    local found = drift(recorded, { Map = { P = "hunter22" } })
    assert.equal("Map", found[1].name)
    assert.is_nil(json.encode(found):find("hunter22", 1, true))
  end)
end)

describe("real types", function()
  it("find a role's policy documents equal in AWS's spelling", function()
    local document = { Version = "2012-10-17", Statement = { { Effect = "Allow", Action = { "sts:AssumeRole" },
      Principal = { Service = "lambda.amazonaws.com" } } } }
    local live = { AssumeRolePolicyDocument = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect"
      .. "%22%3A%22Allow%22%2C%22Action%22%3A%22sts%3AAssumeRole%22%2C%22Principal%22%3A%7B%22Service%22%3A%22lambda."
      .. "amazonaws.com%22%7D%7D%5D%7D" }
    local row = { status = "ready", properties = { AssumeRolePolicyDocument = document } }
    assert.same({}, diff.changes(assert(resources.type "AWS::IAM::Role"), row.properties, row, { values = live }, KEY))
  end)
end)
