-- APIs of the simulated API Gateway. Operations of infra.sim.apigatewayv2.

local entities = require "infra.sim.apigatewayv2.entities"
local integrations = require "infra.sim.apigatewayv2.integrations"
local routes = require "infra.sim.apigatewayv2.routes"
local stages = require "infra.sim.apigatewayv2.stages"
local tags = require "infra.sim.apigatewayv2.tags"

local operations = {}
local bad_request = entities.bad_request

local CHANGEABLE = {
  "Name", "Description", "CorsConfiguration", "DisableExecuteApiEndpoint", "DisableSchemaValidation", "Version",
  "ApiKeySelectionExpression", "RouteSelectionExpression",
}

local HTTP_SELECTION = "$request.method $request.path"
local MAX_AGE = 86400

-- Header names come back in lower case.
local function lower(list)
  for i, name in ipairs(list or {}) do
    list[i] = name:lower()
  end
end

local function check_cors(ctx, cors)
  for _, origin in ipairs(cors.AllowOrigins or {}) do
    if origin == "*" and cors.AllowCredentials then
      bad_request(ctx, "allowCredentials is not supported if allowOrigin is set to *")
    elseif origin ~= "*" and not origin:find("^https?://.") then
      bad_request(ctx, "Invalid format for origin %s. Origins must begin with http:// or https://", origin)
    end
  end
  if cors.MaxAge and (cors.MaxAge < -1 or cors.MaxAge > MAX_AGE) then
    bad_request(ctx, "MaxAge must be between -1 and %d.", MAX_AGE)
  end
  lower(cors.AllowHeaders)
  lower(cors.ExposeHeaders)
end

local function check(ctx, api, given)
  if #api.Name < 1 or #api.Name > 128 then
    bad_request(ctx, "Invalid API name specified. It must have between 1 and 128 characters.")
  elseif api.ProtocolType == "HTTP" and api.RouteSelectionExpression ~= HTTP_SELECTION then
    bad_request(ctx, "Invalid route selection expression. HTTP APIs support '%s' only.", HTTP_SELECTION)
  elseif not api.RouteSelectionExpression then
    bad_request(ctx, "RouteSelectionExpression is required for WebSocket APIs.")
  elseif given.CorsConfiguration and api.ProtocolType ~= "HTTP" then
    bad_request(ctx, "CORS configuration is supported for HTTP APIs only.")
  elseif given.CorsConfiguration then
    check_cors(ctx, given.CorsConfiguration)
  end
end

-- "Quick create": an API with a route to one target, and a stage that nobody can change.
local function quick_create(ctx, api, params)
  local integration = integrations.create(ctx, api, {
    IntegrationType = params.Target:find "^arn:" and "AWS_PROXY" or "HTTP_PROXY",
    IntegrationMethod = not params.Target:find "^arn:" and "ANY" or nil,
    IntegrationUri = params.Target,
    PayloadFormatVersion = "2.0",
    CredentialsArn = params.CredentialsArn,
  }, true)
  routes.create(ctx, api, {
    RouteKey = params.RouteKey or "$default", Target = "integrations/" .. integration.IntegrationId,
  }, true)
  stages.create(ctx, api, { StageName = "$default", AutoDeploy = true }, true)
end

-- Names need not be unique: every call makes another one.
function operations.CreateApi(ctx, params)
  local http = params.ProtocolType == "HTTP"
  if not http and params.ProtocolType ~= "WEBSOCKET" then
    bad_request(ctx, "Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]")
  elseif params.Target and not http then
    bad_request(ctx, "Quick create is supported for HTTP APIs only.")
  end
  local id = entities.id(ctx, 10)
  local api = entities.merged(params, CHANGEABLE, {
    ApiId = id,
    ApiEndpoint = ("%s://%s.execute-api.%s.amazonaws.com"):format(http and "https" or "wss", id, ctx.region),
    ApiKeySelectionExpression = "$request.header.x-api-key",
    CreatedDate = ctx.now(),
    DisableExecuteApiEndpoint = false,
    ProtocolType = params.ProtocolType,
    RouteSelectionExpression = http and HTTP_SELECTION or nil,
    Tags = tags.merged(ctx, {}, params.Tags),
  })
  check(ctx, api, params)
  ctx.store:put("api", id, api)
  if params.Target then
    quick_create(ctx, api, params)
  end
  return api
end

function operations.GetApi(ctx, params)
  return entities.api(ctx, params.ApiId)
end

function operations.GetApis(ctx, params)
  local items = {}
  for id, api in ctx.store:each "api" do
    items[#items + 1] = not ctx:fresh("api", id) and api or nil
  end
  return entities.listed(ctx, params, items, function(api) return api.ApiId end)
end

-- Partial; a CORS configuration replaces the one before as a whole.
function operations.UpdateApi(ctx, params)
  local api = entities.api(ctx, params.ApiId)
  local changed = entities.merged(params, CHANGEABLE, api)
  check(ctx, changed, params)
  entities.claim(ctx, changed)
  stages.deploy_all(ctx, changed)
  return changed
end

function operations.DeleteCorsConfiguration(ctx, params)
  local api = entities.api(ctx, params.ApiId)
  api.CorsConfiguration = nil
  entities.claim(ctx, api)
  stages.deploy_all(ctx, api)
end

-- With everything that belongs to it.
function operations.DeleteApi(ctx, params)
  local api = entities.api(ctx, params.ApiId)
  entities.claim(ctx, api)
  for _, kind in ipairs(entities.kinds) do
    for _, object in entities.each(ctx, api, kind) do
      entities.delete(ctx, api, kind, object)
    end
  end
  ctx.store:delete("api", api.ApiId)
end

return { operations = operations }
