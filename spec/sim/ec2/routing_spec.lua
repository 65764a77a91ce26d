-- Route tables, routes, associations, and the gateway endpoints that add routes.

local network = require "spec.sim.ec2.network"

local run = network.run

local function route_table(aws, vpc)
  return aws.CreateRouteTable { VpcId = vpc }.RouteTable.RouteTableId
end

local function routes(aws, id)
  local found = {}
  for _, route in ipairs(aws.DescribeRouteTables { RouteTableIds = { id } }.RouteTables[1].Routes) do
    found[route.DestinationCidrBlock or route.DestinationIpv6CidrBlock or route.DestinationPrefixListId] = route
  end
  return found
end

describe("a route table", function()
  it("is created once for a client token", function()
    run(function(aws)
      local vpc = network.vpc(aws)
      local first = aws.CreateRouteTable { VpcId = vpc, ClientToken = "a" }.RouteTable
      assert.equal(first.RouteTableId, aws.CreateRouteTable { VpcId = vpc, ClientToken = "a" }.RouteTable.RouteTableId)
      assert.equal("IdempotentParameterMismatch",
        (aws.refused.CreateRouteTable { VpcId = network.vpc(aws), ClientToken = "a" }))
      aws.DeleteRouteTable { RouteTableId = first.RouteTableId }
      assert.not_equal(first.RouteTableId,
        aws.CreateRouteTable { VpcId = vpc, ClientToken = "a" }.RouteTable.RouteTableId)
    end)
  end)

  it("stays while it is associated or the main one", function()
    run(function(aws)
      local vpc = network.vpc(aws)
      local main = aws.DescribeRouteTables {}.RouteTables[1].RouteTableId
      local code, message = aws.refused.DeleteRouteTable { RouteTableId = main }
      assert.equal("DependencyViolation", code)
      assert.equal(("The routeTable '%s' has dependencies and cannot be deleted."):format(main), message)
      local id = route_table(aws, vpc)
      local association = aws.AssociateRouteTable { RouteTableId = id, SubnetId = network.subnet(aws, vpc) }
      assert.equal("DependencyViolation", (aws.refused.DeleteRouteTable { RouteTableId = id }))
      aws.DisassociateRouteTable { AssociationId = association.AssociationId }
      aws.DeleteRouteTable { RouteTableId = id }
      assert.equal("InvalidRouteTableID.NotFound", (aws.refused.DeleteRouteTable { RouteTableId = id }))
    end)
  end)
end)

