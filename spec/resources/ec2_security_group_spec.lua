local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local json = require "host.json"
local merged = require "infra.merged"

local world

before_each(function() world = World.new() end)
after_each(function() world:close() end)

local function declare(properties, more)
  return World.declare(function(stack)
    local vpc = stack:resource("AWS::EC2::VPC", "vpc", { CidrBlock = "10.0.0.0/16" })
    local all = merged({ GroupDescription = "a group", VpcId = vpc.VpcId }, properties)
    local group = stack:resource("AWS::EC2::SecurityGroup", "group", all)
    if more then
      more(stack, group)
    end
  end)
end

-- The rules of our group as EC2 has them, as texts.
local function rules()
  return world:as_other(function(call)
    local id
    for _, group in ipairs(assert(call("ec2", "DescribeSecurityGroups", {})).SecurityGroups) do
      id = group.GroupName == "demo-test-group" and group.GroupId or id
    end
    local texts = {}
    for _, rule in ipairs(assert(call("ec2", "DescribeSecurityGroupRules", { Filters = { { Name = "group-id",
      Values = { id } } } })).SecurityGroupRules) do
      texts[#texts + 1] = ("%s %s %s-%s %s %s"):format(rule.IsEgress and "out" or "in", rule.IpProtocol, rule.FromPort,
        rule.ToPort, rule.CidrIpv4 or rule.CidrIpv6, rule.Description or "")
    end
    table.sort(texts)
    return texts
  end)
end

local function tcp(port, description)
  return { IpProtocol = "tcp", FromPort = port, ToPort = port, CidrIp = "10.0.0.0/8", Description = description }
end

describe("AWS::EC2::SecurityGroup", function()
  it("loses the rule for everything that AWS adds, where it declares none", function()
    world:run(declare { SecurityGroupEgress = json.array {} })
    assert.same({}, rules())
    world:unchanged(declare { SecurityGroupEgress = json.array {} })
  end)

  it("loses also those that AWS adds in VPCs with IPv6", function()
    calls.with("ec2", { CreateSecurityGroup = function(original, ctx, params)
      local output = original(ctx, params)
      require("infra.sim.ec2").AuthorizeSecurityGroupEgress(ctx, { GroupId = output.GroupId, IpPermissions = {
        { IpProtocol = "-1", Ipv6Ranges = { { CidrIpv6 = "::/0" } } } } })
      return output
    end }, function()
      world:run(declare { SecurityGroupEgress = json.array {} })
    end)
    assert.same({}, rules())
  end)

  it("keeps it where it says nothing, and gets it back", function()
    world:run(declare())
    assert.same({ "out -1 -1--1 0.0.0.0/0 " }, rules())
    world:run(declare { SecurityGroupEgress = { tcp(443) } })
    assert.same({ "out tcp 443-443 10.0.0.0/8 " }, rules())
    world:run(declare())
    assert.same({ "out -1 -1--1 0.0.0.0/0 " }, rules())
    world:unchanged(declare())
  end)

  it("is the same in AWS's spelling, in any order", function()
    local ingress = { tcp(443, ""), { IpProtocol = 6, FromPort = 80, ToPort = 80, CidrIp = "10.0.0.0/8" },
      { IpProtocol = "-1", FromPort = 0, ToPort = 65535, CidrIp = "10.1.0.0/16" },
      { IpProtocol = "UDP", FromPort = 53, ToPort = 53, CidrIpv6 = "2001:db8::/32" } }
    world:run(declare { SecurityGroupIngress = ingress })
    world:unchanged(declare { SecurityGroupIngress = ingress })
    world:unchanged(declare { SecurityGroupIngress = { ingress[3], ingress[1], ingress[4], ingress[2] } })
  end)

  it("changes only the rules that differ", function()
    world:run(declare { SecurityGroupIngress = { tcp(1), tcp(2), tcp(3, "old") } })
    local run = world:run(declare { SecurityGroupIngress = { tcp(1), tcp(3, "new"), tcp(4) } })
    assert.equal(2, #calls.params(run, "RevokeSecurityGroupIngress")[1].IpPermissions)
    assert.equal(2, #calls.params(run, "AuthorizeSecurityGroupIngress")[1].IpPermissions)
    assert.same({ "in tcp 1-1 10.0.0.0/8 ", "in tcp 3-3 10.0.0.0/8 new", "in tcp 4-4 10.0.0.0/8 ",
      "out -1 -1--1 0.0.0.0/0 " }, rules())
  end)

  it("gets all its rules also when somebody has added one of them meanwhile", function()
    world:run(declare())
    local done = false
    calls.with("ec2", { AuthorizeSecurityGroupIngress = function(original, ctx, params)
      if not done then
        done = true
        original(ctx, { GroupId = params.GroupId, IpPermissions = { params.IpPermissions[1] } })
      end
      return original(ctx, params)
    end }, function()
      world:run(declare { SecurityGroupIngress = { tcp(1), tcp(2) } })
    end)
    assert.equal(3, #rules())
    world:unchanged(declare { SecurityGroupIngress = { tcp(1), tcp(2) } })
  end)

  it("is replaced for another description", function()
    world:run(declare())
    assert.same({ group = "replace" }, world:planned(declare { GroupDescription = "another" }))
    world:run(declare { GroupDescription = "another" })
  end)

  it("waits while interfaces have it", function()
    world:run(declare())
    local failing, tries = calls.failing({ "DependencyViolation", "in use" }, { "InvalidGroup.InUse", "in use" })
    calls.with("ec2", { DeleteSecurityGroup = failing }, function() world:destroy(declare()) end)
    assert.equal(3, tries())
  end)

  it("is refused ranges that AWS would change", function()
    assert.has_error(function() declare { SecurityGroupIngress = { { IpProtocol = "-1", CidrIp = "10.0.0.1/8" } } } end)
  end)
end)

describe("rules as resources of their own", function()
  local function with_rule(fields)
    return declare({ SecurityGroupEgress = json.array {} }, function(stack, group)
      local all = merged({
        GroupId = group.GroupId, IpProtocol = "tcp", FromPort = 443, ToPort = 443, CidrIp = "0.0.0.0/0",
      }, fields)
      stack:resource("AWS::EC2::SecurityGroupIngress", "rule", all)
    end)
  end

  it("are created, described anew in place, and replaced", function()
    world:run(with_rule { Description = "a" })
    world:unchanged(with_rule { Description = "a" })
    assert.same({ rule = "update" }, world:planned(with_rule { Description = "b" }))
    world:run(with_rule { Description = "b" })
    assert.same({ "in tcp 443-443 0.0.0.0/0 b" }, rules())
    assert.same({ rule = "replace" }, world:planned(with_rule { ToPort = 444, Description = "b" }))
    world:run(with_rule { ToPort = 444 })
    assert.same({ "in tcp 443-444 0.0.0.0/0 " }, rules())
  end)

  it("are found again by what they say", function()
    world:run(with_rule(), calls.lose "AuthorizeSecurityGroupIngress")
    assert.equal(1, #rules())
    world:unchanged(with_rule())
  end)

  it("for every protocol have no ports", function()
    local every = { IpProtocol = "-1", FromPort = -1, ToPort = -1 }
    world:run(with_rule(every))
    world:unchanged(with_rule(every))
  end)
end)
