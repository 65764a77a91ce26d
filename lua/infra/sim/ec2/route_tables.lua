-- Route tables and what they are associated with. Operations of infra.sim.ec2; routes are in routes.lua.
--
-- A table keeps its Associations and Routes itself. The association with Main is what makes it its VPC's main table.

local kinds = require "infra.sim.ec2.kinds"
local merged = require "infra.merged"
local nat_gateways = require "infra.sim.ec2.nat_gateways"

local route_tables = { operations = {} }
local operations = route_tables.operations

local RouteTable = kinds.RouteTable

-- Whether what a route leads to exists; by the member that names it.
local TARGETS = {
  GatewayId = function(ctx, id, route_table)
    local kind = id:find("^vpce%-") and kinds.VpcEndpoint or kinds.InternetGateway
    local target = kind:get(ctx, id)
    return id == "local" or (target and target.VpcId == route_table.VpcId)
  end,
  NatGatewayId = function(ctx, id)
    local target = kinds.NatGateway:get(ctx, id)
    return target and nat_gateways.is_usable(ctx, target)
  end,
  NetworkInterfaceId = function(ctx, id)
    return kinds.Interface:get(ctx, id)
  end,
}

function RouteTable.render(ctx, shown, object)
  shown.PropagatingVgws = {}
  shown.Routes = {}
  for i, route in ipairs(object.Routes) do
    local alive = true
    for member, exists in pairs(TARGETS) do
      alive = alive and (not route[member] or exists(ctx, route[member], object))
    end
    shown.Routes[i] = merged({ State = alive and "active" or "blackhole" }, route)
  end
end

local function create(ctx, vpc, params)
  return RouteTable:create(ctx, {
    VpcId = vpc.VpcId,
    Associations = {},
    Routes = { { DestinationCidrBlock = vpc.CidrBlock, GatewayId = "local", Origin = "CreateRouteTable" } },
  }, params)
end

local function add_association(ctx, route_table, members)
  members.RouteTableAssociationId = ctx.id "rtbassoc"
  members.RouteTableId = route_table.RouteTableId
  members.Main = members.Main or false
  members.AssociationState = { State = "associated" }
  table.insert(route_table.Associations, members)
  RouteTable:put(ctx, route_table)
  return members
end

--- Makes the main route table of a new VPC.
function route_tables.create_main(ctx, vpc)
  add_association(ctx, create(ctx, vpc), { Main = true })
end

function operations.CreateRouteTable(ctx, params)
  local known = RouteTable:repeated(ctx, params)
  local route_table = known and RouteTable:get(ctx, known) or create(ctx, kinds.Vpc:find(ctx, params.VpcId), params)
  RouteTable.remember(ctx, params, route_table.RouteTableId)
  return { RouteTable = RouteTable:show(ctx, route_table), ClientToken = params.ClientToken }
end

operations.DescribeRouteTables = RouteTable:describe()

function operations.DeleteRouteTable(ctx, params)
  local route_table = RouteTable:find(ctx, params.RouteTableId)
  if #route_table.Associations > 0 then
    ctx:fail("DependencyViolation", ("The routeTable '%s' has dependencies and cannot be deleted.")
      :format(route_table.RouteTableId))
  end
  RouteTable:remove(ctx, route_table.RouteTableId)
end

-- -- associations -----------------------------------------------------------------------------------------------------

-- The first association that `matches` accepts: route table, association, its position; nothing when there is none.
local function find_association(ctx, matches)
  for _, route_table in RouteTable:each(ctx) do
    for i, association in ipairs(route_table.Associations) do
      if matches(association) then
        return route_table, association, i
      end
    end
  end
end

local function named_association(ctx, id)
  local route_table, association, position = find_association(ctx, function(association)
    return association.RouteTableAssociationId == id
  end)
  if not association then
    ctx:fail("InvalidAssociationID.NotFound", ("The association ID '%s' does not exist"):format(id))
  end
  return route_table, association, position
end

local function remove_association(ctx, route_table, position)
  table.remove(route_table.Associations, position)
  RouteTable:put(ctx, route_table)
end

-- What a call wants to associate: the member that names it, its identifier and the word for it in messages.
local function associated(ctx, params)
  if params.SubnetId then
    return "SubnetId", kinds.Subnet:find(ctx, params.SubnetId), "subnet"
  elseif params.GatewayId then
    return "GatewayId", kinds.InternetGateway:find(ctx, params.GatewayId), "gateway"
  end
  ctx:fail("MissingParameter", "Either 'subnetId' or 'gatewayId' must be provided")
end

function operations.AssociateRouteTable(ctx, params)
  local route_table = RouteTable:find(ctx, params.RouteTableId)
  local member, target, word = associated(ctx, params)
  if target.VpcId ~= route_table.VpcId then
    ctx:fail("InvalidParameterValue", ("route table %s and %s %s belong to different networks")
      :format(route_table.RouteTableId, word, params[member]))
  end
  local holder, existing = find_association(ctx, function(association)
    return association[member] == params[member]
  end)
  if holder and holder ~= route_table then
    ctx:fail("Resource.AlreadyAssociated", ("the specified association for route table %s conflicts with an existing "
      .. "association"):format(route_table.RouteTableId))
  end
  existing = existing or add_association(ctx, route_table, { [member] = params[member] })
  return { AssociationId = existing.RouteTableAssociationId, AssociationState = existing.AssociationState }
end

function operations.ReplaceRouteTableAssociation(ctx, params)
  local holder, association, position = named_association(ctx, params.AssociationId)
  local route_table = RouteTable:find(ctx, params.RouteTableId)
  if holder.VpcId ~= route_table.VpcId then
    ctx:fail("InvalidParameterValue", ("route table %s and route table %s belong to different networks")
      :format(route_table.RouteTableId, holder.RouteTableId))
  end
  remove_association(ctx, holder, position)
  local moved = { SubnetId = association.SubnetId, GatewayId = association.GatewayId, Main = association.Main }
  add_association(ctx, route_table, moved)
  return { NewAssociationId = moved.RouteTableAssociationId, AssociationState = moved.AssociationState }
end

function operations.DisassociateRouteTable(ctx, params)
  local holder, association, position = named_association(ctx, params.AssociationId)
  if association.Main then
    ctx:fail("InvalidParameterValue", ("cannot disassociate the main route table association %s")
      :format(params.AssociationId))
  end
  remove_association(ctx, holder, position)
end

--- Ends the association of a subnet that goes.
function route_tables.forget_subnet(ctx, subnet_id)
  local holder, _, position = find_association(ctx, function(association)
    return association.SubnetId == subnet_id
  end)
  if holder then
    remove_association(ctx, holder, position)
  end
end

return route_tables
