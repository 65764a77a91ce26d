local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local json = require "host.json"
local merged = require "infra.merged"

-- A VPC with two route tables and two subnets, and `build(parts)`'s properties of the endpoint in it.
local function endpoint(build, options)
  return World.declare(function(stack)
    local vpc = stack:resource("AWS::EC2::VPC", "vpc",
      { CidrBlock = "10.0.0.0/16", EnableDnsSupport = true, EnableDnsHostnames = true })
    local parts = { tables = {}, subnets = {} }
    for i = 1, 2 do
      parts.tables[i] = stack:resource("AWS::EC2::RouteTable", "table-" .. i, { VpcId = vpc.VpcId }).RouteTableId
      parts.subnets[i] = stack:resource("AWS::EC2::Subnet", "subnet-" .. i, { VpcId = vpc.VpcId,
        CidrBlock = ("10.0.%d.0/24"):format(i), AvailabilityZone = "us-east-1" .. ("ab"):sub(i, i) }).SubnetId
    end
    local properties = build(parts)
    properties.VpcId = vpc.VpcId
    stack:resource("AWS::EC2::VPCEndpoint", "endpoint", properties, options)
  end)
end

local function gateway(more)
  return endpoint(function(parts)
    return merged({ ServiceName = "com.amazonaws.us-east-1.s3", RouteTableIds = { parts.tables[1] } },
      type(more) == "function" and more(parts) or more)
  end)
end

local function interface(more)
  return endpoint(function(parts)
    return merged({
      ServiceName = "com.amazonaws.us-east-1.secretsmanager", VpcEndpointType = "Interface",
      SubnetIds = { parts.subnets[1] }, PrivateDnsEnabled = true,
    }, type(more) == "function" and more(parts) or more)
  end)
end

