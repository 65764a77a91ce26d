-- The json protocol, 1.0 and 1.1, which differ in the media type only: ecr, ssm, kms, secretsmanager, logs ...

local faults = require "infra.aws.protocols.faults"
local json = require "host.json"
local json_body = require "infra.aws.protocols.json_body"
local protocol = require "infra.aws.protocols.protocol"

return protocol.new {
  write = function(service, operation, input, params)
    local metadata = service.metadata
    local request = {
      method = "POST",
      path = "/",
      query = {},
      headers = {
        { "Content-Type", "application/x-amz-json-" .. (metadata.jsonVersion or "1.0") },
        { "X-Amz-Target", metadata.targetPrefix .. "." .. operation.name },
      },
      body = json_body.write(input, params),
    }
    protocol.add_query_mode(service, request)
    return request
  end,
  read = function(_, _, output, response)
    local body = response.body or ""
    return body ~= "" and json_body.read(output, protocol.parsed(json.decode(body))) or {}
  end,
  fault = faults.object_format(json.decode, json_body.read),
}
