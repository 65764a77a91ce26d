local merged = require "infra.merged"
local network = require "spec.sim.ec2.network"

local filter, run = network.filter, network.run

local function group(aws, vpc, name)
  return aws.CreateSecurityGroup { VpcId = vpc, GroupName = name or "web", Description = "for specs" }.GroupId
end

local function tcp(port, source)
  return merged({ IpProtocol = "tcp", FromPort = port, ToPort = port }, source)
end

local function from_block(block, description)
  return { IpRanges = { { CidrIp = block, Description = description } } }
end

local function from_group(id)
  return { UserIdGroupPairs = { { GroupId = id } } }
end

local function rules(aws, id, egress)
  local found = {}
  for _, rule in ipairs(aws.DescribeSecurityGroupRules { Filters = filter("group-id", id) }.SecurityGroupRules) do
    if rule.IsEgress == egress then
      found[#found + 1] = rule
    end
  end
  return found
end

describe("a security group", function()
  it("lets everything out at first", function()
    run(function(aws)
      local id = group(aws, network.vpc(aws))
      local shown = aws.DescribeSecurityGroups { GroupIds = { id } }.SecurityGroups[1]
      assert.same({}, shown.IpPermissions)
      assert.same({ { IpProtocol = "-1", IpRanges = { { CidrIp = "0.0.0.0/0" } }, Ipv6Ranges = {}, PrefixListIds = {},
        UserIdGroupPairs = {} } }, shown.IpPermissionsEgress)
      local rule = rules(aws, id, true)[1]
      assert.same({ "-1", -1, -1 }, { rule.IpProtocol, rule.FromPort, rule.ToPort })
    end)
  end)

  it("has a name of its own in its VPC", function()
    run(function(aws)
      local vpc = network.vpc(aws)
      group(aws, vpc, "web")
      local code, message = aws.refused.CreateSecurityGroup { VpcId = vpc, GroupName = "web", Description = "another" }
      assert.equal("InvalidGroup.Duplicate", code)
      assert.equal(("The security group 'web' already exists for VPC '%s'"):format(vpc), message)
      assert.truthy(group(aws, network.vpc(aws), "web"))
      for _, name in ipairs { "sg-web", "wéb", ("x"):rep(256) } do
        assert.equal("InvalidParameterValue",
          (aws.refused.CreateSecurityGroup { VpcId = vpc, GroupName = name, Description = "d" }))
      end
      assert.equal("InvalidGroup.Duplicate",
        (aws.refused.CreateSecurityGroup { VpcId = vpc, GroupName = "default", Description = "d" }))
    end)
  end)

  it("stays while another group's rule or an interface refers to it", function()
    run(function(aws)
      local vpc = network.vpc(aws)
      local a, b = group(aws, vpc, "a"), group(aws, vpc, "b")
      aws.AuthorizeSecurityGroupIngress { GroupId = a, IpPermissions = { tcp(443, from_group(b)) } }
      aws.AuthorizeSecurityGroupIngress {
        GroupId = b, IpPermissions = { tcp(443, from_group(a)), tcp(80, from_group(b)) },
      }
      for _, id in ipairs { a, b } do
        local code, message = aws.refused.DeleteSecurityGroup { GroupId = id }
        assert.equal("DependencyViolation", code)
        assert.equal(("resource %s has a dependent object"):format(id), message)
      end
      aws.RevokeSecurityGroupIngress { GroupId = a, IpPermissions = { tcp(443, from_group(b)) } }
      aws.DeleteSecurityGroup { GroupId = b }
      aws.DeleteSecurityGroup { GroupId = a }
      assert.equal("InvalidGroup.NotFound", (aws.refused.DeleteSecurityGroup { GroupId = a }))
      local default = aws.DescribeSecurityGroups {}.SecurityGroups[1].GroupId
      assert.equal("CannotDelete", (aws.refused.DeleteSecurityGroup { GroupId = default }))
    end)
  end)
end)

describe("a security group rule", function()
  it("has an identifier and one source, however many came together", function()
    run(function(aws)
      local vpc = network.vpc(aws)
      local id, other = group(aws, vpc, "a"), group(aws, vpc, "b")
      local made = aws.AuthorizeSecurityGroupIngress {
        GroupId = id,
        IpPermissions = { {
          IpProtocol = "6", FromPort = 443, ToPort = 443,
          IpRanges = { { CidrIp = "10.1.2.3/8", Description = "inside" }, { CidrIp = "192.168.0.0/16" } },
          Ipv6Ranges = { { CidrIpv6 = "2001:DB8:0::/48" } },
          UserIdGroupPairs = { { GroupId = other } },
        } },
        TagSpecifications = { { ResourceType = "security-group-rule", Tags = { { Key = "a", Value = "b" } } } },
      }.SecurityGroupRules
      assert.equal(4, #made)
      assert.same({ "tcp", "10.0.0.0/8", "inside", false },
        { made[1].IpProtocol, made[1].CidrIpv4, made[1].Description, made[1].IsEgress })
      assert.equal("2001:db8::/48", made[3].CidrIpv6)
      assert.same({ GroupId = other, UserId = "123456789012" }, made[4].ReferencedGroupInfo)
      assert.same({ { Key = "a", Value = "b" } }, made[4].Tags)
      local permission = aws.DescribeSecurityGroups { GroupIds = { id } }.SecurityGroups[1].IpPermissions
      assert.equal(1, #permission)
      assert.equal(2, #permission[1].IpRanges)
    end)
  end)

  it("exists once, whatever its description", function()
    run(function(aws)
      local id = group(aws, network.vpc(aws))
      local permission = tcp(22, from_block("10.0.0.0/8", "a"))
      aws.AuthorizeSecurityGroupIngress { GroupId = id, IpPermissions = { permission } }
      local code, message = aws.refused.AuthorizeSecurityGroupIngress {
        GroupId = id, IpPermissions = { tcp(80, from_block "10.0.0.0/8"), tcp(22, from_block("10.0.0.0/8", "b")) },
      }
      assert.equal("InvalidPermission.Duplicate", code)
      assert.equal('the specified rule "peer: 10.0.0.0/8, TCP, from port: 22, to port: 22, ALLOW" already exists',
        message)
      assert.equal(1, #rules(aws, id, false)) -- all of a call or nothing
      aws.AuthorizeSecurityGroupEgress { GroupId = id, IpPermissions = { permission } }
      assert.equal("InvalidPermission.Duplicate", (aws.refused.AuthorizeSecurityGroupEgress {
        GroupId = id, IpPermissions = { { IpProtocol = "-1", IpRanges = { { CidrIp = "0.0.0.0/0" } } } },
      }))
    end)
  end)

  it("keeps protocol and ports as AWS does", function()
    run(function(aws)
      local id = group(aws, network.vpc(aws))
      local function authorize(protocol, from, to)
        local rule = aws.AuthorizeSecurityGroupIngress { GroupId = id, IpPermissions = { {
          IpProtocol = protocol, FromPort = from, ToPort = to, IpRanges = { { CidrIp = "10.0.0.0/8" } },
        } } }.SecurityGroupRules[1]
        return { rule.IpProtocol, rule.FromPort, rule.ToPort }
      end
      assert.same({ "-1", -1, -1 }, authorize("-1", 80, 443))
      assert.same({ "udp", 53, 53 }, authorize("17", 53, 53))
      assert.same({ "icmp", 8, -1 }, authorize("1", 8, -1))
      assert.same({ "icmpv6", -1, -1 }, authorize("58"))
      assert.same({ "50", -1, -1 }, authorize("50", 1, 2))
      local function refused(protocol, from, to, block)
        return (aws.refused.AuthorizeSecurityGroupIngress { GroupId = id, IpPermissions = { {
          IpProtocol = protocol, FromPort = from, ToPort = to, IpRanges = { { CidrIp = block or "10.0.0.0/8" } },
        } } })
      end
      assert.equal("InvalidParameterValue", refused "tcp")
      assert.equal("InvalidParameterValue", refused("tcp", 443, 80))
      assert.equal("InvalidParameterValue", refused("tcp", 0, 65536))
      assert.equal("InvalidParameterValue", refused("http", 80, 80))
      assert.equal("InvalidParameterValue", refused("256", 80, 80))
      assert.equal("InvalidParameterValue", refused("tcp", 80, 80, "10.0.0.0/40"))
      assert.equal("MissingParameter", (aws.refused.AuthorizeSecurityGroupIngress { GroupId = id, IpPermissions = {} }))
    end)
  end)

  it("has groups of the same VPC as sources", function()
    run(function(aws)
      local id, foreign = group(aws, network.vpc(aws)), group(aws, network.vpc(aws))
      for _, source in ipairs { foreign, "sg-0123" } do
        assert.equal("InvalidGroup.NotFound",
          (aws.refused.AuthorizeSecurityGroupIngress { GroupId = id, IpPermissions = { tcp(80, from_group(source)) } }))
      end
    end)
  end)

  it("is revoked by identifier or by content", function()
    run(function(aws)
      local id = group(aws, network.vpc(aws))
      local made = aws.AuthorizeSecurityGroupIngress {
        GroupId = id, IpPermissions = { tcp(1, from_block "10.0.0.0/8"), tcp(2, from_block "10.0.0.0/8") },
      }.SecurityGroupRules
      aws.RevokeSecurityGroupIngress { GroupId = id, SecurityGroupRuleIds = { made[1].SecurityGroupRuleId } }
      assert.equal("InvalidSecurityGroupRuleId.NotFound", (aws.refused.RevokeSecurityGroupIngress {
        GroupId = id, SecurityGroupRuleIds = { made[1].SecurityGroupRuleId },
      }))
      assert.equal("InvalidSecurityGroupRuleId.NotFound", (aws.refused.RevokeSecurityGroupEgress {
        GroupId = id, SecurityGroupRuleIds = { made[2].SecurityGroupRuleId },
      }))
      aws.RevokeSecurityGroupIngress { GroupId = id, IpPermissions = { tcp(2, from_block "10.9.9.9/8") } }
      assert.equal("InvalidPermission.NotFound", (aws.refused.RevokeSecurityGroupIngress {
        GroupId = id, IpPermissions = { tcp(2, from_block "10.0.0.0/8") },
      }))
      assert.same({}, rules(aws, id, false))
    end)
  end)

  it("changes in place, but not the kind of its source", function()
    run(function(aws)
      local id = group(aws, network.vpc(aws))
      local rule = aws.AuthorizeSecurityGroupIngress {
        GroupId = id, IpPermissions = { tcp(80, from_block("10.0.0.0/8", "old")) },
      }.SecurityGroupRules[1].SecurityGroupRuleId
      local function change(new)
        return { GroupId = id, SecurityGroupRules = { { SecurityGroupRuleId = rule, SecurityGroupRule = new } } }
      end
      aws.ModifySecurityGroupRules(change { IpProtocol = "tcp", FromPort = 81, ToPort = 82, CidrIpv4 = "10.0.0.0/16" })
      local shown = rules(aws, id, false)[1]
      assert.same({ rule, 81, 82, "10.0.0.0/16" },
        { shown.SecurityGroupRuleId, shown.FromPort, shown.ToPort, shown.CidrIpv4 })
      assert.is_nil(shown.Description) -- an update is the complete rule
      assert.equal("InvalidParameterValue", (aws.refused.ModifySecurityGroupRules(
        change { IpProtocol = "tcp", FromPort = 81, ToPort = 82, CidrIpv6 = "::/0" })))
      aws.AuthorizeSecurityGroupIngress { GroupId = id, IpPermissions = { tcp(90, from_block "10.0.0.0/8") } }
      assert.equal("InvalidPermission.Duplicate", (aws.refused.ModifySecurityGroupRules(
        change { IpProtocol = "tcp", FromPort = 90, ToPort = 90, CidrIpv4 = "10.0.0.0/8" })))
    end)
  end)

  it("is one of at most sixty", function()
    run(function(aws)
      local id, many = group(aws, network.vpc(aws)), {}
      for port = 1, 60 do
        many[port] = tcp(port, from_block "10.0.0.0/8")
      end
      aws.AuthorizeSecurityGroupIngress { GroupId = id, IpPermissions = many }
      assert.equal("RulesPerSecurityGroupLimitExceeded", (aws.refused.AuthorizeSecurityGroupIngress {
        GroupId = id, IpPermissions = { tcp(61, from_block "10.0.0.0/8") },
      }))
    end)
  end)
end)
