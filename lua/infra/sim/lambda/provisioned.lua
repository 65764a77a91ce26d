-- Provisioned concurrency of versions and aliases in the simulated Lambda. Operations of infra.sim.lambda.
--
-- Kept in the region's store, kind "provisioned/NAME", by qualifier: { requested, ready_at, modified_at }.

local aliases = require "infra.sim.lambda.aliases"
local concurrency = require "infra.sim.lambda.concurrency"
local entities = require "infra.sim.lambda.entities"

local operations = {}
local fail, invalid = entities.fail, entities.invalid

local ALLOCATING <const> = 90 -- seconds; "one to three minutes"

local function kind_of(fn)
  return "provisioned/" .. fn.FunctionName
end

local function view(ctx, config)
  local ready = ctx.now() >= config.ready_at
  return {
    RequestedProvisionedConcurrentExecutions = config.requested,
    AllocatedProvisionedConcurrentExecutions = ready and config.requested or 0,
    AvailableProvisionedConcurrentExecutions = ready and config.requested or 0,
    Status = ready and "READY" or "IN_PROGRESS",
    LastModified = entities.time(config.modified_at),
  }
end

-- Fails when a version would have it twice, by itself and by an alias.
local function check_single(ctx, fn, version, alias)
  for qualifier in ctx.store:each(kind_of(fn)) do
    local other = ctx.store:get("alias/" .. fn.FunctionName, qualifier)
    if alias and qualifier == version.Version then
      invalid(ctx, "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
    elseif not alias and other and other.FunctionVersion == version.Version then
      invalid(ctx, "Version is pointed by a Provisioned Concurrency alias")
    end
  end
end

function operations.PutProvisionedConcurrencyConfig(ctx, params)
  local fn, qualifier = entities.find(ctx, params)
  local version, alias = entities.version(ctx, fn, qualifier)
  local count, kept = params.ProvisionedConcurrentExecutions, ctx.store:get(kind_of(fn), qualifier)
  if version.Version == "$LATEST" then
    invalid(ctx, "Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
  elseif count < 1 then
    entities.validation(ctx, count, "provisionedConcurrentExecutions",
      "Member must have value greater than or equal to 1")
  elseif alias and aliases.weights(ctx, alias) then
    invalid(ctx, "Alias with weights can not be used with Provisioned Concurrency")
  elseif kept and ctx.now() < kept.ready_at or entities.state(ctx, version).State ~= "Active" then
    fail(ctx, "ResourceConflictException", "The operation cannot be performed at this time. An update is in progress "
      .. "for resource: %s", entities.arn(ctx, fn.FunctionName, qualifier))
  end
  check_single(ctx, fn, version, alias)
  concurrency.check_provisioned(ctx, fn, qualifier, count)
  local config = { requested = count, ready_at = ctx.now() + ALLOCATING, modified_at = ctx.now() }
  ctx.store:put(kind_of(fn), qualifier, config)
  return view(ctx, config)
end

function operations.GetProvisionedConcurrencyConfig(ctx, params)
  local fn, qualifier = entities.find(ctx, params)
  entities.version(ctx, fn, qualifier)
  local config = entities.get(ctx, kind_of(fn), qualifier)
  return config and view(ctx, config) or fail(ctx, "ProvisionedConcurrencyConfigNotFoundException",
    "No Provisioned Concurrency Config found for this function")
end

function operations.DeleteProvisionedConcurrencyConfig(ctx, params)
  local fn, qualifier = entities.find(ctx, params)
  entities.version(ctx, fn, qualifier)
  ctx.store:delete(kind_of(fn), qualifier)
end

function operations.ListProvisionedConcurrencyConfigs(ctx, params)
  local fn, found = entities.find(ctx, params), {}
  for qualifier, config in ctx.store:each(kind_of(fn)) do
    local shown = view(ctx, config)
    shown.FunctionArn = entities.arn(ctx, fn.FunctionName, qualifier)
    found[#found + 1] = shown
  end
  return entities.listed(ctx, params, "ProvisionedConcurrencyConfigs", found, function(shown)
    return shown.FunctionArn
  end)
end

return { operations = operations }
