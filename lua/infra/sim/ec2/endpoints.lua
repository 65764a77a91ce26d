-- VPC endpoints: gateways to S3 and DynamoDB, and interfaces to any other service. Operations of infra.sim.ec2.

local interfaces = require "infra.sim.ec2.interfaces"
local joined = require "infra.joined"
local kinds = require "infra.sim.ec2.kinds"
local prefix_lists = require "infra.sim.ec2.prefix_lists"
local set_of = require "infra.set_of"

local operations = {}

local VpcEndpoint, RouteTable = kinds.VpcEndpoint, kinds.RouteTable

-- Seconds until an interface endpoint is available, and until it is gone; gateways are both at once.
local STARTING, ENDING = 90, 60

local FULL_ACCESS = '{"Version":"2008-10-17","Statement":'
  .. '[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}'

function VpcEndpoint.render(ctx, shown, object)
  if object.gone_at then
    shown.State = "deleting"
  end
  shown.RouteTableIds = {}
  for id, route_table in RouteTable:each(ctx, "VpcId", object.VpcId) do
    for _, route in ipairs(route_table.Routes) do
      if route.GatewayId == object.VpcEndpointId then
        table.insert(shown.RouteTableIds, id)
      end
    end
  end
end

-- -- gateways: routes -------------------------------------------------------------------------------------------------

local function find_route(route_table, member, value)
  for i, route in ipairs(route_table.Routes) do
    if route[member] == value then
      return i
    end
  end
end

-- The route tables named, checked to take a route to the service.
local function checked_tables(ctx, ids, vpc_id, prefix_list)
  local found = {}
  for i, id in ipairs(ids or {}) do
    local route_table = RouteTable:find(ctx, id)
    if route_table.VpcId ~= vpc_id then
      ctx:fail("InvalidParameter", ("Route table %s does not belong to VPC %s"):format(id, vpc_id))
    elseif find_route(route_table, "DestinationPrefixListId", prefix_list.PrefixListId) then
      ctx:fail("RouteAlreadyExists", ("route table %s already has a route with destination-prefix-list-id %s")
        :format(id, prefix_list.PrefixListId))
    end
    found[i] = route_table
  end
  return found
end

local function add_routes(ctx, route_tables, prefix_list, endpoint_id)
  for _, route_table in ipairs(route_tables) do
    table.insert(route_table.Routes, {
      DestinationPrefixListId = prefix_list.PrefixListId, GatewayId = endpoint_id, Origin = "CreateRoute",
    })
    RouteTable:put(ctx, route_table)
  end
end

local function remove_routes(ctx, ids, endpoint_id)
  for _, id in ipairs(ids) do
    local route_table = RouteTable:get(ctx, id)
    local position = find_route(route_table, "GatewayId", endpoint_id)
    if position then
      table.remove(route_table.Routes, position)
      RouteTable:put(ctx, route_table)
    end
  end
end

-- -- interfaces -------------------------------------------------------------------------------------------------------

local function checked(ctx, kind, ids)
  local found = {}
  for i, id in ipairs(ids or {}) do
    found[i] = kind:find(ctx, id)
  end
  return found
end

local function check_private_dns(ctx, params, vpc)
  if params.PrivateDnsEnabled == false then
    return
  elseif not (vpc.attributes.EnableDnsSupport and vpc.attributes.EnableDnsHostnames) then
    ctx:fail("InvalidParameter", "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC "
      .. "attributes set to true for " .. vpc.VpcId)
  end
  for _, other in VpcEndpoint:each(ctx, "VpcId", vpc.VpcId) do
    if other.ServiceName == params.ServiceName and other.PrivateDnsEnabled then
      ctx:fail("InvalidParameter", ("private-dns-enabled cannot be set because there is already a conflicting DNS "
        .. "domain for %s in the VPC %s"):format(params.ServiceName, vpc.VpcId))
    end
  end
end

local function checked_subnets(ctx, ids)
  local subnets = checked(ctx, kinds.Subnet, ids)
  for _, subnet in ipairs(subnets) do
    if interfaces.free_addresses(ctx, subnet) == 0 then
      ctx:fail("InsufficientFreeAddressesInSubnet", ("Subnet %s has insufficient free addresses.")
        :format(subnet.SubnetId))
    end
  end
  return subnets
end

-- Makes interfaces in further subnets, and gives all of them the endpoint's groups.
local function add_interfaces(ctx, endpoint, subnets)
  for _, id in ipairs(endpoint.NetworkInterfaceIds) do
    local interface = kinds.Interface:get(ctx, id)
    if interface then
      interface.Groups = endpoint.Groups
      kinds.Interface:put(ctx, interface)
    end
  end
  for _, subnet in ipairs(subnets) do
    local interface = interfaces.create(ctx, subnet, {
      Description = "VPC Endpoint Interface " .. endpoint.VpcEndpointId,
      InterfaceType = "vpc_endpoint",
      Groups = endpoint.Groups,
    })
    table.insert(endpoint.SubnetIds, subnet.SubnetId)
    table.insert(endpoint.NetworkInterfaceIds, interface.NetworkInterfaceId)
  end
end

-- -- operations -------------------------------------------------------------------------------------------------------

local function service_of(ctx, params)
  local prefix_list = prefix_lists.of_service(ctx, params.ServiceName)
  local kind = params.VpcEndpointType or "Gateway"
  if not params.ServiceName:find("^com%.amazonaws%." .. ctx.region:gsub("%-", "%%-") .. "%.[%w.-]+$")
    or (kind == "Gateway" and not prefix_list) then
    ctx:fail("InvalidServiceName", ("The Vpc Endpoint Service '%s' does not exist"):format(params.ServiceName))
  elseif kind ~= "Gateway" and kind ~= "Interface" then
    ctx:fail("InvalidParameter", ("Endpoint type (%s) does not match available service types ([Gateway, Interface]).")
      :format(kind))
  end
  return kind, kind == "Gateway" and prefix_list
