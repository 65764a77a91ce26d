-- RDS: Aurora clusters, made new, from a snapshot, or from another cluster's log. Used by resources/rds.lua.
--
-- A cluster is storage and endpoints; instances (rds_instance.lua) make it answer. Its master password comes from
-- Secrets Manager by a dynamic reference, or RDS keeps it itself (ManageMasterUserPassword): here it is never in clear.

local check = require "infra.resources.rds_cluster_check"
local contains = require "infra.contains"
local joined = require "infra.joined"
local json = require "host.json"
local key_id = require "infra.resources.kms_key_id"
local observe = require "infra.handler.observe"
local path = require "infra.handler.path"
local version = require "infra.resources.rds_version"

local ID = { "DBClusterIdentifier" }

-- What can be changed and goes with every way of making a cluster; and what only making it new takes, so that it is
-- written afterwards where a cluster is restored.
local EVERYWHERE = {
  "Port", "VpcSecurityGroupIds", "StorageType", "NetworkType", "EnableIAMDatabaseAuthentication", "DeletionProtection",
  "EnableCloudwatchLogsExports", "DBClusterParameterGroupName", "CopyTagsToSnapshot",
  "ServerlessV2ScalingConfiguration",
}
local NEW = {
  "EngineVersion", "BackupRetentionPeriod", "PreferredBackupWindow", "PreferredMaintenanceWindow", "MasterUserPassword",
  "ManageMasterUserPassword", "MasterUserSecret",
}
local CHANGEABLE = joined(EVERYWHERE, NEW)

local CREATE = joined(ID, EVERYWHERE, { "DBSubnetGroupName", "KmsKeyId", "EngineMode", "EngineLifecycleSupport" })
local FROM_LOG = joined(CREATE, { "RestoreToTime", "UseLatestRestorableTime", "RestoreType" })

-- -- encoding and decoding --------------------------------------------------------------------------------------------

-- The key for RDS's own secret stands beside ManageMasterUserPassword in the API.
local function encode(params)
  if params.MasterUserSecret then
    params.MasterUserSecretKmsKeyId, params.MasterUserSecret = params.MasterUserSecret.KmsKeyId, nil
  end
end

