-- Subnets. Operations of infra.sim.ec2.

local arns = require "infra.sim.arns"
local attributes = require "infra.sim.ec2.attributes"
local cidr = require "infra.sim.ec2.cidr"
local interfaces = require "infra.sim.ec2.interfaces"
local kinds = require "infra.sim.ec2.kinds"
local route_tables = require "infra.sim.ec2.route_tables"
local zones = require "infra.sim.ec2.zones"

local operations = {}

local Subnet = kinds.Subnet

function Subnet.render(ctx, shown, object)
  shown.AvailableIpAddressCount = interfaces.free_addresses(ctx, object)
end

local function block_of(ctx, params, vpc)
  local block = cidr.parse(params.CidrBlock or "")
  if not params.CidrBlock then
    ctx:fail("MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' must be provided")
  elseif not block then
    ctx:fail("InvalidParameterValue", ("Value (%s) for parameter cidrBlock is invalid. This is not a valid CIDR block.")
      :format(params.CidrBlock))
  elseif block.bits < 16 or block.bits > 28 or not cidr.contains(cidr.parse(vpc.CidrBlock), block) then
    ctx:fail("InvalidSubnet.Range", ("The CIDR '%s' is invalid."):format(params.CidrBlock))
  end
  for _, other in Subnet:each(ctx, "VpcId", vpc.VpcId) do
    if cidr.overlaps(block, cidr.parse(other.CidrBlock)) then
      ctx:fail("InvalidSubnet.Conflict", ("The CIDR '%s' conflicts with another subnet"):format(params.CidrBlock))
    end
  end
  return cidr.format(block)
end

local function zone_of(ctx, params)
  local usable, names = zones.usable(ctx.region), {}
  local by_name, by_id = params.AvailabilityZone, params.AvailabilityZoneId
  for i, zone in ipairs(usable) do
    names[i] = zone.ZoneName
    if zone.ZoneName == by_name or zone.ZoneId == by_id then
      return zone
    end
  end
  if by_name or by_id then
    ctx:fail("InvalidParameterValue", ("Value (%s) for parameter %s is invalid. Subnets can currently only be created "
      .. "in the following availability zones: %s."):format(by_name or by_id,
      by_name and "availabilityZone" or "availabilityZoneId", table.concat(names, ", ")))
  end
  return usable[1]
end

function operations.CreateSubnet(ctx, params)
  local vpc = kinds.Vpc:find(ctx, params.VpcId)
  local block, zone = block_of(ctx, params, vpc), zone_of(ctx, params)
  local subnet = Subnet:create(ctx, {
    VpcId = vpc.VpcId,
    CidrBlock = block,
    AvailabilityZone = zone.ZoneName,
    AvailabilityZoneId = zone.ZoneId,
    DefaultForAz = false,
    MapPublicIpOnLaunch = false,
    MapCustomerOwnedIpOnLaunch = false,
    AssignIpv6AddressOnCreation = false,
    EnableDns64 = false,
    Ipv6Native = false,
    Ipv6CidrBlockAssociationSet = {},
    PrivateDnsNameOptionsOnLaunch = {
      HostnameType = "ip-name", EnableResourceNameDnsARecord = false, EnableResourceNameDnsAAAARecord = false,
    },
    available_at = ctx.now() + 2,
  }, params)
  subnet.SubnetArn = arns.of(ctx, "ec2", "subnet/" .. subnet.SubnetId)
  Subnet:put(ctx, subnet)
  return { Subnet = Subnet:show(ctx, subnet) }
end

operations.DescribeSubnets = Subnet:describe()

-- Parameter of ModifySubnetAttribute -> where the object keeps it.
local function set(name)
  return function(subnet, value) subnet[name] = value end
end

local function set_name_option(name)
  return function(subnet, value) subnet.PrivateDnsNameOptionsOnLaunch[name] = value end
end

local ATTRIBUTES = {
  MapPublicIpOnLaunch = set "MapPublicIpOnLaunch",
  AssignIpv6AddressOnCreation = set "AssignIpv6AddressOnCreation",
  EnableDns64 = set "EnableDns64",
  PrivateDnsHostnameTypeOnLaunch = set_name_option "HostnameType",
  EnableResourceNameDnsARecordOnLaunch = set_name_option "EnableResourceNameDnsARecord",
  EnableResourceNameDnsAAAARecordOnLaunch = set_name_option "EnableResourceNameDnsAAAARecord",
}

local NEEDS_IPV6 = {
  AssignIpv6AddressOnCreation = true, EnableDns64 = true, EnableResourceNameDnsAAAARecordOnLaunch = true,
}

local NAMES = {}
for name in pairs(ATTRIBUTES) do
  NAMES[#NAMES + 1] = name
end
table.sort(NAMES)

function operations.ModifySubnetAttribute(ctx, params)
  local subnet = Subnet:find(ctx, params.SubnetId)
  local name = attributes.single(ctx, params, NAMES)
  local value = params[name]
  if type(value) == "table" then
    value = value.Value
  end
  if NEEDS_IPV6[name] and value and #subnet.Ipv6CidrBlockAssociationSet == 0 then
    ctx:fail("InvalidParameterValue", ("Invalid value 'true' for %s. Subnet %s does not have IPv6 CIDR block "
      .. "associated."):format(name, subnet.SubnetId))
  end
  ATTRIBUTES[name](subnet, value)
  Subnet:put(ctx, subnet)
end

function operations.DeleteSubnet(ctx, params)
  local subnet = Subnet:find(ctx, params.SubnetId)
  if kinds.Interface:any(ctx, "SubnetId", subnet.SubnetId) then
    ctx:fail("DependencyViolation",
      ("The subnet '%s' has dependencies and cannot be deleted."):format(subnet.SubnetId))
  end
  route_tables.forget_subnet(ctx, subnet.SubnetId)
  Subnet:remove(ctx, subnet.SubnetId)
end

return { operations = operations }
