-- Clusters of the simulated RDS: making, describing, deleting. Operations of infra.sim.rds; `create` is also how
-- clusters are restored.

local cluster_view = require "infra.sim.rds.cluster_view"
local engines = require "infra.sim.rds.engines"
local entities = require "infra.sim.rds.entities"
local kms = require "infra.sim.kms.entities"
local master_secret = require "infra.sim.rds.master_secret"
local network = require "infra.sim.rds.network"
local settings = require "infra.sim.rds.cluster_settings"
local snapshots = require "infra.sim.rds.snapshots"
local tags = require "infra.sim.rds.tags"
local timeline = require "infra.sim.rds.timeline"
local zones = require "infra.sim.ec2.zones"

local clusters = { operations = {} }
local operations = clusters.operations

-- Seconds: until a cluster is available; until it is gone, and how much longer with a final snapshot.
local CREATING, DELETING, SAVING = 60, 60, 120

local QUOTA = 40
local CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

-- All endpoints of an account and region have it in common.
local function endpoint_hash(ctx)
  local store = entities.store(ctx)
  local known = store:get("endpoint", "hash") or store:put("endpoint", "hash", {
    value = "c" .. ctx.unique(11, "abcdefghijklmnopqrstuvwxyz0123456789"),
  })
  return known.value
end

-- Storage is in three zones, whatever a request says.
local function storage_zones(ctx)
  local found = {}
  for i, zone in ipairs(zones.usable(ctx.region)) do
    found[i] = i <= 3 and zone.ZoneName or nil
  end
  return found
end

local function check_new(ctx, id, params)
  local count = 0
  entities.check_new(ctx, "cluster", id)
  for _ in entities.each(ctx, "cluster") do
    count = count + 1
  end
  if count >= (ctx.quotas["db-cluster"] or QUOTA) then
    entities.fail(ctx, "DBClusterQuotaExceededFault", "The request cannot be completed because it would exceed the "
      .. "maximum number of clusters.")
  elseif params.GlobalClusterIdentifier then
    entities.fail(ctx, "GlobalClusterNotFoundFault", "Global cluster %s not found", params.GlobalClusterIdentifier)
  elseif (params.EngineMode or "provisioned") ~= "provisioned" then
    entities.invalid(ctx, "The engine mode %s you requested is currently unavailable.", params.EngineMode)
  end
end

-- The key of the storage: a copy of what is encrypted is encrypted, too.
local function storage_key(ctx, params, origin)
  if params.KmsKeyId then
    if params.StorageEncrypted == false then
      entities.refuse(ctx, "You can't specify KmsKeyId for an unencrypted cluster.")
    end
    return settings.key(ctx, params.KmsKeyId, "KmsKeyId")
  elseif origin.KmsKeyId then
    return settings.key(ctx, origin.KmsKeyId, "KmsKeyId")
  end
  return params.StorageEncrypted and kms.managed(ctx, "rds").Arn or nil
end

local function or_false(value)
  return value or false
end

--- Keeps a new cluster by the parameters of CreateDBCluster. `origin`: the members of another one that it inherits,
--- unless the request says otherwise. Returns it.
function clusters.create(ctx, params, origin, seconds)
  local id = entities.checked_id(ctx, params.DBClusterIdentifier, "DBClusterIdentifier")
  check_new(ctx, id, params)
  local version = engines.version(ctx, params.EngineVersion)
  local subnet_group = network.subnet_group(ctx, params.DBSubnetGroupName)
  local scaling = params.ServerlessV2ScalingConfiguration
  local key = storage_key(ctx, params, origin)
  local cluster = {
    DBClusterIdentifier = id,
    DBClusterArn = entities.arn(ctx, "cluster", id),
    DbClusterResourceId = "cluster-" .. ctx.unique(26, CAPITALS),
    ClusterCreateTime = ctx.now(),
    Engine = engines.NAME,
    EngineVersion = version,
    EngineLifecycleSupport = params.EngineLifecycleSupport or "open-source-rds-extended-support",
    MasterUsername = params.MasterUsername or origin.MasterUsername,
    DatabaseName = params.DatabaseName,
    Port = settings.port(ctx, params.Port or origin.Port or engines.PORT),
    DBSubnetGroup = subnet_group.DBSubnetGroupName,
    groups = network.groups(ctx, subnet_group.VpcId, params.VpcSecurityGroupIds),
    DBClusterParameterGroup = settings.parameter_group(ctx, params.DBClusterParameterGroupName, version),
    group_set_at = ctx.now(),
    AvailabilityZones = storage_zones(ctx),
    BackupRetentionPeriod = settings.retention(ctx, params.BackupRetentionPeriod or origin.BackupRetentionPeriod or 1),
    PreferredBackupWindow = settings.backup_window(ctx, params.PreferredBackupWindow),
    PreferredMaintenanceWindow = settings.maintenance_window(ctx, params.PreferredMaintenanceWindow),
    StorageEncrypted = key ~= nil,
    KmsKeyId = key,
    StorageType = settings.storage_type(ctx, params.StorageType or origin.StorageType or "aurora"),
    IAMDatabaseAuthenticationEnabled = or_false(params.EnableIAMDatabaseAuthentication),
    DeletionProtection = or_false(params.DeletionProtection),
    CopyTagsToSnapshot = or_false(params.CopyTagsToSnapshot),
    HttpEndpointEnabled = or_false(params.EnableHttpEndpoint),
    AutoMinorVersionUpgrade = params.AutoMinorVersionUpgrade ~= false,
    ServerlessV2ScalingConfiguration = scaling and settings.scaling(ctx, scaling, version),
    logs = settings.logs(ctx, params.EnableCloudwatchLogsExports or {}),
    tags = tags.merged(ctx, {}, params.Tags),
    hash = endpoint_hash(ctx),
    available_at = ctx.now() + seconds,
  }
  if params.ManageMasterUserPassword then
    master_secret.create(ctx, cluster, params.MasterUserSecretKmsKeyId)
  end
  return entities.put(ctx, "cluster", cluster)
