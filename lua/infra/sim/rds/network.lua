-- Where the instances of the simulated RDS are in the simulated EC2: their subnets, security groups and network
-- interfaces. Used by the other files of this folder.

local entities = require "infra.sim.rds.entities"
local interfaces = require "infra.sim.ec2.interfaces"
local kinds = require "infra.sim.ec2.kinds"

local network = {}

-- The EC2 object of this id, if EC2's part that answers has heard of it.
local function known(ctx, kind, id)
  return not ctx:fresh(kind.name, id, ctx:of("ec2")) and kind:get(ctx, id) or nil
end

--- The EC2 subnets of these ids: of one VPC, in two zones at least.
function network.subnets(ctx, ids)
  local found, zones, count = {}, {}, 0
  for i, id in ipairs(ids) do
    local subnet = known(ctx, kinds.Subnet, id)
    if not subnet then
      entities.fail(ctx, "InvalidSubnet", "Subnet IDs are required and must exist: [%s]", id)
    elseif subnet.VpcId ~= (found[1] or subnet).VpcId then
      entities.fail(ctx, "InvalidSubnet", "The subnets are not all in a common VPC: [%s]", table.concat(ids, ", "))
    end
    found[i] = subnet
    count = count + (zones[subnet.AvailabilityZone] and 0 or 1)
    zones[subnet.AvailabilityZone] = true
  end
  if count < 2 then
    entities.fail(ctx, "DBSubnetGroupDoesNotCoverEnoughAZs", "The DB subnet group doesn't meet Availability Zone (AZ) "
      .. "coverage requirement. Current AZ coverage: %s. Add subnets to cover at least 2 AZs.", next(zones) or "none")
  end
  return found
end

--- The subnet group that a request names; nobody has a default one.
function network.subnet_group(ctx, name)
  if not name then
    entities.fail(ctx, "InvalidSubnet", "No default subnet detected in VPC. Please contact AWS Support to recreate the "
      .. "default Subnets.")
  end
  return entities.find(ctx, "subnet_group", name)
end

--- Security groups of a VPC as network interfaces keep them; the VPC's default one when `ids` is nil or empty.
function network.groups(ctx, vpc_id, ids)
  for _, id in ipairs(ids or {}) do
    local group = known(ctx, kinds.SecurityGroup, id)
    if not group then
      entities.invalid(ctx, "Invalid security group , groupId= %s, groupName=.", id)
    elseif group.VpcId ~= vpc_id then
      entities.refuse(ctx, "The DB instance and EC2 security group are in different VPCs. The DB instance is in %s and "
        .. "the EC2 security group is in %s", vpc_id, group.VpcId)
    end
  end
  return interfaces.groups(ctx, vpc_id, ids)
end

-- The subnet for one more instance: of `zone` if given, else of the zone that has the fewest of `others`.
local function choose(ctx, subnet_group, zone, others)
  local load, best = {}, nil
  for _, instance in ipairs(others) do
    load[instance.AvailabilityZone] = (load[instance.AvailabilityZone] or 0) + 1
  end
  for _, id in ipairs(subnet_group.subnets) do
    local subnet = kinds.Subnet:get(ctx, id)
    if subnet and interfaces.free_addresses(ctx, subnet) > 0 and (zone or subnet.AvailabilityZone)
      == subnet.AvailabilityZone then
      local current = load[subnet.AvailabilityZone] or 0
      if not best or current < (load[best.AvailabilityZone] or 0) then
        best = subnet
      end
    end
  end
  return best
end

--- Puts the interface of a new instance into a subnet of `subnet_group`, in `zone` if that is given, else away from
--- the instances `others`. Returns the interface.
function network.connect(ctx, subnet_group, zone, others, groups)
  local subnet = choose(ctx, subnet_group, zone, others)
  if not subnet then
    entities.fail(ctx, "InvalidVPCNetworkStateFault", "The DB subnet group %s has no subnet with a free address%s.",
      subnet_group.DBSubnetGroupName, zone and " in " .. zone or "")
  end
  return interfaces.create(ctx, subnet, {
    Description = "RDSNetworkInterface", InterfaceType = "interface", RequesterId = "amazon-rds", Groups = groups,
  })
end

--- Changes the interface of an instance by `change(interface)`, if it is still there.
function network.change(ctx, instance, change)
  local interface = kinds.Interface:get(ctx, instance.interface)
  if interface then
    change(interface)
    kinds.Interface:put(ctx, interface)
  end
end

return network
