-- DB cluster parameter groups of the simulated RDS. Used by infra.sim.rds and its clusters.
--
-- A group has parameters = { name = { value, method } } with what its users changed, and rebooted_after = when a static
-- parameter last changed: instances that were not rebooted since run with the old value. The default groups are not
-- kept, they exist for every family.

local engines = require "infra.sim.rds.engines"
local entities = require "infra.sim.rds.entities"
local parameters = require "infra.sim.rds.parameters"
local structures = require "infra.sim.structures"
local tags = require "infra.sim.rds.tags"

local parameter_groups = { operations = {} }
local operations = parameter_groups.operations

local MOST_PARAMETERS = 20

-- Seconds for which a change of a group that is in use is still being carried to its clusters.
local APPLYING = 30

local SHOWN = {
  "DBClusterParameterGroupName", "DBParameterGroupFamily", "Description", "DBClusterParameterGroupArn",
}

local function default_group(ctx, name)
  local family = name:match("^default%.(.+)$")
  return family and engines.major_of_family(family) and {
    DBClusterParameterGroupName = name,
    DBParameterGroupFamily = family,
    Description = "Default cluster parameter group for " .. family,
    DBClusterParameterGroupArn = entities.arn(ctx, "parameter_group", name),
    parameters = {},
    tags = {},
  }
end

--- The group that a cluster has.
function parameter_groups.of_cluster(ctx, cluster)
  local name = cluster.DBClusterParameterGroup
  return default_group(ctx, name) or entities.get(ctx, "parameter_group", name)
end

--- The group called so, the customer's or a default one.
function parameter_groups.find(ctx, name)
  return default_group(ctx, name:lower()) or entities.find(ctx, "parameter_group", name)
end

-- The customer's group, to be changed.
local function find_own(ctx, name)
  if default_group(ctx, name:lower()) then
    entities.invalid(ctx, "The parameter DBClusterParameterGroupName is not a valid identifier because the default "
      .. "parameter group cannot be changed: %s", name)
  end
  return entities.find(ctx, "parameter_group", name)
end

local function view(_, group)
  return structures.pick(group, SHOWN)
end

function operations.CreateDBClusterParameterGroup(ctx, params)
  local name = entities.checked_id(ctx, params.DBClusterParameterGroupName, "DBClusterParameterGroupName", 255)
  entities.check_new(ctx, "parameter_group", name)
  if not engines.major_of_family(params.DBParameterGroupFamily) then
    entities.invalid(ctx, "ParameterGroupFamily %s is not a valid parameter group family",
      params.DBParameterGroupFamily)
  end
  local group = entities.put(ctx, "parameter_group", {
    DBClusterParameterGroupName = name,
    DBParameterGroupFamily = params.DBParameterGroupFamily,
    Description = params.Description,
    DBClusterParameterGroupArn = entities.arn(ctx, "parameter_group", name),
    parameters = {},
    tags = tags.merged(ctx, {}, params.Tags),
  })
  return { DBClusterParameterGroup = view(ctx, group) }
end

local describe = entities.describe {
  kind = "parameter_group", output = "DBClusterParameterGroups", show = view,
}

function operations.DescribeDBClusterParameterGroups(ctx, params)
  local default = default_group(ctx, (params.DBClusterParameterGroupName or ""):lower())
  return default and { DBClusterParameterGroups = { view(ctx, default) } } or describe(ctx, params)
end

-- The cluster that uses the group, one that is being deleted too, or nil.
local function user_of(ctx, group)
  return entities.each(ctx, "cluster", "DBClusterParameterGroup", group.DBClusterParameterGroupName)()
end

function operations.DeleteDBClusterParameterGroup(ctx, params)
  local group = find_own(ctx, params.DBClusterParameterGroupName)
  if user_of(ctx, group) then
    entities.fail(ctx, "InvalidDBParameterGroupState", "One or more database instances are still members of this "
      .. "parameter group %s, so the group cannot be deleted", group.DBClusterParameterGroupName)
  end
  entities.delete(ctx, "parameter_group", group.DBClusterParameterGroupName)
