local errors = require "infra.errors"
local json = require "host.json"
local json_body = require "infra.aws.protocols.json_body"
local model = require "spec.aws.protocols.model"

describe("infra.aws.protocols.json_body", function()
  local function both_ways(members, value, text)
    local shape = model.structure(members)
    assert.equal(text, json_body.write(shape, value))
    assert.same(value, json_body.read(shape, json.decode(text)))
  end

  local function read(node, text)
    return json_body.read(model.structure { a = node }, json.decode(('{"a":%s}'):format(text))).a
  end

  it("writes and reads all types", function()
    both_ways({
      blob = { type = "blob" },
      document = { type = "structure", members = {}, document = true },
      double = { type = "double" },
      list = { type = "list", member = { type = "integer" } },
      long = { type = "long" },
      map = { type = "map", key = {}, value = { type = "boolean" } },
      renamed = { locationName = "zz" },
      time = { type = "timestamp" },
      date = { type = "timestamp", timestampFormat = "iso8601" },
      json = { jsonvalue = true },
      infinite = { type = "float" },
    }, {
      blob = "\0\1",
      document = { a = json.array { 1, json.null, "x" } },
      double = 0.5,
      list = json.array(),
      long = 9007199254740991,
      map = { x = false },
      renamed = "é",
      time = 1.5,
      date = 0,
      json = "{}",
      infinite = -math.huge,
    }, '{"blob":"AAE=","date":"1970-01-01T00:00:00Z","document":{"a":[1,null,"x"]},"double":0.5,'
      .. '"infinite":"-Infinity","json":"{}","list":[],"long":9007199254740991,"map":{"x":false},"time":1.5,"zz":"é"}')
  end)

  it("writes empty structures and maps as objects", function()
    assert.equal('{"m":{},"s":{}}', json_body.write(model.structure {
      m = { type = "map", key = {}, value = {} },
      s = { type = "structure", members = {} },
    }, { m = {}, s = {} }))
  end)

  it("encodes tables that stand for JSON text", function()
    assert.equal([[{"a":"{\"b\":[1]}"}]],
      json_body.write(model.structure { a = { jsonvalue = true } }, { a = { b = { 1 } } }))
  end)

  it("ignores null and unknown members", function()
    assert.same({ b = "1" }, json_body.read(model.structure { a = {}, b = {} }, { a = json.null, b = "1", c = "2" }))
  end)

  it("keeps null among items only where the model allows it", function()
    local item = { type = "integer" }
    assert.same(json.array { 1, 2 }, read({ type = "list", member = item }, "[1,null,2]"))
    assert.same(json.array { 1, json.null }, read({ type = "list", member = item, sparse = true }, "[1,null]"))
    assert.same({}, read({ type = "map", key = {}, value = item }, '{"x":null}'))
    assert.same({ x = json.null }, read({ type = "map", key = {}, value = item, sparse = true }, '{"x":null}'))
    assert.equal('{"a":[1,null]}', json_body.write(
      model.structure { a = { type = "list", member = item, sparse = true } }, { a = { 1, json.null } }))
  end)

  it("reads scalars that services send in another form", function()
    assert.equal(5, read({ type = "integer" }, '"5"'))
    assert.is_true(read({ type = "boolean" }, '"true"'))
    assert.equal("5", read({}, "5"))
    assert.equal(0, read({ type = "timestamp" }, '"Thu, 01 Jan 1970 00:00:00 GMT"'))
    assert.equal(2, read({ type = "timestamp" }, "2.0"))
  end)

  it("throws a typed error for what does not fit, without its content", function()
    for text, node in pairs {
      ['"secret"'] = { type = "integer" },
      ["[]"] = { type = "structure", members = {} },
      ["{}"] = { type = "list", member = {} },
      ["[1]"] = { type = "map", key = {}, value = {} },
      ['{"x":1}'] = {},
      ["true"] = { type = "blob" },
      ["1e300"] = { type = "timestamp" },
    } do
      local ok, err = pcall(read, node, text)
      assert.is_false(ok, text)
      assert.equal("Malformed", errors.is(err) and err.code, text)
      assert.not_matches("secret", err.message)
    end
  end)
end)
