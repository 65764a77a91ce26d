-- The rest-json protocol: lambda, apigatewayv2, backup, sso ...

local faults = require "infra.aws.protocols.faults"
local json = require "host.json"
local json_body = require "infra.aws.protocols.json_body"
local rest = require "infra.aws.protocols.rest"

local format = {
  content_type = "application/json",
  empty = "{}",
  write = json_body.write,
  parse = json.decode,
  read = json_body.read,
}

format.fault = faults.object_format(json.decode, function(shape, node, response)
  return rest.read(format, shape, response, function()
    return node
  end)
end)

return rest.new(format)
