-- Changes of clusters in the simulated RDS. Operation of infra.sim.rds.
--
-- What a request changes is in one of three places: `members` of the cluster show their new values at once; `now` is
-- applied as soon as possible and `later` in the maintenance window unless the request says immediately, both pending
-- until then.

local cluster_view = require "infra.sim.rds.cluster_view"
local engines = require "infra.sim.rds.engines"
local entities = require "infra.sim.rds.entities"
local master_secret = require "infra.sim.rds.master_secret"
local merged = require "infra.merged"
local network = require "infra.sim.rds.network"
local set_of = require "infra.set_of"
local settings = require "infra.sim.rds.cluster_settings"
local sorted_keys = require "infra.sorted_keys"
local structures = require "infra.sim.structures"
local timeline = require "infra.sim.rds.timeline"

local operations = {}

-- Seconds: until the status tells that a change is going on, and how long it takes.
local STARTING = 30
local TAKES = {
  modifying = 60, renaming = 90, ["resetting-master-credentials"] = 60, upgrading = 480, ["major upgrade"] = 1500,
}

-- What is not mentioned of the capacity stays.
local function scaling(ctx, given, cluster)
  local current = cluster.ServerlessV2ScalingConfiguration or {}
  return settings.scaling(ctx, {
    MinCapacity = given.MinCapacity or current.MinCapacity, MaxCapacity = given.MaxCapacity or current.MaxCapacity,
  }, cluster.EngineVersion)
end

-- Parameters: member = where the cluster keeps it, if it is called otherwise; check = function(ctx, value, cluster) ->
-- value; later = whether it can wait; quiet = true when the status never tells of it.
local FIELDS = {
  { name = "BackupRetentionPeriod", check = settings.retention, later = true },
  { name = "EnableIAMDatabaseAuthentication", member = "IAMDatabaseAuthenticationEnabled", later = true },
  { name = "StorageType", check = settings.storage_type, later = true },
  { name = "Port", check = settings.port },
  { name = "PreferredBackupWindow", check = settings.backup_window },
  { name = "PreferredMaintenanceWindow", check = settings.maintenance_window },
  { name = "ServerlessV2ScalingConfiguration", check = scaling },
  { name = "AutoMinorVersionUpgrade" },
  { name = "DeletionProtection", quiet = true },
  { name = "CopyTagsToSnapshot", quiet = true },
}

local function take_fields(ctx, params, cluster, plan)
  for _, field in ipairs(FIELDS) do
    local member, value = field.member or field.name, params[field.name]
    if value ~= nil and field.check then
      value = field.check(ctx, value, cluster)
    end
    if value ~= nil and not structures.same(value, cluster[member]) then
      if field.later then
        plan.later.values[member], plan.later.pending[member] = value, value
      else
        plan.members[member] = value
        plan.visible = plan.visible or not field.quiet
      end
    end
  end
end

local function take_name(ctx, params, cluster, plan)
  local name = entities.new_id(ctx, "cluster", params.NewDBClusterIdentifier, cluster)
  if name then
    plan.later.status = "renaming"
    plan.later.values.DBClusterIdentifier, plan.later.pending.DBClusterIdentifier = name, name
  end
end

-- A parameter group belongs to a major version: another one of those needs another group.
local function take_version(ctx, params, cluster, plan)
  local version = params.EngineVersion and engines.version(ctx, params.EngineVersion) or cluster.EngineVersion
  local is_major = engines.major(version) ~= engines.major(cluster.EngineVersion)
  if engines.compare(version, cluster.EngineVersion) < 0 then
    entities.refuse(ctx, "Cannot upgrade %s from %s to %s", engines.NAME, cluster.EngineVersion, version)
  elseif is_major and not params.AllowMajorVersionUpgrade then
    entities.refuse(ctx, "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.")
  elseif params.DBInstanceParameterGroupName and not is_major then
    entities.refuse(ctx, "The DBInstanceParameterGroupName parameter can only be specified for a major engine version "
      .. "upgrade.")
  end
  local name = params.DBClusterParameterGroupName
  local current = cluster.DBClusterParameterGroup
  local replaced = is_major and current:find("^default%.")
  local group = settings.parameter_group(ctx, name or not replaced and current or nil, version)
  if version ~= cluster.EngineVersion then
    plan.later.status = is_major and "major upgrade" or "upgrading"
    plan.later.values.EngineVersion, plan.later.pending.EngineVersion = version, version
    plan.later.values.DBClusterParameterGroup = group
  elseif group ~= current then
    plan.members.DBClusterParameterGroup, plan.members.group_set_at, plan.visible = group, ctx.now(), true
  end
