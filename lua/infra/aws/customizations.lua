-- What some services want and their models do not say. Used by infra.aws.client.

local customizations = {}

-- Service id -> headers on every request.
local HEADERS = {
  apigateway = { { "Accept", "application/json" } }, -- without it the answers are HAL documents
  glacier = { { "x-amz-glacier-version", "2012-06-01" } },
}

-- aws-sdk says so in code, botocore in its model.
local UNSIGNED = { sts = { AssumeRoleWithSAML = true, AssumeRoleWithWebIdentity = true } }

--- Whether the operation is called without credentials.
function customizations.is_unsigned(service, operation)
  return operation.authtype == "none" or (UNSIGNED[service.id] or {})[operation.name] or false
end

--- The headers that every request to `service` carries: { { name, value }, ... }.
function customizations.headers(service)
  return HEADERS[service.id] or {}
end

--- Changes `params`, the caller's own copy, into what the service takes. Route 53 hands out ids as "/hostedzone/Z1"
--- and "/change/C1", and takes them back without the prefix.
function customizations.params(service, params)
  if service.id == "route53" then
    for name, value in pairs(params) do
      local id = type(value) == "string" and (value:match "^/hostedzone/(.+)$" or value:match "^/change/(.+)$"
        or value:match "^/delegationset/(.+)$")
      params[name] = id or value
    end
  end
end

return customizations
