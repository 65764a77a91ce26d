local json = require "host.json"
local model = require "spec.aws.protocols.model"
local rest_json = require "infra.aws.protocols.rest_json"
local rest_xml = require "infra.aws.protocols.rest_xml"

describe("infra.aws.protocols.rest", function()
  local service = model.service {}

  local function operation(uri, input, output)
    return { name = "Do", http = { method = "PUT", requestUri = uri }, input = input, output = output }
  end

  local function structure(members, payload)
    return { type = "structure", members = members, payload = payload }
  end

  local function encode(protocol, input, params)
    local request = assert(protocol.encode(service, operation("/", input), params))
    return request.body, model.header(request, "Content-Type")
  end

  local function decode(protocol, output, body, headers)
    return protocol.decode(service, operation("/", nil, output), { status = 200, headers = headers or {}, body = body })
  end

  it("puts the URI together", function()
    local request = rest_json.encode(service, operation("/{a}/x/{b+}?fixed&k=v", structure {
      a = { location = "uri" },
      b = { location = "uri", locationName = "b" },
      q = { location = "querystring", locationName = "Q" },
    }), { a = "1/2", b = "3/4 5", q = "&" })
    assert.equal("PUT", request.method)
    assert.equal("/1%2F2/x/3/4%205", request.path)
    assert.same({ { "fixed", "" }, { "k", "v" }, { "Q", "&" } }, request.query)
    assert.is_nil(request.body)
  end)

  it("sends a body only where the model has one", function()
    local header_only = structure { h = { location = "header" } }
    for _, protocol in ipairs { rest_json, rest_xml } do
      assert.is_nil((encode(protocol, header_only, { h = "x" })))
      assert.is_nil((encode(protocol, structure {}, {})))
      assert.is_nil((encode(protocol, nil, {})))
    end
    assert.same({ "{}", "application/json" }, { encode(rest_json, structure { a = {} }, {}) })
    assert.same({ '{"a":"1"}', "application/json" }, { encode(rest_json, structure { a = {} }, { a = "1" }) })
    assert.is_nil((encode(rest_xml, structure { a = {} }, {})))
    assert.same({ "<DoRequest><a>1</a></DoRequest>", "application/xml" },
      { encode(rest_xml, structure { a = {} }, { a = "1" }) })
  end)

  it("sends a payload for the body", function()
    local object = structure({ p = structure { a = {} } }, "p")
    assert.same({ '{"a":"1"}', "application/json" }, { encode(rest_json, object, { p = { a = "1" } }) })
    assert.same({ "{}", "application/json" }, { encode(rest_json, object, {}) })
    assert.same({ "<p><a>1</a></p>", "application/xml" }, { encode(rest_xml, object, { p = { a = "1" } }) })
    assert.is_nil((encode(rest_xml, object, {})))
    local union = structure({ p = { type = "structure", union = true, members = { a = {} } } }, "p")
    assert.is_nil((encode(rest_json, union, {})))
    local list = structure({ p = { type = "list", member = {} } }, "p")
    assert.same({ '["a"]', "application/json" }, { encode(rest_json, list, { p = { "a" } }) })
  end)

  it("sends blobs and strings as they are", function()
    local blob, text = structure({ p = { type = "blob" } }, "p"), structure({ p = {} }, "p")
    for _, protocol in ipairs { rest_json, rest_xml } do
      assert.same({ "\0\1", "application/octet-stream" }, { encode(protocol, blob, { p = "\0\1" }) })
      assert.same({ "<x>", "text/plain" }, { encode(protocol, text, { p = "<x>" }) })
      assert.is_nil((encode(protocol, blob, {})))
    end
  end)

  it("leaves the media type to the caller who gives one", function()
    local input = structure({ p = { type = "blob" }, t = { location = "header", locationName = "content-type" } }, "p")
    assert.same({ "x", "image/png" }, { encode(rest_xml, input, { p = "x", t = "image/png" }) })
  end)

  it("reads bodies, headers and status", function()
    local output = structure {
      a = {},
      h = { location = "header", locationName = "X-H" },
      s = { type = "integer", location = "statusCode" },
    }
    local wanted = { a = "1", h = "2", s = 200 }
    assert.same(wanted, decode(rest_json, output, '{"a":"1","h":"from the body"}', { ["x-h"] = "2" }))
    assert.same(wanted, decode(rest_xml, output, "<R><a>1</a></R>", { ["x-h"] = "2" }))
    assert.same({ s = 200 }, decode(rest_json, output, ""))
    assert.same({ s = 200 }, decode(rest_xml, output, nil))
  end)

  it("reads payloads", function()
    local object = structure({ p = structure { a = {} } }, "p")
    assert.same({ p = { a = "1" } }, decode(rest_json, object, '{"a":"1"}'))
    assert.same({ p = { a = "1" } }, decode(rest_xml, object, "<Any><a>1</a></Any>"))
    assert.same({}, decode(rest_json, object, ""))
    assert.same({ p = "{}" }, decode(rest_json, structure({ p = { type = "blob" } }, "p"), "{}"))
    assert.same({}, decode(rest_json, structure({ p = { type = "blob" } }, "p"), ""))
    assert.same({ p = "" }, decode(rest_xml, structure({ p = { type = "blob", streaming = true } }, "p"), ""))
    local document = structure({ p = { type = "structure", members = {}, document = true } }, "p")
    assert.same({ p = json.array { 1 } }, decode(rest_json, document, "[1]"))
  end)

  it("reads no body where the model has none", function()
    local output = structure { h = { location = "header", locationName = "X-H" } }
    assert.same({ h = "1" }, decode(rest_json, output, "OK", { ["x-h"] = "1" }))
  end)

  it("fails on bodies in another format", function()
    for body, protocol in pairs { ["<html>"] = rest_json, ["{}"] = rest_xml } do
      local output, err = decode(protocol, structure { a = {} }, body)
      assert.is_nil(output)
      assert.equal("Malformed", err.code)
    end
  end)

  it("reads S3's errors in spite of their status", function()
    local output, err = decode(rest_xml, structure({ p = structure { ETag = {} } }, "p"),
      "<Error><Code>InternalError</Code><Message>Try again</Message></Error>")
    assert.is_nil(output)
    assert.same({ "InternalError", "Try again", 200 }, { err.code, err.message, err.status })
  end)

  it("reads S3's answer that is its only member", function()
    local output = structure { LocationConstraint = {} }
    assert.same({ LocationConstraint = "eu-west-1" },
      decode(rest_xml, output, '<LocationConstraint xmlns="http://s3/">eu-west-1</LocationConstraint>'))
    assert.same({ LocationConstraint = "" }, decode(rest_xml, output, "<LocationConstraint/>"))
  end)
end)