end

-- The request has the types to switch on and off, not those that there are to be.
local function take_logs(ctx, params, cluster, plan)
  local change = params.CloudwatchLogsExportConfiguration or {}
  local on, off = settings.logs(ctx, change.EnableLogTypes or {}), settings.logs(ctx, change.DisableLogTypes or {})
  local exported = merged(set_of(cluster.logs), set_of(on))
  for _, name in ipairs(off) do
    exported[name] = nil
  end
  if #on + #off > 0 then
    plan.now.values.logs = sorted_keys(exported)
    plan.now.pending.PendingCloudwatchLogsExports = { LogTypesToEnable = on, LogTypesToDisable = off }
  end
end

local function take_password(ctx, params, cluster, plan)
  master_secret.check_change(ctx, cluster, params)
  if params.MasterUserPassword then
    plan.now.pending.MasterUserPassword = "****"
    plan.now.status = "resetting-master-credentials"
  end
end

local function take_groups(ctx, params, cluster, plan)
  if params.VpcSecurityGroupIds and #params.VpcSecurityGroupIds > 0 then
    local vpc_id = entities.get(ctx, "subnet_group", cluster.DBSubnetGroup).VpcId
    local groups = network.groups(ctx, vpc_id, params.VpcSecurityGroupIds)
    if not structures.same(groups, cluster.groups) then
      plan.members.groups, plan.visible = groups, true
    end
  end
end

local function is_empty(change)
  return next(change.values) == nil and next(change.pending) == nil
end

local function schedule(cluster, change, starts_at)
  change.starts_at, change.ends_at = starts_at, starts_at + TAKES[change.status]
  change.status = change.status == "major upgrade" and "upgrading" or change.status
  timeline.add(cluster, change)
end

-- Everything that is checked is checked by now.
local function carry_out(ctx, params, cluster, plan)
  for member, value in pairs(plan.members) do
    cluster[member] = value
  end
  if plan.members.groups then
    for _, instance in ipairs(cluster_view.members(ctx, cluster)) do
      network.change(ctx, instance, function(interface) interface.Groups = cluster.groups end)
    end
  end
  if params.ManageMasterUserPassword and not cluster.secret then
    master_secret.create(ctx, cluster, params.MasterUserSecretKmsKeyId)
    plan.visible = true
  elseif params.ManageMasterUserPassword == false then
    master_secret.remove(ctx, cluster, ctx.now())
  end
  if params.ApplyImmediately then
    timeline.absorb_waiting(cluster, plan.later)
    for _, part in ipairs { "values", "pending" } do
      for member, value in pairs(plan.later[part]) do
        plan.now[part][member] = value
      end
    end
    plan.now.status = TAKES[plan.later.status] > TAKES[plan.now.status] and plan.later.status or plan.now.status
  elseif not is_empty(plan.later) then
    plan.later.waiting = true
    schedule(cluster, plan.later, timeline.next_window(ctx, cluster.PreferredMaintenanceWindow))
  end
  if plan.visible or not is_empty(plan.now) then
    schedule(cluster, plan.now, ctx.now() + STARTING)
  end
end

function operations.ModifyDBCluster(ctx, params)
  local cluster = cluster_view.find_available(ctx, params.DBClusterIdentifier)
  local plan = {
    members = {},
    now = { values = {}, pending = {}, status = "modifying" },
    later = { values = {}, pending = {}, status = "modifying" },
  }
  for _, take in ipairs { take_fields, take_name, take_version, take_logs, take_password, take_groups } do
    take(ctx, params, cluster, plan)
  end
  if params.MasterUserSecretKmsKeyId then
    settings.key(ctx, params.MasterUserSecretKmsKeyId, "MasterUserSecretKmsKeyId")
  end
  carry_out(ctx, params, cluster, plan)
  entities.put(ctx, "cluster", cluster)
  return { DBCluster = cluster_view.view(ctx, cluster) }
end

return { operations = operations }
