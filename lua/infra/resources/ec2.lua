-- EC2 networking: VPC, subnet, internet gateway, elastic IP, NAT gateway. Route tables, security groups and their
-- rules, and endpoints are in files of their own, ec2_*.lua. The vocabulary is explained in handler/schema.lua.
--
-- Facts about AWS are from its API reference and models unless a comment says otherwise.

local cidr = require "infra.resources.cidr"
local holder_of = require "infra.resources.ec2_holders"
local merged = require "infra.merged"

-- A new id may be unknown to the node that answers the next call for some seconds; two minutes are generous.
local CONSISTENCY = {
  { "InvalidVpcID.NotFound", 120 },
  { "InvalidSubnetID.NotFound", 120 },
  { "InvalidInternetGatewayID.NotFound", 120 },
  { "InvalidRouteTableID.NotFound", 120 },
  { "InvalidAllocationID.NotFound", 120 },
  { "InvalidElasticIpID.NotFound", 120 },
  { "InvalidGatewayID.NotFound", 120 },
  { "InvalidNatGatewayID.NotFound", 120 },
  { "NatGatewayNotFound", 120 },
  { "InvalidGroup.NotFound", 120 },
}

local TAGS = {
  form = "list",
  create = "TagSpecifications[].Tags",
  set = { "CreateTags", send = { "@id=Resources[]" }, tags = "Tags" },
  unset = { "DeleteTags", send = { "@id=Resources[]" }, keys = "Tags", form = "list" },
  read = "Tags",
}

-- What all EC2 types have in common: tags on create, the lost create found by its ownership tag, ids as filter values.
local function ec2_type(spec)
  spec.service = "ec2"
  spec.retry = CONSISTENCY
  if spec.tag_type then
    spec.tags = TAGS
    spec.tags_with = { ["TagSpecifications[].ResourceType"] = spec.tag_type }
    spec.find = spec.find or { ["tag:infra:id"] = true }
  end
  return spec
end

-- While something in the VPC still holds on to it: gateways, interfaces and groups disappear with a delay. `holder`
-- tells what.
local function in_use(seconds, holder)
  return {
    { "DependencyViolation", seconds, holder = holder }, { "InvalidGroup.InUse", seconds, holder = holder },
  }
end

local types = {}

-- For types with ranges of addresses in these properties.
local function check_ranges(...)
  local names = { ... }
  return function(properties, report)
    for _, name in ipairs(names) do
      cidr.check(name, properties[name], report)
    end
  end
end

types["AWS::EC2::VPC"] = ec2_type {
  tag_type = "vpc",
  check = check_ranges "CidrBlock",
  identity = { "VpcId" },
  typical = { create = 5, delete = 2 },
  defaults = { InstanceTenancy = "default", EnableDnsSupport = true, EnableDnsHostnames = false },
  create = {
    "CreateVpc",
    send = { "CidrBlock", "InstanceTenancy", "Ipv4IpamPoolId", "Ipv4NetmaskLength" },
    result = "Vpc",
  },
  read = {
    "DescribeVpcs",
    list = "Vpcs", key = "VpcId", filter = "vpc-id",
    map = {
      "VpcId", "CidrBlock", "InstanceTenancy", "CidrBlockAssociations=CidrBlockAssociationSet[].AssociationId",
      "Ipv6CidrBlocks=Ipv6CidrBlockAssociationSet[].Ipv6CidrBlock",
    },
  },
  -- One attribute in a call; host names need DNS support, so it goes off last and on first.
  facets = {
    {
      properties = { "EnableDnsHostnames" }, value = false,
      write = { "ModifyVpcAttribute", send = { "VpcId", "EnableDnsHostnames=EnableDnsHostnames.Value" } },
      read = {
        "DescribeVpcAttribute", send = { "VpcId" }, with = { Attribute = "enableDnsHostnames" },
        map = { "EnableDnsHostnames=EnableDnsHostnames.Value" },
      },
    },
    {
      properties = { "EnableDnsSupport" },
      write = { "ModifyVpcAttribute", send = { "VpcId", "EnableDnsSupport=EnableDnsSupport.Value" } },
      read = {
        "DescribeVpcAttribute", send = { "VpcId" }, with = { Attribute = "enableDnsSupport" },
        map = { "EnableDnsSupport=EnableDnsSupport.Value" },
      },
    },
    {
      properties = { "EnableDnsHostnames" }, value = true,
      write = { "ModifyVpcAttribute", send = { "VpcId", "EnableDnsHostnames=EnableDnsHostnames.Value" } },
    },
    {
      properties = { "InstanceTenancy" }, value = "default",
      write = { "ModifyVpcTenancy", send = { "VpcId", "InstanceTenancy" } },
    },
  },
  -- Only dedicated -> default is possible in place.
  replaces = function(property, before, after)
    return property == "InstanceTenancy" and not (before == "dedicated" and after == "default")
  end,
  attributes = {
    DefaultSecurityGroup = {
      "DescribeSecurityGroups", path = "SecurityGroups[1].GroupId",
      filters = { ["vpc-id"] = "VpcId", ["group-name"] = { "default" } },
    },
    DefaultNetworkAcl = {
      "DescribeNetworkAcls", path = "NetworkAcls[1].NetworkAclId",
      filters = { ["vpc-id"] = "VpcId", default = { "true" } },
    },
  },
  state = { path = "State", ready = { "available" }, limit = 300 },
  delete = { "DeleteVpc", send = { "VpcId" }, retry = in_use(300, holder_of) },
  gone = { "InvalidVpcID.NotFound" },
}

