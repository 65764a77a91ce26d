local errors = require "infra.errors"
local form = require "infra.aws.protocols.form"
local json = require "host.json"
local model = require "spec.aws.protocols.model"

describe("infra.aws.protocols.form", function()
  local tag = { type = "structure", members = { Key = {}, Value = {} } }
  local shape = model.structure {
    name = {},
    Flag = { type = "boolean" },
    Ids = { type = "list", member = {} },
    Subnets = { type = "list", member = { locationName = "SubnetId" } },
    Flat = { type = "list", member = { locationName = "item" }, flattened = true, locationName = "Flat" },
    Tags = { type = "list", member = tag },
    Attributes = { type = "map", key = {}, value = tag },
    When = { type = "timestamp" },
    Data = { type = "blob" },
  }
  local value = {
    name = "n",
    Flag = false,
    Ids = json.array { "a", "b" },
    Subnets = json.array { "s" },
    Flat = json.array { "f" },
    Tags = json.array { { Key = "k", Value = "" }, { Key = "l" } },
    When = 1,
    Data = "\0",
  }

  local function text(parameters)
    local lines = {}
    for i, parameter in ipairs(parameters) do
      lines[i] = parameter[1] .. "=" .. parameter[2]
    end
    return table.concat(lines, " ")
  end

  it("writes query's parameters", function()
    assert.equal("Data=AA== Flag=false Flat.1=f Ids.member.1=a Ids.member.2=b Subnets.SubnetId.1=s " ..
      "Tags.member.1.Key=k Tags.member.1.Value= Tags.member.2.Key=l When=1970-01-01T00:00:01Z name=n",
      text(form.write(form.query, shape, value)))
    assert.equal("Attributes.entry.1.key=a Attributes.entry.1.value.Key=x Attributes.entry.2.key=b",
      text(form.write(form.query, shape, { Attributes = { b = {}, a = { Key = "x" } } })))
  end)

  it("writes ec2's parameters", function()
    assert.equal("Data=AA== Flag=false Flat.1=f Ids.1=a Ids.2=b Subnets.1=s " ..
      "Tags.1.Key=k Tags.1.Value= Tags.2.Key=l When=1970-01-01T00:00:01Z Name=n",
      text(form.write(form.ec2, shape, value)))
  end)

  it("sends empty lists in query only", function()
    assert.equal("Ids=", text(form.write(form.query, shape, { Ids = json.array() })))
    assert.equal("", text(form.write(form.ec2, shape, { Ids = json.array() })))
  end)

  it("reads back what it wrote", function()
    for _, rules in ipairs { form.query, form.ec2 } do
      assert.same(value, form.read(rules, shape, form.write(rules, shape, value)))
    end
    local maps = { Attributes = { a = { Key = "x" } }, Ids = json.array() }
    assert.same(maps, form.read(form.query, shape, form.write(form.query, shape, maps)))
  end)

  it("ignores what it does not know, and gaps", function()
    assert.same({ Ids = json.array { "a" } }, form.read(form.ec2, shape, {
      { "Action", "X" }, { "Ids.1", "a" }, { "Ids.3", "c" }, { "Idsx", "" }, { "..", "" },
    }))
  end)

  it("reads shapes that contain themselves", function()
    local nodes = { Node = { type = "structure", members = { Next = { shape = "Node" }, Name = {} } } }
    assert.same({ Next = { Next = { Name = "x" } } },
      form.read(form.query, model.shape({ shape = "Node" }, nodes), { { "Next.Next.Name", "x" } }))
  end)

  it("throws a typed error for values of another type", function()
    local ok, err = pcall(form.read, form.query, shape, { { "Flag", "maybe" } })
    assert.is_false(ok)
    assert.equal("Malformed", errors.is(err) and err.code)
  end)
end)
