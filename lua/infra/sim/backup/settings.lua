-- The settings of an account in a region of the simulated AWS Backup: which services it has opted in for. Kept in the
-- region's store, kind "account", by "opt_in": { resource type = boolean } once it was changed.

local entities = require "infra.sim.backup.entities"
local merged = require "infra.merged"

local settings = { operations = {} }
local operations = settings.operations

-- Of a new account.
local OPT_IN = {
  Aurora = false, DocumentDB = false, DynamoDB = true, EBS = true, EC2 = true, EFS = true, FSx = true, Neptune = false,
  RDS = true, S3 = false,
}

local function opt_in(ctx)
  return merged(OPT_IN, ctx.store:get("account", "opt_in"))
end

--- Whether the region's plans back up resources of the type ("Aurora").
function settings.opted_in(ctx, resource_type)
  return opt_in(ctx)[resource_type]
end

function operations.DescribeRegionSettings(ctx)
  return { ResourceTypeOptInPreference = opt_in(ctx) }
end

function operations.UpdateRegionSettings(ctx, params)
  for resource_type in pairs(params.ResourceTypeOptInPreference or {}) do
    if OPT_IN[resource_type] == nil then
      entities.fail(ctx, "InvalidParameterValueException", "The resource type %s is not supported", resource_type)
    end
  end
  ctx.store:put("account", "opt_in", merged(opt_in(ctx), params.ResourceTypeOptInPreference))
  return {}
end

return settings