end

-- -- parameters -------------------------------------------------------------------------------------------------------

function operations.DescribeDBClusterParameters(ctx, params)
  local group = parameter_groups.find(ctx, params.DBClusterParameterGroupName)
  local found = {}
  for _, parameter in ipairs(parameters.defaults(engines.major_of_family(group.DBParameterGroupFamily))) do
    local set = group.parameters[parameter.ParameterName]
    if set then
      parameter.ParameterValue, parameter.ApplyMethod, parameter.Source = set.value, set.method, "user"
    end
    if (params.Source or parameter.Source) == parameter.Source then
      found[#found + 1] = parameter
    end
  end
  return entities.page(ctx, params, "Parameters", found, function(parameter) return parameter.ParameterName end)
end

local function default_value(group, name)
  for _, parameter in ipairs(parameters.defaults(engines.major_of_family(group.DBParameterGroupFamily))) do
    if parameter.ParameterName == name then
      return parameter.ParameterValue
    end
  end
end

-- Changes parameters of a group: `values` = { name = { value, method } or false for the default }.
local function change(ctx, group, values)
  if group.applied_at and ctx.now() < group.applied_at then
    entities.fail(ctx, "InvalidDBParameterGroupState", "Parameter group %s has pending changes, wait until they are "
      .. "applied and try again.", group.DBClusterParameterGroupName)
  end
  for name, value in pairs(values) do
    group.parameters[name] = value or nil
    if parameters.find(ctx, name).ApplyType == "static" then
      group.rebooted_after = ctx.now()
    end
  end
  group.applied_at = user_of(ctx, group) and ctx.now() + APPLYING or nil
  entities.put(ctx, "parameter_group", group)
  return { DBClusterParameterGroupName = group.DBClusterParameterGroupName }
end

-- The parameters that a request lists, { name = { value, method } }, checked.
local function requested(ctx, params, with_values)
  local values = {}
  if #params.Parameters > MOST_PARAMETERS then
    entities.invalid(ctx, "The number of parameters in a request cannot be more than %d.", MOST_PARAMETERS)
  end
  for _, given in ipairs(params.Parameters) do
    local parameter = parameters.find(ctx, given.ParameterName)
    if given.ApplyMethod ~= "immediate" and given.ApplyMethod ~= "pending-reboot" then
      entities.invalid(ctx, "Invalid apply method for %s: %s", parameter.ParameterName, given.ApplyMethod or "")
    elseif given.ApplyMethod == "immediate" and parameter.ApplyType == "static" then
      entities.refuse(ctx, "cannot use immediate apply method for static parameter: %s", parameter.ParameterName)
    elseif with_values and not given.ParameterValue then
      entities.invalid(ctx, "The parameter ParameterValue must be provided for %s.", parameter.ParameterName)
    end
    values[parameter.ParameterName] = with_values and {
      value = parameters.checked(ctx, parameter, given.ParameterValue), method = given.ApplyMethod,
    }
  end
  return values
end

-- What is set to the value that RDS gives it itself is not shown as changed.
function operations.ModifyDBClusterParameterGroup(ctx, params)
  local group = find_own(ctx, params.DBClusterParameterGroupName)
  local values = requested(ctx, params, true)
  for name, set in pairs(values) do
    values[name] = set.value ~= default_value(group, name) and set
  end
  return change(ctx, group, values)
end

function operations.ResetDBClusterParameterGroup(ctx, params)
  local group = find_own(ctx, params.DBClusterParameterGroupName)
  local values = {}
  local all = params.ResetAllParameters or false
  if all == (#(params.Parameters or {}) > 0) then
    entities.refuse(ctx, "Either ResetAllParameters or a list of parameters must be given, but not both.")
  elseif all then
    for name in pairs(group.parameters) do
      values[name] = false
    end
  else
    values = requested(ctx, params, false)
  end
  return change(ctx, group, values)
end

return parameter_groups