end

function operations.CreateDBCluster(ctx, params)
  engines.check(ctx, params.Engine)
  settings.check_credentials(ctx, params)
  return { DBCluster = cluster_view.view(ctx, clusters.create(ctx, params, {}, CREATING)) }
end

operations.DescribeDBClusters = entities.describe {
  kind = "cluster",
  output = "DBClusters",
  show = cluster_view.view,
  filters = {
    ["db-cluster-id"] = function(cluster) return { cluster.DBClusterIdentifier, cluster.DBClusterArn } end,
    ["db-cluster-resource-id"] = function(cluster) return { cluster.DbClusterResourceId } end,
    engine = function(cluster) return { cluster.Engine } end,
    ["clone-group-id"] = function() return {} end,
    domain = function() return {} end,
  },
}

-- -- the Data API -----------------------------------------------------------------------------------------------------

local function set_http_endpoint(enabled)
  return function(ctx, params)
    local cluster, kind = entities.by_arn(ctx, params.ResourceArn)
    if kind ~= "cluster" then
      entities.fail(ctx, "ResourceNotFoundFault", "The specified resource ID was not found.")
    elseif timeline.status(ctx, cluster) ~= "available" then
      entities.fail(ctx, "InvalidResourceStateFault", "The cluster %s is not available.", cluster.DBClusterIdentifier)
    end
    cluster.HttpEndpointEnabled = enabled
    entities.put(ctx, "cluster", cluster)
    return { ResourceArn = cluster.DBClusterArn, HttpEndpointEnabled = enabled }
  end
end

operations.EnableHttpEndpoint = set_http_endpoint(true)
operations.DisableHttpEndpoint = set_http_endpoint(false)

-- -- deleting ---------------------------------------------------------------------------------------------------------

local function check_deletable(ctx, cluster, params)
  if cluster.DeletionProtection then
    entities.refuse(ctx, "Cannot delete protected Cluster, please disable deletion protection and try again.")
  elseif params.SkipFinalSnapshot and params.FinalDBSnapshotIdentifier then
    entities.refuse(ctx, "You can't specify FinalDBSnapshotIdentifier when SkipFinalSnapshot is enabled.")
  elseif not params.SkipFinalSnapshot and not params.FinalDBSnapshotIdentifier then
    entities.refuse(ctx, "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
  end
  for _, instance in ipairs(cluster_view.members(ctx, cluster)) do
    if not instance.gone_at then
      entities.fail(ctx, "InvalidDBClusterStateFault", "Cluster cannot be deleted, it still contains DB instances in "
        .. "non-deleting state.")
    end
  end
end

-- Instances that are being deleted go first.
function operations.DeleteDBCluster(ctx, params)
  local cluster = cluster_view.find_available(ctx, params.DBClusterIdentifier)
  check_deletable(ctx, cluster, params)
  local starts_at = ctx.now()
  for _, instance in ipairs(cluster_view.members(ctx, cluster)) do
    starts_at = math.max(starts_at, instance.gone_at)
  end
  if params.FinalDBSnapshotIdentifier then
    snapshots.take(ctx, cluster, { DBClusterSnapshotIdentifier = params.FinalDBSnapshotIdentifier })
    starts_at = starts_at + SAVING
  end
  cluster.gone_at = starts_at + DELETING
  cluster.changes = nil
  local shown = cluster_view.view(ctx, cluster)
  master_secret.remove(ctx, cluster, cluster.gone_at)
  entities.put(ctx, "cluster", cluster)
  return { DBCluster = shown }
end

return clusters
