-- EC2 route tables, their routes and their associations: all three come from one description of the table. Used by
-- resources/ec2.lua.

local cidr = require "infra.resources.cidr"
local joined = require "infra.joined"

local ROUTE_TABLES = { list = "RouteTables", key = "RouteTableId", filter = "route-table-id" }

local function table_read(fields)
  for name, value in pairs(ROUTE_TABLES) do
    fields[name] = fields[name] or value
  end
  fields[1] = "DescribeRouteTables"
  return fields
end

-- API members of a route that say where it leads, as CloudFormation calls them.
local ROUTE_TARGETS = {
  "GatewayId", "NatGatewayId", "InstanceId", "NetworkInterfaceId", "VpcEndpointId", "TransitGatewayId",
  "LocalGatewayId", "CarrierGatewayId", "VpcPeeringConnectionId", "EgressOnlyInternetGatewayId", "CoreNetworkArn",
}
local ROUTE_DESTINATIONS = { "DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId" }
local ROUTE_KEY = joined({ "RouteTableId" }, ROUTE_DESTINATIONS)
local ROUTE_FIELDS = joined(ROUTE_KEY, ROUTE_TARGETS)

local function same_destination(route, scope)
  for _, name in ipairs(ROUTE_DESTINATIONS) do
    if scope[name] and route[name] == scope[name] then
      return true
    end
  end
  return false
end

local function association_of(route_table, scope)
  for _, association in ipairs(route_table.Associations or {}) do
    if association.SubnetId == scope.SubnetId then
      return association
    end
  end
end

local types = {}

types["AWS::EC2::RouteTable"] = {
  tag_type = "route-table",
  identity = { "RouteTableId" },
  create = { "CreateRouteTable", send = { "VpcId" }, result = "RouteTable", token = true },
  read = table_read { map = { "RouteTableId", "VpcId" } },
  delete = { "DeleteRouteTable", send = { "RouteTableId" }, retry = { { "DependencyViolation", 300 } } },
  gone = { "InvalidRouteTableID.NotFound" },
}

types["AWS::EC2::Route"] = {
  check = function(properties, report)
    cidr.check("DestinationCidrBlock", properties.DestinationCidrBlock, report)
    cidr.check("DestinationIpv6CidrBlock", properties.DestinationIpv6CidrBlock, report)
  end,
  same = ROUTE_TARGETS,
  identity = { "RouteTableId" },
  create = { "CreateRoute", send = ROUTE_FIELDS, exists = { "RouteAlreadyExists" } },
  read = table_read {
    pick = function(route_table, scope)
      for _, route in ipairs(route_table.Routes or {}) do
        if same_destination(route, scope) then
          return route
        end
      end
    end,
    map = ROUTE_TARGETS,
    decode = function(route, values, scope)
      if (values.GatewayId or ""):find("^vpce%-") then -- endpoints come back as gateways
        values.VpcEndpointId, values.GatewayId = values.GatewayId, nil
      end
      values.CidrBlock = route.DestinationCidrBlock or route.DestinationIpv6CidrBlock or route.DestinationPrefixListId
        or scope.DestinationCidrBlock
    end,
  },
  facets = {
    { properties = ROUTE_TARGETS, write = { "ReplaceRoute", send = ROUTE_FIELDS } },
  },
  delete = { "DeleteRoute", send = ROUTE_KEY },
  gone = { "InvalidRoute.NotFound", "InvalidRouteTableID.NotFound" },
}

types["AWS::EC2::SubnetRouteTableAssociation"] = {
  same = { "RouteTableId" },
  identity = { "SubnetId" },
  create = {
    "AssociateRouteTable", send = { "SubnetId", "RouteTableId" }, map = { "Id=AssociationId" },
    exists = { "Resource.AlreadyAssociated" },
  },
  -- By subnet: the association's own id changes when somebody moves the subnet to another table. A subnet has one table
  -- at a time, so none need be looked for where the recorded one has it.
  read = table_read {
    first = table_read { by = "RouteTableId", pick = association_of },
    key = "Associations[].SubnetId", filter = "association.subnet-id", pick = association_of,
    map = { "SubnetId", "RouteTableId", "Id=RouteTableAssociationId" },
  },
  -- Between a deletion and a new one the subnet would have the VPC's main table, and no way out.
  in_place = { "RouteTableId" },
  facets = {
    {
      properties = { "RouteTableId" },
      write = {
        "ReplaceRouteTableAssociation", send = { "RouteTableId" }, map = { "Id=NewAssociationId" },
        encode = function(params, _, _, live)
          params.AssociationId = live.values.Id -- not the recorded one: somebody may have moved it
        end,
      },
    },
  },
  delete = { "DisassociateRouteTable", send = { "Id=AssociationId" } },
  gone = { "InvalidAssociationID.NotFound" },
}

--- The three types; `ec2_type` completes a spec with what all EC2 types share.
return function(ec2_type)
  local completed = {}
  for name, spec in pairs(types) do
    completed[name] = ec2_type(spec)
  end
  return completed
end
