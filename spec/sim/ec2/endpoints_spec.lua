-- VPC endpoints, and the prefix lists of what they lead to.

local network = require "spec.sim.ec2.network"

local filter, run = network.filter, network.run

local S3 = "com.amazonaws.us-east-1.s3"

local function prefix_routes(aws, route_table)
  local found = {}
  for _, route in ipairs(aws.DescribeRouteTables { RouteTableIds = { route_table } }.RouteTables[1].Routes) do
    if route.DestinationPrefixListId then
      found[#found + 1] = route
    end
  end
  return found
end

describe("a gateway endpoint", function()
  it("puts a route into its tables, and takes it out again", function()
    run(function(aws)
      local vpc = network.vpc(aws)
      local first = aws.CreateRouteTable { VpcId = vpc }.RouteTable.RouteTableId
      local second = aws.CreateRouteTable { VpcId = vpc }.RouteTable.RouteTableId
      local endpoint = aws.CreateVpcEndpoint { VpcId = vpc, ServiceName = S3, RouteTableIds = { first } }.VpcEndpoint
      assert.equal("Gateway", endpoint.VpcEndpointType)
      assert.equal("available", endpoint.State)
      assert.matches('"Effect":"Allow"', endpoint.PolicyDocument)
      assert.same({ first }, endpoint.RouteTableIds)
      assert.same({ {
        DestinationPrefixListId = "pl-63a5400a", GatewayId = endpoint.VpcEndpointId, Origin = "CreateRoute",
        State = "active",
      } }, prefix_routes(aws, first))

      local code, message = aws.refused.CreateVpcEndpoint { VpcId = vpc, ServiceName = S3, RouteTableIds = { first } }
      assert.equal("RouteAlreadyExists", code)
      assert.matches("pl%-63a5400a", message)
      assert.equal("InvalidParameterValue",
        (aws.refused.DeleteRoute { RouteTableId = first, DestinationPrefixListId = "pl-63a5400a" }))

      aws.ModifyVpcEndpoint {
        VpcEndpointId = endpoint.VpcEndpointId, AddRouteTableIds = { second }, RemoveRouteTableIds = { first },
      }
      assert.same({}, prefix_routes(aws, first))
      assert.equal(1, #prefix_routes(aws, second))
      assert.same({ second }, aws.DescribeVpcEndpoints {}.VpcEndpoints[1].RouteTableIds)

      local answer = aws.DeleteVpcEndpoints { VpcEndpointIds = { endpoint.VpcEndpointId, "vpce-0123" } }
      assert.equal("vpce-0123", answer.Unsuccessful[1].ResourceId)
      assert.equal("InvalidVpcEndpointId.NotFound", answer.Unsuccessful[1].Error.Code)
      assert.same({}, prefix_routes(aws, second))
      assert.same({}, aws.DescribeVpcEndpoints {}.VpcEndpoints)
    end)
  end)

  it("is created once for a client token", function()
    run(function(aws)
      local params = { VpcId = network.vpc(aws), ServiceName = S3, ClientToken = "a" }
      assert.equal(aws.CreateVpcEndpoint(params).VpcEndpoint.VpcEndpointId,
        aws.CreateVpcEndpoint(params).VpcEndpoint.VpcEndpointId)
      params.PolicyDocument = "{}"
      assert.equal("IdempotentParameterMismatch", (aws.refused.CreateVpcEndpoint(params)))
    end)
  end)

  it("has a policy that can be changed and reset", function()
    run(function(aws)
      local id = aws.CreateVpcEndpoint { VpcId = network.vpc(aws), ServiceName = S3 }.VpcEndpoint.VpcEndpointId
      local function policy()
        return aws.DescribeVpcEndpoints { VpcEndpointIds = { id } }.VpcEndpoints[1].PolicyDocument
      end
      local full = policy()
      aws.ModifyVpcEndpoint { VpcEndpointId = id, PolicyDocument = '{"Statement":[]}' }
      assert.equal('{"Statement":[]}', policy())
      aws.ModifyVpcEndpoint { VpcEndpointId = id, ResetPolicy = true }
      assert.equal(full, policy())
    end)
  end)

  it("leads to a service that there is, in its own VPC", function()
    run(function(aws)
      local vpc, other = network.vpc(aws), network.vpc(aws)
      for _, name in ipairs { "com.amazonaws.us-west-2.s3", "com.amazonaws.us-east-1.ec2", "s3" } do
        assert.equal("InvalidServiceName", (aws.refused.CreateVpcEndpoint { VpcId = vpc, ServiceName = name }))
      end
      local foreign = aws.CreateRouteTable { VpcId = other }.RouteTable.RouteTableId
      assert.equal("InvalidParameter",
        (aws.refused.CreateVpcEndpoint { VpcId = vpc, ServiceName = S3, RouteTableIds = { foreign } }))
    end)
  end)
end)

describe("an interface endpoint", function()
  local SSM = "com.amazonaws.us-east-1.ssm"

  local function prepared(aws)
    local vpc = network.vpc(aws)
    aws.ModifyVpcAttribute { VpcId = vpc, EnableDnsHostnames = { Value = true } }
    return { VpcId = vpc, ServiceName = SSM, VpcEndpointType = "Interface", SubnetIds = { network.subnet(aws, vpc) } }
  end

  it("has interfaces in its subnets, with the default group unless told otherwise", function()
    run(function(aws)
      local params = prepared(aws)
      local endpoint = aws.CreateVpcEndpoint(params).VpcEndpoint
      assert.equal("pending", endpoint.State)
      assert.equal("default", endpoint.Groups[1].GroupName)
      local interface = aws.DescribeNetworkInterfaces {}.NetworkInterfaces[1]
      assert.equal(endpoint.NetworkInterfaceIds[1], interface.NetworkInterfaceId)
      assert.equal("default", interface.Groups[1].GroupName)
      assert.equal(1, #aws.DescribeNetworkInterfaces {
        Filters = filter("group-id", endpoint.Groups[1].GroupId),
      }.NetworkInterfaces)
      aws.sleep(120)
      assert.equal("available", aws.DescribeVpcEndpoints {}.VpcEndpoints[1].State)

      local group = aws.CreateSecurityGroup { VpcId = params.VpcId, GroupName = "a", Description = "b" }.GroupId
      aws.ModifyVpcEndpoint {
        VpcEndpointId = endpoint.VpcEndpointId, AddSecurityGroupIds = { group },
        RemoveSecurityGroupIds = { endpoint.Groups[1].GroupId },
      }
      assert.equal(group, aws.DescribeNetworkInterfaces {}.NetworkInterfaces[1].Groups[1].GroupId)
      assert.equal("DependencyViolation", (aws.refused.DeleteSecurityGroup { GroupId = group }))

      aws.DeleteVpcEndpoints { VpcEndpointIds = { endpoint.VpcEndpointId } }
      assert.equal("deleting", aws.DescribeVpcEndpoints {}.VpcEndpoints[1].State)
      assert.equal("DependencyViolation", (aws.refused.DeleteSubnet { SubnetId = params.SubnetIds[1] }))
      aws.sleep(90)
      assert.equal("InvalidVpcEndpointId.NotFound",
        (aws.refused.DescribeVpcEndpoints { VpcEndpointIds = { endpoint.VpcEndpointId } }))
      aws.DeleteSecurityGroup { GroupId = group }
      aws.DeleteSubnet { SubnetId = params.SubnetIds[1] }
    end)
  end)

  it("owns its service's private name alone, in a VPC with DNS", function()
    run(function(aws)
      local params = prepared(aws)
      aws.CreateVpcEndpoint(params)
      assert.equal("InvalidParameter", (aws.refused.CreateVpcEndpoint(params)))
      params.PrivateDnsEnabled = false
      assert.truthy(aws.CreateVpcEndpoint(params))
      params.PrivateDnsEnabled, params.ServiceName = nil, "com.amazonaws.us-east-1.logs"
      aws.ModifyVpcAttribute { VpcId = params.VpcId, EnableDnsHostnames = { Value = false } }
      assert.equal("InvalidParameter", (aws.refused.CreateVpcEndpoint(params)))
    end)
  end)
end)

describe("prefix lists", function()
  it("are found by name, by either operation", function()
    run(function(aws)
      for _, operation in ipairs { "DescribePrefixLists", "DescribeManagedPrefixLists" } do
        local found = aws[operation] { Filters = filter("prefix-list-name", S3) }.PrefixLists
        assert.equal(1, #found)
        assert.equal("pl-63a5400a", found[1].PrefixListId)
        assert.equal("InvalidPrefixListID.NotFound", (aws.refused[operation] { PrefixListIds = { "pl-01" } }))
      end
    end)
  end)
end)