describe("a route", function()
  it("is identified by its canonical destination", function()
    run(function(aws)
      local vpc = network.vpc(aws)
      local gateway, id = network.internet_gateway(aws, vpc), route_table(aws, vpc)
      aws.CreateRoute { RouteTableId = id, DestinationCidrBlock = "100.68.0.18/18", GatewayId = gateway }
      aws.CreateRoute { RouteTableId = id, DestinationIpv6CidrBlock = "2001:DB8:0:0::7/32", GatewayId = gateway }
      local found = routes(aws, id)
      assert.same({ DestinationCidrBlock = "100.68.0.0/18", GatewayId = gateway, Origin = "CreateRoute",
        State = "active" }, found["100.68.0.0/18"])
      assert.equal(gateway, found["2001:db8::/32"].GatewayId)
      local code, message = aws.refused.CreateRoute {
        RouteTableId = id, DestinationCidrBlock = "100.68.0.0/18", GatewayId = gateway,
      }
      assert.equal("RouteAlreadyExists", code)
      assert.equal("The route identified by 100.68.0.0/18 already exists.", message)
      aws.DeleteRoute { RouteTableId = id, DestinationCidrBlock = "100.68.63.0/18" }
      code, message = aws.refused.DeleteRoute { RouteTableId = id, DestinationCidrBlock = "100.68.0.0/18" }
      assert.equal("InvalidRoute.NotFound", code)
      assert.equal(("no route with destination-cidr-block 100.68.0.0/18 in route table %s"):format(id), message)
    end)
  end)

  it("has exactly one destination and one target", function()
    run(function(aws)
      local vpc = network.vpc(aws)
      local gateway, id = network.internet_gateway(aws, vpc), route_table(aws, vpc)
      local refused = aws.refused.CreateRoute
      assert.equal("MissingParameter", (refused { RouteTableId = id, GatewayId = gateway }))
      assert.equal("MissingParameter", (refused { RouteTableId = id, DestinationCidrBlock = "0.0.0.0/0" }))
      assert.equal("InvalidParameterCombination", (refused {
        RouteTableId = id, DestinationCidrBlock = "0.0.0.0/0", DestinationIpv6CidrBlock = "::/0", GatewayId = gateway,
      }))
      assert.equal("InvalidParameterValue",
        (refused { RouteTableId = id, DestinationCidrBlock = "0.0.0.0/33", GatewayId = gateway }))
    end)
  end)

  it("leads to something that exists in the same VPC", function()
    run(function(aws)
      local vpc = network.vpc(aws)
      local id, detached = route_table(aws, vpc), aws.CreateInternetGateway {}.InternetGateway.InternetGatewayId
      local function refused(target, value)
        return aws.refused.CreateRoute { RouteTableId = id, DestinationCidrBlock = "0.0.0.0/0", [target] = value }
      end
      assert.equal("InvalidGatewayID.NotFound", (refused("GatewayId", "igw-01")))
      assert.equal("InvalidNatGatewayID.NotFound", (refused("NatGatewayId", "nat-01")))
      assert.equal("InvalidTransitGatewayID.NotFound", (refused("TransitGatewayId", "tgw-01")))
      local code, message = refused("GatewayId", detached)
      assert.equal("InvalidParameterValue", code)
      assert.equal(("route table %s and network gateway %s belong to different networks"):format(id, detached), message)
    end)
  end)

  it("changes its target only by ReplaceRoute", function()
    run(function(aws)
      local vpc = network.vpc(aws)
      local gateway, id = network.internet_gateway(aws, vpc), route_table(aws, vpc)
      local nat = aws.CreateNatGateway {
        SubnetId = network.subnet(aws, vpc), AllocationId = aws.AllocateAddress {}.AllocationId,
      }.NatGateway.NatGatewayId
      local code, message = aws.refused.ReplaceRoute {
        RouteTableId = id, DestinationCidrBlock = "0.0.0.0/0", NatGatewayId = nat,
      }
      assert.equal("InvalidParameterValue", code)
      assert.equal("There is no route defined for '0.0.0.0/0' in the route table. Use CreateRoute instead.", message)
      aws.CreateRoute { RouteTableId = id, DestinationCidrBlock = "0.0.0.0/0", GatewayId = gateway }
      aws.ReplaceRoute { RouteTableId = id, DestinationCidrBlock = "0.0.0.0/0", NatGatewayId = nat }
      local route = routes(aws, id)["0.0.0.0/0"]
      assert.equal(nat, route.NatGatewayId)
      assert.is_nil(route.GatewayId)
    end)
  end)

  it("within the VPC is local and stays", function()
    run(function(aws)
      local vpc = network.vpc(aws, "10.0.0.0/16")
      local gateway, id = network.internet_gateway(aws, vpc), route_table(aws, vpc)
      for _, block in ipairs { "10.0.0.0/16", "10.0.3.0/24" } do
        assert.equal("InvalidParameterValue", (aws.refused.CreateRoute {
          RouteTableId = id, DestinationCidrBlock = block, GatewayId = gateway,
        }))
      end
      local code, message = aws.refused.DeleteRoute { RouteTableId = id, DestinationCidrBlock = "10.0.0.0/16" }
      assert.equal("InvalidParameterValue", code)
      assert.equal(("cannot remove local route 10.0.0.0/16 in route table %s"):format(id), message)
    end)
  end)

  it("is a black hole once its target is gone", function()
    run(function(aws)
      local vpc = network.vpc(aws)
      local gateway, id = network.internet_gateway(aws, vpc), route_table(aws, vpc)
      local nat = aws.CreateNatGateway {
        SubnetId = network.subnet(aws, vpc), AllocationId = aws.AllocateAddress {}.AllocationId,
      }.NatGateway.NatGatewayId
      aws.CreateRoute { RouteTableId = id, DestinationCidrBlock = "0.0.0.0/0", NatGatewayId = nat }
      aws.CreateRoute { RouteTableId = id, DestinationIpv6CidrBlock = "::/0", GatewayId = gateway }
      assert.equal("active", routes(aws, id)["0.0.0.0/0"].State)
      aws.DeleteNatGateway { NatGatewayId = nat }
      aws.sleep(60)
      assert.equal("blackhole", routes(aws, id)["0.0.0.0/0"].State)
      assert.equal("active", routes(aws, id)["::/0"].State)
      aws.DetachInternetGateway { InternetGatewayId = gateway, VpcId = vpc }
      assert.equal("blackhole", routes(aws, id)["::/0"].State)
    end)
  end)
end)

describe("an association", function()
  it("is the only one of its subnet", function()
    run(function(aws)
      local vpc = network.vpc(aws)
      local subnet, first, second = network.subnet(aws, vpc), route_table(aws, vpc), route_table(aws, vpc)
      local association = aws.AssociateRouteTable { RouteTableId = first, SubnetId = subnet }
      assert.equal("associated", association.AssociationState.State)
      assert.equal(association.AssociationId,
        aws.AssociateRouteTable { RouteTableId = first, SubnetId = subnet }.AssociationId)
      assert.equal("Resource.AlreadyAssociated",
        (aws.refused.AssociateRouteTable { RouteTableId = second, SubnetId = subnet }))
      local moved = aws.ReplaceRouteTableAssociation {
        AssociationId = association.AssociationId, RouteTableId = second,
      }.NewAssociationId
      assert.not_equal(association.AssociationId, moved)
      local shown = aws.DescribeRouteTables { Filters = network.filter("association.subnet-id", subnet) }.RouteTables
      assert.equal(second, shown[1].RouteTableId)
      assert.equal("InvalidAssociationID.NotFound",
        (aws.refused.DisassociateRouteTable { AssociationId = association.AssociationId }))
      aws.DisassociateRouteTable { AssociationId = moved }
    end)
  end)

  it("joins what belongs to one VPC", function()
    run(function(aws)
      local id, subnet = route_table(aws, network.vpc(aws)), network.subnet(aws, network.vpc(aws))
      local code, message = aws.refused.AssociateRouteTable { RouteTableId = id, SubnetId = subnet }
      assert.equal("InvalidParameterValue", code)
      assert.matches("belong to different networks", message)
    end)
  end)

  it("of the main route table moves, but stays", function()
    run(function(aws)
      local vpc = network.vpc(aws)
      local main = aws.DescribeRouteTables {}.RouteTables[1]
      local association = main.Associations[1].RouteTableAssociationId
      assert.equal("InvalidParameterValue", (aws.refused.DisassociateRouteTable { AssociationId = association }))
      local other = route_table(aws, vpc)
      aws.ReplaceRouteTableAssociation { AssociationId = association, RouteTableId = other }
      aws.DeleteRouteTable { RouteTableId = main.RouteTableId }
      assert.equal("DependencyViolation", (aws.refused.DeleteRouteTable { RouteTableId = other }))
      aws.DeleteVpc { VpcId = vpc }
    end)
  end)
end)
