local json = require "infra.aws.protocols.json"
local model = require "spec.aws.protocols.model"
local query = require "infra.aws.protocols.query"
local rest_json = require "infra.aws.protocols.rest_json"
local rest_xml = require "infra.aws.protocols.rest_xml"

describe("infra.aws.protocols.faults", function()
  local service = model.service {
    NotFoundFault = {
      type = "structure",
      members = { Message = {}, Resource = { location = "header", locationName = "x-resource" }, Id = {} },
      error = { code = "NotFound", httpStatusCode = 404 },
      exception = true,
      retryable = { throttling = false },
    },
  }
  local operation = { name = "GetThing", http = { method = "GET" }, errors = { { shape = "NotFoundFault" } } }

  local function read(protocol, status, body, headers)
    return protocol.decode_error(service, operation, { status = status, headers = headers or {}, body = body })
  end

  it("says whose error it is", function()
    local err = read(json, 400, '{"__type":"ns#LimitExceeded","message":"Too many"}', { ["x-amzn-requestid"] = "r1" })
    assert.equal("test GetThing: LimitExceeded: Too many (request r1)", tostring(err))
    assert.equal(400, err.status)
  end)

  it("finds the code wherever JSON services put it", function()
    for _, case in ipairs {
      { '{"__type":"A"}' },
      { '{"__type":"com.amazon#A:http://internal/"}' },
      { '{"code":"A"}' },
      { '{"Code":"A"}' },
      { '{"code":5}', { ["x-amzn-errortype"] = "A:http://internal/" } },
      { "", { ["x-amzn-errortype"] = "A" } },
      { nil, { ["x-amzn-errortype"] = "ns#A" } },
    } do
      assert.equal("A", read(rest_json, 400, case[1], case[2]).code)
      assert.equal("A", read(json, 400, case[1], case[2]).code)
    end
  end)

  it("finds the code wherever XML services put it", function()
    for _, case in ipairs {
      { query, "<ErrorResponse><Error><Type>Sender</Type><Code>A</Code><Message>M</Message></Error>"
        .. "<RequestId>r</RequestId></ErrorResponse>" },
      { query, "<Response><Errors><Error><Code>A</Code><Message>M</Message></Error></Errors>"
        .. "<RequestID>r</RequestID></Response>" },
      { rest_xml, "<?xml version='1.0'?><Error><Code>A</Code><Message>M</Message><RequestId>r</RequestId></Error>" },
      { rest_xml, "<A><Messages><Message>M</Message></Messages><RequestId>r</RequestId></A>" },
    } do
      local err = read(case[1], 400, case[2])
      assert.same({ "A", "M", "r" }, { err.code, err.message, err.request_id })
    end
  end)

  it("reads the error's own members by the model, found by shape or by declared code", function()
    for code in pairs { NotFoundFault = 1, NotFound = 1 } do
      local err = read(rest_json, 404, ('{"__type":"%s","Id":"i","Extra":1}'):format(code), { ["x-resource"] = "r" })
      assert.same({ Id = "i", Resource = "r" }, err.fields)
      assert.equal(code, err.code)
      assert.is_true(err.retryable)
    end
    local err = read(query, 404, "<ErrorResponse><Error><Code>NotFound</Code><Id>i</Id></Error></ErrorResponse>")
    assert.same({ Id = "i" }, err.fields)
  end)

  it("keeps all members of errors that the model does not know", function()
    assert.same({ __type = "X", Region = "r", Deep = { a = 1 } },
      read(json, 400, '{"__type":"X","Region":"r","Deep":{"a":1}}').fields)
    local err = read(rest_xml, 400, "<Error><Code>PermanentRedirect</Code><Region>eu-west-1</Region></Error>")
    assert.equal("eu-west-1", err.fields.Region)
    assert.is_nil(err.retryable)
  end)

  it("keeps the members even when they do not fit the model", function()
    local err = read(json, 400, '{"__type":"NotFound","Id":["x"]}')
    assert.same({ "NotFound", { "x" } }, { err.code, { err.fields.Id[1] } })
  end)

  it("translates codes for services that once spoke query", function()
    local err = read(json, 400, '{"__type":"ns#NotFoundFault","Id":"i"}', { ["x-amzn-query-error"] = "Legacy;Sender" })
    assert.equal("Legacy", err.code)
    assert.same({ Id = "i" }, err.fields)
    assert.equal("A", read(json, 400, '{"__type":"A"}', { ["x-amzn-query-error"] = ";Sender" }).code)
  end)

  it("names errors of HEAD requests by their status, but no others", function()
    local head = { name = "HeadBucket", http = { method = "HEAD" } }
    for status, code in pairs { [404] = "NotFound", [403] = "Forbidden", [500] = "HttpError" } do
      assert.equal(code, rest_xml.decode_error(service, head, { status = status, headers = {} }).code)
    end
    local err = read(rest_xml, 404, "", { ["x-amz-request-id"] = "r" })
    assert.same({ "HttpError", "HTTP 404", "r" }, { err.code, err.message, err.request_id })
  end)

  it("quotes pages of proxies and emulators by their first line", function()
    local page = "<!doctype html>\n<html lang=en>\n<style>b { }</style><title>404 Not Found</title>\n<h1>Not Found</h1>"
    for _, protocol in ipairs { json, query, rest_json, rest_xml } do
      local err = read(protocol, 404, page)
      assert.same({ "HttpError", "HTTP 404: 404 Not Found", 404 }, { err.code, err.message, err.status })
      assert.equal("HTTP 503: upstream gone", read(protocol, 503, "\n upstream gone \nmore").message)
      assert.equal("HttpError", read(protocol, 502, "<HTML><p>").code)
    end
    assert.equal(#"HTTP 500: " + 200, #read(json, 500, ("x"):rep(5000)).message)
  end)

  it("copes with anything", function()
    for _, body in ipairs {
      "{", "[]", "null", "5", '"text"', "<a", "<a/>", "<Error/>", "<ErrorResponse/>", "\0", "\xff",
      '{"__type":null}', '{"__type":{}}', '{"__type":":"}', '{"__type":"#"}', '{"message":{}}',
    } do
      for _, protocol in ipairs { json, query, rest_json, rest_xml } do
        local err = read(protocol, 400, body)
        assert.is_string(err.code)
        assert.is_string(err.message)
        assert.is_table(err.fields)
      end
    end
  end)
end)
