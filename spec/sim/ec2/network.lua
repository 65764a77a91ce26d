-- A small network in the simulated EC2, for the specs of its parts.

local caller = require "spec.sim.caller"

local network = {}

--- Runs `body(aws, sim, world)` with aws.<Operation>(params) calling EC2: it returns the output, or throws what AWS
--- answered; aws.refused.<Operation>(params) returns the code and message of the refusal that is expected.
function network.run(body, options)
  caller.run(options or {}, function(call, sim, world)
    local aws = { sleep = function(seconds) world.scheduler:sleep(seconds) end }
    aws.refused = setmetatable({}, { __index = function(_, operation)
      return function(params)
        local output, err = call("ec2", operation, params)
        assert(not output, operation .. " was not refused")
        return err.code, err.message
      end
    end })
    setmetatable(aws, { __index = function(_, operation)
      return function(params)
        local output, err = call("ec2", operation, params)
        if not output then
          error(err, 0)
        end
        return output
      end
    end })
    body(aws, sim, world)
  end)
end

function network.vpc(aws, block)
  return aws.CreateVpc { CidrBlock = block or "10.0.0.0/16" }.Vpc.VpcId
end

function network.subnet(aws, vpc, block, zone)
  return aws.CreateSubnet {
    VpcId = vpc, CidrBlock = block or "10.0.0.0/24", AvailabilityZone = zone,
  }.Subnet.SubnetId
end

--- An internet gateway attached to the VPC.
function network.internet_gateway(aws, vpc)
  local gateway = aws.CreateInternetGateway {}.InternetGateway.InternetGatewayId
  aws.AttachInternetGateway { InternetGatewayId = gateway, VpcId = vpc }
  return gateway
end

--- A filter on one name.
function network.filter(name, ...)
  return { { Name = name, Values = { ... } } }
end

return network
