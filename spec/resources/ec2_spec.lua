-- What AWS does to those who manage networks, and how the handlers meet it.

local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local merged = require "infra.merged"

local world

before_each(function() world = World.new() end)
after_each(function() world:close() end)

-- What AWS answers somebody else.
local function ask(operation, params)
  return world:call("ec2", operation, params or {})
end

local function vpc(stack, properties)
  return stack:resource("AWS::EC2::VPC", "vpc", merged({ CidrBlock = "10.0.0.0/16" }, properties))
end

local function subnet(stack, name, network, third)
  return stack:resource("AWS::EC2::Subnet", name, { VpcId = network.VpcId, CidrBlock = ("10.0.%d.0/24"):format(third) })
end

local function gateway(stack, network)
  local made = stack:resource("AWS::EC2::InternetGateway", "gateway")
  local attachment = stack:resource("AWS::EC2::VPCGatewayAttachment", "attachment", {
    VpcId = network.VpcId, InternetGatewayId = made.InternetGatewayId,
  })
  return made, attachment
end

local function public_network(stack)
  local network = vpc(stack)
  local public = subnet(stack, "public", network, 0)
  local internet, attachment = gateway(stack, network)
  local address = stack:resource("AWS::EC2::EIP", "address", nil, { depends_on = attachment })
  stack:resource("AWS::EC2::NatGateway", "nat", { SubnetId = public.SubnetId, AllocationId = address.AllocationId })
  return network, public, internet
end

describe("AWS::EC2::VPC", function()
  local function declare(properties)
    return World.declare(function(stack) vpc(stack, properties) end)
  end

  it("gets one attribute in a call, DNS support before host names and after them", function()
    local run = world:run(declare { EnableDnsSupport = true, EnableDnsHostnames = true })
    for _, params in ipairs(calls.params(run, "ModifyVpcAttribute")) do
      assert.is_true((params.EnableDnsSupport == nil) ~= (params.EnableDnsHostnames == nil))
    end
    run = world:run(declare { EnableDnsSupport = false, EnableDnsHostnames = false })
    local params = calls.params(run, "ModifyVpcAttribute")
    assert.is_not_nil(params[1].EnableDnsHostnames)
    assert.is_not_nil(params[2].EnableDnsSupport)
    run = world:run(declare { EnableDnsSupport = true, EnableDnsHostnames = true })
    params = calls.params(run, "ModifyVpcAttribute")
    assert.is_not_nil(params[1].EnableDnsSupport)
    world:unchanged(declare { EnableDnsSupport = true, EnableDnsHostnames = true })
  end)

  it("goes back to AWS's defaults", function()
    world:run(declare { EnableDnsHostnames = true })
    assert.same({ vpc = "update" }, world:planned(declare()))
    world:run(declare())
    world:unchanged(declare())
  end)

  it("is refused a range that AWS would change", function()
    assert.has_error(function() declare { CidrBlock = "10.0.0.5/16" } end)
  end)

  it("waits while something in it goes", function()
    world:run(declare())
    local times = 0
    calls.with("ec2", { DeleteVpc = function(original, ctx, params)
      times = times + 1
      if times < 4 then
        ctx:fail("DependencyViolation", "The vpc has dependencies and cannot be deleted.")
      end
      return original(ctx, params)
    end }, function()
      world:destroy(declare())
    end)
    assert.equal(4, times)
  end)

  it("that is gone is not waited for", function()
    local declaration = declare()
    world:run(declaration)
    local run
    calls.with("ec2", { DeleteVpc = function(original, ctx, params)
      original(ctx, params)
      return original(ctx, params) -- the second time there is none
    end }, function()
      run = world:destroy(declaration)
    end)
    assert.is_true(run.seconds < 30)
  end)

  it("has the attributes that cost a call when something refers to them", function()
    local declaration = World.declare(function(stack)
      stack:output("group", vpc(stack).DefaultSecurityGroup)
      stack:output("acl", stack:resource("AWS::EC2::VPC", "other", { CidrBlock = "10.1.0.0/16" }).DefaultNetworkAcl)
    end)
    local run = world:run(declaration)
    assert.matches("^sg%-", run.result.outputs.group)
    assert.matches("^acl%-", run.result.outputs.acl)
  end)
end)

