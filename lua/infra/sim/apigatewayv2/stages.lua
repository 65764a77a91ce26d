-- Stages of the simulated API Gateway. Operations of infra.sim.apigatewayv2.
--
-- Of a stage that deploys by itself, `rollout` is the deployment that its last change has begun: { id, at = when it is
-- through, failed }.

local deployments = require "infra.sim.apigatewayv2.deployments"
local entities = require "infra.sim.apigatewayv2.entities"
local merged = require "infra.merged"
local tags = require "infra.sim.apigatewayv2.tags"

local stages = { operations = {} }
local operations = stages.operations
local bad_request = entities.bad_request

local MEMBERS = { "AutoDeploy", "ClientCertificateId", "DeploymentId", "Description" }
local WEBSOCKET_ONLY = { "DataTraceEnabled", "LoggingLevel" }
local IDENTIFIED = { "%$context%.requestId", "%$context%.extendedRequestId" }

-- -- deploying --------------------------------------------------------------------------------------------------------

-- Begins a deployment to a stage.
local function deploy(ctx, api, stage)
  local deployment = deployments.create(ctx, api, { AutoDeployed = true })
  stage.rollout = { id = deployment.DeploymentId, at = deployment.at, failed = deployment.failed }
end

-- The stage as it is by now.
local function settled(ctx, stage)
  local rollout = stage.rollout
  if rollout and rollout.at <= ctx.now() then
    stage.rollout = nil
    stage.DeploymentId = not rollout.failed and rollout.id or stage.DeploymentId
    stage.LastDeploymentStatusMessage = rollout.failed and "Deployment attempt failed: " .. rollout.failed
      or ("Successfully deployed stage with deployment ID '%s'"):format(rollout.id)
  end
  return stage
end

--- Deploys an API that has changed to those of its stages that want that.
function stages.deploy_all(ctx, api)
  for _, stage in entities.each(ctx, api, "stage") do
    if stage.AutoDeploy then
      deploy(ctx, api, settled(ctx, stage))
      entities.put(ctx, api, "stage", stage)
    end
  end
end

--- Changes a part of an API by `write`, entities.put or entities.delete, and deploys that. Returns the part.
function stages.change(ctx, api, write, kind, object)
  entities.claim(ctx, api)
  write(ctx, api, kind, object)
  stages.deploy_all(ctx, api)
  return object
end

-- -- members ----------------------------------------------------------------------------------------------------------

-- A log group's ARN, shown without the ":*" that it may come with.
local function access_log(ctx, given)
  local arn = (given.DestinationArn or ""):gsub(":%*$", "")
  local format = (given.Format or ""):gsub("\n$", "")
  if not arn:find("^arn:[%w-]+:logs:[%w-]+:%d+:log%-group:[^:]+$") and not arn:find("^arn:[%w-]+:firehose:") then
    bad_request(ctx, "Invalid ARN specified in the request. ARNs must start with 'arn:' and include the region, "
      .. "account and resource type")
  elseif format:find("\n") or not (format:find(IDENTIFIED[1]) or format:find(IDENTIFIED[2])) then
    bad_request(ctx, "Access Log format must be single line, new line character is allowed only at end of the format "
      .. "and must include either $context.requestId or $context.extendedRequestId")
  end
  return { DestinationArn = arn, Format = format }
end

local function route_settings(ctx, api, given, current)
  for _, member in ipairs(api.ProtocolType == "HTTP" and WEBSOCKET_ONLY or {}) do
    if given[member] and given[member] ~= "OFF" then
      bad_request(ctx, "Execution logs are not supported on protocolType HTTP")
    end
  end
  return merged({ DetailedMetricsEnabled = false }, current, given)
end

local function has_route(ctx, api, key)
  for _, route in entities.each(ctx, api, "route") do
    if route.RouteKey == key then
      return true
    end
  end
end