local function without(list, other)
  local result = json.array {}
  for _, item in ipairs(list or {}) do
    if not contains(other, item) then
      result[#result + 1] = item
    end
  end
  return #result > 0 and result or nil
end

local function encode_modify(params, scope, _, live)
  encode(params)
  local logs, present = params.EnableCloudwatchLogsExports, live.values.EnableCloudwatchLogsExports
  if logs then -- changed by what to add and what to take away
    params.EnableCloudwatchLogsExports = nil
    params.CloudwatchLogsExportConfiguration = {
      EnableLogTypes = without(logs, present), DisableLogTypes = without(present, logs),
    }
  end
  if params.ManageMasterUserPassword == false then -- RDS deletes its secret and wants a password in the same call
    params.MasterUserPassword = scope.MasterUserPassword
  end
  local engine = live.values.EngineVersion
  if params.EngineVersion and engine and version.accepts(params.EngineVersion, engine) then
    params.EngineVersion = nil -- a clone has its source's, and nobody can take an upgrade back
  elseif params.EngineVersion and engine and version.is_major(engine, params.EngineVersion) then
    -- Parameter groups belong to a major version; the instances' one is refused when only the minor one changes.
    params.AllowMajorVersionUpgrade = true
    params.DBClusterParameterGroupName = scope.DBClusterParameterGroupName
    params.DBInstanceParameterGroupName = scope.DBInstanceParameterGroupName
  end
end

local function decode(cluster, values)
  for name, value in pairs(values) do
    if value == "" then
      values[name] = nil
    end
  end
  values.ManageMasterUserPassword = cluster.MasterUserSecret ~= nil
  values.EnableCloudwatchLogsExports = values.EnableCloudwatchLogsExports or json.array {}
  values.EngineVersion = path.get(cluster, "PendingModifiedValues.EngineVersion") or values.EngineVersion
  values.rebooting = json.array {}
  for _, member in ipairs(cluster.DBClusterMembers or {}) do
    if member.DBClusterParameterGroupStatus == "pending-reboot" then
      table.insert(values.rebooting, member.DBInstanceIdentifier)
    end
  end
end

-- -- restoring --------------------------------------------------------------------------------------------------------

-- What a look at the source answers when that is no snapshot of a cluster: whether it can be restored, RDS shall say.
local OTHER_SOURCE = { "DBClusterSnapshotNotFoundFault", "InvalidParameterValue" }

-- RDS restores to no version older than the snapshot's, which it may have upgraded by itself long ago.
local function not_older(params, scope, op)
  local name = scope.SnapshotIdentifier
  local is_automated = name:find "^rds:" or name:find ":cluster%-snapshot:rds:"
  local output, err = op:get({ "DescribeDBClusterSnapshots" },
    { DBClusterSnapshotIdentifier = name, SnapshotType = is_automated and "automated" or nil })
  if err and not contains(OTHER_SOURCE, err.code) then
    return nil, err
  end
  local snapshot = output and (output.DBClusterSnapshots or {})[1]
  if snapshot and version.accepts(params.EngineVersion, snapshot.EngineVersion) then
    params.EngineVersion = snapshot.EngineVersion
  end
  return params
end

-- -- deleting ---------------------------------------------------------------------------------------------------------

-- A stopped cluster cannot be deleted; while it starts, the deletion is refused and tried again.
local function start(op, scope)
  local live, err = observe.item(op, scope)
  if live and live.state == "stopped" then
    local _
    _, err = op:send({ "StartDBCluster", send = ID }, scope)
  end
  return err == nil, err
end

-- A name of its own for every attempt: one that failed may have left its snapshot.
local function final_snapshot(params, scope, op)
  params.SkipFinalSnapshot = op.recoverable == false
  if not params.SkipFinalSnapshot then
    local suffix = ("-final-%x"):format(math.floor(op.context.runtime.time()))
    params.FinalDBSnapshotIdentifier = scope.DBClusterIdentifier:sub(1, 63 - #suffix):gsub("%-+$", "") .. suffix
  end
end

return {
  ["AWS::RDS::DBCluster"] = {
    service = "rds",
    identity = ID,
    name = { property = "DBClusterIdentifier", limit = 63, folded = true },
    within = "DBSubnetGroupName",
    anew = { "KmsKeyId" },
    typical = { create = 60, update = 90, delete = 90 },
    required = { "Engine" },
    secrets = { "MasterUserPassword" },
    check = check,
    defaults = {
      BackupRetentionPeriod = 1, DeletionProtection = false, CopyTagsToSnapshot = false, StorageType = "aurora",
      EnableIAMDatabaseAuthentication = false, EnableHttpEndpoint = false, EnableCloudwatchLogsExports = json.array {},
      ManageMasterUserPassword = false, NetworkType = "IPV4", StorageEncrypted = false,
    },
    sets = { "VpcSecurityGroupIds", "EnableCloudwatchLogsExports" },
    accepts = { KmsKeyId = key_id, EngineVersion = version.accepts },
    canonical = { PreferredMaintenanceWindow = string.lower },
    recorded = { "DeleteAutomatedBackups", "DBInstanceParameterGroupName" },
    retry = {
      { "InvalidDBClusterStateFault", 300 },
      { "InvalidParameterValue", 120, message = "IAM role ARN value is invalid" },
      -- What it stands on is seconds old.
      { "InvalidSubnet", 120 }, { "KMSKeyNotAccessibleFault", 120 }, { "DBSubnetGroupNotFoundFault", 120 },
      { "DBClusterParameterGroupNotFound", 300 }, { "DBParameterGroupNotFound", 300 }, { "InvalidGroup.NotFound", 120 },
      { "InvalidParameterValue", 120, message = "[Ii]nvalid security group" },
    },
    create = {
      "CreateDBCluster",
      send = joined(CREATE, NEW, {
        "Engine", "DatabaseName", "MasterUsername", "StorageEncrypted", "EnableHttpEndpoint",
      }),
      encode = encode, result = "DBCluster", exists = { "DBClusterAlreadyExistsFault" },
      instead = {
        {
          "RestoreDBClusterFromSnapshot", when = "SnapshotIdentifier",
          send = joined(CREATE, { "SnapshotIdentifier", "Engine", "EngineVersion", "DatabaseName" }),
          reveal = not_older,
        },
        {
          "RestoreDBClusterToPointInTime", when = "SourceDBClusterIdentifier",
          send = joined(FROM_LOG, { "SourceDBClusterIdentifier" }),
        },
        { -- of a cluster that is gone
          "RestoreDBClusterToPointInTime", when = "SourceDbClusterResourceId",
          send = joined(FROM_LOG, { "SourceDbClusterResourceId" }),
        },
      },
    },
    read = {
      "DescribeDBClusters", list = "DBClusters", key = "DBClusterIdentifier", all = true,
      map = {
        "DBClusterIdentifier", "Engine", "EngineVersion", "MasterUsername", "DBSubnetGroupName=DBSubnetGroup", "Port",
        "VpcSecurityGroupIds=VpcSecurityGroups[].VpcSecurityGroupId", "StorageEncrypted", "BackupRetentionPeriod",
        "DBClusterParameterGroupName=DBClusterParameterGroup", "PreferredBackupWindow", "PreferredMaintenanceWindow",
        "DeletionProtection", "CopyTagsToSnapshot", "EnableCloudwatchLogsExports=EnabledCloudwatchLogsExports",
        "EnableIAMDatabaseAuthentication=IAMDatabaseAuthenticationEnabled", "EnableHttpEndpoint=HttpEndpointEnabled",
        "ServerlessV2ScalingConfiguration", "DBClusterArn", "DBClusterResourceId=DbClusterResourceId",
        "Endpoint.Address=Endpoint", "Endpoint.Port=Port", "ReadEndpoint.Address=ReaderEndpoint",
        "MasterUserSecret.SecretArn=MasterUserSecret.SecretArn",
      },
      sometimes = { "DatabaseName", "StorageType", "NetworkType", "EngineMode", "EngineLifecycleSupport", "KmsKeyId" },
      gives = { "ManageMasterUserPassword" },
      decode = decode,
    },
    facets = {
      {
        properties = { "EnableHttpEndpoint" }, value = true,
        write = { "EnableHttpEndpoint", send = { "DBClusterArn=ResourceArn" } },
      },
      {
        properties = { "EnableHttpEndpoint" }, value = false,
        write = { "DisableHttpEndpoint", send = { "DBClusterArn=ResourceArn" } },
      },
      {
        properties = CHANGEABLE, partial = true, wait = true,
        write = {
          "ModifyDBCluster", send = joined(ID, CHANGEABLE), with = { ApplyImmediately = true }, encode = encode_modify,
        },
      },
    },
    tags = {
      form = "list", create = "Tags", read = "TagList",
      set = { "AddTagsToResource", send = { "DBClusterArn=ResourceName" }, tags = "Tags" },
      unset = { "RemoveTagsFromResource", send = { "DBClusterArn=ResourceName" }, keys = "TagKeys" },
    },
    -- With changes that are still pending "available" says nothing; nor does it before RDS has taken note of a change.
    state = {
      path = "Status", ready = { "available" }, pending = "PendingModifiedValues", flip = 60, leaving = { "deleting" },
      failed = {
        "failed", "incompatible-parameters", "incompatible-restore", "incompatible-network", "stopped",
        "inaccessible-encryption-credentials", "inaccessible-encryption-credentials-recoverable",
      },
      limit = 3600, delete_limit = 3600,
    },
    delete = {
      "DeleteDBCluster", send = { "DBClusterIdentifier", "DeleteAutomatedBackups" }, encode = final_snapshot,
      before = start, wait = true,
      retry = { { "InvalidDBClusterStateFault", 1800 } }, -- instances that are going, a backup that is being made
    },
    gone = { "DBClusterNotFoundFault" },
    hints = {
      { "InvalidParameterCombination", message = "Cannot find version", hint = "RDS retires versions. `infra aws rds "
        .. "DescribeDBEngineVersions Engine=aurora-postgresql` lists what there is; EngineVersion (engine_version of "
        .. "the layer data) also takes a major version alone, like \"16\"" },
    },
    warn = function(values)
      if values.rebooting and #values.rebooting > 0 then
        return ("%s must be rebooted before the cluster's new parameters take effect"):format(
          table.concat(values.rebooting, ", "))
      end
    end,
  },
}
