local World = require "spec.engine.world"
local functions = require "spec.resources.functions"

local world

before_each(function() world = World.new() end)
after_each(function() world:close() end)

describe("a network that cannot be deleted yet", function()
  local function declare(with_function)
    return World.declare(function(stack)
      local vpc = stack:resource("AWS::EC2::VPC", "vpc", { CidrBlock = "10.0.0.0/16" })
      local subnet = stack:resource("AWS::EC2::Subnet", "subnet", { VpcId = vpc.VpcId, CidrBlock = "10.0.0.0/24" })
      local group = stack:resource("AWS::EC2::SecurityGroup", "group", { VpcId = vpc.VpcId, GroupDescription = "all" })
      if with_function then
        functions.declare(stack, {
          VpcConfig = { SubnetIds = { subnet.SubnetId }, SecurityGroupIds = { group.GroupId } },
        })
      end
    end)
  end

  -- What a run said about a resource while it waited, in the form of `pattern`.
  local function said(run, address, pattern)
    for _, event in ipairs(run.events) do
      if event.kind == "progress" and event.address == address and event.text:find(pattern) then
        return event.text
      end
    end
  end

  local function failure(run, address)
    for _, err in ipairs(run.result.failures) do
      if err.resource == address then
        return err
      end
    end
  end

  it("says that it waits for Lambda's network interfaces, and does until they have gone", function()
    world:run(declare(true))
    local run = world:destroy(declare(true))
    assert.is_true(run.seconds > 600)
    for _, address in ipairs { "subnet", "group" } do
      local text = said(run, address, "^waiting for")
      assert.matches("^waiting for Lambda's network interface eni%-%x+ %(it goes within 45 minutes%)$", text)
    end
  end)

  it("names what holds it when it gives up: somebody else's interface, somebody else's group", function()
    world:run(declare(false))
    local interface, group
    world:as_other(function(call)
      local subnet = assert(call("ec2", "DescribeSubnets", {})).Subnets[1]
      interface = assert(call("ec2", "CreateNetworkInterface", { SubnetId = subnet.SubnetId, Description = "a probe" }))
        .NetworkInterface.NetworkInterfaceId
      group = assert(call("ec2", "CreateSecurityGroup", { VpcId = subnet.VpcId, GroupName = "guard",
        Description = "of others" })).GroupId
    end)
    local run = world:apply(declare(false), { destroy = true })
    assert.equal(("it is still used by network interface %s (a probe)"):format(interface),
      failure(run, "subnet").hint)
    world:as_other(function(call)
      assert(call("ec2", "DeleteNetworkInterface", { NetworkInterfaceId = interface }))
    end)
    run = world:apply(declare(false), { destroy = true })
    assert.equal(("it is still used by security group %s (guard)"):format(group), failure(run, "vpc").hint)
  end)
end)