-- What a stage becomes by a request; changes nothing.
local function changed(ctx, api, params, current)
  local stage = entities.merged(params, MEMBERS, current)
  if params.AccessLogSettings then
    stage.AccessLogSettings = access_log(ctx, params.AccessLogSettings)
  end
  stage.DefaultRouteSettings = route_settings(ctx, api, params.DefaultRouteSettings or {}, current.DefaultRouteSettings)
  stage.StageVariables = entities.merged_map(current.StageVariables, params.StageVariables) or {}
  stage.RouteSettings = entities.merged_map(current.RouteSettings) or {}
  for key, given in pairs(params.RouteSettings or {}) do
    if not has_route(ctx, api, key) then
      entities.fail(ctx, "NotFoundException", "Unable to find Route by key %s within the provided RouteSettings", key)
    end
    stage.RouteSettings[key] = route_settings(ctx, api, given, stage.RouteSettings[key])
  end
  if params.DeploymentId and stage.AutoDeploy then
    bad_request(ctx, "Deployment ID cannot be set on a stage with AutoDeploy enabled")
  elseif params.DeploymentId then
    entities.find(ctx, api, "deployment", params.DeploymentId)
  end
  return stage
end

-- -- operations -------------------------------------------------------------------------------------------------------

local function view(ctx, _, stage)
  return settled(ctx, stage)
end

--- Adds a stage to an API. `managed`: made by quick create.
function stages.create(ctx, api, params, managed)
  local name = params.StageName
  if name ~= "$default" and not (name:find("^[%w_-]+$") and #name <= 128)
    or name == "$default" and api.ProtocolType ~= "HTTP" then
    bad_request(ctx, "Stage name only allows a-zA-Z0-9_- characters")
  elseif ctx.store:get("stage/" .. api.ApiId, name) then
    entities.fail(ctx, "ConflictException", "Stage already exists")
  end
  local stage = changed(ctx, api, params, {
    StageName = name, AutoDeploy = false, CreatedDate = ctx.now(), LastUpdatedDate = ctx.now(),
    ApiGatewayManaged = managed, Tags = tags.merged(ctx, {}, params.Tags),
  })
  entities.claim(ctx, api)
  if stage.AutoDeploy then
    deploy(ctx, api, stage)
  end
  entities.put(ctx, api, "stage", stage)
  return view(ctx, api, stage)
end

function operations.CreateStage(ctx, params)
  return stages.create(ctx, entities.api(ctx, params.ApiId), params)
end

operations.GetStage = entities.getter("stage", view)
operations.GetStages = entities.lister("stage", view)

local function put(ctx, api, stage)
  stage.LastUpdatedDate = ctx.now()
  entities.claim(ctx, api)
  if stage.AutoDeploy then
    deploy(ctx, api, stage)
  end
  entities.put(ctx, api, "stage", stage)
end

-- Partial; RouteSettings and StageVariables entry by entry.
function operations.UpdateStage(ctx, params)
  local api, current = entities.named(ctx, params, "stage")
  if current.ApiGatewayManaged then
    bad_request(ctx, "A stage that API Gateway manages cannot be updated")
  end
  local stage = changed(ctx, api, params, settled(ctx, current))
  put(ctx, api, stage)
  return view(ctx, api, stage)
end

function operations.DeleteStage(ctx, params)
  local api, stage = entities.named(ctx, params, "stage")
  entities.claim(ctx, api)
  entities.delete(ctx, api, "stage", stage)
end

function operations.DeleteRouteSettings(ctx, params)
  local api, stage = entities.named(ctx, params, "stage")
  if not stage.RouteSettings[params.RouteKey] then
    entities.fail(ctx, "NotFoundException", "Unable to find route settings by key %s", params.RouteKey)
  end
  stage.RouteSettings[params.RouteKey] = nil
  put(ctx, api, settled(ctx, stage))
end

function operations.DeleteAccessLogSettings(ctx, params)
  local api, stage = entities.named(ctx, params, "stage")
  stage.AccessLogSettings = nil
  put(ctx, api, settled(ctx, stage))
end

-- To a stage that a deployment names.
function operations.CreateDeployment(ctx, params)
  local api = entities.api(ctx, params.ApiId)
  local stage = params.StageName and entities.find(ctx, api, "stage", params.StageName)
  if stage and stage.AutoDeploy then
    bad_request(ctx, "Deployments cannot be made to a stage with AutoDeploy enabled")
  elseif deployments.obstacle(ctx, api) then
    bad_request(ctx, deployments.obstacle(ctx, api))
  end
  entities.claim(ctx, api)
  local deployment = deployments.create(ctx, api, { Description = params.Description, AutoDeployed = false })
  if stage then
    stage.DeploymentId = deployment.DeploymentId
    entities.put(ctx, api, "stage", stage)
  end
  return deployments.view(ctx, api, deployment)
end

return stages
