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

--- Puts an interface that AWS manages into a subnet (an object of kinds.Subnet), at its next free address unless
--- `members` says which. `members`: Description, InterfaceType, RequesterId, Groups ({ GroupId, GroupName } each), ...
--- `params`: of the operation, when it may tag the interface. Returns it, or nil when the subnet is full.
function interfaces.create(ctx, subnet, members, params)
  local address = members.PrivateIpAddress or free_address(ctx, subnet)
  if not address then
    return nil
  end
  local interface = {
    SubnetId = subnet.SubnetId,
    VpcId = subnet.VpcId,
    AvailabilityZone = subnet.AvailabilityZone,
    PrivateIpAddress = address,
    MacAddress = "02" .. ctx.unique(10):gsub("%x%x", ":%0"),
    RequesterManaged = true,
    SourceDestCheck = true,
    Status = "in-use",
    Groups = {},
    Attachment = {
      AttachmentId = ctx.id "ela-attach", DeleteOnTermination = false, DeviceIndex = 1, InstanceOwnerId = "amazon-aws",
      Status = "attached",
    },
  }
  for name, value in pairs(members) do
    interface[name] = value
  end
  return Interface:create(ctx, interface, params)
end

function operations.CreateNetworkInterface(ctx, params)
  local subnet, groups = kinds.Subnet:find(ctx, params.SubnetId), {}
  for i, id in ipairs(params.Groups or {}) do
    groups[i] = { GroupId = id, GroupName = kinds.SecurityGroup:find(ctx, id).GroupName }
  end
  if interfaces.free_addresses(ctx, subnet) == 0 then
    ctx:fail("InsufficientFreeAddressesInSubnet",
      ("The specified subnet %s does not have enough free addresses."):format(subnet.SubnetId))
  end
  local interface = interfaces.create(ctx, subnet, {
    Description = params.Description or "",
    Groups = groups,
    InterfaceType = "interface",
    RequesterManaged = false,
    Status = "available",
    Attachment = false,
  }, params)
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
