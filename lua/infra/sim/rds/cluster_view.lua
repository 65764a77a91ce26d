-- A cluster of the simulated RDS as it is at a moment: its members, its writer, its description. Used by the other
-- files of this folder.
--
-- A cluster is kept with the members of the API's DBCluster, and available_at, gone_at, changes
-- (infra.sim.rds.timeline), secret (infra.sim.rds.master_secret), groups (its security groups, as EC2's interfaces keep
-- them), hash (of its endpoints), writer (the instance that took over when another one could not write any more),
-- group_set_at (when it got its parameter group), logs (the types that are exported), tags.

local entities = require "infra.sim.rds.entities"
local master_secret = require "infra.sim.rds.master_secret"
local merged = require "infra.merged"
local parameter_groups = require "infra.sim.rds.parameter_groups"
local structures = require "infra.sim.structures"
local tagging = require "infra.sim.tagging"
local timeline = require "infra.sim.rds.timeline"

local cluster_view = {}

-- Seconds that backups are behind.
local RESTORABLE_LAG = 300

local SHOWN = {
  "DBClusterIdentifier", "DBClusterArn", "DbClusterResourceId", "Engine", "EngineVersion", "MasterUsername",
  "DatabaseName", "Port", "DBSubnetGroup", "DBClusterParameterGroup", "AvailabilityZones", "BackupRetentionPeriod",
  "PreferredBackupWindow", "PreferredMaintenanceWindow", "StorageEncrypted", "KmsKeyId",
  "IAMDatabaseAuthenticationEnabled", "DeletionProtection", "CopyTagsToSnapshot", "HttpEndpointEnabled",
  "AutoMinorVersionUpgrade", "ServerlessV2ScalingConfiguration", "ClusterCreateTime", "EngineLifecycleSupport",
}

-- The same for all clusters.
local CONSTANT = {
  AllocatedStorage = 1, EngineMode = "provisioned", CrossAccountClone = false, NetworkType = "IPV4",
  HostedZoneId = "Z2R2ITUGPM61AM", ReadReplicaIdentifiers = {}, AssociatedRoles = {},
}

--- The instances of a cluster, in order of their names, with those that are being deleted.
function cluster_view.members(ctx, cluster)
  local found = {}
  for _, instance in entities.each(ctx, "instance", "DBClusterIdentifier", cluster.DBClusterIdentifier) do
    found[#found + 1] = instance
  end
  return found
end

--- The name of the instance that writes, or nil without instances: the first one that is available, and it stays that
--- until it is deleted or failed over.
function cluster_view.writer(ctx, cluster)
  local first
  for _, instance in ipairs(cluster_view.members(ctx, cluster)) do
    if not instance.gone_at then
      if instance.DBInstanceIdentifier == cluster.writer then
        return cluster.writer
      elseif not first or instance.available_at < first.available_at then
        first = instance
      end
    end
  end
  return first and first.DBInstanceIdentifier
end

--- The reader that takes over when `writer` cannot write any more, or nil: of the available ones that with the lowest
--- promotion tier.
function cluster_view.heir(ctx, cluster, writer)
  local heir
  for _, instance in ipairs(cluster_view.members(ctx, cluster)) do
    if instance.DBInstanceIdentifier ~= writer and not instance.gone_at and instance.available_at <= ctx.now()
      and (not heir or instance.PromotionTier < heir.PromotionTier) then
      heir = instance
    end
  end
  return heir and heir.DBInstanceIdentifier
end

--- Whether the instance runs with the parameters of its cluster's group: "in-sync" or "pending-reboot".
function cluster_view.parameter_status(ctx, cluster, instance)
  local group = parameter_groups.of_cluster(ctx, cluster)
  local changed_at = math.max(cluster.group_set_at, group.rebooted_after or 0)
  return instance.booted_at < changed_at and "pending-reboot" or "in-sync"
end

local function shown_members(ctx, cluster)
  local found, zones, count = {}, {}, 0
  local writer = cluster_view.writer(ctx, cluster)
  for i, instance in ipairs(cluster_view.members(ctx, cluster)) do
    count = count + (zones[instance.AvailabilityZone] and 0 or 1)
    zones[instance.AvailabilityZone] = true
    found[i] = {
      DBInstanceIdentifier = instance.DBInstanceIdentifier,
      IsClusterWriter = instance.DBInstanceIdentifier == writer,
      DBClusterParameterGroupStatus = cluster_view.parameter_status(ctx, cluster, instance),
      PromotionTier = instance.PromotionTier,
    }
  end
  return found, count > 1
end

--- The security groups of a cluster as RDS shows them.
function cluster_view.groups(cluster)
  local shown = {}
  for i, group in ipairs(cluster.groups) do
    shown[i] = { VpcSecurityGroupId = group.GroupId, Status = "active" }
  end
  return shown
end

--- Until when the cluster can be restored to any moment.
function cluster_view.latest_restorable(ctx, cluster)
  return math.max(cluster.available_at, ctx.now() - RESTORABLE_LAG)
end

--- A cluster as it is described.
function cluster_view.view(ctx, cluster)
  local shown = merged(structures.pick(cluster, SHOWN), CONSTANT)
  local function endpoint(kind)
    return ("%s.%s-%s.%s.rds.amazonaws.com"):format(cluster.DBClusterIdentifier, kind, cluster.hash, ctx.region)
  end
  shown.Status = timeline.status(ctx, cluster)
  shown.Endpoint, shown.ReaderEndpoint = endpoint "cluster", endpoint "cluster-ro"
  shown.DBClusterMembers, shown.MultiAZ = shown_members(ctx, cluster)
  shown.VpcSecurityGroups = cluster_view.groups(cluster)
  shown.EnabledCloudwatchLogsExports = #cluster.logs > 0 and cluster.logs or nil
  shown.StorageType = cluster.StorageType ~= "aurora" and cluster.StorageType or nil
  shown.PendingModifiedValues = timeline.pending(cluster)
  shown.MasterUserSecret = master_secret.view(ctx, cluster)
  shown.TagList = tagging.list(cluster.tags)
  if ctx.now() >= cluster.available_at then
    shown.EarliestRestorableTime = cluster.available_at
    shown.LatestRestorableTime = cluster_view.latest_restorable(ctx, cluster)
  end
  return shown
end

--- The cluster, if it is available; else InvalidDBClusterStateFault.
function cluster_view.find_available(ctx, name)
  local cluster = entities.find(ctx, "cluster", name)
  if timeline.status(ctx, cluster) ~= "available" then
    entities.fail(ctx, "InvalidDBClusterStateFault", "DBCluster %s is not currently in the available state. Current "
      .. "state: %s", cluster.DBClusterIdentifier, timeline.status(ctx, cluster))
  end
  return cluster
end

return cluster_view
