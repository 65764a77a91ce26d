-- Changes of serverless caches in the simulated ElastiCache: one field per call, and each takes its time. Operation of
-- infra.sim.elasticache. The model that requests are read by knows no change of the engine.

local caches = require "infra.sim.elasticache.caches"
local entities = require "infra.sim.elasticache.entities"
local joined = require "infra.joined"
local kinds = require "infra.sim.ec2.kinds"
local merged = require "infra.merged"
local settings = require "infra.sim.elasticache.settings"
local structures = require "infra.sim.structures"

local operations = {}

-- Seconds that a change takes.
local CHANGING = 120

local function description(ctx, params)
  return { Description = settings.description(ctx, params.Description) }
end

-- What is not mentioned of the limits stays.
local function usage_limits(ctx, params, cache)
  return { CacheUsageLimits = settings.usage_limits(ctx, merged(cache.CacheUsageLimits, params.CacheUsageLimits)) }
end

local function security_groups(ctx, params, cache)
  local vpc_id = kinds.Subnet:get(ctx, cache.SubnetIds[1]).VpcId
  local groups = settings.groups(ctx, vpc_id, params.SecurityGroupIds)
  if not settings.groups_fit(ctx, vpc_id, groups) then
    entities.invalid(ctx, "The security groups are not in the VPC %s of the cache.", vpc_id)
  end
  local ids = joined(params.SecurityGroupIds)
  table.sort(ids)
  return { SecurityGroupIds = ids }, function()
    caches.each_interface(ctx, cache, function(interface) interface.Groups = groups end)
  end
end

local function user_group(ctx, params)
  settings.check_user_group(ctx, params.UserGroupId)
  return {}
end

-- The fields: the parameters that belong to one, and function(ctx, params, cache) -> the members that change, and what
-- else is to be done.
local FIELDS = {
  { parameters = { "Description" }, values = description },
  { parameters = { "CacheUsageLimits" }, values = usage_limits },
  { parameters = { "SecurityGroupIds" }, values = security_groups },
  { parameters = { "SnapshotRetentionLimit" }, values = settings.snapshots },
  { parameters = { "DailySnapshotTime" }, values = settings.snapshots },
  { parameters = { "UserGroupId", "RemoveUserGroup" }, values = user_group },
}

-- The only field that the request names.
local function single_field(ctx, params)
  local named
  for _, field in ipairs(FIELDS) do
    for _, parameter in ipairs(field.parameters) do
      if params[parameter] ~= nil and named ~= field then
        if named then
          entities.fail(ctx, "InvalidParameterCombination", "Serverless Cache modifications only support modifying one "
            .. "field per request")
        end
        named = field
      end
    end
  end
  return named
end

function operations.ModifyServerlessCache(ctx, params)
  local cache = entities.find_available(ctx, "cache", params.ServerlessCacheName)
  local field, values, and_then = single_field(ctx, params), {}, nil
  if field then
    values, and_then = field.values(ctx, params, cache)
  end
  local changed = {}
  for member, value in pairs(values) do
    changed[member] = not structures.same(value, cache[member]) and value or nil
  end
  if next(changed) == nil then
    entities.fail(ctx, "InvalidParameterCombination", "No modifications were requested")
  end
  cache.change = { ends_at = ctx.now() + CHANGING, values = changed }
  entities.put(ctx, "cache", cache)
  if and_then then
    and_then()
  end
  return { ServerlessCache = caches.view(ctx, cache) }
end

return { operations = operations }
