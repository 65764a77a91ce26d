-- Serverless caches of the simulated ElastiCache: making, describing, deleting. Operations of infra.sim.elasticache.

local entities = require "infra.sim.elasticache.entities"
local interfaces = require "infra.sim.ec2.interfaces"
local kinds = require "infra.sim.ec2.kinds"
local settings = require "infra.sim.elasticache.settings"
local snapshots = require "infra.sim.elasticache.snapshots"
local tags = require "infra.sim.elasticache.tags"
local zones = require "infra.sim.ec2.zones"

local caches = { operations = {} }
local operations = caches.operations

-- Seconds: until a cache is available, and until it is gone.
local CREATING, DELETING = 120, 150

local QUOTA = 40
local NAME_LIMIT = 40

local SHOWN = {
  "ServerlessCacheName", "ARN", "CreateTime", "Description", "Engine", "MajorEngineVersion", "FullEngineVersion",
  "CacheUsageLimits", "KmsKeyId", "SecurityGroupIds", "SubnetIds", "SnapshotRetentionLimit", "DailySnapshotTime",
}

local function endpoint(cache, region, port)
  return {
    Address = ("%s-%s.serverless.%s.cache.amazonaws.com"):format(cache.ServerlessCacheName, cache.hash,
      zones.usable(region)[1].ZoneId:match("^%w+")),
    Port = port,
  }
end

--- A cache as it is described. It has no endpoints before it is available.
function caches.view(ctx, cache)
  local shown = { Status = entities.status(ctx, cache) }
  for _, member in ipairs(SHOWN) do
    shown[member] = cache[member]
  end
  if ctx.now() >= cache.available_at and not cache.failed then
    local port = settings.engines[cache.Engine].port
    shown.Endpoint, shown.ReaderEndpoint = endpoint(cache, ctx.region, port), endpoint(cache, ctx.region, port + 1)
  end
  return shown
end

-- -- the network ------------------------------------------------------------------------------------------------------

-- What only shows while the cache is made: then it is created, and fails.
local function will_fail(ctx, subnets, groups)
  for _, subnet in ipairs(subnets) do
    if interfaces.free_addresses(ctx, subnet) == 0 then
      return true
    end
  end
  return not settings.groups_fit(ctx, subnets[1].VpcId, groups)
end

-- Puts the interfaces of the cache's VPC endpoint into its subnets. Returns their ids.
local function connect(ctx, name, subnets, groups)
  local ids = {}
  for i, subnet in ipairs(subnets) do
    ids[i] = interfaces.create(ctx, subnet, {
      Description = "VPC Endpoint Interface of ElastiCache " .. name,
      InterfaceType = "vpc_endpoint",
      RequesterId = "amazon-elasticache",
      Groups = groups,
    }).NetworkInterfaceId
  end
  return ids
end

--- Changes the network interfaces of a cache by `change(interface)`.
function caches.each_interface(ctx, cache, change)
  for _, id in ipairs(cache.interfaces) do
    local interface = kinds.Interface:get(ctx, id)
    if interface then
      change(interface)
      kinds.Interface:put(ctx, interface)
    end
  end
end

local function ids_of(list, member)
  local ids = {}
  for i, item in ipairs(list) do
    ids[i] = item[member]
  end
  table.sort(ids) -- not the caller's order
  return ids
end

-- -- operations -------------------------------------------------------------------------------------------------------

local function check_quota(ctx)
  local count = 0
  for name in ctx.store:each("cache") do
    count = count + (entities.get(ctx, "cache", name) and 1 or 0)
  end
  if count >= (ctx.quotas["serverless-cache"] or QUOTA) then
    entities.fail(ctx, "ServerlessCacheQuotaForCustomerExceededFault", "Quota for serverless caches is exceeded.")
  end
end

function operations.CreateServerlessCache(ctx, params)
  local name = entities.checked_name(ctx, params.ServerlessCacheName, NAME_LIMIT)
  entities.check_new(ctx, "cache", name)
  check_quota(ctx)
  settings.check_user_group(ctx, params.UserGroupId)
  local cache = {
    ServerlessCacheName = name,
    ARN = entities.arn(ctx, "cache", name),
    CreateTime = ctx.now(),
    Description = settings.description(ctx, params.Description),
    CacheUsageLimits = settings.usage_limits(ctx, params.CacheUsageLimits),
    KmsKeyId = settings.key(ctx, params.KmsKeyId),
    hash = ctx.unique(6, "abcdefghijklmnopqrstuvwxyz0123456789"),
    tags = tags.merged(ctx, {}, params.Tags),
    available_at = ctx.now() + CREATING,
  }
  for _, part in ipairs {
    settings.engine(ctx, params.Engine, params.MajorEngineVersion),
    settings.snapshots(ctx, params, { SnapshotRetentionLimit = 0 }),
  } do
    for member, value in pairs(part) do
      cache[member] = value
    end
  end
  snapshots.check_restorable(ctx, params.SnapshotArnsToRestore, cache)
  local subnets = settings.subnets(ctx, params.SubnetIds)
  local groups = settings.groups(ctx, subnets[1].VpcId, params.SecurityGroupIds)
  cache.SubnetIds, cache.SecurityGroupIds = ids_of(subnets, "SubnetId"), ids_of(groups, "GroupId")
  cache.failed = will_fail(ctx, subnets, groups)
  cache.interfaces = cache.failed and {} or connect(ctx, name, subnets, groups)
  entities.put(ctx, "cache", cache)
  return { ServerlessCache = caches.view(ctx, cache) }
end

function operations.DescribeServerlessCaches(ctx, params)
  if params.ServerlessCacheName then
    return { ServerlessCaches = { caches.view(ctx, entities.find(ctx, "cache", params.ServerlessCacheName)) } }
  end
  return entities.listed(ctx, params, "cache", "ServerlessCaches", caches.view)
end

function operations.DeleteServerlessCache(ctx, params)
  local cache = entities.find(ctx, "cache", params.ServerlessCacheName)
  if entities.status(ctx, cache) ~= "create-failed" then
    entities.find_available(ctx, "cache", params.ServerlessCacheName)
  end
  if params.FinalSnapshotName then
    snapshots.take(ctx, cache, { ServerlessCacheSnapshotName = params.FinalSnapshotName })
  end
  cache.gone_at = ctx.now() + DELETING
  entities.put(ctx, "cache", cache)
  caches.each_interface(ctx, cache, function(interface) interface.gone_at = cache.gone_at end)
  return { ServerlessCache = caches.view(ctx, cache) }
end

return caches
