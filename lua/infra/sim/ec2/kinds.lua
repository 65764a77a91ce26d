-- EC2's kinds of resources, as data: how each is identified, found missing, counted, listed and filtered. What is
-- special about one is code in its own file (vpcs.lua, subnets.lua, ...), which may add `render`. See
-- infra.sim.ec2.resources for the meaning of the fields. Filters are those of the Describe operation in the EC2 API
-- reference, without the ones that look at members which nothing simulated has.

local Resource = require "infra.sim.ec2.resources"

local PAGES = { 5, 1000 }

local function pascal_case(name)
  return (("-" .. name):gsub("%-(%w)", string.upper))
end

-- Filters called like the member they look at ("vpc-id": VpcId), and others by name.
local function filters(names, others)
  local all = others or {}
  for name in names:gmatch("%S+") do
    all[name] = pascal_case(name)
  end
  return all
end

local kinds = {}

kinds.Vpc = Resource.define {
  name = "vpc",
  prefix = "vpc",
  id = "VpcId",
  ids = "VpcIds",
  not_found = { "InvalidVpcID.NotFound", "The vpc ID '%s' does not exist" },
  quota = { 5, "VpcLimitExceeded", "The maximum number of VPCs has been reached." },
  listing = {
    output = "Vpcs",
    pages = PAGES,
    filters = filters("vpc-id cidr-block dhcp-options-id is-default owner-id state", {
      cidr = "CidrBlock",
      cidrBlock = "CidrBlock",
      isDefault = "IsDefault",
      ["cidr-block-association.association-id"] = "CidrBlockAssociationSet.AssociationId",
      ["cidr-block-association.cidr-block"] = "CidrBlockAssociationSet.CidrBlock",
      ["cidr-block-association.state"] = "CidrBlockAssociationSet.CidrBlockState.State",
    }),
  },
}

kinds.Subnet = Resource.define {
  name = "subnet",
  prefix = "subnet",
  id = "SubnetId",
  ids = "SubnetIds",
  not_found = { "InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist" },
  quota = { 200, "SubnetLimitExceeded", "The maximum number of subnets has been reached.", per = "VpcId" },
  listing = {
    output = "Subnets",
    pages = PAGES,
    filters = filters("subnet-id vpc-id state owner-id cidr-block availability-zone availability-zone-id "
      .. "available-ip-address-count default-for-az map-public-ip-on-launch enable-dns64 ipv6-native subnet-arn", {
      cidr = "CidrBlock",
      cidrBlock = "CidrBlock",
      availabilityZone = "AvailabilityZone",
      availabilityZoneId = "AvailabilityZoneId",
      defaultForAz = "DefaultForAz",
      ["private-dns-name-options-on-launch.hostname-type"] = "PrivateDnsNameOptionsOnLaunch.HostnameType",
    }),
  },
}

kinds.NetworkAcl = Resource.define {
  name = "network-acl",
  prefix = "acl",
  id = "NetworkAclId",
  ids = "NetworkAclIds",
  not_found = { "InvalidNetworkAclID.NotFound", "The networkAcl ID '%s' does not exist" },
  goes_with_vpc = function(acl) return acl.IsDefault end,
  listing = {
    output = "NetworkAcls",
    pages = PAGES,
    filters = filters("network-acl-id vpc-id owner-id", {
      default = "IsDefault",
      ["association.subnet-id"] = "Associations.SubnetId",
      ["association.network-acl-id"] = "Associations.NetworkAclId",
      ["association.association-id"] = "Associations.NetworkAclAssociationId",
      ["entry.rule-number"] = "Entries.RuleNumber",
      ["entry.rule-action"] = "Entries.RuleAction",
    }),
  },
}

-- An object keeps the VPC that it is attached to as VpcId.
kinds.InternetGateway = Resource.define {
  name = "internet-gateway",
  prefix = "igw",
  id = "InternetGatewayId",
  ids = "InternetGatewayIds",
  not_found = { "InvalidInternetGatewayID.NotFound", "The internetGateway ID '%s' does not exist" },
  quota = { 5, "InternetGatewayLimitExceeded", "The maximum number of internet gateways has been reached." },
  listing = {
    output = "InternetGateways",
    pages = PAGES,
    filters = filters("internet-gateway-id owner-id", {
      ["attachment.vpc-id"] = "Attachments.VpcId",
      ["attachment.state"] = "Attachments.State",
    }),
  },
}

kinds.Interface = Resource.define {
  name = "network-interface",
  prefix = "eni",
  id = "NetworkInterfaceId",
  ids = "NetworkInterfaceIds",
  not_found = { "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%s' does not exist" },
  listing = {
    output = "NetworkInterfaces",
    pages = PAGES,
    filters = filters("network-interface-id subnet-id vpc-id availability-zone description interface-type status "
      .. "owner-id requester-id requester-managed private-ip-address mac-address source-dest-check", {
      ["addresses.private-ip-address"] = "PrivateIpAddress",
      ["group-id"] = "Groups.GroupId",
      ["group-name"] = "Groups.GroupName",
      ["association.allocation-id"] = "Association.AllocationId",
      ["association.association-id"] = "Association.AssociationId",
      ["association.public-ip"] = "Association.PublicIp",
      ["attachment.attachment-id"] = "Attachment.AttachmentId",
      ["attachment.instance-owner-id"] = "Attachment.InstanceOwnerId",
      ["attachment.status"] = "Attachment.Status",
    }),
  },
}

