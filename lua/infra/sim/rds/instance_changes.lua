-- Changes and reboots of instances in the simulated RDS. Operations of infra.sim.rds.

local entities = require "infra.sim.rds.entities"
local instance_settings = require "infra.sim.rds.instance_settings"
local instances = require "infra.sim.rds.instances"
local settings = require "infra.sim.rds.cluster_settings"
local timeline = require "infra.sim.rds.timeline"

local operations = {}

-- Seconds: until the status tells that a change is going on; how long one takes, another class, another name, and a
-- reboot.
local STARTING, MODIFYING, RESIZING, RENAMING, REBOOTING = 30, 60, 420, 90, 60

-- Parameters that are the cluster's, with RDS's word for them.
local OWNED = {
  MasterUserPassword = "master user password", ManageMasterUserPassword = "master user password management",
  BackupRetentionPeriod = "backup retention period", PreferredBackupWindow = "backup window", DBPortNumber = "port",
  DeletionProtection = "deletion protection", VpcSecurityGroupIds = "security groups", EngineVersion = "engine version",
  EnableIAMDatabaseAuthentication = "IAM database authentication", StorageType = "storage type",
  CloudwatchLogsExportConfiguration = "log exports", AllocatedStorage = "allocated storage",
  DBSubnetGroupName = "DB subnet group",
}

local FIELDS = {
  PromotionTier = instance_settings.tier,
  PreferredMaintenanceWindow = settings.maintenance_window,
  PubliclyAccessible = function(_, value) return value end,
  AutoMinorVersionUpgrade = function(_, value) return value end,
}

local function check_available(ctx, instance, message)
  if timeline.status(ctx, instance) ~= "available" then
    entities.fail(ctx, "InvalidDBInstanceState", message, instance.DBInstanceIdentifier)
  end
end

-- The members that get another value.
local function changed_members(ctx, params, instance)
  local changed = {}
  local function set(member, value)
    if value ~= instance[member] then
      changed[member] = value
    end
  end
  for name, check in pairs(FIELDS) do
    if params[name] ~= nil then
      set(name, check(ctx, params[name]))
    end
  end
  for _, part in ipairs {
    instance_settings.insights(ctx, params, instance), instance_settings.monitoring(ctx, params, instance),
  } do
    for member, value in pairs(part) do
      set(member, value)
    end
  end
  return changed
end

-- Another class or name (one of them may be nil) now or in the maintenance window.
local function resize_or_rename(ctx, params, instance, class, name)
  local change = {
    status = class and "modifying" or "renaming", values = { DBInstanceClass = class, DBInstanceIdentifier = name },
    pending = { DBInstanceClass = class, DBInstanceIdentifier = name },
    waiting = not params.ApplyImmediately, starts_at = ctx.now() + STARTING,
  }
  timeline.absorb_waiting(instance, change)
  if change.waiting then
    change.starts_at = timeline.next_window(ctx, instance.PreferredMaintenanceWindow)
  end
  change.ends_at = change.starts_at + (class and RESIZING or RENAMING)
  timeline.add(instance, change)
end

-- Another certificate is used from the next reboot on.
function operations.ModifyDBInstance(ctx, params)
  local instance = entities.find(ctx, "instance", params.DBInstanceIdentifier)
  check_available(ctx, instance, "Database instance is not in available state: %s")
  instance_settings.check_owned(ctx, params, OWNED, "The specified DB Instance is a member of a cluster. Modify %s for "
    .. "the DB Cluster using the ModifyDbCluster API")
  instance_settings.check_parameter_group(ctx, params.DBParameterGroupName,
    entities.get(ctx, "cluster", instance.DBClusterIdentifier))
  local class = params.DBInstanceClass and instance_settings.class(ctx, params.DBInstanceClass)
  class = class ~= instance.DBInstanceClass and class or nil
  local name = entities.new_id(ctx, "instance", params.NewDBInstanceIdentifier, instance)
  local certificate = params.CACertificateIdentifier
    and instance_settings.certificate(ctx, params.CACertificateIdentifier)
  local changed = changed_members(ctx, params, instance)
  for member, value in pairs(changed) do
    instance[member] = value
  end
  if certificate and certificate ~= instance.CACertificateIdentifier then
    instance.at_reboot = { CACertificateIdentifier = certificate }
  end
  if class or name then
    resize_or_rename(ctx, params, instance, class, name)
  elseif next(changed) then
    timeline.add(instance, {
      status = "modifying", starts_at = ctx.now() + STARTING, ends_at = ctx.now() + STARTING + MODIFYING,
    })
  end
  entities.put(ctx, "instance", instance)
  return { DBInstance = instances.view(ctx, instance) }
end

function operations.RebootDBInstance(ctx, params)
  local instance = entities.find(ctx, "instance", params.DBInstanceIdentifier)
  check_available(ctx, instance, "Instance cannot currently reboot due to an in-progress management operation.")
  if params.ForceFailover then
    entities.refuse(ctx, "ForceFailover cannot be specified since the instance is not configured for either MultiAZ or "
      .. "High Availability")
  end
  local ends_at = ctx.now() + REBOOTING
  local values = instance.at_reboot or {}
  values.booted_at = ends_at
  instance.at_reboot = nil
  timeline.add(instance, { status = "rebooting", starts_at = ctx.now(), ends_at = ends_at, values = values })
  entities.put(ctx, "instance", instance)
  return { DBInstance = instances.view(ctx, instance) }
end

return { operations = operations }
