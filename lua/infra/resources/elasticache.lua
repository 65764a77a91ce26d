-- ElastiCache: serverless caches. The vocabulary is in handler/schema.lua.
--
-- A change may name exactly one setting, and the cache must be available again before the next; so each has a facet of
-- its own, sent only when it differs. TLS is always on. The endpoint is known once the cache is available; readers use
-- the next port.

local key_id = require "infra.resources.kms_key_id"

local NAME = { "ServerlessCacheName" }

-- A setting that one call changes. `clear`: constants that take it away, where that is possible.
local function setting(property, clear)
  return {
    properties = { property }, wait = true,
    write = { "ModifyServerlessCache", send = { "ServerlessCacheName", property } },
    clear = clear and { "ModifyServerlessCache", send = NAME, with = clear },
  }
end

-- Engine and version are one setting to ElastiCache; should it call them two, one follows the other.
local function write_engine(op, scope, live)
  local function modify(...)
    return op:send({ "ModifyServerlessCache", send = { "ServerlessCacheName", ... } }, scope)
  end
  if scope.Engine:lower() == live.values.Engine then
    return modify "MajorEngineVersion"
  end
  local ok, err = modify("Engine", "MajorEngineVersion")
  if err and err.code == "InvalidParameterCombination" then
    ok, err = modify "Engine"
    if ok and scope.MajorEngineVersion and scope.MajorEngineVersion ~= live.values.MajorEngineVersion then
      ok, err = modify "MajorEngineVersion" -- refused, and tried again, until the cache is available
    end
  end
  return ok, err
end

-- Whether every limit in `before` is still there: ElastiCache can change a limit, but not remove it.
local function keeps_limits(before, after)
  for name, item in pairs(before) do
    if after[name] == nil or type(item) == "table" and not keeps_limits(item, after[name]) then
      return false
    end
  end
  return true
end

local function replaces(property, before, after)
  if property == "CacheUsageLimits" then
    return not keeps_limits(before or {}, after or {})
  elseif property == "Engine" then
    return not (before == "redis" and after == "valkey")
  elseif property == "MajorEngineVersion" then
    return (tonumber(after) or 0) < (tonumber(before) or 0)
  end
  return false
end

local MOST_ECPU <const>, LEAST_ECPU <const>, MOST_SNAPSHOTS <const> = 15000000, 1000, 35

local function check(properties, report)
  local snapshots = properties.SnapshotRetentionLimit
  if type(snapshots) == "number" and (snapshots < 0 or snapshots > MOST_SNAPSHOTS) then
    report("SnapshotRetentionLimit", ("must be 0 to %d, is %d"):format(MOST_SNAPSHOTS, snapshots))
  end
  local limits = properties.CacheUsageLimits
  for name, value in pairs(type(limits) == "table" and limits.ECPUPerSecond or {}) do
    if type(value) == "number" and (value < LEAST_ECPU or value > MOST_ECPU) then
      report("CacheUsageLimits.ECPUPerSecond",
        ("%s must be %d to %d, is %d"):format(name, LEAST_ECPU, MOST_ECPU, value))
    end
  end
end

local function trimmed(text)
  return (text:gsub("^%s+", ""):gsub("%s+$", ""))
end

return {
  ["AWS::ElastiCache::ServerlessCache"] = {
    service = "elasticache",
    identity = NAME,
    name = { property = "ServerlessCacheName", limit = 40, folded = true },
    typical = { create = 120, update = 150, delete = 150 },
    check = check,
    defaults = { Description = "", SnapshotRetentionLimit = 0, NetworkType = "ipv4" },
    sets = { "SecurityGroupIds", "SubnetIds", "SnapshotArnsToRestore" },
    accepts = { KmsKeyId = key_id },
    anew = { "KmsKeyId" },
    canonical = { Description = trimmed, Engine = string.lower },
    sticky = { "MajorEngineVersion" },
    recorded = { "FinalSnapshotName" },
    replaces = replaces,
    retry = { { "InvalidServerlessCacheStateFault", 2400 } }, -- while it is modified or backed up
    create = {
      "CreateServerlessCache",
      send = {
        "ServerlessCacheName", "Description", "Engine", "MajorEngineVersion", "CacheUsageLimits", "KmsKeyId",
        "SecurityGroupIds", "SubnetIds", "SnapshotArnsToRestore", "SnapshotRetentionLimit", "DailySnapshotTime",
        "UserGroupId", "NetworkType",
      },
      result = "ServerlessCache", exists = { "ServerlessCacheAlreadyExistsFault" },
      retry = { -- made by the first cache of an account; or seconds old
        { "ServiceLinkedRoleNotFoundFault", 120 }, { "InvalidGroup.NotFound", 120 },
        { "InvalidSubnetID.NotFound", 120 },
        { "InvalidParameterValue", 120, message = "security groups are invalid" },
        { "InvalidParameterValue", 120, message = "subnets .*are invalid" },
      },
    },
    read = {
      "DescribeServerlessCaches", list = "ServerlessCaches", key = "ServerlessCacheName", all = true,
      map = {
        "ServerlessCacheName", "Description", "Engine", "MajorEngineVersion", "CacheUsageLimits", "SecurityGroupIds",
        "SubnetIds", "SnapshotRetentionLimit", "DailySnapshotTime", "UserGroupId", "ARN", "FullEngineVersion",
        "Status", "Endpoint.Address=Endpoint.Address", "Endpoint.Port=Endpoint.Port",
        "ReaderEndpoint.Address=ReaderEndpoint.Address", "ReaderEndpoint.Port=ReaderEndpoint.Port",
      },
      sometimes = { "KmsKeyId", "NetworkType" },
      decode = function(_, values)
        values.Engine = values.Engine and values.Engine:lower()
      end,
    },
    facets = {
      { properties = { "Engine", "MajorEngineVersion" }, write = write_engine, wait = true },
      setting "Description", setting "CacheUsageLimits", setting "SecurityGroupIds", setting "SnapshotRetentionLimit",
      setting "DailySnapshotTime", setting("UserGroupId", { RemoveUserGroup = true }),
    },
    tags = {
      arn = "ARN", form = "list", create = "Tags",
      set = { "AddTagsToResource", send = { "ARN=ResourceName" }, tags = "Tags" },
      unset = { "RemoveTagsFromResource", send = { "ARN=ResourceName" }, keys = "TagKeys" },
      read = { "ListTagsForResource", send = { "ARN=ResourceName" }, list = "TagList",
        absent = { "ServerlessCacheNotFoundFault" } },
    },
    -- The model has these in capitals, the wire in small letters.
    state = {
      path = "Status", ready = { "available", "AVAILABLE" }, failed = { "create-failed", "CREATE-FAILED" },
      leaving = { "deleting", "DELETING" }, limit = 2400, delete_limit = 2400, flip = 30,
    },
    -- The name of the final snapshot is the stack's to choose. Its interfaces keep groups and subnets until it is gone.
    delete = {
      "DeleteServerlessCache", send = { "ServerlessCacheName", "FinalSnapshotName" }, wait = true,
      retry = { { "DependencyViolation", 300 } },
    },
    gone = { "ServerlessCacheNotFoundFault" },
  },
}
