-- VPCs, subnets, internet gateways and network interfaces.

local network = require "spec.sim.ec2.network"

local filter, run = network.filter, network.run

describe("a VPC", function()
  it("is born with a main route table, a default group and a default network ACL", function()
    run(function(aws)
      local vpc = aws.CreateVpc { CidrBlock = "10.20.0.0/16" }.Vpc
      assert.equal("pending", vpc.State)
      assert.equal("10.20.0.0/16", vpc.CidrBlockAssociationSet[1].CidrBlock)
      assert.is_false(vpc.IsDefault)
      aws.sleep(5)
      assert.equal("available", aws.DescribeVpcs {}.Vpcs[1].State)

      local in_vpc = filter("vpc-id", vpc.VpcId)
      local tables = aws.DescribeRouteTables { Filters = in_vpc }.RouteTables
      assert.equal(1, #tables)
      assert.is_true(tables[1].Associations[1].Main)
      assert.same({ { DestinationCidrBlock = "10.20.0.0/16", GatewayId = "local", Origin = "CreateRouteTable",
        State = "active" } }, tables[1].Routes)

      local groups = aws.DescribeSecurityGroups { Filters = in_vpc }.SecurityGroups
      assert.equal(1, #groups)
      assert.equal("default", groups[1].GroupName)
      assert.equal(groups[1].GroupId, groups[1].IpPermissions[1].UserIdGroupPairs[1].GroupId)
      assert.equal("0.0.0.0/0", groups[1].IpPermissionsEgress[1].IpRanges[1].CidrIp)

      assert.is_true(aws.DescribeNetworkAcls { Filters = in_vpc }.NetworkAcls[1].IsDefault)
    end)
  end)

  it("has a canonical block of a size that is allowed", function()
    run(function(aws)
      assert.equal("10.0.0.0/16", aws.CreateVpc { CidrBlock = "10.0.7.1/16" }.Vpc.CidrBlock)
      assert.equal("InvalidVpc.Range", (aws.refused.CreateVpc { CidrBlock = "10.0.0.0/15" }))
      assert.equal("InvalidVpc.Range", (aws.refused.CreateVpc { CidrBlock = "10.0.0.0/29" }))
      assert.equal("InvalidParameterValue", (aws.refused.CreateVpc { CidrBlock = "10.0.0/16" }))
      assert.equal("InvalidParameterValue", (aws.refused.CreateVpc { CidrBlock = "10.0.0.256/16" }))
      assert.equal("MissingParameter", (aws.refused.CreateVpc {}))
    end)
  end)

  it("changes one attribute per call", function()
    run(function(aws)
      local vpc = network.vpc(aws)
      local function attribute(name)
        local answer = aws.DescribeVpcAttribute { VpcId = vpc, Attribute = name }
        return answer[name:gsub("^%l", string.upper)].Value
      end
      assert.is_true(attribute "enableDnsSupport")
      assert.is_false(attribute "enableDnsHostnames")
      aws.ModifyVpcAttribute { VpcId = vpc, EnableDnsHostnames = { Value = true } }
      assert.is_true(attribute "enableDnsHostnames")

      local code, message = aws.refused.ModifyVpcAttribute {
        VpcId = vpc, EnableDnsHostnames = { Value = true }, EnableDnsSupport = { Value = true },
      }
      assert.equal("InvalidParameterCombination", code)
      assert.matches("Fields for multiple attribute types specified", message)
      assert.equal("InvalidParameterCombination", (aws.refused.ModifyVpcAttribute { VpcId = vpc }))
      assert.equal("InvalidParameterValue", (aws.refused.DescribeVpcAttribute { VpcId = vpc, Attribute = "dns" }))

      aws.ModifyVpcAttribute { VpcId = vpc, EnableDnsHostnames = { Value = false } }
      aws.ModifyVpcAttribute { VpcId = vpc, EnableDnsSupport = { Value = false } }
      assert.equal("InvalidParameterValue",
        (aws.refused.ModifyVpcAttribute { VpcId = vpc, EnableDnsHostnames = { Value = true } }))
    end)
  end)

  it("cannot go while anything lives in it, and takes its defaults along", function()
    run(function(aws)
      local vpc = network.vpc(aws)
      local function stays()
        local code, message = aws.refused.DeleteVpc { VpcId = vpc }
        assert.equal("DependencyViolation", code)
        assert.equal(("The vpc '%s' has dependencies and cannot be deleted."):format(vpc), message)
      end
      local subnet = network.subnet(aws, vpc)
      stays()
      aws.DeleteSubnet { SubnetId = subnet }
      local gateway = network.internet_gateway(aws, vpc)
      stays()
      aws.DetachInternetGateway { InternetGatewayId = gateway, VpcId = vpc }
      local group = aws.CreateSecurityGroup { VpcId = vpc, GroupName = "a", Description = "b" }.GroupId
      stays()
      aws.DeleteSecurityGroup { GroupId = group }
      local route_table = aws.CreateRouteTable { VpcId = vpc }.RouteTable.RouteTableId
      stays()
      aws.DeleteRouteTable { RouteTableId = route_table }
      local endpoint = aws.CreateVpcEndpoint { VpcId = vpc, ServiceName = "com.amazonaws.us-east-1.s3" }.VpcEndpoint
      stays()
      aws.DeleteVpcEndpoints { VpcEndpointIds = { endpoint.VpcEndpointId } }
      aws.DeleteVpc { VpcId = vpc }
      assert.equal("InvalidVpcID.NotFound", (aws.refused.DeleteVpc { VpcId = vpc }))
      for operation, member in pairs {
        DescribeVpcs = "Vpcs", DescribeRouteTables = "RouteTables", DescribeSecurityGroups = "SecurityGroups",
        DescribeNetworkAcls = "NetworkAcls",
      } do
        assert.same({}, aws[operation] {}[member])
      end
    end)
  end)
end)

describe("a subnet", function()
  it("lies in its VPC and in a zone of the region", function()
    run(function(aws)
      local vpc = network.vpc(aws, "10.0.0.0/16")
      local subnet = aws.CreateSubnet {
        VpcId = vpc, CidrBlock = "10.0.1.77/24", AvailabilityZoneId = "use1-az2",
      }.Subnet
      assert.equal("10.0.1.0/24", subnet.CidrBlock)
      assert.equal("us-east-1b", subnet.AvailabilityZone)
      assert.equal(251, subnet.AvailableIpAddressCount)
      assert.is_false(subnet.MapPublicIpOnLaunch)
      assert.matches(":subnet/" .. subnet.SubnetId:gsub("%-", "%%-"), subnet.SubnetArn)
      local code, message = aws.refused.CreateSubnet {
        VpcId = vpc, CidrBlock = "10.0.2.0/24", AvailabilityZone = "us-east-2a",
      }
      assert.equal("InvalidParameterValue", code)
      assert.matches("us%-east%-1a, us%-east%-1b", message)
      assert.equal("InvalidSubnet.Range", (aws.refused.CreateSubnet { VpcId = vpc, CidrBlock = "10.1.0.0/24" }))
      assert.equal("InvalidSubnet.Range", (aws.refused.CreateSubnet { VpcId = vpc, CidrBlock = "10.0.0.0/29" }))
      assert.equal("InvalidVpcID.NotFound", (aws.refused.CreateSubnet { VpcId = "vpc-01", CidrBlock = "10.0.0.0/24" }))
    end)
  end)

  it("does not overlap another", function()
    run(function(aws)
      local vpc = network.vpc(aws, "10.0.0.0/16")
      network.subnet(aws, vpc, "10.0.4.0/22")
      for _, block in ipairs { "10.0.4.0/22", "10.0.5.0/24", "10.0.0.0/16" } do
        local code, message = aws.refused.CreateSubnet { VpcId = vpc, CidrBlock = block }
        assert.equal("InvalidSubnet.Conflict", code)
        assert.equal(("The CIDR '%s' conflicts with another subnet"):format(block), message)
      end
      assert.truthy(network.subnet(aws, vpc, "10.0.8.0/22"))
      assert.truthy(network.subnet(aws, network.vpc(aws, "10.0.0.0/16"), "10.0.4.0/22"))
    end)
  end)

  it("changes one attribute per call", function()
    run(function(aws)
      local subnet = network.subnet(aws, network.vpc(aws))
      aws.ModifySubnetAttribute { SubnetId = subnet, MapPublicIpOnLaunch = { Value = true } }
      aws.ModifySubnetAttribute { SubnetId = subnet, PrivateDnsHostnameTypeOnLaunch = "resource-name" }
      local shown = aws.DescribeSubnets {}.Subnets[1]
      assert.is_true(shown.MapPublicIpOnLaunch)
      assert.equal("resource-name", shown.PrivateDnsNameOptionsOnLaunch.HostnameType)
      assert.equal("InvalidParameterCombination", (aws.refused.ModifySubnetAttribute {
        SubnetId = subnet, MapPublicIpOnLaunch = { Value = false }, EnableDns64 = { Value = false },
      }))
      assert.equal("InvalidParameterValue",
        (aws.refused.ModifySubnetAttribute { SubnetId = subnet, AssignIpv6AddressOnCreation = { Value = true } }))
    end)
  end)

  it("stays while an interface is in it, and leaves its route table when it goes", function()
    run(function(aws)
      local vpc = network.vpc(aws)
      local subnet = network.subnet(aws, vpc)
      network.internet_gateway(aws, vpc)
      local nat = aws.CreateNatGateway {
        SubnetId = subnet, AllocationId = aws.AllocateAddress {}.AllocationId,
      }.NatGateway
      assert.equal(250, aws.DescribeSubnets {}.Subnets[1].AvailableIpAddressCount)
      assert.equal("DependencyViolation", (aws.refused.DeleteSubnet { SubnetId = subnet }))
      aws.DeleteNatGateway { NatGatewayId = nat.NatGatewayId }
      assert.equal("DependencyViolation", (aws.refused.DeleteSubnet { SubnetId = subnet }))
      aws.sleep(60)
      local route_table = aws.CreateRouteTable { VpcId = vpc }.RouteTable.RouteTableId
      aws.AssociateRouteTable { RouteTableId = route_table, SubnetId = subnet }
      aws.DeleteSubnet { SubnetId = subnet }
      assert.same({}, aws.DescribeRouteTables { RouteTableIds = { route_table } }.RouteTables[1].Associations)
      aws.DeleteRouteTable { RouteTableId = route_table }
    end)
  end)
end)

describe("an internet gateway", function()
  it("is attached to one VPC, and a VPC to one", function()
    run(function(aws)
      local vpc, other = network.vpc(aws), network.vpc(aws)
      local gateway = network.internet_gateway(aws, vpc)
      local shown = aws.DescribeInternetGateways {}.InternetGateways[1]
      assert.same({ { State = "available", VpcId = vpc } }, shown.Attachments)
      local code, message = aws.refused.AttachInternetGateway { InternetGatewayId = gateway, VpcId = other }
      assert.equal("Resource.AlreadyAssociated", code)
      assert.equal(("resource %s is already attached to network %s"):format(gateway, vpc), message)
      local second = aws.CreateInternetGateway {}.InternetGateway.InternetGatewayId
      code, message = aws.refused.AttachInternetGateway { InternetGatewayId = second, VpcId = vpc }
      assert.equal("InvalidParameterValue", code)
      assert.equal(("Network %s already has an internet gateway attached"):format(vpc), message)
      assert.equal("Gateway.NotAttached",
        (aws.refused.DetachInternetGateway { InternetGatewayId = second, VpcId = vpc }))
    end)
  end)

  it("is deleted only when detached, and detached only when no public address is left", function()
    run(function(aws)
      local vpc = network.vpc(aws)
      local gateway = network.internet_gateway(aws, vpc)
      local nat = aws.CreateNatGateway {
        SubnetId = network.subnet(aws, vpc), AllocationId = aws.AllocateAddress {}.AllocationId,
      }.NatGateway.NatGatewayId
      assert.equal("DependencyViolation", (aws.refused.DeleteInternetGateway { InternetGatewayId = gateway }))
      local code, message = aws.refused.DetachInternetGateway { InternetGatewayId = gateway, VpcId = vpc }
      assert.equal("DependencyViolation", code)
      assert.matches("mapped public address", message)
      aws.DeleteNatGateway { NatGatewayId = nat }
      aws.sleep(60)
      aws.DetachInternetGateway { InternetGatewayId = gateway, VpcId = vpc }
      assert.equal("Gateway.NotAttached",
        (aws.refused.DetachInternetGateway { InternetGatewayId = gateway, VpcId = vpc }))
      aws.DeleteInternetGateway { InternetGatewayId = gateway }
      assert.equal("InvalidInternetGatewayID.NotFound",
        (aws.refused.DeleteInternetGateway { InternetGatewayId = gateway }))
    end)
  end)
end)

describe("a network interface", function()
  it("takes the next free address of its subnet", function()
    run(function(aws)
      local vpc = network.vpc(aws)
      local subnet = network.subnet(aws, vpc, "10.0.0.0/28")
      local made = {}
      for i = 1, 11 do
        made[i] = aws.CreateNetworkInterface { SubnetId = subnet }.NetworkInterface
      end
      assert.equal("10.0.0.4", made[1].PrivateIpAddress)
      assert.equal("10.0.0.14", made[11].PrivateIpAddress)
      assert.equal("default", made[1].Groups[1].GroupName)
      assert.equal("available", made[1].Status)
      assert.equal("InsufficientFreeAddressesInSubnet", (aws.refused.CreateNetworkInterface { SubnetId = subnet }))
      aws.DeleteNetworkInterface { NetworkInterfaceId = made[3].NetworkInterfaceId }
      assert.equal("10.0.0.6", aws.CreateNetworkInterface { SubnetId = subnet }.NetworkInterface.PrivateIpAddress)
    end)
  end)

  it("keeps its groups and its subnet from being deleted", function()
    run(function(aws)
      local vpc = network.vpc(aws)
      local subnet = network.subnet(aws, vpc)
      local group = aws.CreateSecurityGroup { VpcId = vpc, GroupName = "a", Description = "b" }.GroupId
      local made = aws.CreateNetworkInterface { SubnetId = subnet, Groups = { group } }
      local id = made.NetworkInterface.NetworkInterfaceId
      assert.equal("DependencyViolation", (aws.refused.DeleteSecurityGroup { GroupId = group }))
      assert.equal("DependencyViolation", (aws.refused.DeleteSubnet { SubnetId = subnet }))
      aws.DeleteNetworkInterface { NetworkInterfaceId = id }
      aws.DeleteSecurityGroup { GroupId = group }
      aws.DeleteSubnet { SubnetId = subnet }
    end)
  end)
end)
