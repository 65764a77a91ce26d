-- RDS: subnet groups and cluster parameter groups. Clusters are in rds_cluster.lua, instances in rds_instance.lua. The
-- vocabulary is in handler/schema.lua.
--
-- RDS stores the names of all four in lower case. What belongs to a whole kind is listed with one paged call.

local json = require "host.json"
local merged = require "infra.merged"

local types = {}

types["AWS::RDS::DBSubnetGroup"] = {
  service = "rds",
  identity = { "DBSubnetGroupName" },
  name = { property = "DBSubnetGroupName", limit = 255, folded = true },
  typical = { create = 2, update = 1, delete = 2 },
  within = "SubnetIds", within_by = "VpcId", -- RDS refuses subnets of another VPC
  sets = { "SubnetIds" },
  create = {
    "CreateDBSubnetGroup", send = { "DBSubnetGroupName", "DBSubnetGroupDescription", "SubnetIds" },
    result = "DBSubnetGroup", exists = { "DBSubnetGroupAlreadyExists" },
    retry = { { "InvalidSubnet", 120 } }, -- subnets that are seconds old
  },
  read = {
    "DescribeDBSubnetGroups", list = "DBSubnetGroups", key = "DBSubnetGroupName", all = true,
    map = {
      "DBSubnetGroupName", "DBSubnetGroupDescription", "SubnetIds=Subnets[].SubnetIdentifier", "DBSubnetGroupArn",
    },
  },
  facets = {
    {
      properties = { "DBSubnetGroupDescription", "SubnetIds" },
      write = { "ModifyDBSubnetGroup", send = { "DBSubnetGroupName", "DBSubnetGroupDescription", "SubnetIds" } },
    },
  },
  tags = {
    arn = "DBSubnetGroupArn", form = "list", create = "Tags",
    set = { "AddTagsToResource", send = { "DBSubnetGroupArn=ResourceName" }, tags = "Tags" },
    unset = { "RemoveTagsFromResource", send = { "DBSubnetGroupArn=ResourceName" }, keys = "TagKeys" },
    read = { "ListTagsForResource", send = { "DBSubnetGroupArn=ResourceName" }, list = "TagList",
      absent = { "DBSubnetGroupNotFoundFault" } },
  },
  delete = {
    "DeleteDBSubnetGroup", send = { "DBSubnetGroupName" }, wait = true,
    retry = { { "InvalidDBSubnetGroupStateFault", 900 } }, -- while a cluster of it is still being deleted
  },
  gone = { "DBSubnetGroupNotFoundFault" },
  hints = {
    { "SubnetAlreadyInUse", hint = "RDS moves no database: keep the subnets that it is in, or make the cluster anew" },
  },
}

-- -- cluster parameter groups -----------------------------------------------------------------------------------------

local MAX_PARAMETERS <const> = 20 -- in one call

local GROUP = { "DBClusterParameterGroupName" }

