-- HTTP (and WebSocket) APIs: the API, its integrations and routes. Stages are in apigatewayv2_stage.lua. The vocabulary
-- is in handler/schema.lua.
--
-- Everything in one API is changed by one call at a time: calls that overlap are refused.

local json = require "host.json"

-- How API Gateway refuses a change while another one, from elsewhere, is under way. Its ConflictException also says
-- that something exists, or is in use.
local CONCURRENT = { { "ConflictException", 120, message = "[Cc]oncurrent" } }

-- An integration that is seconds old.
local NEW_TARGET = { "BadRequestException", 60, message = "[Ii]ntegration" }

-- While something that is being removed still refers to it.
local IN_USE = { { "ConflictException", 60 }, { "BadRequestException", 60, message = "[Cc]annot delete" } }

local types = {}

-- -- the API ----------------------------------------------------------------------------------------------------------

local CORS_LISTS = { "AllowHeaders", "AllowMethods", "AllowOrigins", "ExposeHeaders" }

-- They have no order, and the service may change their case.
local CORS_RULES = {}
for i, name in ipairs(CORS_LISTS) do
  CORS_RULES[i] = "Cors." .. name
end

local function check_cors(properties, report)
  local cors = properties.CorsConfiguration
  if type(cors) ~= "table" or cors.AllowCredentials ~= true then
    return
  end
  for _, name in ipairs(CORS_LISTS) do
    for _, text in ipairs(type(cors[name]) == "table" and cors[name] or {}) do
      if text == "*" then
        report("CorsConfiguration." .. name, "cannot be \"*\" where AllowCredentials is true")
      end
    end
  end
end

local API = {
  "Name", "Description", "Version", "DisableExecuteApiEndpoint", "DisableSchemaValidation", "RouteSelectionExpression",
  "ApiKeySelectionExpression",
}
local API_AND_ID = { "ApiId", table.unpack(API) }

types["AWS::ApiGatewayV2::Api"] = {
  service = "apigatewayv2",
  identity = { "ApiId" },
  name = { property = "Name", limit = 128 },
  exclusive = "ApiId",
  typical = { create = 2, update = 1, delete = 1 },
  retry = CONCURRENT,
  defaults = {
    Description = "", Version = "", DisableExecuteApiEndpoint = false, DisableSchemaValidation = false,
    RouteSelectionExpression = "$request.method $request.path",
  },
  form = { sets = CORS_RULES, lower = CORS_RULES },
  check = check_cors,
  required = { "ProtocolType" },
  create = {
    "CreateApi", send = { "ProtocolType", "CorsConfiguration", table.unpack(API) }, map = { "ApiId", "ApiEndpoint" },
  },
  -- Names may be given twice: only the ownership tag tells.
  find = {
    "GetApis", list = "Items", next = "NextToken", id = { "ApiId" },
    same = { "@token=Tags.infra:id" }, adopt = { "Name" },
  },
  read = {
    "GetApi", send = { "ApiId" },
    map = { "ApiId", "ApiEndpoint", "ProtocolType", "CorsConfiguration", table.unpack(API) },
    decode = function(_, values, scope, op)
      local context, id = op.context, values.ApiId or scope.ApiId
      values.ExecuteApiArn = ("arn:%s:execute-api:%s:%s:%s"):format(context.partition, op.region, context.account, id)
      values.ResourceArn = ("arn:%s:apigateway:%s::/apis/%s"):format(context.partition, op.region, id)
    end,
  },
  facets = {
    { properties = API, partial = true, write = { "UpdateApi", send = API_AND_ID } },
    { -- null does not remove it
      properties = { "CorsConfiguration" },
      write = { "UpdateApi", send = { "ApiId", "CorsConfiguration" } },
      clear = { "DeleteCorsConfiguration", send = { "ApiId" } },
    },
  },
  tags = {
    form = "map", create = "Tags", read = "Tags",
    set = { "TagResource", send = { "ResourceArn" }, tags = "Tags" },
    unset = { "UntagResource", send = { "ResourceArn" }, keys = "TagKeys" },
  },
  delete = { "DeleteApi", send = { "ApiId" } },
  gone = { "NotFoundException" },
}

-- -- integrations -----------------------------------------------------------------------------------------------------

local INTEGRATION = {
  "ConnectionId", "ConnectionType", "ContentHandlingStrategy", "CredentialsArn", "Description", "IntegrationMethod",
  "IntegrationSubtype", "IntegrationType", "IntegrationUri", "PassthroughBehavior", "PayloadFormatVersion",
  "RequestParameters", "RequestTemplates", "TemplateSelectionExpression", "TimeoutInMillis", "TlsConfig",
}

