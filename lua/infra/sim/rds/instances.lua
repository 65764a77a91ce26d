-- Instances of clusters in the simulated RDS: making, describing, deleting. Operations of infra.sim.rds.
--
-- An instance is kept with the members of the API's DBInstance, and available_at, gone_at, changes
-- (infra.sim.rds.timeline), interface (its network interface in EC2), booted_at, at_reboot = { member = value that it
-- has after the next reboot }, tags.

local cluster_view = require "infra.sim.rds.cluster_view"
local engines = require "infra.sim.rds.engines"
local entities = require "infra.sim.rds.entities"
local instance_settings = require "infra.sim.rds.instance_settings"
local merged = require "infra.merged"
local network = require "infra.sim.rds.network"
local settings = require "infra.sim.rds.cluster_settings"
local structures = require "infra.sim.structures"
local subnet_groups = require "infra.sim.rds.subnet_groups"
local tagging = require "infra.sim.tagging"
local tags = require "infra.sim.rds.tags"
local timeline = require "infra.sim.rds.timeline"

local instances = { operations = {} }
local operations = instances.operations

-- Seconds until an instance is available, and until it is gone; both take up to a minute more. It has an endpoint a
-- little earlier.
local CREATING, DELETING, VARIATION, ENDPOINT = 360, 240, 60, 60

local CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

local SHOWN = {
  "DBInstanceIdentifier", "DBInstanceArn", "DbiResourceId", "DBInstanceClass", "DBClusterIdentifier", "Engine",
  "AvailabilityZone", "PromotionTier", "PubliclyAccessible", "AutoMinorVersionUpgrade", "PreferredMaintenanceWindow",
  "CACertificateIdentifier", "MonitoringInterval", "MonitoringRoleArn", "PerformanceInsightsEnabled",
  "PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod",
}
local OF_CLUSTER = {
  "MasterUsername", "EngineVersion", "BackupRetentionPeriod", "PreferredBackupWindow", "StorageEncrypted", "KmsKeyId",
  "IAMDatabaseAuthenticationEnabled",
}

-- The same for all instances.
local CONSTANT = {
  AllocatedStorage = 1, StorageType = "aurora", MultiAZ = false, LicenseModel = "postgresql-license",
  CopyTagsToSnapshot = false, DeletionProtection = false, NetworkType = "IPV4", DbInstancePort = 0,
  ReadReplicaDBInstanceIdentifiers = {}, DBSecurityGroups = {}, DomainMemberships = {}, AssociatedRoles = {},
}

-- An upgrade of the cluster is one of its instances.
local function status(ctx, instance, cluster)
  local current = timeline.status(ctx, instance)
  local upgrading = current == "available" and timeline.status(ctx, cluster) == "upgrading"
  return upgrading and "upgrading" or current
end

local function pending(instance)
  return merged(timeline.pending(instance), instance.at_reboot)
end

--- An instance as it is described.
function instances.view(ctx, instance)
  local cluster = entities.get(ctx, "cluster", instance.DBClusterIdentifier)
  local shown = merged(structures.pick(instance, SHOWN), structures.pick(cluster, OF_CLUSTER), CONSTANT)
  shown.DBInstanceStatus = status(ctx, instance, cluster)
  shown.DBSubnetGroup = subnet_groups.view(ctx, entities.get(ctx, "subnet_group", cluster.DBSubnetGroup))
  shown.VpcSecurityGroups = cluster_view.groups(cluster)
  shown.DBParameterGroups = { {
    DBParameterGroupName = "default." .. engines.family(cluster.EngineVersion), ParameterApplyStatus = "in-sync",
  } }
  shown.PendingModifiedValues = pending(instance)
  shown.TagList = tagging.list(instance.tags)
  if ctx.now() >= instance.available_at - ENDPOINT then
    shown.InstanceCreateTime = instance.available_at - ENDPOINT
    shown.Endpoint = {
      Address = ("%s.%s.%s.rds.amazonaws.com"):format(instance.DBInstanceIdentifier, cluster.hash, ctx.region),
      Port = cluster.Port,
      HostedZoneId = "Z2R2ITUGPM61AM",
    }
  end
  return shown
end

-- -- creating ---------------------------------------------------------------------------------------------------------

-- Parameters that are the cluster's, with RDS's word for them.
local OWNED = {
  MasterUsername = "master user name", MasterUserPassword = "master user password", DBName = "database name",
  ManageMasterUserPassword = "master user password management", BackupRetentionPeriod = "backup retention period",
  PreferredBackupWindow = "preferred backup window", Port = "port", StorageEncrypted = "storage encryption",
  KmsKeyId = "KMS key", VpcSecurityGroupIds = "security groups", AllocatedStorage = "allocated storage",
  StorageType = "storage type", DeletionProtection = "deletion protection", CharacterSetName = "character set",
  EnableIAMDatabaseAuthentication = "IAM database authentication", EnableCloudwatchLogsExports = "log exports",
}

