-- Routes, which are parts of route tables. Operations of infra.sim.ec2.

local cidr = require "infra.sim.ec2.cidr"
local kinds = require "infra.sim.ec2.kinds"
local nat_gateways = require "infra.sim.ec2.nat_gateways"
local prefix_lists = require "infra.sim.ec2.prefix_lists"

local operations = {}

local RouteTable = kinds.RouteTable

-- -- destinations -----------------------------------------------------------------------------------------------------

local function invalid_cidr(ctx, parameter, text)
  ctx:fail("InvalidParameterValue", ("Value (%s) for parameter %s is invalid. This is not a valid CIDR block.")
    :format(text, parameter))
end

-- The forms of a destination: member -> its canonical value, or AWS's refusal.
local DESTINATIONS = {
  DestinationCidrBlock = function(ctx, text)
    return cidr.canonical_v4(text) or invalid_cidr(ctx, "destinationCidrBlock", text)
  end,
  DestinationIpv6CidrBlock = function(ctx, text)
    return cidr.canonical_v6(text) or invalid_cidr(ctx, "destinationIpv6CidrBlock", text)
  end,
  DestinationPrefixListId = function(ctx, id)
    prefix_lists.find(ctx, id)
    return id
  end,
}

-- The one member of `choices` that the call sets.
local function single(ctx, params, choices, what)
  local found
  for member in pairs(choices) do
    if params[member] then
      if found then
        ctx:fail("InvalidParameterCombination", ("The request must not contain more than one %s"):format(what))
      end
      found = member
    end
  end
  return found or ctx:fail("MissingParameter", ("The request must contain exactly one %s"):format(what))
end

local function destination_of(ctx, params)
  local member = single(ctx, params, DESTINATIONS, "destination")
  return member, DESTINATIONS[member](ctx, params[member])
end

-- -- targets ----------------------------------------------------------------------------------------------------------

local function absent(code, word)
  return function(ctx, id)
    ctx:fail(code, ("The %s ID '%s' does not exist"):format(word, id))
  end
end

local function check_network(ctx, route_table, gateway, word, id)
  if gateway.VpcId ~= route_table.VpcId then
    ctx:fail("InvalidParameterValue", ("route table %s and %s %s belong to different networks")
      :format(route_table.RouteTableId, word, id))
  end
end

local NO_GATEWAY = { "InvalidGatewayID.NotFound", "The gateway ID '%s' does not exist" }
local NO_NAT_GATEWAY = { "InvalidNatGatewayID.NotFound", "The natGateway ID '%s' does not exist" }

-- The forms of a target: member -> a check that it exists. Those that only fail are of kinds that nothing simulated
-- has.
local TARGETS = {
  GatewayId = function(ctx, id, route_table)
    check_network(ctx, route_table, kinds.InternetGateway:find(ctx, id, NO_GATEWAY), "network gateway", id)
  end,
  NatGatewayId = function(ctx, id, route_table)
    local gateway = kinds.NatGateway:find(ctx, id, NO_NAT_GATEWAY)
    if not nat_gateways.is_usable(ctx, gateway) then
      ctx:fail(NO_NAT_GATEWAY[1], NO_NAT_GATEWAY[2]:format(id))
    end
    check_network(ctx, route_table, gateway, "NAT gateway", id)
  end,
  NetworkInterfaceId = function(ctx, id)
    kinds.Interface:find(ctx, id)
  end,
  VpcEndpointId = absent("InvalidVpcEndpointId.NotFound", "vpcEndpoint"),
  VpcPeeringConnectionId = absent("InvalidVpcPeeringConnectionID.NotFound", "vpcPeeringConnection"),
  TransitGatewayId = absent("InvalidTransitGatewayID.NotFound", "transitGateway"),
  EgressOnlyInternetGatewayId = absent("InvalidGatewayID.NotFound", "egressOnlyInternetGateway"),
  InstanceId = absent("InvalidInstanceID.NotFound", "instance"),
  LocalGatewayId = absent("InvalidLocalGatewayID.NotFound", "localGateway"),
  CarrierGatewayId = absent("InvalidCarrierGatewayID.NotFound", "carrierGateway"),
  CoreNetworkArn = absent("InvalidCoreNetworkArn.NotFound", "coreNetwork"),
}

local function target_of(ctx, params, route_table)
  local member = single(ctx, params, TARGETS, "target")
  TARGETS[member](ctx, params[member], route_table)
  return member, params[member]
end

-- -- operations -------------------------------------------------------------------------------------------------------

local function find_route(route_table, member, value)
  for i, route in ipairs(route_table.Routes) do
    if route[member] == value then
      return i, route
    end
  end
end

-- What lies within the VPC goes there; only interfaces may be put in between.
local function refuse_local(ctx, route_table, member, value, target)
  local vpc = kinds.Vpc:get(ctx, route_table.VpcId)
  if member == "DestinationCidrBlock" and target ~= "NetworkInterfaceId"
    and cidr.contains(cidr.parse(vpc.CidrBlock), cidr.parse(value)) then
    ctx:fail("InvalidParameterValue", ("The destination CIDR block %s is equal to or more specific than one of this "
      .. "VPC's CIDR blocks. This route can target only an interface or an instance."):format(value))
  end
end

local function refuse_endpoint_route(ctx, route_table, value, route)
  if (route.GatewayId or ""):find("^vpce%-") then
    ctx:fail("InvalidParameterValue", ("cannot change VPC endpoint route %s in route table %s")
      :format(value, route_table.RouteTableId))
  end
end

function operations.CreateRoute(ctx, params)
  local route_table = RouteTable:find(ctx, params.RouteTableId)
  local member, value = destination_of(ctx, params)
  local target, id = target_of(ctx, params, route_table)
  refuse_local(ctx, route_table, member, value, target)
  if find_route(route_table, member, value) then
    ctx:fail("RouteAlreadyExists", ("The route identified by %s already exists."):format(value))
  end
  table.insert(route_table.Routes, { [member] = value, [target] = id, Origin = "CreateRoute" })
  RouteTable:put(ctx, route_table)
  return { Return = true }
end

function operations.ReplaceRoute(ctx, params)
  local route_table = RouteTable:find(ctx, params.RouteTableId)
  local member, value = destination_of(ctx, params)
  local target, id = target_of(ctx, params, route_table)
  local position, route = find_route(route_table, member, value)
  if not position then
    ctx:fail("InvalidParameterValue",
      ("There is no route defined for '%s' in the route table. Use CreateRoute instead."):format(value))
  elseif route.Origin ~= "CreateRoute" then
    refuse_local(ctx, route_table, member, value, target)
  end
  refuse_endpoint_route(ctx, route_table, value, route)
  route_table.Routes[position] = { [member] = value, [target] = id, Origin = "CreateRoute" }
  RouteTable:put(ctx, route_table)
end

function operations.DeleteRoute(ctx, params)
  local route_table = RouteTable:find(ctx, params.RouteTableId)
  local member, value = destination_of(ctx, params)
  local position, route = find_route(route_table, member, value)
  if not position then
    ctx:fail("InvalidRoute.NotFound", ("no route with %s %s in route table %s"):format(
      member:gsub("(%l)(%u)", "%1-%2"):lower(), value, route_table.RouteTableId))
  elseif route.GatewayId == "local" then
    ctx:fail("InvalidParameterValue", ("cannot remove local route %s in route table %s")
      :format(value, route_table.RouteTableId))
  end
  refuse_endpoint_route(ctx, route_table, value, route)
  table.remove(route_table.Routes, position)
  RouteTable:put(ctx, route_table)
end

return { operations = operations }
