-- Elastic IP addresses and the NAT gateways that use them.

local network = require "spec.sim.ec2.network"

local filter, run = network.filter, network.run

-- A VPC with a subnet and, unless told otherwise, an internet gateway; an address; parameters of a NAT gateway there.
local function prepared(aws, unconnected)
  local vpc = network.vpc(aws)
  if not unconnected then
    network.internet_gateway(aws, vpc)
  end
  return { SubnetId = network.subnet(aws, vpc), AllocationId = aws.AllocateAddress { Domain = "vpc" }.AllocationId }
end

local function nat_gateway(aws, id)
  return aws.DescribeNatGateways { NatGatewayIds = { id } }.NatGateways[1]
end

describe("an elastic IP address", function()
  it("is allocated, described and released", function()
    run(function(aws)
      local address = aws.AllocateAddress { Domain = "vpc" }
      assert.equal("vpc", address.Domain)
      assert.matches("^198%.1[89]%.%d+%.%d+$", address.PublicIp)
      local found = aws.DescribeAddresses { PublicIps = { address.PublicIp } }.Addresses
      assert.equal(address.AllocationId, found[1].AllocationId)
      assert.equal("InvalidAddress.NotFound", (aws.refused.DescribeAddresses { PublicIps = { "1.2.3.4" } }))
      assert.equal("InvalidParameterValue", (aws.refused.ReleaseAddress { PublicIp = address.PublicIp }))
      aws.ReleaseAddress { AllocationId = address.AllocationId }
      assert.equal("InvalidAllocationID.NotFound", (aws.refused.ReleaseAddress { AllocationId = address.AllocationId }))
      assert.same({}, aws.DescribeAddresses {}.Addresses)
    end)
  end)

  it("moves between the account's own interfaces", function()
    run(function(aws)
      local params = prepared(aws)
      local function interface()
        return aws.CreateNetworkInterface { SubnetId = params.SubnetId }.NetworkInterface.NetworkInterfaceId
      end
      local first, second = interface(), interface()
      local address = { AllocationId = params.AllocationId }
      aws.AssociateAddress { AllocationId = params.AllocationId, NetworkInterfaceId = first }
      assert.equal("InvalidIPAddress.InUse", (aws.refused.ReleaseAddress(address)))
      assert.equal("Resource.AlreadyAssociated", (aws.refused.AssociateAddress {
        AllocationId = params.AllocationId, NetworkInterfaceId = second, AllowReassociation = false,
      }))
      local moved = aws.AssociateAddress { AllocationId = params.AllocationId, NetworkInterfaceId = second }
      assert.is_nil(aws.DescribeNetworkInterfaces { NetworkInterfaceIds = { first } }.NetworkInterfaces[1].Association)
      assert.equal(second, aws.DescribeAddresses {}.Addresses[1].NetworkInterfaceId)
      aws.DisassociateAddress { AssociationId = moved.AssociationId }
      assert.equal("InvalidAssociationID.NotFound",
        (aws.refused.DisassociateAddress { AssociationId = moved.AssociationId }))
      aws.ReleaseAddress(address)
    end)
  end)

  it("needs an internet gateway to be associated", function()
    run(function(aws)
      local params = prepared(aws, true)
      local id = aws.CreateNetworkInterface { SubnetId = params.SubnetId }.NetworkInterface.NetworkInterfaceId
      assert.equal("Gateway.NotAttached",
        (aws.refused.AssociateAddress { AllocationId = params.AllocationId, NetworkInterfaceId = id }))
    end)
  end)

  it("belongs to its NAT gateway until that is deleted", function()
    run(function(aws)
      local params = prepared(aws)
      local nat = aws.CreateNatGateway(params).NatGateway.NatGatewayId
      local address = aws.DescribeAddresses {}.Addresses[1]
      assert.matches("^eipassoc%-", address.AssociationId)
      assert.equal("10.0.0.4", address.PrivateIpAddress)
      local other = aws.DescribeNetworkInterfaces {}.NetworkInterfaces[1].NetworkInterfaceId
      assert.equal("AuthFailure", (aws.refused.ReleaseAddress { AllocationId = params.AllocationId }))
      assert.equal("AuthFailure", (aws.refused.DisassociateAddress { AssociationId = address.AssociationId }))
      assert.equal("AuthFailure",
        (aws.refused.AssociateAddress { AllocationId = params.AllocationId, NetworkInterfaceId = other }))
      aws.DeleteNatGateway { NatGatewayId = nat }
      aws.sleep(30)
      assert.equal("AuthFailure", (aws.refused.ReleaseAddress { AllocationId = params.AllocationId }))
      aws.sleep(30)
      assert.is_nil(aws.DescribeAddresses {}.Addresses[1].AssociationId)
      assert.same({}, aws.DescribeAddresses { Filters = filter("association-id", "*") }.Addresses)
      aws.ReleaseAddress { AllocationId = params.AllocationId }
    end)
  end)
end)