kinds.Address = Resource.define {
  name = "elastic-ip",
  prefix = "eipalloc",
  id = "AllocationId",
  ids = "AllocationIds",
  not_found = { "InvalidAllocationID.NotFound", "The allocation ID '%s' does not exist" },
  quota = { 5, "AddressLimitExceeded", "The maximum number of addresses has been reached." },
  listing = {
    output = "Addresses",
    filters = filters("allocation-id association-id domain public-ip network-interface-id network-interface-owner-id "
      .. "private-ip-address network-border-group instance-id"),
  },
}

kinds.NatGateway = Resource.define {
  name = "natgateway",
  prefix = "nat",
  id = "NatGatewayId",
  ids = "NatGatewayIds",
  not_found = { "NatGatewayNotFound", "The Nat Gateway %s was not found" },
  quota = { 5, "NatGatewayLimitExceeded", "The maximum number of NAT gateways has been reached.", per = "zone" },
  goes_with_vpc = function(gateway) return gateway.deleted_at ~= nil end, -- until then its interface is in the way
  listing = {
    output = "NatGateways",
    parameter = "Filter",
    pages = PAGES,
    filters = filters("nat-gateway-id state subnet-id vpc-id"),
  },
}

kinds.RouteTable = Resource.define {
  name = "route-table",
  prefix = "rtb",
  id = "RouteTableId",
  ids = "RouteTableIds",
  not_found = { "InvalidRouteTableID.NotFound", "The routeTable ID '%s' does not exist" },
  quota = { 200, "RouteTableLimitExceeded", "The maximum number of route tables has been reached.", per = "VpcId" },
  goes_with_vpc = function(route_table)
    return route_table.Associations[1] and route_table.Associations[1].Main
  end,
  listing = {
    output = "RouteTables",
    pages = { 5, 100 },
    filters = filters("route-table-id vpc-id owner-id", {
      ["association.gateway-id"] = "Associations.GatewayId",
      ["association.main"] = "Associations.Main",
      ["association.route-table-association-id"] = "Associations.RouteTableAssociationId",
      ["association.route-table-id"] = "Associations.RouteTableId",
      ["association.subnet-id"] = "Associations.SubnetId",
      ["route.destination-cidr-block"] = "Routes.DestinationCidrBlock",
      ["route.destination-ipv6-cidr-block"] = "Routes.DestinationIpv6CidrBlock",
      ["route.destination-prefix-list-id"] = "Routes.DestinationPrefixListId",
      ["route.gateway-id"] = "Routes.GatewayId",
      ["route.nat-gateway-id"] = "Routes.NatGatewayId",
      ["route.origin"] = "Routes.Origin",
      ["route.state"] = "Routes.State",
    }),
  },
}

kinds.SecurityGroup = Resource.define {
  name = "security-group",
  prefix = "sg",
  id = "GroupId",
  ids = "GroupIds",
  not_found = { "InvalidGroup.NotFound", "The security group '%s' does not exist" },
  malformed = "InvalidGroupId.Malformed",
  quota = { 2500, "SecurityGroupLimitExceeded", "The maximum number of security groups has been reached." },
  goes_with_vpc = function(group) return group.GroupName == "default" end,
  listing = {
    output = "SecurityGroups",
    pages = PAGES,
    filters = filters("description group-id group-name owner-id vpc-id", {
      ["ip-permission.cidr"] = "IpPermissions.IpRanges.CidrIp",
      ["ip-permission.from-port"] = "IpPermissions.FromPort",
      ["ip-permission.group-id"] = "IpPermissions.UserIdGroupPairs.GroupId",
      ["ip-permission.ipv6-cidr"] = "IpPermissions.Ipv6Ranges.CidrIpv6",
      ["ip-permission.prefix-list-id"] = "IpPermissions.PrefixListIds.PrefixListId",
      ["ip-permission.protocol"] = "IpPermissions.IpProtocol",
      ["ip-permission.to-port"] = "IpPermissions.ToPort",
      ["egress.ip-permission.cidr"] = "IpPermissionsEgress.IpRanges.CidrIp",
      ["egress.ip-permission.from-port"] = "IpPermissionsEgress.FromPort",
      ["egress.ip-permission.group-id"] = "IpPermissionsEgress.UserIdGroupPairs.GroupId",
      ["egress.ip-permission.ipv6-cidr"] = "IpPermissionsEgress.Ipv6Ranges.CidrIpv6",
      ["egress.ip-permission.prefix-list-id"] = "IpPermissionsEgress.PrefixListIds.PrefixListId",
      ["egress.ip-permission.protocol"] = "IpPermissionsEgress.IpProtocol",
      ["egress.ip-permission.to-port"] = "IpPermissionsEgress.ToPort",
    }),
  },
}

kinds.SecurityGroupRule = Resource.define {
  name = "security-group-rule",
  prefix = "sgr",
  id = "SecurityGroupRuleId",
  ids = "SecurityGroupRuleIds",
  not_found = { "InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist" },
  listing = {
    output = "SecurityGroupRules",
    pages = PAGES,
    filters = filters("group-id security-group-rule-id"),
  },
}

kinds.VpcEndpoint = Resource.define {
  name = "vpc-endpoint",
  prefix = "vpce",
  id = "VpcEndpointId",
  ids = "VpcEndpointIds",
  not_found = { "InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '%s' does not exist" },
  listing = {
    output = "VpcEndpoints",
    pages = PAGES,
    filters = filters("service-name vpc-endpoint-id vpc-endpoint-type vpc-id", { ["vpc-endpoint-state"] = "State" }),
  },
}

return kinds