end

function operations.CreateVpcEndpoint(ctx, params)
  local known = VpcEndpoint:repeated(ctx, params)
  if known then
    return { VpcEndpoint = VpcEndpoint:show(ctx, VpcEndpoint:get(ctx, known)), ClientToken = params.ClientToken }
  end
  local vpc, kind, prefix_list = kinds.Vpc:find(ctx, params.VpcId), service_of(ctx, params)
  local route_tables, subnets, groups = {}, {}, {}
  if prefix_list then
    route_tables = checked_tables(ctx, params.RouteTableIds, vpc.VpcId, prefix_list)
  else
    check_private_dns(ctx, params, vpc)
    subnets = checked_subnets(ctx, params.SubnetIds)
    groups = interfaces.groups(ctx, vpc.VpcId, params.SecurityGroupIds)
  end
  local endpoint = VpcEndpoint:create(ctx, {
    VpcId = vpc.VpcId,
    ServiceName = params.ServiceName,
    VpcEndpointType = kind,
    PolicyDocument = params.PolicyDocument or FULL_ACCESS,
    PrivateDnsEnabled = not prefix_list and params.PrivateDnsEnabled ~= false,
    RequesterManaged = false,
    Groups = groups,
    SubnetIds = {},
    NetworkInterfaceIds = {},
    DnsEntries = {},
    CreationTimestamp = ctx.now(),
    available_at = ctx.now() + (prefix_list and 0 or STARTING),
  }, params)
  add_routes(ctx, route_tables, prefix_list, endpoint.VpcEndpointId)
  add_interfaces(ctx, endpoint, subnets)
  VpcEndpoint:put(ctx, endpoint)
  VpcEndpoint.remember(ctx, params, endpoint.VpcEndpointId)
  return { VpcEndpoint = VpcEndpoint:show(ctx, endpoint), ClientToken = params.ClientToken }
end

operations.DescribeVpcEndpoints = VpcEndpoint:describe()

-- The items of a list whose `member` (nil: they themselves) is not among those removed.
local function without(list, removed, member)
  local gone, kept = set_of(removed), {}
  for _, item in ipairs(list) do
    if not gone[member and item[member] or item] then
      kept[#kept + 1] = item
    end
  end
  return kept
end

local function end_interfaces(ctx, endpoint, at, subnet_ids)
  for _, id in ipairs(endpoint.NetworkInterfaceIds) do
    local interface = kinds.Interface:get(ctx, id)
    if interface and (not subnet_ids or #without({ interface.SubnetId }, subnet_ids) == 0) then
      interface.gone_at = at
      kinds.Interface:put(ctx, interface)
    end
  end
end

function operations.ModifyVpcEndpoint(ctx, params)
  local endpoint = VpcEndpoint:find(ctx, params.VpcEndpointId)
  local prefix_list = endpoint.VpcEndpointType == "Gateway" and prefix_lists.of_service(ctx, endpoint.ServiceName)
  local added_tables = prefix_list and checked_tables(ctx, params.AddRouteTableIds, endpoint.VpcId, prefix_list) or {}
  checked(ctx, RouteTable, params.RemoveRouteTableIds)
  local added_groups = params.AddSecurityGroupIds and interfaces.groups(ctx, endpoint.VpcId, params.AddSecurityGroupIds)
  local added_subnets = checked_subnets(ctx, params.AddSubnetIds)

  remove_routes(ctx, params.RemoveRouteTableIds or {}, endpoint.VpcEndpointId)
  add_routes(ctx, added_tables, prefix_list, endpoint.VpcEndpointId)
  endpoint.Groups = joined(without(endpoint.Groups, params.RemoveSecurityGroupIds, "GroupId"), added_groups)
  end_interfaces(ctx, endpoint, ctx.now(), params.RemoveSubnetIds or {})
  endpoint.SubnetIds = without(endpoint.SubnetIds, params.RemoveSubnetIds)
  add_interfaces(ctx, endpoint, added_subnets)
  endpoint.PolicyDocument = params.ResetPolicy and FULL_ACCESS or params.PolicyDocument or endpoint.PolicyDocument
  if params.PrivateDnsEnabled ~= nil then
    endpoint.PrivateDnsEnabled = params.PrivateDnsEnabled
  end
  VpcEndpoint:put(ctx, endpoint)
  return { Return = true }
end

function operations.DeleteVpcEndpoints(ctx, params)
  local unsuccessful = {}
  local function leave(id, code, message)
    table.insert(unsuccessful, { ResourceId = id, Error = { Code = code, Message = message } })
  end
  for i, id in ipairs(params.VpcEndpointIds) do
    local endpoint = VpcEndpoint:get(ctx, id)
    if not endpoint then
      leave(id, VpcEndpoint.not_found[1], VpcEndpoint.not_found[2]:format(id))
    elseif ctx.partial_batch and i == #params.VpcEndpointIds then
      leave(id, "InternalError", "An internal error has occurred.")
    elseif endpoint.VpcEndpointType == "Gateway" then
      remove_routes(ctx, VpcEndpoint:show(ctx, endpoint).RouteTableIds, id)
      VpcEndpoint:remove(ctx, id)
    else
      endpoint.gone_at = endpoint.gone_at or ctx.now() + ENDING
      end_interfaces(ctx, endpoint, endpoint.gone_at)
      VpcEndpoint:put(ctx, endpoint)
    end
  end
  return { Unsuccessful = unsuccessful }
end

return { operations = operations }
