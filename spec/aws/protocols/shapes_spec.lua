local json = require "host.json"
local model = require "spec.aws.protocols.model"
local shapes = require "infra.aws.protocols.shapes"

describe("infra.aws.protocols.shapes", function()
  it("resolves references, whose traits win", function()
    local shape = model.shape({ shape = "Names", flattened = true, max = 5 },
      { Names = { type = "list", member = { shape = "Name" }, max = 10, min = 1 }, Name = { type = "string" } })
    assert.equal("list", shape.type)
    assert.equal("Names", shape.name)
    assert.same({ true, 5, 1 }, { shape.traits.flattened, shape.traits.max, shape.traits.min })
    assert.is_nil(shape.own.flattened)
    assert.equal("Name", shape:element().name)
  end)

  it("keeps the name of a shape's own element from its references", function()
    local nodes = { Payload = { type = "structure", members = {}, locationName = "Hello" } }
    local shape = model.shape({ shape = "Payload" }, nodes)
    assert.is_nil(shape.traits.locationName)
    assert.equal("Hello", shape.own.locationName)
  end)

  it("takes inline nodes as they are, and those without a type for strings", function()
    local shape = model.structure { Name = {}, Tags = { type = "map", key = {}, value = { type = "integer" } } }
    assert.is_nil(shape.name)
    assert.equal("string", shape:member("Name").type)
    assert.equal("string", shape:member("Tags"):key().type)
    assert.equal("integer", shape:member("Tags"):value().type)
    assert.is_nil(shape:member("Nothing"))
  end)

  it("tells documents and JSON in strings apart by their traits", function()
    assert.equal("document", model.shape { type = "structure", members = {}, document = true }.type)
    assert.equal("jsonvalue", model.shape({ shape = "Text", jsonvalue = true }, { Text = { type = "string" } }).type)
  end)

  it("resolves shapes that contain themselves, each node once", function()
    local shape = model.shape({ shape = "Node" }, {
      Node = { type = "structure", members = { next = { shape = "Node" }, value = {} } },
    })
    assert.equal(shape:member("next"):member("next"), shape:member("next"):member("next"))
    assert.equal("Node", shape:member("next"):member("next").name)
  end)

  it("complains about references to nowhere", function()
    assert.has_error(function()
      model.shape { shape = "Missing" }
    end)
  end)

  it("goes through members in order of their names, leaving out what is not set", function()
    local shape, seen = model.structure { c = {}, a = {}, b = {}, d = {} }, {}
    for name, member, value in shape:present { d = false, c = json.null, a = 1, unknown = 2 } do
      seen[#seen + 1] = { name, member.type, value }
    end
    assert.same({ { "a", "string", 1 }, { "d", "string", false } }, seen)
    assert.same({ "a", "b", "c", "d" }, shape:member_names())
  end)

  it("knows which members every value must set, also those that make the address, and which are tokens", function()
    local shape = model.structure({
      b = {}, a = {}, Key = { location = "uri" }, AccountId = { hostLabel = true }, optional = { location = "header" },
      Token = { idempotencyToken = true },
    }, { required = { "b", "a" } })
    assert.same({ "AccountId", "Key", "a", "b" }, shape:required())
    assert.same({ "Token" }, shape:tokens())
    assert.same({}, model.structure({}):required())
  end)

  it("finds streams of events", function()
    local events = { type = "structure", members = {}, eventstream = true }
    assert.is_true(model.structure({ Payload = events }):streams_events())
    assert.is_false(model.structure({ Payload = { type = "blob", streaming = true } }):streams_events())
  end)

  it("goes through maps in order of their keys", function()
    local seen = {}
    for key, value in shapes.sorted { b = 2, c = 3, a = 1 } do
      seen[#seen + 1] = key .. value
    end
    assert.same({ "a1", "b2", "c3" }, seen)
  end)
end)
