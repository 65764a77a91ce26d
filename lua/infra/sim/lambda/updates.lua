-- Changing functions of the simulated Lambda: one update after the other. Operations of infra.sim.lambda.

local entities = require "infra.sim.lambda.entities"
local image = require "infra.sim.lambda.image"
local merged = require "infra.merged"
local network = require "infra.sim.lambda.network"
local settings = require "infra.sim.lambda.settings"
local versions = require "infra.sim.lambda.versions"

local operations = {}

-- Seconds that an update takes: of the configuration, of its VpcConfig, of the code.
local CONFIGURING, CONNECTING, LOADING = 3, 30, 15

-- The function and its $LATEST, if it can be changed now.
local function changeable(ctx, params)
  local fn, qualifier = entities.find(ctx, params)
  if (qualifier or "$LATEST") ~= "$LATEST" then
    entities.invalid(ctx, "Only $LATEST can be updated; versions are immutable.")
  end
  local latest = entities.latest(ctx, fn)
  entities.check_settled(ctx, fn)
  entities.check_revision(ctx, params, latest)
  return fn, latest
end

local function update(ctx, fn, latest, seconds)
  latest.updated_at = ctx.now() + seconds
  entities.revise(ctx, latest)
  entities.put_version(ctx, fn, latest)
end

-- Partial: what the request does not mention stays.
function operations.UpdateFunctionConfiguration(ctx, params)
  local fn, latest = changeable(ctx, params)
  latest.settings = settings.merged(ctx, params, fn.FunctionName, latest.settings)
  latest.update_failure = network.obstacle(ctx, latest.settings.VpcConfig)
  update(ctx, fn, latest, params.VpcConfig and CONNECTING or CONFIGURING)
  network.settle(ctx)
  return versions.view(ctx, fn, latest)
end

function operations.UpdateFunctionCode(ctx, params)
  local fn, latest = changeable(ctx, params)
  local code = image.resolved(ctx, params, params.Architectures, latest.code)
  if params.DryRun then
    local tried = merged(latest)
    tried.code = code
    return versions.view(ctx, fn, tried)
  end
  latest.code = code
  image.claim(ctx, code, fn.arn)
  update(ctx, fn, latest, LOADING)
  return versions.view(ctx, fn, params.Publish and versions.publish(ctx, fn, latest) or latest)
end

return { operations = operations }
