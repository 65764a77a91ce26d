-- Snapshots of serverless caches in the simulated ElastiCache. Used by infra.sim.elasticache and its caches.

local entities = require "infra.sim.elasticache.entities"
local settings = require "infra.sim.elasticache.settings"
local tags = require "infra.sim.elasticache.tags"

local snapshots = { operations = {} }
local operations = snapshots.operations

-- Seconds until a snapshot is available, and until it is gone.
local CREATING, DELETING = 60, 5

local NAME_LIMIT = 255

local SHOWN = {
  "ServerlessCacheSnapshotName", "ARN", "KmsKeyId", "SnapshotType", "CreateTime", "BytesUsedForCache",
  "ServerlessCacheConfiguration",
}

local function view(ctx, snapshot)
  local shown = { Status = entities.status(ctx, snapshot) }
  for _, member in ipairs(SHOWN) do
    shown[member] = snapshot[member]
  end
  return shown
end

-- Keeps a new snapshot by the request `params` (ServerlessCacheSnapshotName, KmsKeyId, Tags).
local function create(ctx, params, configuration)
  local name = entities.checked_name(ctx, params.ServerlessCacheSnapshotName, NAME_LIMIT)
  entities.check_new(ctx, "snapshot", name)
  local snapshot = {
    ServerlessCacheSnapshotName = name,
    ARN = entities.arn(ctx, "snapshot", name),
    KmsKeyId = settings.key(ctx, params.KmsKeyId),
    SnapshotType = "manual",
    CreateTime = ctx.now(),
    BytesUsedForCache = "0",
    ServerlessCacheConfiguration = configuration,
    tags = tags.merged(ctx, {}, params.Tags),
    available_at = ctx.now() + CREATING,
  }
  entities.put(ctx, "snapshot", snapshot)
  return snapshot
end

--- Takes a snapshot of a cache; `params` as CreateServerlessCacheSnapshot's.
function snapshots.take(ctx, cache, params)
  return create(ctx, params, {
    ServerlessCacheName = cache.ServerlessCacheName,
    Engine = cache.Engine,
    MajorEngineVersion = cache.MajorEngineVersion,
  })
end

--- Fails unless a new cache can be filled from the snapshots with these ARNs (nil: from none).
function snapshots.check_restorable(ctx, arns, cache)
  for _, arn in ipairs(arns or {}) do
    local snapshot, kind = entities.by_arn(ctx, arn)
    if kind ~= "snapshot" then
      entities.invalid(ctx, "%s is not the ARN of a serverless cache snapshot.", arn)
    elseif (snapshot.ServerlessCacheConfiguration.Engine == "memcached") ~= (cache.Engine == "memcached") then
      entities.invalid(ctx, "A cache of the engine %s cannot be restored from the snapshot %s.", cache.Engine, arn)
    end
  end
end

function operations.CreateServerlessCacheSnapshot(ctx, params)
  local cache = entities.find_available(ctx, "cache", params.ServerlessCacheName)
  return { ServerlessCacheSnapshot = view(ctx, snapshots.take(ctx, cache, params)) }
end

function operations.CopyServerlessCacheSnapshot(ctx, params)
  local source = entities.find_available(ctx, "snapshot", params.SourceServerlessCacheSnapshotName)
  local copy = create(ctx, {
    ServerlessCacheSnapshotName = params.TargetServerlessCacheSnapshotName,
    KmsKeyId = params.KmsKeyId or source.KmsKeyId,
    Tags = params.Tags,
  }, source.ServerlessCacheConfiguration)
  return { ServerlessCacheSnapshot = view(ctx, copy) }
end

function operations.DescribeServerlessCacheSnapshots(ctx, params)
  local name, cache_name = params.ServerlessCacheSnapshotName, params.ServerlessCacheName
  if name then
    return { ServerlessCacheSnapshots = { view(ctx, entities.find(ctx, "snapshot", name)) } }
  end
  return entities.listed(ctx, params, "snapshot", "ServerlessCacheSnapshots", view, function(snapshot)
    return (not cache_name or snapshot.ServerlessCacheConfiguration.ServerlessCacheName == cache_name:lower())
      and (params.SnapshotType or snapshot.SnapshotType) == snapshot.SnapshotType
  end)
end

function operations.DeleteServerlessCacheSnapshot(ctx, params)
  local snapshot = entities.find_available(ctx, "snapshot", params.ServerlessCacheSnapshotName)
  snapshot.gone_at = ctx.now() + DELETING
  entities.put(ctx, "snapshot", snapshot)
  return { ServerlessCacheSnapshot = view(ctx, snapshot) }
end

return snapshots
