-- Network interfaces, and with them the private addresses of subnets. Operations of infra.sim.ec2; what puts interfaces
-- into subnets (NAT gateways, VPC endpoints, Lambda, RDS, ElastiCache) uses create, and ends their life by gone_at.

local cidr = require "infra.sim.ec2.cidr"
local kinds = require "infra.sim.ec2.kinds"

local interfaces = { operations = {} }
local operations = interfaces.operations

local Interface = kinds.Interface

local RESERVED = 5 -- addresses that AWS keeps in every subnet: the first four and the last

function Interface.render(_, shown, object)
  shown.TagSet = shown.Tags
  shown.PrivateIpAddresses = { {
    Primary = true, PrivateIpAddress = object.PrivateIpAddress, Association = object.Association,
  } }
end

local function addresses_in_use(ctx, subnet)
  local used, count = {}, 0
  for _, interface in Interface:each(ctx, "SubnetId", subnet.SubnetId) do
    used[interface.PrivateIpAddress] = true
    count = count + 1
  end
  return used, count
end

--- How many private addresses are free in a subnet.
function interfaces.free_addresses(ctx, subnet)
  local _, used = addresses_in_use(ctx, subnet)
  return (1 << (32 - cidr.parse(subnet.CidrBlock).bits)) - RESERVED - used
end

-- The lowest private address that is free in a subnet, or nil.
local function free_address(ctx, subnet)
  local block, used = cidr.parse(subnet.CidrBlock), addresses_in_use(ctx, subnet)
  for address = block.address + RESERVED - 1, block.address + (1 << (32 - block.bits)) - 2 do
    local text = cidr.address(address)
    if not used[text] then
      return text
    end
  end
end

--- Security groups of a VPC as interfaces keep them, { GroupId, GroupName } each, checked; without `ids` the default
--- one.
function interfaces.groups(ctx, vpc_id, ids)
  local groups = {}
  if ids and #ids > 0 then
    for i, id in ipairs(ids) do
      groups[i] = { GroupId = id, GroupName = kinds.SecurityGroup:find(ctx, id).GroupName }
    end
    return groups
  end
  for id, group in kinds.SecurityGroup:each(ctx, "VpcId", vpc_id) do
    if group.GroupName == "default" then
      groups[1] = { GroupId = id, GroupName = "default" }
    end
  end
  return groups
end

-- Puts an interface into a subnet; returns it, or nil when the subnet is full.
local function place(ctx, subnet, members, params)
  members.PrivateIpAddress = members.PrivateIpAddress or free_address(ctx, subnet)
  if not members.PrivateIpAddress then
    return nil
  end
  members.SubnetId, members.VpcId, members.AvailabilityZone = subnet.SubnetId, subnet.VpcId, subnet.AvailabilityZone
  members.MacAddress = "02" .. ctx.unique(10):gsub("%x%x", ":%0")
  members.SourceDestCheck = members.SourceDestCheck ~= false
  members.Groups = members.Groups or {}
  return Interface:create(ctx, members, params)
end

--- Puts an interface that AWS manages into a subnet (an object of kinds.Subnet), at its next free address unless
--- `members` says which. `members`: Description, InterfaceType, RequesterId, Groups (interfaces.groups), ...
--- Returns it, or nil when the subnet is full.
function interfaces.create(ctx, subnet, members)
  members.RequesterManaged = true
  members.Status = "in-use"
  members.Attachment = {
    AttachmentId = ctx.id "ela-attach", DeleteOnTermination = false, DeviceIndex = 1, InstanceOwnerId = "amazon-aws",
    Status = "attached",
  }
  return place(ctx, subnet, members)
end

function operations.CreateNetworkInterface(ctx, params)
  local subnet = kinds.Subnet:find(ctx, params.SubnetId)
  local interface = place(ctx, subnet, {
    Description = params.Description or "",
    Groups = interfaces.groups(ctx, subnet.VpcId, params.Groups),
    InterfaceType = "interface",
    PrivateIpAddress = params.PrivateIpAddress,
    RequesterManaged = false,
    Status = "available",
  }, params)
  if not interface then
    ctx:fail("InsufficientFreeAddressesInSubnet",
      ("The specified subnet %s does not have enough free addresses."):format(subnet.SubnetId))
  end
  return { NetworkInterface = Interface:show(ctx, interface) }
end

operations.DescribeNetworkInterfaces = Interface:describe()

function operations.DeleteNetworkInterface(ctx, params)
  local interface = Interface:find(ctx, params.NetworkInterfaceId)
  if interface.Status == "in-use" then
    ctx:fail("InvalidParameterValue",
      ("Network interface '%s' is currently in use."):format(interface.NetworkInterfaceId))
  end
  Interface:remove(ctx, interface.NetworkInterfaceId)
end

return interfaces