describe("what one description tells", function()
  it("is asked for once: a gateway and its attachment; tables, their routes and their associations", function()
    local declaration = World.declare(function(stack)
      local network, public, internet = public_network(stack)
      local routes = stack:resource("AWS::EC2::RouteTable", "routes", { VpcId = network.VpcId })
      stack:resource("AWS::EC2::Route", "default", { RouteTableId = routes.RouteTableId,
        DestinationCidrBlock = "0.0.0.0/0", GatewayId = internet.InternetGatewayId })
      stack:resource("AWS::EC2::SubnetRouteTableAssociation", "association", { SubnetId = public.SubnetId,
        RouteTableId = routes.RouteTableId })
    end)
    ask "CreateInternetGateway" -- somebody else's, without any tag
    world:run(declaration)
    local _, _, process = world:plan(declaration)
    assert.equal(1, #calls.params(process, "DescribeInternetGateways"))
    assert.equal(1, #calls.params(process, "DescribeRouteTables"))
    world:as_other(function(call)
      local association = assert(call("ec2", "DescribeRouteTables", { Filters = {
        { Name = "association.main", Values = { "false" } },
      } })).RouteTables[1].Associations[1]
      for _, one in ipairs(assert(call("ec2", "DescribeInternetGateways", {})).InternetGateways) do
        assert(call("ec2", "DeleteTags", { Resources = { one.InternetGatewayId }, Tags = { { Key = "infra:id" } } }))
      end
      assert(call("ec2", "DisassociateRouteTable", { AssociationId = association.RouteTableAssociationId }))
    end)
    assert.same({ association = "create" }, world:planned(declaration)) -- the gateway is known by its id as well
  end)
end)

describe("public addresses", function()
  it("are released after the gateway that has them is gone, and the internet gateway is detached after that", function()
    local declaration = World.declare(function(stack) public_network(stack) end)
    world:run(declaration)
    local run = world:destroy(declaration)
    local order = calls.changes(run)
    local position = {}
    for i, name in ipairs(order) do
      position[name] = i
    end
    assert.is_true(position.DeleteNatGateway < position.ReleaseAddress)
    assert.is_true(position.ReleaseAddress < position.DetachInternetGateway)
    assert.same({}, world:census())
  end)

  it("may be in use for a while after that, which EC2 says in two ways", function()
    local declaration = World.declare(function(stack) stack:resource("AWS::EC2::EIP", "address") end)
    for _, code in ipairs { "InvalidIPAddress.InUse", "AuthFailure" } do
      world:run(declaration)
      local failing, tries = calls.failing({ code, "in use" }, { code, "in use" })
      calls.with("ec2", { ReleaseAddress = failing }, function() world:destroy(declaration) end)
      assert.equal(3, tries())
    end
  end)

  it("keep the internet gateway attached until they are gone", function()
    local declaration = World.declare(function(stack) gateway(stack, vpc(stack)) end)
    world:run(declaration)
    local failing, tries = calls.failing({ "DependencyViolation", "mapped public addresses" },
      { "DependencyViolation", "mapped public addresses" })
    calls.with("ec2", { DetachInternetGateway = failing }, function() world:destroy(declaration) end)
    assert.equal(3, tries())
  end)

  it("of a detached gateway need no detaching", function()
    local declaration = World.declare(function(stack) gateway(stack, vpc(stack)) end)
    world:run(declaration)
    calls.with("ec2", { DetachInternetGateway = function(original, ctx, params)
      original(ctx, params)
      return original(ctx, params) -- Gateway.NotAttached
    end }, function() world:destroy(declaration) end)
    assert.same({}, world:census())
  end)
end)

describe("AWS::EC2::NatGateway", function()
  it("that failed is told with AWS's reason, and made anew", function()
    local function declare(attached)
      return World.declare(function(stack)
        local network = vpc(stack)
        local public = subnet(stack, "public", network, 0)
        if attached then
          gateway(stack, network)
        end
        local address = stack:resource("AWS::EC2::EIP", "address")
        stack:resource("AWS::EC2::NatGateway", "nat", { SubnetId = public.SubnetId,
          AllocationId = address.AllocationId }, { depends_on = attached and { "attachment" } or {} })
      end)
    end
    local run = world:apply(declare(false))
    assert.equal("Failed", run.result.failures[1].code)
    assert.matches("no Internet gateway", run.result.failures[1].message)
    local plan = assert(world:plan(declare(true)))
    assert.equal("replace", plan.by_address.nat.action)
    assert.matches("no Internet gateway", plan.by_address.nat.reason)
    world:run(declare(true))
    world:unchanged(declare(true))
  end)

  it("is as good as gone while it is still listed as deleted", function()
    local declaration = World.declare(function(stack) public_network(stack) end)
    world:run(declaration)
    world:as_other(function(call, session)
      local nat = assert(call("ec2", "DescribeNatGateways", {})).NatGateways[1]
      assert(call("ec2", "DeleteNatGateway", { NatGatewayId = nat.NatGatewayId }))
      session.runtime.scheduler:sleep(120)
      assert(call("ec2", "DescribeVpcs", {})) -- AWS's clock goes on with its calls
    end)
    assert.equal("deleted", ask "DescribeNatGateways".NatGateways[1].State)
    assert.equal("create", world:planned(declaration).nat)
    world:run(declaration)
    world:unchanged(declaration)
  end)
end)

describe("AWS::EC2::Route", function()
  local function declare(target, options)
    return World.declare(function(stack)
      local network, _, internet = public_network(stack)
      local routes = stack:resource("AWS::EC2::RouteTable", "routes", { VpcId = network.VpcId })
      local properties = { RouteTableId = routes.RouteTableId, DestinationCidrBlock = "0.0.0.0/0" }
      if target == "GatewayId" then
        properties.GatewayId = internet.InternetGatewayId
      elseif target then
        properties.NatGatewayId = "${infra:nat|NatGatewayId}"
      end
      if target then
        stack:resource("AWS::EC2::Route", "default", properties, options or { depends_on = { "attachment" } })
      end
    end)
  end

  it("changes its target in place, also to one of another kind", function()
    world:run(declare "GatewayId")
    assert.same({ default = "update" }, world:planned(declare "NatGatewayId"))
    local run = world:run(declare "NatGatewayId")
    local params = calls.params(run, "ReplaceRoute")[1]
    assert.is_nil(params.GatewayId)
    assert.is_not_nil(params.NatGatewayId)
    world:unchanged(declare "NatGatewayId")
  end)

  it("to a destination that somebody has routed elsewhere is not taken over unasked", function()
    world:run(declare())
    world:as_other(function(call)
      local routes
      for _, one in ipairs(assert(call("ec2", "DescribeRouteTables", {})).RouteTables) do
        routes = not (one.Associations[1] or {}).Main and one or routes
      end
      local nat = assert(call("ec2", "DescribeNatGateways", {})).NatGateways[1]
      assert(call("ec2", "CreateRoute", { RouteTableId = routes.RouteTableId, DestinationCidrBlock = "0.0.0.0/0",
        NatGatewayId = nat.NatGatewayId }))
    end)
    local run = world:apply(declare "GatewayId")
    assert.equal("AlreadyExists", run.result.failures[1].code)
    world:run(declare("GatewayId", { adopt = true, depends_on = { "attachment" } }))
    world:unchanged(declare "GatewayId")
  end)

  it("is the same one when the answer to its creation was lost", function()
    world:run(declare("GatewayId"), calls.lose "CreateRoute")
    world:unchanged(declare "GatewayId")
  end)
end)

describe("AWS::EC2::SubnetRouteTableAssociation", function()
  local function declare(with_association)
    return World.declare(function(stack)
      local network = vpc(stack)
      local one = subnet(stack, "one", network, 0)
      local routes = stack:resource("AWS::EC2::RouteTable", "routes", { VpcId = network.VpcId })
      stack:resource("AWS::EC2::RouteTable", "others", { VpcId = network.VpcId })
      if with_association then
        stack:resource("AWS::EC2::SubnetRouteTableAssociation", "association", { SubnetId = one.SubnetId,
          RouteTableId = routes.RouteTableId })
      end
    end)
  end

  local function other_table()
    for _, row in ipairs(world:rows()) do
      if row.address == "others" then
        return row.identity.RouteTableId
      end
    end
  end

  it("that somebody moved to another table comes back, although it has another id now", function()
    world:run(declare(true))
    world:as_other(function(call)
      for _, one in ipairs(assert(call("ec2", "DescribeRouteTables", {})).RouteTables) do
        for _, association in ipairs(one.Associations) do
          if association.SubnetId then
            assert(call("ec2", "ReplaceRouteTableAssociation", { AssociationId = association.RouteTableAssociationId,
              RouteTableId = other_table() }))
            return
          end
        end
      end
    end)
    local plan, _, process = world:plan(declare(true))
    assert.same({ association = "update" }, World.actions(plan))
    assert.equal(2, #calls.params(process, "DescribeRouteTables")) -- the recorded one has it no more
    local run = world:run(declare(true))
    assert.same({ "ReplaceRouteTableAssociation" }, calls.changes(run)) -- never without any
    world:unchanged(declare(true))
    world:destroy(declare(true))
    assert.same({}, world:census())
  end)

  it("of a subnet that somebody associated elsewhere is not taken over unasked", function()
    world:run(declare(false))
    world:as_other(function(call)
      local subnet_id = assert(call("ec2", "DescribeSubnets", {})).Subnets[1].SubnetId
      assert(call("ec2", "AssociateRouteTable", { SubnetId = subnet_id, RouteTableId = other_table() }))
    end)
    local run = world:apply(declare(true))
    assert.equal("AlreadyExists", run.result.failures[1].code)
    assert.equal("association", run.result.failures[1].resource)
  end)
end)

describe("AWS::EC2::Subnet", function()
  it("in the range of somebody else's is not taken over", function()
    local function declare(with_subnet)
      return World.declare(function(stack)
        local network = vpc(stack)
        if with_subnet then
          subnet(stack, "one", network, 0)
        end
      end)
    end
    world:run(declare(false))
    world:as_other(function(call)
      local id = assert(call("ec2", "DescribeVpcs", {})).Vpcs[1].VpcId
      assert(call("ec2", "CreateSubnet", { VpcId = id, CidrBlock = "10.0.0.0/24" }))
    end)
    local run = world:apply(declare(true))
    assert.equal("AlreadyExists", run.result.failures[1].code)
    assert.matches("adopt", run.result.failures[1].hint)
  end)

  it("gets one attribute in a call", function()
    local run = world:run(World.declare(function(stack)
      stack:resource("AWS::EC2::Subnet", "one", { VpcId = vpc(stack).VpcId, CidrBlock = "10.0.0.0/24",
        MapPublicIpOnLaunch = true, EnableDns64 = false })
    end))
    assert.equal(1, #calls.params(run, "ModifySubnetAttribute"))
  end)
end)
