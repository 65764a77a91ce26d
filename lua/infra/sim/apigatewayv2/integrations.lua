-- Integrations of the simulated API Gateway: what routes lead to. Operations of infra.sim.apigatewayv2.

local entities = require "infra.sim.apigatewayv2.entities"
local stages = require "infra.sim.apigatewayv2.stages"

local integrations = { operations = {} }
local operations = integrations.operations
local bad_request = entities.bad_request

local MEMBERS = {
  "ConnectionId", "ConnectionType", "ContentHandlingStrategy", "CredentialsArn", "Description", "IntegrationMethod",
  "IntegrationSubtype", "IntegrationType", "IntegrationUri", "PassthroughBehavior", "PayloadFormatVersion",
  "RequestTemplates", "ResponseParameters", "TemplateSelectionExpression", "TimeoutInMillis", "TlsConfig",
}

-- By protocol: the types there are, and the longest time in milliseconds, which is the usual one too.
local PROTOCOLS = {
  HTTP = { types = { AWS_PROXY = true, HTTP_PROXY = true }, longest = 30000 },
  WEBSOCKET = {
    types = { AWS = true, AWS_PROXY = true, HTTP = true, HTTP_PROXY = true, MOCK = true }, longest = 29000,
  },
}
local FORMATS = { ["1.0"] = true, ["2.0"] = true }

local function check_uri(ctx, integration)
  local kind, uri = integration.IntegrationType, integration.IntegrationUri
  if integration.IntegrationSubtype or kind == "MOCK" then
    return
  elseif not uri then
    bad_request(ctx, "IntegrationUri is required for integrations of the type %s", kind)
  elseif kind == "AWS_PROXY" and not uri:find("^arn:[%w-]+:lambda:[%w-]+:%d+:function:.")
    and not uri:find("^arn:[%w-]+:apigateway:[%w-]+:lambda:path/.") then
    bad_request(ctx, "Invalid function ARN or invalid uri")
  elseif kind == "HTTP_PROXY" and integration.ConnectionType ~= "VPC_LINK" and not uri:find("^https?://.") then
    bad_request(ctx, "Invalid HTTP endpoint specified for URI")
  end
end

local function check(ctx, api, integration)
  local protocol = PROTOCOLS[api.ProtocolType]
  if not protocol.types[integration.IntegrationType] then
    bad_request(ctx, "Invalid IntegrationType %s for an API with the protocol %s", integration.IntegrationType,
      api.ProtocolType)
  elseif integration.TimeoutInMillis < 50 or integration.TimeoutInMillis > protocol.longest then
    bad_request(ctx, "Timeout should be between 50 ms and %d ms", protocol.longest)
  elseif api.ProtocolType == "HTTP" and not integration.PayloadFormatVersion then
    bad_request(ctx, "PayloadFormatVersion is a required parameter for integration")
  elseif integration.PayloadFormatVersion and not FORMATS[integration.PayloadFormatVersion] then
    bad_request(ctx, "PayloadFormatVersion must be one of [1.0, 2.0]")
  elseif integration.IntegrationType == "HTTP_PROXY" and not integration.IntegrationMethod then
    bad_request(ctx, "HttpMethod is required for integrations of the type HTTP_PROXY")
  end
  check_uri(ctx, integration)
end

-- Not kept as they are: RequestParameters, of which an update removes those with an empty value.
local function merged(params, current)
  local integration = entities.merged(params, MEMBERS, current)
  integration.RequestParameters = entities.merged_map(current.RequestParameters, params.RequestParameters)
  return integration
end

--- Adds an integration to an API. `managed`: made by quick create.
function integrations.create(ctx, api, params, managed)
  local integration = merged(params, {
    ConnectionType = "INTERNET",
    IntegrationMethod = params.IntegrationType == "AWS_PROXY" and "POST" or nil,
    TimeoutInMillis = PROTOCOLS[api.ProtocolType].longest,
    ApiGatewayManaged = managed,
  })
  check(ctx, api, integration)
  entities.claim(ctx, api)
  entities.put(ctx, api, "integration", integration)
  return integration
end

function operations.CreateIntegration(ctx, params)
  local api = entities.api(ctx, params.ApiId)
  local integration = integrations.create(ctx, api, params)
  stages.deploy_all(ctx, api)
  return integration
end

operations.GetIntegration = entities.getter "integration"
operations.GetIntegrations = entities.lister "integration"

function operations.UpdateIntegration(ctx, params)
  local api, current = entities.named(ctx, params, "integration")
  local integration = merged(params, current)
  check(ctx, api, integration)
  return stages.change(ctx, api, entities.put, "integration", integration)
end

function operations.DeleteIntegration(ctx, params)
  local api, integration = entities.named(ctx, params, "integration")
  for _, route in entities.each(ctx, api, "route") do
    if route.Target == "integrations/" .. integration.IntegrationId then
      entities.fail(ctx, "ConflictException",
        "Cannot delete Integration '%s' due to existing references from routes: %s", integration.IntegrationId,
        route.RouteKey)
    end
  end
  stages.change(ctx, api, entities.delete, "integration", integration)
end

return integrations
