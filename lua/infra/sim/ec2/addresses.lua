-- Elastic IP addresses. Operations of infra.sim.ec2; NAT gateways use associate.
--
-- An address and the interface that it is associated with name each other, for as long as the interface exists.

local joined = require "infra.joined"
local kinds = require "infra.sim.ec2.kinds"

local addresses = { operations = {} }
local operations = addresses.operations

local Address, Interface = kinds.Address, kinds.Interface

--- The interface that an address is associated with, or nil.
function addresses.interface_of(ctx, address)
  return address.NetworkInterfaceId and Interface:get(ctx, address.NetworkInterfaceId)
end

function Address.render(ctx, shown, object)
  local interface = addresses.interface_of(ctx, object)
  shown.NetworkInterfaceId = interface and interface.NetworkInterfaceId
  shown.NetworkInterfaceOwnerId = interface and interface.OwnerId
  shown.PrivateIpAddress = interface and interface.PrivateIpAddress
  shown.AssociationId = interface and object.AssociationId
end

local function disassociate(ctx, address)
  local interface = addresses.interface_of(ctx, address)
  if interface then
    interface.Association = nil
    Interface:put(ctx, interface)
  end
  address.AssociationId, address.NetworkInterfaceId = nil, nil
  Address:put(ctx, address)
end

--- Associates an address with an interface, instead of whatever it was associated with.
function addresses.associate(ctx, address, interface)
  disassociate(ctx, address)
  address.AssociationId = ctx.id "eipassoc"
  address.NetworkInterfaceId = interface.NetworkInterfaceId
  Address:put(ctx, address)
  interface.Association = {
    AllocationId = address.AllocationId,
    AssociationId = address.AssociationId,
    IpOwnerId = ctx.account,
    PublicIp = address.PublicIp,
  }
  Interface:put(ctx, interface)
end

-- Out of 198.18.0.0/15, which no network routes (RFC 2544).
local function public_ip(ctx)
  local used = {}
  for _, address in Address:each(ctx) do
    used[address.PublicIp] = true
  end
  local found
  repeat
    local number = tonumber(ctx.unique(5), 16)
    found = ("198.%d.%d.%d"):format(18 + (number >> 16 & 1), number >> 8 & 255, number & 255)
  until not used[found]
  return found
end

function operations.AllocateAddress(ctx, params)
  if params.Address then
    ctx:fail("InvalidAddress.NotFound", ("Address '%s' not found."):format(params.Address))
  end
  return Address:create(ctx, {
    Domain = "vpc",
    PublicIp = public_ip(ctx),
    PublicIpv4Pool = "amazon",
    NetworkBorderGroup = params.NetworkBorderGroup or ctx.region,
  }, params)
end

local function by_public_ip(ctx, public)
  local _, address = Address:each(ctx, "PublicIp", public)()
  return address or ctx:fail("InvalidAddress.NotFound", ("Address '%s' not found."):format(public))
end

-- The address that a call means by AllocationId or PublicIp.
local function named(ctx, params)
  if params.AllocationId then
    return Address:find(ctx, params.AllocationId)
  elseif params.PublicIp then
    return by_public_ip(ctx, params.PublicIp)
  end
  ctx:fail("MissingParameter", "Either public IP or allocation id must be specified")
end

local describe = Address:describe()

function operations.DescribeAddresses(ctx, params)
  local ids = joined(params.AllocationIds)
  for _, public in ipairs(params.PublicIps or {}) do
    ids[#ids + 1] = by_public_ip(ctx, public).AllocationId
  end
  return describe(ctx, { AllocationIds = ids, Filters = params.Filters })
end

-- What AWS associated, for a NAT gateway, is not the account's to change.
local function refuse_managed(ctx, interface)
  if interface and interface.RequesterManaged then
    ctx:fail("AuthFailure", "You do not have permission to access the specified resource.")
  end
end

function operations.AssociateAddress(ctx, params)
  local address = named(ctx, params)
  if params.InstanceId then
    ctx:fail("InvalidInstanceID.NotFound", ("The instance ID '%s' does not exist"):format(params.InstanceId))
  elseif not params.NetworkInterfaceId then
    ctx:fail("MissingParameter", "Either instance ID or network interface id must be specified")
  end
  local interface, current = Interface:find(ctx, params.NetworkInterfaceId), addresses.interface_of(ctx, address)
  refuse_managed(ctx, current)
  if not kinds.InternetGateway:any(ctx, "VpcId", interface.VpcId) then
    ctx:fail("Gateway.NotAttached", ("Network %s is not attached to any internet gateway"):format(interface.VpcId))
  elseif params.AllowReassociation == false and current then
    ctx:fail("Resource.AlreadyAssociated", ("resource %s is already associated with associate-id %s")
      :format(address.AllocationId, address.AssociationId))
  end
  addresses.associate(ctx, address, interface)
  return { AssociationId = address.AssociationId }
end

function operations.DisassociateAddress(ctx, params)
  for _, address in Address:each(ctx) do
    local interface = addresses.interface_of(ctx, address)
    if interface and (address.AssociationId == params.AssociationId or address.PublicIp == params.PublicIp) then
      refuse_managed(ctx, interface)
      return disassociate(ctx, address)
    end
  end
  ctx:fail("InvalidAssociationID.NotFound",
    ("The association ID '%s' does not exist"):format(params.AssociationId or params.PublicIp))
end

function operations.ReleaseAddress(ctx, params)
  if params.PublicIp then
    ctx:fail("InvalidParameterValue", "You must specify an allocation id when releasing a VPC elastic IP address")
  end
  local address = named(ctx, params)
  local interface = addresses.interface_of(ctx, address)
  refuse_managed(ctx, interface)
  if interface then
    ctx:fail("InvalidIPAddress.InUse", ("Address %s is in use."):format(address.PublicIp))
  end
  Address:remove(ctx, address.AllocationId)
end

return addresses