types["AWS::ApiGatewayV2::Integration"] = {
  service = "apigatewayv2",
  identity = { "ApiId", "IntegrationId" },
  exclusive = "ApiId",
  within = "ApiId",
  typical = { create = 1, update = 1, delete = 1 },
  retry = CONCURRENT,
  defaults = { ConnectionType = "INTERNET", Description = "", IntegrationMethod = "POST", TimeoutInMillis = 30000 },
  create = {
    "CreateIntegration", send = { "ApiId", table.unpack(INTEGRATION) }, map = { "IntegrationId" },
  },
  -- It has neither name nor tags: one that does the same is as good.
  find = {
    "GetIntegrations", send = { "ApiId" }, list = "Items", next = "NextToken", id = { "IntegrationId" },
    same = { "IntegrationType", "IntegrationUri", "PayloadFormatVersion", "Description", "TimeoutInMillis" },
  },
  read = {
    "GetIntegrations", send = { "ApiId" }, list = "Items", key = "IntegrationId", by = "IntegrationId", all = true,
    absent = { "NotFoundException" }, map = { "IntegrationId", table.unpack(INTEGRATION) },
  },
  facets = {
    {
      properties = INTEGRATION, partial = true, erase = { "RequestParameters" },
      write = { "UpdateIntegration", send = { "ApiId", "IntegrationId", table.unpack(INTEGRATION) } },
    },
  },
  delete = { "DeleteIntegration", send = { "ApiId", "IntegrationId" }, retry = IN_USE },
  gone = { "NotFoundException" },
}

-- -- routes -----------------------------------------------------------------------------------------------------------

local ROUTE = {
  "RouteKey", "Target", "ApiKeyRequired", "AuthorizationScopes", "AuthorizationType", "AuthorizerId",
  "ModelSelectionExpression", "OperationName", "RequestModels", "RouteResponseSelectionExpression",
}

-- Parameters stay until each of them is deleted.
local function write_request_parameters(op, scope, live)
  local wanted = scope.RequestParameters or {}
  for name in pairs(live.values.RequestParameters or {}) do
    if wanted[name] == nil then
      local ok, err = op:mutate({ "DeleteRouteRequestParameter" },
        { ApiId = scope.ApiId, RouteId = scope.RouteId, RequestParameterKey = name })
      if not ok and err.code ~= "NotFoundException" then
        return nil, err
      end
    end
  end
  return op:mutate({ "UpdateRoute" }, { ApiId = scope.ApiId, RouteId = scope.RouteId, RequestParameters = wanted })
end

types["AWS::ApiGatewayV2::Route"] = {
  service = "apigatewayv2",
  identity = { "ApiId", "RouteId" },
  exclusive = "ApiId",
  within = "ApiId",
  typical = { create = 1, update = 1, delete = 1 },
  retry = { NEW_TARGET, CONCURRENT[1] },
  defaults = {
    ApiKeyRequired = false, AuthorizationType = "NONE", AuthorizationScopes = json.array {}, RequestParameters = {},
  },
  sets = { "AuthorizationScopes" },
  structures = { "RequestModels", "RequestParameters" },
  create = {
    "CreateRoute", send = { "ApiId", "RequestParameters", table.unpack(ROUTE) }, map = { "RouteId" },
    exists = { "ConflictException" },
  },
  find = {
    "GetRoutes", send = { "ApiId" }, list = "Items", next = "NextToken", id = { "RouteId" },
    same = { "RouteKey" }, -- unique in an API
  },
  same = { "Target" },
  read = {
    "GetRoutes", send = { "ApiId" }, list = "Items", key = "RouteId", by = "RouteId", all = true,
    absent = { "NotFoundException" }, map = { "RouteId", "RequestParameters", table.unpack(ROUTE) },
  },
  facets = {
    {
      properties = ROUTE, partial = true, write = { "UpdateRoute", send = { "ApiId", "RouteId", table.unpack(ROUTE) } },
    },
    { properties = { "RequestParameters" }, write = write_request_parameters },
  },
  delete = { "DeleteRoute", send = { "ApiId", "RouteId" } },
  gone = { "NotFoundException" },
}

types["AWS::ApiGatewayV2::Stage"] = require "infra.resources.apigatewayv2_stage" (CONCURRENT)

return types
