-- Internet gateways. Operations of infra.sim.ec2.

local kinds = require "infra.sim.ec2.kinds"

local operations = {}

local InternetGateway = kinds.InternetGateway

function InternetGateway.render(_, shown, object)
  shown.Attachments = { object.VpcId and { VpcId = object.VpcId, State = "available" } }
end

function operations.CreateInternetGateway(ctx, params)
  return { InternetGateway = InternetGateway:show(ctx, InternetGateway:create(ctx, {}, params)) }
end

operations.DescribeInternetGateways = InternetGateway:describe()

function operations.AttachInternetGateway(ctx, params)
  local gateway = InternetGateway:find(ctx, params.InternetGatewayId)
  local vpc = kinds.Vpc:find(ctx, params.VpcId)
  if gateway.VpcId then
    ctx:fail("Resource.AlreadyAssociated", ("resource %s is already attached to network %s")
      :format(gateway.InternetGatewayId, gateway.VpcId))
  elseif InternetGateway:any(ctx, "VpcId", vpc.VpcId) then
    ctx:fail("InvalidParameterValue", ("Network %s already has an internet gateway attached"):format(vpc.VpcId))
  end
  gateway.VpcId = vpc.VpcId
  InternetGateway:put(ctx, gateway)
end

function operations.DetachInternetGateway(ctx, params)
  local gateway = InternetGateway:find(ctx, params.InternetGatewayId)
  local vpc = kinds.Vpc:find(ctx, params.VpcId)
  if gateway.VpcId ~= vpc.VpcId then
    ctx:fail("Gateway.NotAttached", ("resource %s is not attached to network %s")
      :format(gateway.InternetGatewayId, vpc.VpcId))
  end
  for _, interface in kinds.Interface:each(ctx, "VpcId", vpc.VpcId) do
    if interface.Association then
      ctx:fail("DependencyViolation", ("Network %s has some mapped public address(es). Please unmap those public "
        .. "address(es) before detaching the gateway."):format(vpc.VpcId))
    end
  end
  gateway.VpcId = nil
  InternetGateway:put(ctx, gateway)
end

function operations.DeleteInternetGateway(ctx, params)
  local gateway = InternetGateway:find(ctx, params.InternetGatewayId)
  if gateway.VpcId then
    ctx:fail("DependencyViolation", ("The internetGateway '%s' has dependencies and cannot be deleted.")
      :format(gateway.InternetGatewayId))
  end
  InternetGateway:remove(ctx, gateway.InternetGatewayId)
end

return { operations = operations }