local function check_cluster(ctx, cluster, params)
  if timeline.status(ctx, cluster) == "deleting" then
    entities.fail(ctx, "InvalidDBClusterStateFault", "DBCluster %s is being deleted.", cluster.DBClusterIdentifier)
  elseif params.DBInstanceClass == "db.serverless" and not cluster.ServerlessV2ScalingConfiguration then
    entities.fail(ctx, "InvalidDBClusterStateFault", "Set the Serverless v2 scaling configuration on the parent DB "
      .. "cluster before creating a Serverless v2 DB instance.")
  elseif params.EngineVersion and engines.version(ctx, params.EngineVersion) ~= cluster.EngineVersion then
    entities.refuse(ctx, "The engine version that you requested for your DB instance (%s) does not match the engine "
      .. "version of your DB cluster (%s).", params.EngineVersion, cluster.EngineVersion)
  elseif params.DBSubnetGroupName and params.DBSubnetGroupName:lower() ~= cluster.DBSubnetGroup then
    entities.refuse(ctx, "The DB subnet group %s is not that of the DB cluster.", params.DBSubnetGroupName)
  end
end

local function variation(ctx)
  return tonumber(ctx.unique(4), 16) % VARIATION
end

function operations.CreateDBInstance(ctx, params)
  local id = entities.checked_id(ctx, params.DBInstanceIdentifier, "DBInstanceIdentifier")
  entities.check_new(ctx, "instance", id)
  engines.check(ctx, params.Engine)
  local cluster = entities.find(ctx, "cluster", params.DBClusterIdentifier
    or entities.invalid(ctx, "The parameter DBClusterIdentifier must be provided for the engine %s.", engines.NAME))
  instance_settings.check_owned(ctx, params, OWNED, "The requested DB Instance will be a member of a DB Cluster. Set "
    .. "%s for the DB Cluster.")
  check_cluster(ctx, cluster, params)
  instance_settings.check_parameter_group(ctx, params.DBParameterGroupName, cluster)
  local instance = {
    DBInstanceIdentifier = id,
    DBInstanceArn = entities.arn(ctx, "instance", id),
    DbiResourceId = "db-" .. ctx.unique(26, CAPITALS),
    DBClusterIdentifier = cluster.DBClusterIdentifier,
    DBSubnetGroupName = cluster.DBSubnetGroup,
    DBInstanceClass = instance_settings.class(ctx, params.DBInstanceClass),
    Engine = engines.NAME,
    PromotionTier = instance_settings.tier(ctx, params.PromotionTier or 1),
    PubliclyAccessible = params.PubliclyAccessible or false,
    AutoMinorVersionUpgrade = params.AutoMinorVersionUpgrade ~= false,
    PreferredMaintenanceWindow = settings.maintenance_window(ctx, params.PreferredMaintenanceWindow),
    CACertificateIdentifier = instance_settings.certificate(ctx, params.CACertificateIdentifier or "rds-ca-rsa2048-g1"),
    PerformanceInsightsEnabled = false,
    tags = tags.merged(ctx, {}, params.Tags),
    available_at = math.max(ctx.now(), cluster.available_at) + CREATING + variation(ctx),
  }
  instance.booted_at = instance.available_at
  for _, part in ipairs {
    instance_settings.insights(ctx, params, {}), instance_settings.monitoring(ctx, params, {}),
  } do
    for member, value in pairs(part) do
      instance[member] = value
    end
  end
  local interface = network.connect(ctx, entities.get(ctx, "subnet_group", cluster.DBSubnetGroup),
    params.AvailabilityZone, cluster_view.members(ctx, cluster), cluster.groups)
  instance.interface, instance.AvailabilityZone = interface.NetworkInterfaceId, interface.AvailabilityZone
  entities.put(ctx, "instance", instance)
  return { DBInstance = instances.view(ctx, instance) }
end

operations.DescribeDBInstances = entities.describe {
  kind = "instance",
  output = "DBInstances",
  show = instances.view,
  filters = {
    ["db-cluster-id"] = function(instance)
      return { instance.DBClusterIdentifier, (instance.DBInstanceArn:gsub(":db:.*$", ":cluster:"
        .. instance.DBClusterIdentifier)) }
    end,
    ["db-instance-id"] = function(instance) return { instance.DBInstanceIdentifier, instance.DBInstanceArn } end,
    ["dbi-resource-id"] = function(instance) return { instance.DbiResourceId } end,
    engine = function(instance) return { instance.Engine } end,
    domain = function() return {} end,
  },
}

-- -- deleting ---------------------------------------------------------------------------------------------------------

function operations.DeleteDBInstance(ctx, params)
  local instance = entities.find(ctx, "instance", params.DBInstanceIdentifier)
  local id = instance.DBInstanceIdentifier
  if instance.gone_at then
    entities.fail(ctx, "InvalidDBInstanceState", "Instance %s is already being deleted.", id)
  elseif params.FinalDBSnapshotIdentifier then
    entities.refuse(ctx, "FinalDBSnapshotIdentifier can not be specified when deleting a cluster instance")
  end
  local cluster = entities.get(ctx, "cluster", instance.DBClusterIdentifier)
  if cluster_view.writer(ctx, cluster) == id then
    cluster.writer = cluster_view.heir(ctx, cluster, id)
    entities.put(ctx, "cluster", cluster)
  end
  instance.gone_at = ctx.now() + DELETING + variation(ctx)
  entities.put(ctx, "instance", instance)
  network.change(ctx, instance, function(interface) interface.gone_at = instance.gone_at end)
  return { DBInstance = instances.view(ctx, instance) }
end

return instances