describe("a NAT gateway", function()
  it("becomes available after a while", function()
    run(function(aws)
      local params = prepared(aws)
      local nat = aws.CreateNatGateway(params).NatGateway
      assert.equal("pending", nat.State)
      aws.sleep(60)
      assert.equal("pending", nat_gateway(aws, nat.NatGatewayId).State)
      aws.sleep(60)
      local shown = nat_gateway(aws, nat.NatGatewayId)
      assert.equal("available", shown.State)
      assert.equal("public", shown.ConnectivityType)
      local address = aws.DescribeAddresses {}.Addresses[1]
      assert.equal(address.PublicIp, shown.NatGatewayAddresses[1].PublicIp)
      assert.equal(address.NetworkInterfaceId, shown.NatGatewayAddresses[1].NetworkInterfaceId)
      local interface = aws.DescribeNetworkInterfaces {}.NetworkInterfaces[1]
      assert.equal("Interface for NAT Gateway " .. nat.NatGatewayId, interface.Description)
      assert.equal(address.PublicIp, interface.Association.PublicIp)
      assert.equal(1, #aws.DescribeNatGateways { Filter = filter("state", "available") }.NatGateways)
    end)
  end)

  it("is created once for a client token", function()
    run(function(aws)
      local params = prepared(aws)
      params.ClientToken = "a"
      local first = aws.CreateNatGateway(params)
      local second = aws.CreateNatGateway(params)
      assert.equal(first.NatGateway.NatGatewayId, second.NatGateway.NatGatewayId)
      assert.equal("a", second.ClientToken)
      assert.equal(1, #aws.DescribeNatGateways {}.NatGateways)
      params.TagSpecifications = { { ResourceType = "natgateway", Tags = { { Key = "a", Value = "b" } } } }
      assert.equal("IdempotentParameterMismatch", (aws.refused.CreateNatGateway(params)))
      params.ClientToken = "b"
      aws.CreateNatGateway(params)
      assert.equal(2, #aws.DescribeNatGateways {}.NatGateways)
    end)
  end)

  it("fails later when its VPC has no internet gateway", function()
    run(function(aws)
      local params = prepared(aws, true)
      local nat = aws.CreateNatGateway(params).NatGateway
      assert.equal("pending", nat.State)
      aws.sleep(30)
      local shown = nat_gateway(aws, nat.NatGatewayId)
      assert.equal("failed", shown.State)
      assert.equal("Gateway.NotAttached", shown.FailureCode)
      assert.equal(("Network %s has no Internet gateway attached"):format(shown.VpcId), shown.FailureMessage)
      aws.ReleaseAddress { AllocationId = params.AllocationId }
      aws.DeleteSubnet { SubnetId = params.SubnetId }
      aws.sleep(3600)
      assert.same({}, aws.DescribeNatGateways {}.NatGateways)
    end)
  end)

  it("fails later when its address is taken", function()
    run(function(aws)
      local params = prepared(aws)
      aws.CreateNatGateway(params)
      local second = aws.CreateNatGateway(params).NatGateway.NatGatewayId
      aws.sleep(120)
      assert.equal("Resource.AlreadyAssociated", nat_gateway(aws, second).FailureCode)
      assert.equal(1, #aws.DescribeNatGateways { Filter = filter("state", "available") }.NatGateways)
    end)
  end)

  it("is refused at once for parameters that make no sense", function()
    run(function(aws)
      local params = prepared(aws)
      local refused = aws.refused.CreateNatGateway
      assert.equal("MissingParameter", (refused { SubnetId = params.SubnetId }))
      assert.equal("InvalidSubnetID.NotFound", (refused { SubnetId = "subnet-01", AllocationId = params.AllocationId }))
      assert.equal("InvalidElasticIpID.NotFound",
        (refused { SubnetId = params.SubnetId, AllocationId = "eipalloc-01" }))
      assert.equal("InvalidParameter", (refused {
        SubnetId = params.SubnetId, AllocationId = params.AllocationId, ConnectivityType = "private",
      }))
      assert.same({}, aws.DescribeNatGateways {}.NatGateways)
    end)
  end)

  it("stays listed for an hour after it was deleted", function()
    run(function(aws)
      local params = prepared(aws)
      local nat = aws.CreateNatGateway(params).NatGateway.NatGatewayId
      aws.sleep(120)
      assert.equal(nat, aws.DeleteNatGateway { NatGatewayId = nat }.NatGatewayId)
      assert.equal("deleting", nat_gateway(aws, nat).State)
      aws.DeleteNatGateway { NatGatewayId = nat }
      aws.sleep(60)
      assert.equal("deleted", nat_gateway(aws, nat).State)
      assert.equal("NatGatewayNotFound", (aws.refused.DeleteNatGateway { NatGatewayId = nat }))
      assert.same({}, aws.DescribeNetworkInterfaces {}.NetworkInterfaces)
      aws.sleep(3600)
      assert.equal("NatGatewayNotFound", (aws.refused.DescribeNatGateways { NatGatewayIds = { nat } }))
    end)
  end)
end)
