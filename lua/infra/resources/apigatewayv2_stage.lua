-- Stages of HTTP APIs. Used by resources/apigatewayv2. The vocabulary is in handler/schema.lua.
--
-- A stage that deploys by itself does so after every change in its API, and tells only by a message whether that went
-- well.

-- Seconds after which a stage that says nothing has nothing to say.
local QUIET <const> = 10

local function state_of(stage, op)
  local message = stage.LastDeploymentStatusMessage
  if not stage.AutoDeploy then
    return "deployed"
  elseif message then
    return message:find "^Success" and "deployed" or "failed"
  end
  local changed = stage.LastUpdatedDate or stage.CreatedDate
  return changed and op.context.runtime.time() - changed > QUIET and "deployed" or "deploying"
end

-- Log groups are named without the ":*" that their ARNs have in policies.
local function plain_destination(settings)
  return { Format = settings.Format, DestinationArn = (tostring(settings.DestinationArn):gsub(":%*$", "")) }
end

-- Routes' settings without what the account's or the service's own defaults add to those that are declared.
local function only_declared(live, recorded)
  local result = {}
  for key, settings in pairs(live or {}) do
    local declared = type(recorded) == "table" and recorded[key]
    result[key] = declared and {} or settings
    for name in pairs(declared or {}) do
      result[key][name] = settings[name]
    end
  end
  return result
end

-- A route's settings stay until they are deleted; then what is declared is written as a whole.
local function write_route_settings(op, scope, live)
  local stage = { ApiId = scope.ApiId, StageName = scope.StageName }
  for key in pairs(live.values.RouteSettings or {}) do
    if not (scope.RouteSettings or {})[key] then
      local ok, err = op:mutate({ "DeleteRouteSettings" },
        { ApiId = stage.ApiId, StageName = stage.StageName, RouteKey = key })
      if not ok and err.code ~= "NotFoundException" then
        return nil, err
      end
    end
  end
  stage.RouteSettings = scope.RouteSettings
  return op:mutate({ "UpdateStage" }, stage)
end

local STAGE = {
  "AutoDeploy", "ClientCertificateId", "DefaultRouteSettings", "DeploymentId", "Description", "StageVariables",
}
local NAMED = { "ApiId", "StageName" }

local function named(...)
  return { "ApiId", "StageName", ... }
end

local function encode(params)
  params.AccessLogSettings = params.AccessLogSettings and plain_destination(params.AccessLogSettings)
end

return function(retry)
  return {
    service = "apigatewayv2",
    identity = NAMED,
    exclusive = "ApiId",
    within = "ApiId",
    typical = { create = 5, update = 5, delete = 1 },
    retry = retry,
    defaults = { AutoDeploy = false, Description = "", StageVariables = {}, RouteSettings = {} },
    structures = { "RouteSettings", "StageVariables" },
    canonical = { AccessLogSettings = plain_destination },
    check = function(properties, report)
      if properties.AutoDeploy and properties.DeploymentId then
        report("DeploymentId", "cannot be set where AutoDeploy is true")
      end
    end,
    create = {
      "CreateStage", send = named("AccessLogSettings", "RouteSettings", table.unpack(STAGE)), encode = encode,
      exists = { "ConflictException" },
    },
    read = {
      "GetStages", send = { "ApiId" }, list = "Items", key = "StageName", by = "StageName", all = true,
      absent = { "NotFoundException" },
      -- Without DeploymentId: deployments come and go by themselves.
      map = { "StageName", "AccessLogSettings", "AutoDeploy", "ClientCertificateId", "DefaultRouteSettings",
        "Description", "RouteSettings", "StageVariables" },
      decode = function(_, values, scope, op)
        values.RouteSettings = only_declared(values.RouteSettings, scope.RouteSettings)
        values.ResourceArn = ("arn:%s:apigateway:%s::/apis/%s/stages/%s"):format(op.context.partition, op.region,
          scope.ApiId, scope.StageName)
      end,
    },
    facets = {
      {
        properties = STAGE, partial = true, erase = { "StageVariables" },
        write = { "UpdateStage", send = named(table.unpack(STAGE)) },
      },
      {
        properties = { "AccessLogSettings" },
        write = { "UpdateStage", send = named "AccessLogSettings", encode = encode },
        clear = { "DeleteAccessLogSettings", send = NAMED },
      },
      { properties = { "RouteSettings" }, write = write_route_settings },
    },
    tags = {
      form = "map", create = "Tags", read = "Tags",
      set = { "TagResource", send = { "ResourceArn" }, tags = "Tags" },
      unset = { "UntagResource", send = { "ResourceArn" }, keys = "TagKeys" },
    },
    state = {
      path = state_of, ready = { "deployed" }, failed = { "failed" }, message = "LastDeploymentStatusMessage",
      steady = "DeploymentId", again = true, flip = 10, limit = 120,
    },
    delete = { "DeleteStage", send = NAMED },
    gone = { "NotFoundException" },
  }
end
