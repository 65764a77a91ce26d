-- What all kinds of EC2 resources have in common: identifiers, listing, filters, pages, tags, quotas.

local network = require "spec.sim.ec2.network"

local filter, run = network.filter, network.run

local function ids_of(items, member)
  local ids = {}
  for i, item in ipairs(items) do
    ids[i] = item[member]
  end
  table.sort(ids)
  return ids
end

local function tagged(kind, tags)
  local list = {}
  for key, value in pairs(tags) do
    list[#list + 1] = { Key = key, Value = value }
  end
  return { { ResourceType = kind, Tags = list } }
end

describe("infra.sim.ec2", function()
  it("names resources as EC2 does, and never twice", function()
    run(function(aws)
      local seen = {}
      for _ = 1, 20 do
        local id = aws.CreateInternetGateway {}.InternetGateway.InternetGatewayId
        assert.matches("^igw%-0%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x$", id)
        assert.is_nil(seen[id])
        seen[id] = true
        aws.DeleteInternetGateway { InternetGatewayId = id }
      end
    end)
  end)

  it("fails the whole call when one identifier is unknown", function()
    run(function(aws)
      local vpc = network.vpc(aws)
      local cases = {
        { "DescribeVpcs", "VpcIds", vpc, "vpc-0123", "InvalidVpcID.NotFound" },
        { "DescribeSubnets", "SubnetIds", network.subnet(aws, vpc), "subnet-0123", "InvalidSubnetID.NotFound" },
        { "DescribeInternetGateways", "InternetGatewayIds", network.internet_gateway(aws, vpc), "igw-0123",
          "InvalidInternetGatewayID.NotFound" },
        { "DescribeAddresses", "AllocationIds", aws.AllocateAddress {}.AllocationId, "eipalloc-0123",
          "InvalidAllocationID.NotFound" },
        { "DescribeRouteTables", "RouteTableIds", aws.CreateRouteTable { VpcId = vpc }.RouteTable.RouteTableId,
          "rtb-0123", "InvalidRouteTableID.NotFound" },
        { "DescribeSecurityGroups", "GroupIds",
          aws.CreateSecurityGroup { VpcId = vpc, GroupName = "a", Description = "b" }.GroupId, "sg-0123",
          "InvalidGroup.NotFound" },
        { "DescribeNatGateways", "NatGatewayIds", nil, "nat-0123", "NatGatewayNotFound" },
        { "DescribeSecurityGroupRules", "SecurityGroupRuleIds", nil, "sgr-0123",
          "InvalidSecurityGroupRuleId.NotFound" },
        { "DescribeVpcEndpoints", "VpcEndpointIds", nil, "vpce-0123", "InvalidVpcEndpointId.NotFound" },
        { "DescribeNetworkInterfaces", "NetworkInterfaceIds", nil, "eni-0123", "InvalidNetworkInterfaceID.NotFound" },
      }
      for _, case in ipairs(cases) do
        local operation, member, present, absent, code = table.unpack(case, 1, 5)
        assert.truthy(aws[operation] { [member] = { present } })
        assert.equal(code, (aws.refused[operation] { [member] = { absent, present } }))
      end
    end)
  end)

  it("refuses identifiers of another form", function()
    run(function(aws)
      local code, message = aws.refused.DescribeVpcs { VpcIds = { "subnet-0123" } }
      assert.equal("InvalidVpcID.Malformed", code)
      assert.equal('Invalid id: "subnet-0123" (expecting "vpc-...")', message)
      assert.equal("InvalidGroupId.Malformed", (aws.refused.DescribeSecurityGroups { GroupIds = { "default" } }))
      assert.equal("NatGatewayMalformed", (aws.refused.DeleteNatGateway { NatGatewayId = "x" }))
    end)
  end)

  describe("filters", function()
    it("must all hold, each with one of its values", function()
      run(function(aws)
        local a = network.vpc(aws, "10.0.0.0/16")
        local b = network.vpc(aws, "10.1.0.0/16")
        network.vpc(aws, "10.2.0.0/16")
        local found = aws.DescribeVpcs { Filters = {
          { Name = "vpc-id", Values = { a, b, "vpc-unknown" } },
          { Name = "cidr", Values = { "10.0.0.0/16", "10.1.0.0/16" } },
        } }.Vpcs
        local expected = { a, b }
        table.sort(expected)
        assert.same(expected, ids_of(found, "VpcId"))
        assert.same({}, aws.DescribeVpcs { Filters = {
          { Name = "vpc-id", Values = { a } }, { Name = "cidr", Values = { "10.1.0.0/16" } },
        } }.Vpcs)
      end)
    end)

    it("know wildcards", function()
      run(function(aws)
        for _, block in ipairs { "10.0.0.0/16", "10.1.0.0/16", "172.16.0.0/16" } do
          network.vpc(aws, block)
        end
        local function count(value)
          return #aws.DescribeVpcs { Filters = filter("cidr-block", value) }.Vpcs
        end
        assert.equal(2, count "10.*")
        assert.equal(3, count "*")
        assert.equal(2, count "10.?.0.0/16")
        assert.equal(0, count "10.?")
        assert.equal(0, count "10.\\*")
        assert.equal(0, count "1%d*")
      end)
    end)

    it("look at tags, by key and value or by key alone", function()
      run(function(aws)
        local a = aws.CreateVpc { CidrBlock = "10.0.0.0/16", TagSpecifications = tagged("vpc", { Stage = "test" }) }
        aws.CreateVpc { CidrBlock = "10.0.0.0/16", TagSpecifications = tagged("vpc", { Stage = "", Other = "x" }) }
        assert.same({ a.Vpc.VpcId }, ids_of(aws.DescribeVpcs { Filters = filter("tag:Stage", "test") }.Vpcs, "VpcId"))
        assert.equal(2, #aws.DescribeVpcs { Filters = filter("tag-key", "Stage") }.Vpcs)
        assert.equal(1, #aws.DescribeVpcs { Filters = filter("tag:Stage", "") }.Vpcs)
        assert.equal(0, #aws.DescribeVpcs { Filters = filter("tag:stage", "test") }.Vpcs)
      end)
    end)

    it("look into lists, and at booleans", function()
      run(function(aws)
        local vpc = network.vpc(aws)
        local gateway = network.internet_gateway(aws, vpc)
        aws.CreateInternetGateway {}
        assert.same({ gateway },
          ids_of(aws.DescribeInternetGateways { Filters = filter("attachment.vpc-id", vpc) }.InternetGateways,
            "InternetGatewayId"))
        assert.equal(1, #aws.DescribeRouteTables { Filters = filter("association.main", "true") }.RouteTables)
        assert.equal(0, #aws.DescribeVpcs { Filters = filter("is-default", "true") }.Vpcs)
      end)
    end)

    it("must exist, and have values", function()
      run(function(aws)
        local code, message = aws.refused.DescribeVpcs { Filters = filter("vpcid", "x") }
        assert.equal("InvalidParameterValue", code)
        assert.equal("The filter 'vpcid' is invalid", message)
        assert.equal("InvalidParameterValue", (aws.refused.DescribeSubnets { Filters = { { Name = "vpc-id" } } }))
        local many = {}
        for i = 1, 201 do
          many[i] = "vpc-" .. i
        end
        assert.equal("FilterLimitExceeded",
          (aws.refused.DescribeVpcs { Filters = { { Name = "vpc-id", Values = many } } }))
      end)
    end)

    it("of DescribeNatGateways are called Filter", function()
      run(function(aws)
        assert.same({}, aws.DescribeNatGateways { Filter = filter("state", "available") }.NatGateways)
      end)
    end)
  end)

  describe("pages", function()
    it("hold every item once", function()
      run(function(aws)
        local vpc = network.vpc(aws)
        local made, seen, pages = {}, {}, 0
        for i = 1, 12 do
          made[i] = network.subnet(aws, vpc, ("10.0.%d.0/24"):format(i))
        end
        table.sort(made)
        local token
        repeat
          local page = aws.DescribeSubnets { MaxResults = 5, NextToken = token }
          table.move(page.Subnets, 1, #page.Subnets, #seen + 1, seen)
          token, pages = page.NextToken, pages + 1
          assert.is_true(#page.Subnets <= 5)
        until not token
        assert.equal(3, pages)
        assert.same(made, ids_of(seen, "SubnetId"))
      end)
    end)

    it("are of sizes that the operation allows", function()
      run(function(aws)
        assert.equal("InvalidParameterValue", (aws.refused.DescribeVpcs { MaxResults = 4 }))
        assert.equal("InvalidParameterValue", (aws.refused.DescribeVpcs { MaxResults = 1001 }))
        assert.equal("InvalidParameterValue", (aws.refused.DescribeRouteTables { MaxResults = 101 }))
        assert.equal("InvalidNextToken", (aws.refused.DescribeVpcs { NextToken = "made up" }))
        local vpc = network.vpc(aws)
        assert.equal("InvalidParameterCombination", (aws.refused.DescribeVpcs { VpcIds = { vpc }, MaxResults = 5 }))
      end)
    end)
  end)

  describe("tags", function()
    it("come with the resource, and back with each Describe", function()
      run(function(aws)
        local vpc = aws.CreateVpc {
          CidrBlock = "10.0.0.0/16", TagSpecifications = tagged("vpc", { b = "2", a = "" }),
        }.Vpc
        assert.same({ { Key = "a", Value = "" }, { Key = "b", Value = "2" } }, vpc.Tags)
        assert.same(vpc.Tags, aws.DescribeVpcs {}.Vpcs[1].Tags)
      end)
    end)

    it("are set and removed for many resources at once", function()
      run(function(aws)
        local vpc = network.vpc(aws)
        local subnet = network.subnet(aws, vpc)
        local tags = { { Key = "a", Value = "1" }, { Key = "b", Value = "2" } }
        aws.CreateTags { Resources = { vpc, subnet }, Tags = tags }
        aws.CreateTags { Resources = { vpc }, Tags = { { Key = "a", Value = "3" } } }
        assert.same({ { Key = "a", Value = "3" }, { Key = "b", Value = "2" } }, aws.DescribeVpcs {}.Vpcs[1].Tags)
        aws.DeleteTags { Resources = { vpc, subnet }, Tags = { { Key = "a", Value = "1" }, { Key = "b" } } }
        assert.same({ { Key = "a", Value = "3" } }, aws.DescribeVpcs {}.Vpcs[1].Tags)
        assert.same({}, aws.DescribeSubnets {}.Subnets[1].Tags)
        aws.DeleteTags { Resources = { vpc } }
        assert.same({}, aws.DescribeTags {}.Tags)
      end)
    end)

    it("follow AWS's rules", function()
      run(function(aws)
        local vpc = network.vpc(aws)
        local function refused(tags)
          return (aws.refused.CreateTags { Resources = { vpc }, Tags = tags })
        end
        assert.equal("InvalidParameterValue", refused { { Key = "aws:thing", Value = "x" } })
        assert.equal("InvalidParameterValue", refused { { Key = ("k"):rep(129), Value = "x" } })
        assert.equal("InvalidParameterValue", refused { { Key = "k", Value = ("v"):rep(257) } })
        assert.equal("InvalidParameterValue", refused { { Key = "k", Value = "1" }, { Key = "k", Value = "2" } })
        local many = {}
        for i = 1, 51 do
          many[i] = { Key = "key" .. i, Value = "" }
        end
        assert.equal("TagLimitExceeded", refused(many))
        assert.equal("InvalidParameterValue",
          (aws.refused.CreateVpc { CidrBlock = "10.1.0.0/16", TagSpecifications = tagged("subnet", { a = "b" }) }))
        assert.equal(1, #aws.DescribeVpcs {}.Vpcs)
      end)
    end)

    it("are for resources that exist, all of them or none", function()
      run(function(aws)
        local vpc = network.vpc(aws)
        local tags = { { Key = "a", Value = "b" } }
        assert.equal("InvalidSubnetID.NotFound",
          (aws.refused.CreateTags { Resources = { vpc, "subnet-0123" }, Tags = tags }))
        assert.equal("InvalidID", (aws.refused.CreateTags { Resources = { vpc, "castle-0123" }, Tags = tags }))
        assert.same({}, aws.DescribeVpcs {}.Vpcs[1].Tags)
      end)
    end)

    it("go with the resource", function()
      run(function(aws)
        local gateway = aws.CreateInternetGateway { TagSpecifications = tagged("internet-gateway", { a = "b" }) }
        assert.same({ {
          Key = "a", Value = "b", ResourceType = "internet-gateway",
          ResourceId = gateway.InternetGateway.InternetGatewayId,
        } }, aws.DescribeTags { Filters = filter("key", "a") }.Tags)
        aws.DeleteInternetGateway { InternetGatewayId = gateway.InternetGateway.InternetGatewayId }
        assert.same({}, aws.DescribeTags {}.Tags)
      end)
    end)
  end)

  it("keeps to the account's quotas", function()
    run(function(aws)
      for _ = 1, 5 do
        aws.AllocateAddress { Domain = "vpc" }
      end
      assert.equal("AddressLimitExceeded", (aws.refused.AllocateAddress { Domain = "vpc" }))
      network.vpc(aws)
      network.vpc(aws)
      assert.equal("VpcLimitExceeded", (aws.refused.CreateVpc { CidrBlock = "10.0.0.0/16" }))
    end, { quotas = { vpc = 2 } })
  end)

  it("lists zones, local ones only when asked for all", function()
    run(function(aws)
      local zones = aws.DescribeAvailabilityZones {}.AvailabilityZones
      assert.equal(6, #zones)
      assert.equal("us-east-1a", zones[1].ZoneName)
      assert.equal("use1-az1", zones[1].ZoneId)
      local all = aws.DescribeAvailabilityZones {
        AllAvailabilityZones = true, Filters = filter("opt-in-status", "not-opted-in"),
      }
      assert.equal("local-zone", all.AvailabilityZones[1].ZoneType)
      assert.equal("InvalidParameterValue", (aws.refused.DescribeAvailabilityZones { ZoneNames = { "eu-west-1a" } }))
    end)
  end)
end)
