local http_bindings = require "infra.aws.protocols.http_bindings"
local json = require "host.json"
local model = require "spec.aws.protocols.model"

describe("infra.aws.protocols.http_bindings", function()
  local texts = { type = "list", member = {} }

  local request_shape = model.structure {
    Name = { location = "uri", locationName = "name" },
    Since = { type = "timestamp", location = "querystring", locationName = "since" },
    Ids = { type = "list", member = { type = "integer" }, location = "querystring", locationName = "id" },
    More = { type = "map", key = {}, value = texts, location = "querystring" },
    Token = { location = "header", locationName = "X-Token" },
    Metadata = { type = "map", key = {}, value = {}, location = "headers", locationName = "x-meta-" },
    Description = {},
    Status = { type = "integer", location = "statusCode" },
  }

  local value = {
    Name = "a/b",
    Since = 1,
    Ids = json.array { 3, 4 },
    More = { since = json.array { "ignored" }, extra = json.array { "1", "2" } },
    Token = "",
    Metadata = { one = "1", two = "2" },
    Description = "text",
    Status = 5,
  }

  it("distributes a request's members, a named field before one from a map", function()
    local message, body = http_bindings.write("request", request_shape, value)
    assert.same({ name = "a/b" }, message.labels)
    assert.same({
      { "id", "3" }, { "id", "4" }, { "since", "1970-01-01T00:00:01Z" }, { "extra", "1" }, { "extra", "2" },
    }, message.query)
    assert.same({ { "x-meta-one", "1" }, { "x-meta-two", "2" }, { "X-Token", "" } }, message.headers)
    assert.same({ Description = "text", Status = 5 }, body)
  end)

  it("leaves out empty lists and null", function()
    local message, body = http_bindings.write("request", request_shape, { Ids = json.array(), Token = json.null })
    assert.same({ {}, {}, {} }, { message.query, message.headers, body })
  end)

  it("gathers them again", function()
    local read = http_bindings.read("request", request_shape, {
      labels = { name = "a/b" },
      query = { { "since", "1970-01-01T00:00:01Z" }, { "id", "3" }, { "id", "4" }, { "extra", "x" } },
      headers = { ["x-token"] = "t", ["x-meta-one"] = "1", host = "h" },
    }, { Description = "text", Name = "from the body" })
    assert.same("a/b", read.Name)
    assert.same({ 1, json.array { 3, 4 }, "t", { one = "1" } }, { read.Since, read.Ids, read.Token, read.Metadata })
    assert.same(json.array { "x" }, read.More.extra)
    assert.same("text", read.Description)
  end)

  it("binds other places in a response, and leaves the rest to the body", function()
    local message, body = http_bindings.write("response", request_shape, value)
    assert.equal(5, message.status)
    assert.same({ "Description", "Ids", "More", "Name", "Since" }, (function()
      local names = {}
      for name in pairs(body) do
        names[#names + 1] = name
      end
      table.sort(names)
      return names
    end)())
    local read = http_bindings.read("response", request_shape, { status = 201, headers = {} }, { Name = "n" })
    assert.same({ Name = "n", Status = 201, Metadata = {} }, read)
  end)

  it("gives a map without a prefix all headers", function()
    local all = { type = "map", key = {}, value = {}, location = "headers", locationName = "" }
    local shape = model.structure { All = all }
    assert.same({ All = { a = "1", b = "2" } },
      http_bindings.read("response", shape, { status = 200, headers = { a = "1", b = "2" } }, {}))
  end)

  it("knows whether there is a body", function()
    assert.is_true(http_bindings.has_body("request", request_shape))
    assert.is_false(http_bindings.has_body("request", model.structure { a = { location = "header" } }))
    assert.is_false(http_bindings.has_body("request", model.structure({ a = {} }, { payload = "a" })))
  end)
end)