describe("AWS::EC2::VPCEndpoint", function()
  local world

  before_each(function()
    world = World.new()
  end)
  after_each(function()
    world:close()
  end)

  it("is created as a gateway, and is the same afterwards, although EC2 fills in a policy", function()
    local run = world:run(gateway())
    assert.is_string(calls.params(run, "CreateVpcEndpoint")[1].ClientToken)
    world:unchanged(gateway())
    world:unchanged(gateway { VpcEndpointType = "Gateway" })
  end)

  it("is told which route tables to add and which to remove", function()
    world:run(gateway())
    local moved = gateway(function(parts) return { RouteTableIds = { parts.tables[2] } } end)
    local run = world:run(moved)
    local sent = calls.params(run, "ModifyVpcEndpoint")
    assert.equal(1, #sent)
    assert.same({ 1, 1 }, { #sent[1].AddRouteTableIds, #sent[1].RemoveRouteTableIds })
    world:unchanged(moved)
    local both = gateway(function(parts) return { RouteTableIds = { parts.tables[2], parts.tables[1] } } end)
    world:run(both)
    world:unchanged(gateway(function(parts) return { RouteTableIds = parts.tables } end))
  end)

  it("gets its policy back to EC2's own when it is not declared any more", function()
    local policy = { Version = "2012-10-17", Statement = { {
      Effect = "Allow", Principal = "*", Action = "s3:GetObject", Resource = "arn:aws:s3:::demo/*",
    } } }
    world:run(gateway { PolicyDocument = policy })
    world:unchanged(gateway { PolicyDocument = json.encode(policy) })
    local run = world:run(gateway())
    assert.is_true(calls.params(run, "ModifyVpcEndpoint")[1].ResetPolicy)
    world:unchanged(gateway())
  end)

  it("is waited for as an interface, after a change too, and until it is gone", function()
    local run = world:run(interface())
    assert.is_true(run.seconds > 60)
    world:unchanged(interface())
    local wider = interface(function(parts) return { SubnetIds = parts.subnets, PrivateDnsEnabled = false } end)
    assert.same({ "ModifyVpcEndpoint", "ModifyVpcEndpoint" }, calls.changes(world:run(wider)))
    world:unchanged(wider)
    assert.is_true(world:destroy(wider).seconds > 30)
    assert.same({}, world:rows())
  end)

  it("does not compare the security group that EC2 chose", function()
    world:run(interface())
    local group = interface(function() return { SecurityGroupIds = { "sg-0123456789abcdef0" } } end)
    assert.same({ endpoint = "update" }, world:planned(group))
    world:unchanged(interface())
  end)

  it("is another one for another service", function()
    world:run(gateway())
    assert.same({ endpoint = "replace" },
      world:planned(gateway { ServiceName = "com.amazonaws.us-east-1.dynamodb" }))
  end)

  it("understands states in either case", function()
    local describe_endpoints = function(original, ctx, params)
      local output = json.decode(json.encode(original(ctx, params)))
      for _, one in ipairs(output.VpcEndpoints) do
        one.State = one.State:gsub("^%l", string.upper)
      end
      return output
    end
    calls.with("ec2", { DescribeVpcEndpoints = describe_endpoints }, function()
      world:run(interface())
      world:unchanged(interface())
      world:destroy(interface())
    end)
    assert.same({}, world:rows())
  end)

  it("has failed when EC2 says so, with its reason", function()
    calls.with("ec2", {
      DescribeVpcEndpoints = function(original, ctx, params)
        local output = json.decode(json.encode(original(ctx, params)))
        for _, one in ipairs(output.VpcEndpoints) do
          one.State, one.LastError = "failed", { Code = "Conflict", Message = "private DNS is in use" }
        end
        return output
      end,
    }, function()
      local failure = world:apply(interface()).result.failures[1]
      assert.matches("private DNS is in use", failure.message)
    end)
  end)

  it("is not deleted when EC2 answers 200 and lists it as unsuccessful", function()
    world:run(gateway())
    calls.with("ec2", {
      DeleteVpcEndpoints = function(_, _, params)
        return { Unsuccessful = { { ResourceId = params.VpcEndpointIds[1], Error = {
          Code = "OperationNotPermitted", Message = "it is managed by a service",
        } } } }
      end,
    }, function()
      local failure = world:apply(gateway(), { destroy = true }).result.failures[1]
      assert.same({ "OperationNotPermitted", "it is managed by a service" }, { failure.code, failure.message })
    end)
    world:destroy(gateway())
    assert.same({}, world:rows())
  end)

  it("is made once although the answer is lost, and found by its tag after a crash", function()
    world:run(gateway(), calls.lose("CreateVpcEndpoint"))
    world:unchanged(gateway())
    world:destroy(gateway())
    local crash = { schedule = { { fault = "crash", operation = "CreateVpcEndpoint", when = "after" } } }
    assert.is_true(world:apply(gateway(), { faults = crash }).crashed)
    assert.same({}, calls.params(world:run(gateway()), "CreateVpcEndpoint"))
  end)

  it("says who must accept it", function()
    calls.with("ec2", {
      DescribeVpcEndpoints = function(original, ctx, params)
        local output = json.decode(json.encode(original(ctx, params)))
        for _, one in ipairs(output.VpcEndpoints) do
          one.State = "pendingAcceptance"
        end
        return output
      end,
    }, function()
      local warning = world:run(interface()).result.warnings[1]
      assert.matches("the owner of com.amazonaws.us%-east%-1.secretsmanager must accept", warning)
    end)
  end)

  it("is refused before anything is sent when it mixes the two kinds", function()
    local ok, err = pcall(gateway, function(parts) return { SubnetIds = parts.subnets } end)
    assert.is_false(ok)
    assert.matches("SubnetIds or SecurityGroupIds is \"Interface\"", tostring(err))
    ok, err = pcall(interface, function(parts) return { RouteTableIds = parts.tables } end)
    assert.is_false(ok)
    assert.matches("RouteTableIds are for endpoints of the VpcEndpointType \"Gateway\"", tostring(err))
  end)
end)

describe("the network layer", function()
  it("reaches S3 through a gateway endpoint when it is asked to", function()
    local function endpoints_of(options)
      local declaration, found = World.declare(function(stack) stack:layer("network", options) end), {}
      for _, resource in pairs(declaration.resources) do
        if resource.type.name == "AWS::EC2::VPCEndpoint" then
          found[#found + 1] = resource.properties
        end
      end
      return found
    end
    assert.same({}, endpoints_of {})
    local found = endpoints_of { nat = "per-az", s3_endpoint = true }
    assert.equal("com.amazonaws.us-east-1.s3", found[1].ServiceName)
    assert.equal(2, #found[1].RouteTableIds)
  end)
end)
