-- DB subnet groups of the simulated RDS. Used by infra.sim.rds, and by its instances to show theirs.
--
-- A subnet group has subnets = array of the ids of EC2's subnets.

local entities = require "infra.sim.rds.entities"
local kinds = require "infra.sim.ec2.kinds"
local network = require "infra.sim.rds.network"
local structures = require "infra.sim.structures"
local tags = require "infra.sim.rds.tags"

local subnet_groups = { operations = {} }
local operations = subnet_groups.operations

local SHOWN = { "DBSubnetGroupName", "DBSubnetGroupDescription", "VpcId", "DBSubnetGroupArn" }

local function ids_of(subnets)
  local ids = {}
  for i, subnet in ipairs(subnets) do
    ids[i] = subnet.SubnetId
  end
  return ids
end

--- A subnet group as it is described: without its tags.
function subnet_groups.view(ctx, group)
  local shown = structures.pick(group, SHOWN)
  shown.SubnetGroupStatus = "Complete"
  shown.SupportedNetworkTypes = { "IPV4" }
  shown.Subnets = {}
  for i, id in ipairs(group.subnets) do
    local subnet = kinds.Subnet:get(ctx, id)
    shown.Subnets[i] = {
      SubnetIdentifier = id,
      SubnetAvailabilityZone = { Name = subnet and subnet.AvailabilityZone },
      SubnetOutpost = {},
      SubnetStatus = "Active",
    }
  end
  return shown
end

local function checked_name(ctx, name)
  if #name > 255 or not name:find("^%a[%w._ -]*$") or name:lower() == "default" then
    entities.invalid(ctx, "The parameter DBSubnetGroupName is not a valid identifier. Identifiers must begin with a "
      .. "letter; must contain only ASCII letters, digits, periods, underscores, spaces and hyphens; and must not be "
      .. "\"default\".")
  end
  return name:lower()
end

function operations.CreateDBSubnetGroup(ctx, params)
  local name = checked_name(ctx, params.DBSubnetGroupName)
  entities.check_new(ctx, "subnet_group", name)
  local subnets = network.subnets(ctx, params.SubnetIds)
  local group = entities.put(ctx, "subnet_group", {
    DBSubnetGroupName = name,
    DBSubnetGroupDescription = params.DBSubnetGroupDescription,
    DBSubnetGroupArn = entities.arn(ctx, "subnet_group", name),
    VpcId = subnets[1].VpcId,
    subnets = ids_of(subnets),
    tags = tags.merged(ctx, {}, params.Tags),
  })
  return { DBSubnetGroup = subnet_groups.view(ctx, group) }
end

operations.DescribeDBSubnetGroups = entities.describe {
  kind = "subnet_group", output = "DBSubnetGroups", show = subnet_groups.view,
}

-- Fails when an instance is in one of the group's subnets that is not among `kept`.
local function check_unused(ctx, group, kept)
  local stays = {}
  for _, subnet in ipairs(kept) do
    stays[subnet.SubnetId] = true
  end
  for id, instance in entities.each(ctx, "instance", "DBSubnetGroupName", group.DBSubnetGroupName) do
    local interface = kinds.Interface:get(ctx, instance.interface)
    if interface and not stays[interface.SubnetId] then
      entities.fail(ctx, "SubnetAlreadyInUse", "The subnet %s is in use by the DB instance %s and cannot be removed.",
        interface.SubnetId, id)
    end
  end
end

-- The subnets are replaced, all of them.
function operations.ModifyDBSubnetGroup(ctx, params)
  local group = entities.find(ctx, "subnet_group", params.DBSubnetGroupName)
  local subnets = network.subnets(ctx, params.SubnetIds)
  if subnets[1].VpcId ~= group.VpcId then
    entities.invalid(ctx, "The new Subnets are not in the same Vpc as the existing subnet group")
  end
  check_unused(ctx, group, subnets)
  group.subnets = ids_of(subnets)
  group.DBSubnetGroupDescription = params.DBSubnetGroupDescription or group.DBSubnetGroupDescription
  entities.put(ctx, "subnet_group", group)
  return { DBSubnetGroup = subnet_groups.view(ctx, group) }
end

-- A cluster that is still being deleted counts.
function operations.DeleteDBSubnetGroup(ctx, params)
  local group = entities.find(ctx, "subnet_group", params.DBSubnetGroupName)
  local user = entities.each(ctx, "cluster", "DBSubnetGroup", group.DBSubnetGroupName)()
  if user then
    entities.fail(ctx, "InvalidDBSubnetGroupStateFault", "Cannot delete the subnet group '%s' because at least one "
      .. "database instance: %s is still using it.", group.DBSubnetGroupName, user)
  end
  entities.delete(ctx, "subnet_group", group.DBSubnetGroupName)
end

return subnet_groups
