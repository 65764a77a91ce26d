-- Cluster snapshots of the simulated RDS: taking, copying, sharing, deleting. Operations of infra.sim.rds; `take` is
-- also for who takes snapshots of its own (the clusters' last ones, AWS Backup).
--
-- A snapshot is kept with the members of the API's DBClusterSnapshot, and available_at, gone_at, tags, creating = what
-- its status is before it is available ("creating" or "copying"), origin = what a cluster made of it inherits,
-- shared_with = array of account ids, or "all".

local entities = require "infra.sim.rds.entities"
local joined = require "infra.joined"
local merged = require "infra.merged"
local set_of = require "infra.set_of"
local settings = require "infra.sim.rds.cluster_settings"
local structures = require "infra.sim.structures"
local tagging = require "infra.sim.tagging"
local tags = require "infra.sim.rds.tags"
local timeline = require "infra.sim.rds.timeline"

local snapshots = { operations = {} }
local operations = snapshots.operations
local fail = entities.fail

-- Seconds until a snapshot is available, in the region it is of and in another one, and until it is gone.
local CREATING, COPYING, DELETING = 90, 600, 5

local OF_CLUSTER = {
  "DBClusterIdentifier", "DbClusterResourceId", "AvailabilityZones", "Engine", "EngineVersion", "Port",
  "MasterUsername", "ClusterCreateTime", "StorageEncrypted", "KmsKeyId", "StorageType",
  "IAMDatabaseAuthenticationEnabled",
}
local SHOWN = joined({
  "DBClusterSnapshotIdentifier", "DBClusterSnapshotArn", "SnapshotCreateTime", "SnapshotType", "VpcId",
  "SourceDBClusterSnapshotArn",
}, OF_CLUSTER)

local INHERITED = {
  "MasterUsername", "Port", "BackupRetentionPeriod", "KmsKeyId", "StorageType", "EngineVersion", "DbClusterResourceId",
}

--- What a cluster made of this one inherits.
function snapshots.origin(cluster)
  return structures.pick(cluster, INHERITED)
end

local function status(ctx, snapshot)
  local current = timeline.status(ctx, snapshot)
  return current == "creating" and snapshot.creating or current
end

local function view(ctx, snapshot)
  local shown = structures.pick(snapshot, SHOWN)
  shown.Status = status(ctx, snapshot)
  shown.PercentProgress = shown.Status == "available" and 100 or 0
  shown.AllocatedStorage = 1
  shown.EngineMode = "provisioned"
  shown.LicenseModel = "postgresql-license"
  shown.TagList = tagging.list(snapshot.tags)
  return shown
end

-- Service-made names have a colon; a customer's cannot.
local function checked_id(ctx, id, kind)
  id = kind == "manual" and entities.checked_id(ctx, id, "DBClusterSnapshotIdentifier", 255) or id
  entities.check_new(ctx, "snapshot", id)
  return id
end

--- Takes a snapshot of a cluster. `params`: DBClusterSnapshotIdentifier, Tags, SnapshotType ("manual" unless given).
--- Returns it.
function snapshots.take(ctx, cluster, params)
  local kind = params.SnapshotType or "manual"
  local snapshot = structures.pick(cluster, OF_CLUSTER)
  snapshot.DBClusterSnapshotIdentifier = checked_id(ctx, params.DBClusterSnapshotIdentifier, kind)
  snapshot.DBClusterSnapshotArn = entities.arn(ctx, "snapshot", snapshot.DBClusterSnapshotIdentifier)
  snapshot.SnapshotCreateTime = ctx.now()
  snapshot.SnapshotType = kind
  snapshot.VpcId = entities.get(ctx, "subnet_group", cluster.DBSubnetGroup).VpcId
  snapshot.origin = snapshots.origin(cluster)
  snapshot.tags = tags.merged(ctx, cluster.CopyTagsToSnapshot and cluster.tags or {}, params.Tags)
  snapshot.shared_with = {}
  snapshot.creating = "creating"
  snapshot.available_at = ctx.now() + CREATING
  return entities.put(ctx, "snapshot", snapshot)
end

function operations.CreateDBClusterSnapshot(ctx, params)
  local cluster = entities.find(ctx, "cluster", params.DBClusterIdentifier)
  if timeline.status(ctx, cluster) ~= "available" then
    fail(ctx, "InvalidDBClusterStateFault", "Can't create a snapshot because the database cluster %s isn't currently "
      .. "in the available state.", cluster.DBClusterIdentifier)
  end
  local snapshot = snapshots.take(ctx, cluster, {
    DBClusterSnapshotIdentifier = params.DBClusterSnapshotIdentifier, Tags = params.Tags,
  })
  timeline.add(cluster, { starts_at = ctx.now(), ends_at = snapshot.available_at, status = "backing-up" })
  entities.put(ctx, "cluster", cluster)
  return { DBClusterSnapshot = view(ctx, snapshot) }
end

operations.DescribeDBClusterSnapshots = entities.describe {
  kind = "snapshot",
  output = "DBClusterSnapshots",
  show = view,
  filters = {
    ["db-cluster-id"] = function(snapshot) return { snapshot.DBClusterIdentifier } end,
    ["db-cluster-snapshot-id"] = function(snapshot) return { snapshot.DBClusterSnapshotIdentifier } end,
    ["snapshot-type"] = function(snapshot) return { snapshot.SnapshotType } end,
    engine = function(snapshot) return { snapshot.Engine } end,
  },
  wanted = function(params, snapshot)
    return (params.SnapshotType or snapshot.SnapshotType) == snapshot.SnapshotType
      and (params.DBClusterIdentifier or snapshot.DBClusterIdentifier):lower() == snapshot.DBClusterIdentifier
      and (params.DbClusterResourceId or snapshot.DbClusterResourceId) == snapshot.DbClusterResourceId
  end,
}

--- The snapshot, if it can be copied and restored from.
function snapshots.find_available(ctx, name)
  local snapshot = entities.find(ctx, "snapshot", name)
  if status(ctx, snapshot) ~= "available" then
    fail(ctx, "InvalidDBClusterSnapshotStateFault", "The DB cluster snapshot %s isn't in the available state. Current "
      .. "state: %s", snapshot.DBClusterSnapshotIdentifier, status(ctx, snapshot))
  end
  return snapshot
end

function operations.DeleteDBClusterSnapshot(ctx, params)
  local snapshot = snapshots.find_available(ctx, params.DBClusterSnapshotIdentifier)
  if snapshot.SnapshotType ~= "manual" then
    fail(ctx, "InvalidDBClusterSnapshotStateFault", "Only manual snapshots may be deleted; %s is of the type %s.",
      snapshot.DBClusterSnapshotIdentifier, snapshot.SnapshotType)
  end
  for _, other in entities.each(ctx, "snapshot", "SourceDBClusterSnapshotArn", snapshot.DBClusterSnapshotArn) do
    if ctx.now() < other.available_at then
      fail(ctx, "InvalidDBClusterSnapshotStateFault", "The DB cluster snapshot %s is being copied.",
        snapshot.DBClusterSnapshotIdentifier)
    end
  end
  snapshot.gone_at = ctx.now() + DELETING
  entities.put(ctx, "snapshot", snapshot)
  return { DBClusterSnapshot = view(ctx, snapshot) }
end

-- -- copies -----------------------------------------------------------------------------------------------------------

-- A copy from another region is asked for in the region where it will be; if it is encrypted, the key must be one of
-- that region, and the request has another one in it, signed for the source.
local function copy_key(ctx, params, source, source_region)
  if not source.StorageEncrypted then
    return params.KmsKeyId and settings.key(ctx, params.KmsKeyId, "KmsKeyId")
  elseif source_region == ctx.region then
    return params.KmsKeyId and settings.key(ctx, params.KmsKeyId, "KmsKeyId") or source.KmsKeyId
  elseif not params.KmsKeyId then
    entities.refuse(ctx, "Specify a KMS key of this region to copy the encrypted snapshot from %s.", source_region)
  end
  for _, part in ipairs {
    ("%%2F%s%%2Frds%%2F"):format(source_region), "Action=CopyDBClusterSnapshot", "DestinationRegion=" .. ctx.region,
    "X-Amz-Signature=",
  } do
    if not (params.PreSignedUrl or ""):find(part, 1, true) then
      entities.invalid(ctx, "PreSignedUrl could not be authenticated.")
    end
  end
  return settings.key(ctx, params.KmsKeyId, "KmsKeyId")
end

--- Copies `source`, a snapshot of the region `source_region`, to this one. `params`: TargetDBClusterSnapshotIdentifier,
--- Tags, CopyTags, SnapshotType ("manual" unless given); `key`: the copy's KMS key, nil for none. Returns it.
function snapshots.copy(ctx, source, source_region, params, key)
  local kind = params.SnapshotType or "manual"
  local id = checked_id(ctx, params.TargetDBClusterSnapshotIdentifier, kind)
  local copy = structures.pick(source, OF_CLUSTER)
  copy.DBClusterSnapshotIdentifier = id
  copy.DBClusterSnapshotArn = entities.arn(ctx, "snapshot", id)
  copy.SourceDBClusterSnapshotArn = source.DBClusterSnapshotArn
  copy.SnapshotCreateTime = ctx.now()
  copy.SnapshotType = kind
  copy.StorageEncrypted, copy.KmsKeyId = key ~= nil, key
  copy.VpcId = source_region == ctx.region and source.VpcId or nil
  copy.origin = structures.pick(source.origin, INHERITED)
  copy.origin.KmsKeyId = key
  copy.tags = tags.merged(ctx, params.CopyTags and source.tags or {}, params.Tags)
  copy.shared_with = {}
  copy.creating = "copying"
  copy.available_at = ctx.now() + (source_region == ctx.region and CREATING or COPYING)
  return entities.put(ctx, "snapshot", copy)
end

function operations.CopyDBClusterSnapshot(ctx, params)
  local name = params.SourceDBClusterSnapshotIdentifier
  local source_region = name:match("^arn:[%w-]+:rds:([%w-]+):") or ctx.region
  local source = snapshots.find_available(ctx:in_region(source_region), name)
  local key = copy_key(ctx, params, source, source_region)
  return { DBClusterSnapshot = view(ctx, snapshots.copy(ctx, source, source_region, params, key)) }
end

-- -- sharing ----------------------------------------------------------------------------------------------------------

local function attributes_view(snapshot)
  return {
    DBClusterSnapshotAttributesResult = {
      DBClusterSnapshotIdentifier = snapshot.DBClusterSnapshotIdentifier,
      DBClusterSnapshotAttributes = { { AttributeName = "restore", AttributeValues = snapshot.shared_with } },
    },
  }
end

function operations.DescribeDBClusterSnapshotAttributes(ctx, params)
  return attributes_view(entities.find(ctx, "snapshot", params.DBClusterSnapshotIdentifier))
end

function operations.ModifyDBClusterSnapshotAttribute(ctx, params)
  local snapshot = snapshots.find_available(ctx, params.DBClusterSnapshotIdentifier)
  if params.AttributeName ~= "restore" then
    entities.invalid(ctx, "Invalid attribute name: %s", params.AttributeName)
  end
  local gone, left = merged(set_of(params.ValuesToRemove), set_of(params.ValuesToAdd)), {}
  for _, account in ipairs(snapshot.shared_with) do
    left[#left + 1] = not gone[account] and account or nil
  end
  snapshot.shared_with = joined(left, params.ValuesToAdd)
  entities.put(ctx, "snapshot", snapshot)
  return attributes_view(snapshot)
end

return snapshots
