-- RDS: instances of Aurora clusters. Used by resources/rds.lua.
--
-- What belongs to the cluster (engine version, storage, backups, users, network) is the cluster's to set: here it is
-- refused when planning. The first instance of a cluster that becomes available is its writer, and a failover makes
-- another one the writer: nothing may conclude the role from the name. Declare readers with depends_on the first.

local joined = require "infra.joined"
local key_id = require "infra.resources.kms_key_id"

local ID = { "DBInstanceIdentifier" }

local CHANGEABLE = {
  "DBInstanceClass", "PromotionTier", "PubliclyAccessible", "AutoMinorVersionUpgrade", "DBParameterGroupName",
  "EnablePerformanceInsights", "PerformanceInsightsRetentionPeriod", "MonitoringInterval", "MonitoringRoleArn",
  "CACertificateIdentifier", "PreferredMaintenanceWindow",
}

-- Performance Insights' settings are taken only together with the switch.
local function encode_modify(params, scope)
  if params.PerformanceInsightsRetentionPeriod then
    params.EnablePerformanceInsights = scope.EnablePerformanceInsights
  end
end

local function decode(instance, values)
  for _, group in ipairs(instance.DBParameterGroups or {}) do
    values.rebooting = values.rebooting or group.ParameterApplyStatus == "pending-reboot"
  end
  values.rebooting = values.rebooting or (instance.PendingModifiedValues or {}).CACertificateIdentifier ~= nil
end

return {
  ["AWS::RDS::DBInstance"] = {
    service = "rds",
    identity = ID,
    name = { property = "DBInstanceIdentifier", limit = 63, folded = true },
    within = "DBClusterIdentifier",
    typical = { create = 420, update = 60, delete = 330 },
    required = { "DBClusterIdentifier", "DBInstanceClass", "Engine" },
    defaults = {
      PromotionTier = 1, PubliclyAccessible = false, AutoMinorVersionUpgrade = true, EnablePerformanceInsights = false,
      PerformanceInsightsRetentionPeriod = 7, MonitoringInterval = 0,
    },
    accepts = { PerformanceInsightsKMSKeyId = key_id },
    canonical = { PreferredMaintenanceWindow = string.lower },
    retry = {
      { "InvalidDBClusterStateFault", 300, message = "available state" },
      { "InvalidDBInstanceState", 1200 }, -- while it is modified or backed up
      { "DBClusterNotFoundFault", 120 },
    },
    create = {
      "CreateDBInstance",
      send = joined(ID, {
        "DBClusterIdentifier", "Engine", "AvailabilityZone", "PerformanceInsightsKMSKeyId",
      }, CHANGEABLE),
      result = "DBInstance", exists = { "DBInstanceAlreadyExists" },
    },
    read = {
      "DescribeDBInstances", list = "DBInstances", key = "DBInstanceIdentifier", all = true,
      map = {
        "DBInstanceIdentifier", "DBClusterIdentifier", "Engine", "DBInstanceClass", "PromotionTier",
        "PubliclyAccessible", "AvailabilityZone", "AutoMinorVersionUpgrade", "MonitoringInterval", "MonitoringRoleArn",
        "DBParameterGroupName=DBParameterGroups[1].DBParameterGroupName",
        "EnablePerformanceInsights=PerformanceInsightsEnabled", "PerformanceInsightsRetentionPeriod",
        "PerformanceInsightsKMSKeyId", "CACertificateIdentifier", "PreferredMaintenanceWindow", "DBInstanceArn",
        "DbiResourceId", "Endpoint.Address=Endpoint.Address", "Endpoint.Port=Endpoint.Port",
        "Endpoint.HostedZoneId=Endpoint.HostedZoneId", "DBInstanceStatus",
      },
      decode = decode,
    },
    facets = {
      {
        properties = CHANGEABLE, partial = true, wait = true,
        write = {
          "ModifyDBInstance", send = joined(ID, CHANGEABLE), with = { ApplyImmediately = true }, encode = encode_modify,
        },
      },
    },
    tags = {
      form = "list", create = "Tags", read = "TagList",
      set = { "AddTagsToResource", send = { "DBInstanceArn=ResourceName" }, tags = "Tags" },
      unset = { "RemoveTagsFromResource", send = { "DBInstanceArn=ResourceName" }, keys = "TagKeys" },
    },
    state = {
      path = "DBInstanceStatus", ready = { "available", "storage-optimization" }, flip = 60, leaving = { "deleting" },
      failed = {
        "failed", "incompatible-network", "incompatible-option-group", "incompatible-parameters",
        "incompatible-restore", "insufficient-capacity", "restore-error", "storage-full", "stopped",
        "inaccessible-encryption-credentials", "inaccessible-encryption-credentials-recoverable",
      },
      limit = 3600, delete_limit = 3600,
    },
    delete = {
      "DeleteDBInstance", send = ID, wait = true,
      absent = { { "InvalidDBInstanceState", message = "already being deleted" } },
      retry = { { "InvalidDBClusterStateFault", 600, message = "[Dd]elete the replica cluster" } },
    },
    gone = { "DBInstanceNotFound" },
    warn = function(values)
      if values.rebooting then
        return ("%s must be rebooted before its new settings take effect"):format(values.DBInstanceIdentifier)
      end
    end,
  },
}
