-- Routes of the simulated API Gateway. Operations of infra.sim.apigatewayv2.

local entities = require "infra.sim.apigatewayv2.entities"
local merged = require "infra.merged"
local stages = require "infra.sim.apigatewayv2.stages"

local routes = { operations = {} }
local operations = routes.operations
local bad_request = entities.bad_request

local MEMBERS = {
  "ApiKeyRequired", "AuthorizationScopes", "AuthorizationType", "AuthorizerId", "ModelSelectionExpression",
  "OperationName", "RequestModels", "RequestParameters", "RouteKey", "RouteResponseSelectionExpression", "Target",
}
local AUTHORIZATIONS = { NONE = true, AWS_IAM = true, JWT = true, CUSTOM = true }
local METHODS = {
  ANY = true, DELETE = true, GET = true, HEAD = true, OPTIONS = true, PATCH = true, POST = true, PUT = true,
}
local QUOTA = 300

local function check_key(ctx, api, key)
  local method = key:match("^(%u+) /[^%s]*$")
  if api.ProtocolType == "HTTP" and key ~= "$default" and not METHODS[method or ""] then
    bad_request(ctx, 'The provided route key is not formatted properly for HTTP protocol. Format should be '
      .. '"<HTTP METHOD> /<RESOURCE PATH>" or "$default"')
  end
end

local function check(ctx, api, route)
  check_key(ctx, api, route.RouteKey)
  if not AUTHORIZATIONS[route.AuthorizationType] then
    bad_request(ctx, "Invalid authorization type specified. Must be one of [NONE, AWS_IAM, CUSTOM, JWT]")
  elseif route.AuthorizerId or route.AuthorizationType == "JWT" or route.AuthorizationType == "CUSTOM" then
    bad_request(ctx, "Invalid authorizer ID specified") -- there are no simulated authorizers
  end
  local target = route.Target and route.Target:match("^integrations/(.+)$")
  if route.Target and not (target and entities.get(ctx, api, "integration", target)) then
    bad_request(ctx, "Target %s does not name an integration of this API", route.Target)
  end
  local count = 0
  for id, other in entities.each(ctx, api, "route") do
    if other.RouteKey == route.RouteKey and id ~= route.RouteId then
      entities.fail(ctx, "ConflictException", "Route with key %s already exists for this API", route.RouteKey)
    end
    count = count + 1
  end
  if not route.RouteId and count >= (ctx.quotas.routes or QUOTA) then
    bad_request(ctx, "Maximum number of routes for this API has been reached. Please contact AWS if you need "
      .. "additional routes.")
  end
end

--- Adds a route to an API. `managed`: made by quick create.
function routes.create(ctx, api, params, managed)
  local route = entities.merged(params, MEMBERS, {
    ApiKeyRequired = false, AuthorizationType = "NONE", ApiGatewayManaged = managed,
  })
  check(ctx, api, route)
  entities.claim(ctx, api)
  entities.put(ctx, api, "route", route)
  return route
end

function operations.CreateRoute(ctx, params)
  local api = entities.api(ctx, params.ApiId)
  local route = routes.create(ctx, api, params)
  stages.deploy_all(ctx, api)
  return route
end

operations.GetRoute = entities.getter "route"
operations.GetRoutes = entities.lister "route"

function operations.UpdateRoute(ctx, params)
  local api, current = entities.named(ctx, params, "route")
  local route = entities.merged(params, MEMBERS, current)
  check(ctx, api, route)
  return stages.change(ctx, api, entities.put, "route", route)
end

function operations.DeleteRoute(ctx, params)
  local api, route = entities.named(ctx, params, "route")
  stages.change(ctx, api, entities.delete, "route", route)
end

function operations.DeleteRouteRequestParameter(ctx, params)
  local api, route = entities.named(ctx, params, "route")
  local parameters = merged(route.RequestParameters)
  if not parameters[params.RequestParameterKey] then
    entities.fail(ctx, "NotFoundException", "Invalid request parameter specified %s", params.RequestParameterKey)
  end
  parameters[params.RequestParameterKey] = nil
  stages.change(ctx, api, entities.put, "route", merged(route, { RequestParameters = parameters }))
end

return routes