-- RDS writes parameters in its own way: case, units, the order in lists.
local function comparable(text)
  local items = {}
  for item in text:lower():gmatch "[^,%s]+" do
    items[#items + 1] = item
  end
  table.sort(items)
  return table.concat(items, ",")
end

-- As RDS wants it: text, with 1 and 0 for switches.
local function as_text(value)
  if type(value) == "boolean" then
    return value and "1" or "0"
  end
  return tostring(math.tointeger(value) or value)
end

local function canonical_parameters(parameters)
  local result = json.object {}
  for name, value in pairs(parameters) do
    result[name] = comparable(as_text(value))
  end
  return result
end

local function describe(op, group, source)
  return op.context.client:all("rds", "DescribeDBClusterParameters",
    { DBClusterParameterGroupName = group, Source = source }, { region = op.region })
end

-- Parameters that were set to what they are by default anyway are among the system's, not among the user's.
local function add_defaults(op, values, recorded, group)
  local missing = false
  for name in pairs(recorded) do
    missing = missing or values[name] == nil
  end
  local output = missing and describe(op, group, "system")
  for _, parameter in ipairs(output and output.Parameters or {}) do
    if recorded[parameter.ParameterName] ~= nil then
      values[parameter.ParameterName] = parameter.ParameterValue
    end
  end
end

local function decode_parameters(output, values, scope, op)
  values.Parameters = json.object {}
  for _, parameter in ipairs(output.Parameters or {}) do
    values.Parameters[parameter.ParameterName] = parameter.ParameterValue
  end
  add_defaults(op, values.Parameters, scope.Parameters or {}, scope.DBClusterParameterGroupName)
end

-- Static parameters are refused with "immediate"; in a new group, which nothing uses yet, it makes no difference.
local function apply_methods(op, group, is_new)
  local methods = {}
  if is_new then
    return methods
  end
  local output, err = describe(op, group)
  if not output then
    return nil, err
  end
  for _, parameter in ipairs(output.Parameters or {}) do
    methods[parameter.ParameterName] = parameter.ApplyType == "dynamic" and "immediate" or nil
  end
  return methods
end

-- Calls `operation` with the parameters, as many at a time as it takes.
local function in_chunks(op, operation, group, parameters)
  table.sort(parameters, function(a, b)
    return a.ParameterName < b.ParameterName
  end)
  for first = 1, #parameters, MAX_PARAMETERS do
    local chunk = table.move(parameters, first, math.min(first + MAX_PARAMETERS - 1, #parameters), 1, json.array {})
    local ok, err = op:mutate(operation, { DBClusterParameterGroupName = group, Parameters = chunk })
    if not ok then
      return nil, err
    end
  end
  return true
end

local function write_parameters(op, scope, live)
  local group, wanted, present = scope.DBClusterParameterGroupName, scope.Parameters, live.values.Parameters
  local methods, err = apply_methods(op, group, not present)
  if not methods then
    return nil, err
  end
  local changed, removed = {}, {}
  for name, value in pairs(wanted) do
    local text = as_text(value)
    if not (present and present[name] and comparable(present[name]) == comparable(text)) then
      changed[#changed + 1] = { ParameterName = name, ParameterValue = text,
        ApplyMethod = methods[name] or "pending-reboot" }
    end
  end
  for name in pairs(present or {}) do
    if wanted[name] == nil then
      removed[#removed + 1] = { ParameterName = name, ApplyMethod = methods[name] or "pending-reboot" }
    end
  end
  local ok
  ok, err = in_chunks(op, { "ModifyDBClusterParameterGroup" }, group, changed)
  if not ok then
    return nil, err
  end
  return in_chunks(op, { "ResetDBClusterParameterGroup" }, group, removed)
end

types["AWS::RDS::DBClusterParameterGroup"] = {
  service = "rds",
  identity = GROUP,
  name = { property = "DBClusterParameterGroupName", limit = 255, folded = true },
  held = true,
  typical = { create = 3, update = 2, delete = 2 },
  retry = { { "InvalidDBParameterGroupState", 180 } }, -- changes are pending, or a cluster lets go of it only slowly
  structures = { "Parameters" },
  canonical = { Parameters = canonical_parameters },
  create = {
    "CreateDBClusterParameterGroup",
    send = { "DBClusterParameterGroupName", "Family=DBParameterGroupFamily", "Description" },
    result = "DBClusterParameterGroup", exists = { "DBParameterGroupAlreadyExists" },
  },
  read = {
    "DescribeDBClusterParameterGroups",
    list = "DBClusterParameterGroups", key = "DBClusterParameterGroupName", all = true,
    map = {
      "DBClusterParameterGroupName", "Family=DBParameterGroupFamily", "Description", "Arn=DBClusterParameterGroupArn",
    },
  },
  facets = {
    {
      properties = { "Parameters" }, write = write_parameters,
      read = {
        "DescribeDBClusterParameters", send = GROUP, with = { Source = "user" }, gives = { "Parameters" },
        decode = decode_parameters,
      },
    },
  },
  tags = {
    arn = "arn:${Partition}:rds:${Region}:${Account}:cluster-pg:${DBClusterParameterGroupName}",
    form = "list", create = "Tags",
    set = { "AddTagsToResource", send = { "Arn=ResourceName" }, tags = "Tags" },
    unset = { "RemoveTagsFromResource", send = { "Arn=ResourceName" }, keys = "TagKeys" },
    read = { "ListTagsForResource", send = { "Arn=ResourceName" }, list = "TagList",
      absent = { "DBParameterGroupNotFound" } },
  },
  delete = { "DeleteDBClusterParameterGroup", send = GROUP },
  gone = { "DBParameterGroupNotFound" },
}

for _, file in ipairs { "rds_cluster", "rds_instance" } do
  types = merged(types, (require("infra.resources." .. file)))
end

return types
