-- NAT gateways. Operations of infra.sim.ec2.

local addresses = require "infra.sim.ec2.addresses"
local interfaces = require "infra.sim.ec2.interfaces"
local kinds = require "infra.sim.ec2.kinds"

local nat_gateways = { operations = {} }
local operations = nat_gateways.operations

local NatGateway = kinds.NatGateway

-- Seconds: until it is available, until it has failed, until it is deleted, and how long it is listed after its end.
local STARTING, FAILING, ENDING, LISTED = 100, 20, 50, 3600

local function state_of(ctx, object)
  local now = ctx.now()
  if object.deleted_at then
    return now < object.deleted_at and "deleting" or "deleted"
  elseif now < object.available_at then
    return "pending"
  end
  return object.failure and "failed" or "available"
end

--- Whether a route may lead to a gateway.
function nat_gateways.is_usable(ctx, object)
  local state = state_of(ctx, object)
  return state == "pending" or state == "available"
end

function NatGateway.render(ctx, shown, object)
  shown.State = state_of(ctx, object)
  if shown.State == "failed" then
    shown.FailureCode, shown.FailureMessage = object.failure.code, object.failure.message
  elseif shown.State == "deleting" or shown.State == "deleted" then
    shown.DeleteTime = object.delete_time
  end
  shown.NatGatewayAddresses = { {
    AllocationId = object.AllocationId,
    AssociationId = object.AssociationId,
    IsPrimary = true,
    NetworkInterfaceId = object.NetworkInterfaceId,
    PrivateIp = object.PrivateIp,
    PublicIp = object.PublicIp,
    Status = shown.State == "available" and "succeeded" or shown.State == "pending" and "associating" or nil,
  } }
end

local NO_ADDRESS = { "InvalidElasticIpID.NotFound", "The elasticIp ID '%s' does not exist" }

local function address_of(ctx, params)
  local public = (params.ConnectivityType or "public") == "public"
  if public and not params.AllocationId then
    ctx:fail("MissingParameter", "The request must include the AllocationId parameter. Add the required parameter and "
      .. "retry the request.")
  elseif not public and params.AllocationId then
    ctx:fail("InvalidParameter", "The parameter AllocationId is not supported for a private NAT gateway")
  end
  return public and kinds.Address:find(ctx, params.AllocationId, NO_ADDRESS) or nil
end

-- What AWS finds out only while it builds the gateway: such a gateway is created, and fails.
local function failure_of(ctx, subnet, address)
  if address and not kinds.InternetGateway:any(ctx, "VpcId", subnet.VpcId) then
    return "Gateway.NotAttached", ("Network %s has no Internet gateway attached"):format(subnet.VpcId)
  elseif address and addresses.interface_of(ctx, address) then
    return "Resource.AlreadyAssociated", ("Elastic IP address [%s] is already associated"):format(address.AllocationId)
  elseif interfaces.free_addresses(ctx, subnet) == 0 then
    return "InsufficientFreeAddressesInSubnet", ("Subnet %s has insufficient free addresses to create this NAT gateway")
      :format(subnet.SubnetId)
  end
end

function operations.CreateNatGateway(ctx, params)
  local known = NatGateway:repeated(ctx, params)
  if known then
    return { NatGateway = NatGateway:show(ctx, NatGateway:get(ctx, known)), ClientToken = params.ClientToken }
  end
  local subnet, address = kinds.Subnet:find(ctx, params.SubnetId), address_of(ctx, params)
  local code, message = failure_of(ctx, subnet, address)
  local available_at = ctx.now() + (code and FAILING or STARTING)
  local gateway = NatGateway:create(ctx, {
    SubnetId = subnet.SubnetId,
    VpcId = subnet.VpcId,
    zone = subnet.AvailabilityZone,
    ConnectivityType = params.ConnectivityType or "public",
    CreateTime = ctx.now(),
    AllocationId = params.AllocationId,
    available_at = available_at,
    failure = code and { code = code, message = message },
    gone_at = code and available_at + LISTED,
  }, params)
  if not code then
    local interface = interfaces.create(ctx, subnet, {
      Description = "Interface for NAT Gateway " .. gateway.NatGatewayId,
      InterfaceType = "nat_gateway",
      SourceDestCheck = false,
      PrivateIpAddress = params.PrivateIpAddress,
    })
    gateway.NetworkInterfaceId, gateway.PrivateIp = interface.NetworkInterfaceId, interface.PrivateIpAddress
    if address then
      addresses.associate(ctx, address, interface)
      gateway.PublicIp, gateway.AssociationId = address.PublicIp, address.AssociationId
    end
    NatGateway:put(ctx, gateway)
  end
  NatGateway.remember(ctx, params, gateway.NatGatewayId)
  return { NatGateway = NatGateway:show(ctx, gateway), ClientToken = params.ClientToken }
end

operations.DescribeNatGateways = NatGateway:describe()

function operations.DeleteNatGateway(ctx, params)
  local gateway = NatGateway:find(ctx, params.NatGatewayId)
  local state = state_of(ctx, gateway)
  if state == "deleted" then
    ctx:fail(NatGateway.not_found[1], NatGateway.not_found[2]:format(gateway.NatGatewayId))
  elseif state ~= "deleting" then
    gateway.delete_time = ctx.now()
    gateway.deleted_at = ctx.now() + (gateway.failure and 0 or ENDING)
    gateway.gone_at = gateway.deleted_at + LISTED
    NatGateway:put(ctx, gateway)
    local interface = gateway.NetworkInterfaceId and kinds.Interface:get(ctx, gateway.NetworkInterfaceId)
    if interface then
      interface.gone_at = gateway.deleted_at
      kinds.Interface:put(ctx, interface)
    end
  end
  return { NatGatewayId = gateway.NatGatewayId }
end

return nat_gateways
