local cbor = require "infra.aws.protocols.cbor"
local cbor_codec = require "infra.aws.protocols.cbor_codec"
local ec2 = require "infra.aws.protocols.ec2"
local json = require "infra.aws.protocols.json"
local json_values = require "host.json"
local model = require "spec.aws.protocols.model"
local query = require "infra.aws.protocols.query"

-- The protocols that send all parameters in the body: what each adds around it.
describe("infra.aws.protocols", function()
  local members = {
    Ids = { type = "list", member = { locationName = "Id" }, locationName = "idSet" },
    When = { type = "timestamp" },
  }
  local operation = {
    name = "Describe",
    http = { method = "POST", requestUri = "/" },
    input = { type = "structure", members = members },
    output = { type = "structure", members = members },
  }
  local params = { Ids = json_values.array { "a" }, When = 0 }

  local function respond(protocol, body)
    return protocol.decode(model.service {}, operation, { status = 200, headers = {}, body = body })
  end

  it("query posts a form and reads inside the result's element", function()
    local request = query.encode(model.service({}, { apiVersion = "2010-05-08" }), operation, params)
    assert.same({ "POST", "/", {} }, { request.method, request.path, request.query })
    assert.equal("Action=Describe&Version=2010-05-08&idSet.Id.1=a&When=1970-01-01T00%3A00%3A00Z", request.body)
    assert.equal("application/x-www-form-urlencoded", model.header(request, "Content-Type"))
    local result = "<idSet><Id>a</Id></idSet><When>1970-01-01T00:00:00Z</When>"
    assert.same(params, respond(query, "<R><DescribeResult>" .. result .. "</DescribeResult></R>"))
    assert.same(params, respond(query, "<R>" .. result .. "</R>"))
    assert.same({}, respond(query, ""))
    assert.is_nil((respond(query, "{}")))
  end)

  it("query reads inside the element that the model names", function()
    local renamed = {
      name = "Old",
      output = { type = "structure", members = { a = {} }, resultWrapper = "Wrapper" },
    }
    assert.same({ a = "1" }, query.decode(model.service {}, renamed,
      { status = 200, headers = {}, body = "<R><ResponseMetadata/><Wrapper><a>1</a></Wrapper></R>" }))
  end)

  it("ec2 posts a form and reads the root", function()
    local request = ec2.encode(model.service({}, { apiVersion = "2016-11-15" }), operation, params)
    assert.equal("Action=Describe&Version=2016-11-15&IdSet.1=a&When=1970-01-01T00%3A00%3A00Z", request.body)
    assert.same(params, respond(ec2, "<DescribeResponse><requestId>r</requestId><idSet><item>a</item></idSet>"
      .. "<When>1970-01-01T00:00:00.000Z</When></DescribeResponse>"))
  end)

  it("json names the operation in a header", function()
    local metadata = { jsonVersion = "1.0", targetPrefix = "Prefix_2014", awsQueryCompatible = {} }
    local request = json.encode(model.service({}, metadata), operation, params)
    assert.equal('{"When":0,"idSet":["a"]}', request.body)
    assert.equal("Prefix_2014.Describe", model.header(request, "X-Amz-Target"))
    assert.equal("application/x-amz-json-1.0", model.header(request, "Content-Type"))
    assert.equal("true", model.header(request, "x-amzn-query-mode"))
    assert.same(params, respond(json, '{"When":0.0,"idSet":["a"],"New":{}}'))
    assert.same({}, respond(json, ""))
  end)

  it("cbor names the operation in the path", function()
    local request = cbor.encode(model.service({}, { targetPrefix = "Service" }), operation, params)
    assert.equal("/service/Service/operation/Describe", request.path)
    assert.equal("rpc-v2-cbor", model.header(request, "smithy-protocol"))
    assert.equal("application/cbor", model.header(request, "Content-Type"))
    assert.same({ idSet = json_values.array { "a" }, When = 0 }, cbor_codec.decode(request.body))
    assert.same(params, respond(cbor, request.body))
    assert.same({}, respond(cbor, ""))
    assert.is_nil((respond(cbor, "\xff")))
    local bare = cbor.encode(model.service({}, { targetPrefix = "Service" }), { name = "Ping" })
    assert.is_nil(bare.body)
    assert.is_nil(model.header(bare, "Content-Type"))
  end)
end)
