-- The smithy-rpc-v2-cbor protocol, which a few services offer beside others.

local cbor_body = require "infra.aws.protocols.cbor_body"
local cbor_codec = require "infra.aws.protocols.cbor_codec"
local faults = require "infra.aws.protocols.faults"
local protocol = require "infra.aws.protocols.protocol"

return protocol.new {
  write = function(service, operation, input, params)
    local request = {
      method = "POST",
      path = ("/service/%s/operation/%s"):format(service.metadata.targetPrefix, operation.name),
      query = {},
      headers = { { "smithy-protocol", "rpc-v2-cbor" }, { "Accept", "application/cbor" } },
      body = operation.input and cbor_body.write(input, params),
    }
    if request.body then
      table.insert(request.headers, { "Content-Type", "application/cbor" })
    end
    protocol.add_query_mode(service, request)
    return request
  end,
  read = function(_, _, output, response)
    local body = response.body or ""
    return body ~= "" and cbor_body.read(output, protocol.parsed(cbor_codec.decode(body))) or {}
  end,
  fault = faults.object_format(cbor_codec.decode, cbor_body.read),
}