types["AWS::EC2::Subnet"] = ec2_type {
  tag_type = "subnet",
  check = check_ranges("CidrBlock", "Ipv6CidrBlock"),
  identity = { "SubnetId" },
  typical = { create = 4, delete = 2 },
  defaults = { MapPublicIpOnLaunch = false, AssignIpv6AddressOnCreation = false, EnableDns64 = false },
  create = {
    "CreateSubnet",
    send = {
      "VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId", "OutpostArn", "Ipv6CidrBlock", "Ipv6Native",
      "Ipv4IpamPoolId", "Ipv4NetmaskLength", "Ipv6IpamPoolId", "Ipv6NetmaskLength",
    },
    result = "Subnet",
    exists = { "InvalidSubnet.Conflict" },
  },
  find = { ["vpc-id"] = "VpcId", ["cidr-block"] = "CidrBlock" },
  read = {
    "DescribeSubnets",
    list = "Subnets", key = "SubnetId", filter = "subnet-id",
    map = {
      "SubnetId", "VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId", "OutpostArn", "MapPublicIpOnLaunch",
      "AssignIpv6AddressOnCreation", "EnableDns64", "Ipv6Native",
      "Ipv6CidrBlocks=Ipv6CidrBlockAssociationSet[].Ipv6CidrBlock",
    },
  },
  facets = { -- exactly one attribute in a call
    {
      properties = { "MapPublicIpOnLaunch" },
      write = { "ModifySubnetAttribute", send = { "SubnetId", "MapPublicIpOnLaunch=MapPublicIpOnLaunch.Value" } },
    },
    {
      properties = { "AssignIpv6AddressOnCreation" },
      write = {
        "ModifySubnetAttribute", send = { "SubnetId", "AssignIpv6AddressOnCreation=AssignIpv6AddressOnCreation.Value" },
      },
    },
    {
      properties = { "EnableDns64" },
      write = { "ModifySubnetAttribute", send = { "SubnetId", "EnableDns64=EnableDns64.Value" } },
    },
  },
  state = { path = "State", ready = { "available" }, limit = 300 },
  -- Lambda's network interfaces stay for up to 45 minutes after the function has gone.
  delete = { "DeleteSubnet", send = { "SubnetId" }, retry = in_use(2700, holder_of) },
  gone = { "InvalidSubnetID.NotFound", "InvalidSubnetId.NotFound" },
}

-- All gateways are read, of which a VPC has one: a gateway is looked for by its tag and an attachment, which has none,
-- by the gateway's id, and both are told by the same call.
types["AWS::EC2::InternetGateway"] = ec2_type {
  tag_type = "internet-gateway",
  identity = { "InternetGatewayId" },
  create = { "CreateInternetGateway", result = "InternetGateway" },
  read = {
    "DescribeInternetGateways",
    list = "InternetGateways", key = "InternetGatewayId", all = true, map = { "InternetGatewayId" },
  },
  delete = { "DeleteInternetGateway", send = { "InternetGatewayId" }, retry = in_use(300) },
  gone = { "InvalidInternetGatewayID.NotFound" },
}

