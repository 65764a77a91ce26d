local crypto = require "host.crypto"
local errors = require "infra.errors"
local json = require "infra.aws.protocols.json"
local model = require "spec.aws.protocols.model"
local rest_json = require "infra.aws.protocols.rest_json"

-- What is the same whichever the protocol.
describe("infra.aws.protocols.protocol", function()
  local service = model.service({}, { jsonVersion = "1.1", targetPrefix = "Test_2020" })

  local function operation(fields)
    fields.name, fields.http = "DoIt", { method = "POST", requestUri = "/" }
    return fields
  end

  it("reports all that is wrong with the parameters", function()
    local request, err = json.encode(service, operation {
      input = { type = "structure", required = { "Name" }, members = { Name = {}, CidrBlock = {} } },
    }, { CidrBlock = {} })
    assert.is_nil(request)
    assert.is_true(errors.is(err))
    assert.equal("ParamValidation", err.code)
    assert.equal("DoIt: Name: required, but missing; CidrBlock: expected a string, got a table", tostring(err))
  end)

  it("takes no parameters where there is no input", function()
    assert.equal("{}", json.encode(service, operation {}).body)
    local _, err = json.encode(service, operation {}, { Name = "x" })
    assert.equal("DoIt: Name: unknown parameter", tostring(err))
  end)

  it("refuses streams of events on either side", function()
    local events = { type = "structure", members = {}, eventstream = true }
    for _, side in ipairs { "input", "output" } do
      local streaming = operation { [side] = { type = "structure", members = { Events = events } } }
      local request, err = json.encode(service, streaming, {})
      assert.is_nil(request)
      assert.equal("Unsupported", err.code)
    end
  end)

  it("fills in idempotency tokens", function()
    local with_token = operation {
      input = { type = "structure", members = { Token = { idempotencyToken = true } }, required = { "Token" } },
    }
    assert.equal('{"Token":"t"}', json.encode(service, with_token, {}, { token = "t" }).body)
    local _, err = json.encode(service, with_token, {})
    assert.equal("DoIt: Token: required, but missing", tostring(err))
  end)

  it("fills in the host's prefix", function()
    local prefixed = operation {
      endpoint = { hostPrefix = "{Account}.{Zone}-data." },
      input = { type = "structure", members = { Account = { hostLabel = true }, Zone = { hostLabel = true } } },
    }
    assert.equal("123.a-data.", json.encode(service, prefixed, { Account = "123", Zone = "a" }).host_prefix)
    assert.is_nil(json.encode(service, operation {}).host_prefix)
  end)

  it("adds checksums after compression", function()
    local large = operation {
      input = { type = "structure", members = { Text = {} } },
      requestcompression = { encodings = { "gzip" } },
      httpChecksumRequired = true,
    }
    local request = rest_json.encode(service, large, { Text = ("x"):rep(20000) })
    assert.equal("gzip", model.header(request, "Content-Encoding"))
    assert.equal(crypto.base64(crypto.md5(request.body)), model.header(request, "Content-MD5"))
  end)

  it("decodes to an empty table where there is no output", function()
    assert.same({}, json.decode(service, operation {}, { status = 200, headers = {}, body = "<html>" }))
  end)

  it("fails with a typed error on answers in another format", function()
    local output, err = json.decode(service, operation { output = { type = "structure", members = {} } },
      { status = 200, headers = {}, body = "<html>" })
    assert.is_nil(output)
    assert.same({ "Malformed", "test", "DoIt", 200 }, { err.code, err.service, err.operation, err.status })
  end)

  it("does not hide mistakes in the program", function()
    assert.has_error(function()
      json.decode(service, operation { output = { shape = "Missing" } }, { status = 200, headers = {}, body = "{}" })
    end)
  end)
end)