types["AWS::EC2::VPCGatewayAttachment"] = ec2_type {
  identity = { "InternetGatewayId", "VpcId" },
  create = {
    "AttachInternetGateway", send = { "VpcId", "InternetGatewayId" }, exists = { "Resource.AlreadyAssociated" },
  },
  read = {
    "DescribeInternetGateways",
    list = "InternetGateways", key = "InternetGatewayId", all = true,
    pick = function(gateway, scope)
      for _, attachment in ipairs(gateway.Attachments or {}) do
        if attachment.VpcId == scope.VpcId then
          return attachment
        end
      end
    end,
    map = { "VpcId" },
    gives = { "InternetGatewayId" },
    decode = function(_, values, scope)
      values.AttachmentType, values.InternetGatewayId = "IGW", scope.InternetGatewayId
    end,
  },
  -- While public addresses are mapped in the VPC the detach is refused.
  delete = {
    "DetachInternetGateway", send = { "VpcId", "InternetGatewayId" }, retry = in_use(1200),
      absent = { "Gateway.NotAttached" },
  },
  gone = { "InvalidInternetGatewayID.NotFound", "InvalidVpcID.NotFound" },
}

types["AWS::EC2::EIP"] = ec2_type {
  tag_type = "elastic-ip",
  identity = { "AllocationId" },
  defaults = { Domain = "vpc" },
  create = {
    "AllocateAddress", send = { "Domain", "NetworkBorderGroup", "PublicIpv4Pool", "Address", "IpamPoolId" },
    with = { Domain = "vpc" },
  },
  read = {
    "DescribeAddresses",
    list = "Addresses", key = "AllocationId", filter = "allocation-id",
    map = { "AllocationId", "PublicIp", "Domain", "NetworkBorderGroup", "PublicIpv4Pool" },
  },
  delete = {
    "ReleaseAddress", send = { "AllocationId", "NetworkBorderGroup" },
    -- The address of a NAT gateway stays in use for a while after the gateway has gone; AuthFailure is how EC2 says so.
    retry = { { "InvalidIPAddress.InUse", 300 }, { "AuthFailure", 300 } },
  },
  gone = { "InvalidAllocationID.NotFound", "InvalidAddress.NotFound" },
}

types["AWS::EC2::NatGateway"] = ec2_type {
  tag_type = "natgateway",
  identity = { "NatGatewayId" },
  typical = { create = 100, delete = 50 },
  defaults = { ConnectivityType = "public" },
  create_first = false, -- two gateways cannot have one address
  create = {
    "CreateNatGateway", send = { "SubnetId", "AllocationId", "ConnectivityType", "PrivateIpAddress" },
    result = "NatGateway", token = true,
  },
  read = {
    "DescribeNatGateways",
    list = "NatGateways", key = "NatGatewayId", filter = "nat-gateway-id", filter_member = "Filter",
    map = { "NatGatewayId", "SubnetId", "VpcId", "ConnectivityType" },
    gives = { "AllocationId" },
    decode = function(gateway, values)
      for _, address in ipairs(gateway.NatGatewayAddresses or {}) do
        if address.IsPrimary ~= false then
          values.AllocationId, values.EniId = address.AllocationId, address.NetworkInterfaceId
          return
        end
      end
    end,
  },
  state = {
    path = "State", ready = { "available" }, failed = { "failed" }, message = "FailureMessage",
    leaving = { "deleting" }, gone = { "deleted" }, limit = 600, delete_limit = 1800,
  },
  delete = { "DeleteNatGateway", send = { "NatGatewayId" }, wait = true },
  gone = { "NatGatewayNotFound", "InvalidNatGatewayID.NotFound" },
}

for _, file in ipairs { "ec2_route_table", "ec2_security_group", "ec2_security_group_rule" } do
  types = merged(types, require("infra.resources." .. file) (ec2_type))
end

types["AWS::EC2::VPCEndpoint"] = require "infra.resources.ec2_vpc_endpoint" (ec2_type)

return types
