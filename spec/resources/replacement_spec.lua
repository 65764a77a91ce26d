-- What has to be made anew together, and in which order AWS lets it go.

local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local functions = require "spec.resources.functions"
local infra = require "infra"
local rds = require "spec.resources.rds_world"

local world

before_each(function() world = World.new() end)
after_each(function() world:close() end)

-- The place of the first call of an operation that was not refused.
local function position(run, operation)
  for i, name in ipairs(calls.changes(run)) do
    if name == operation then
      return i
    end
  end
end

describe("a VPC that is made anew", function()
  -- A database for the two subnets of a VPC, its instance in the second. `range`: the first two numbers of their
  -- addresses; `moved`: the number of a subnet with another third one.
  local function database(range, moved)
    return World.declare(function(stack)
      local vpc, subnets = stack:resource("AWS::EC2::VPC", "vpc", { CidrBlock = range .. ".0.0/16" }), {}
      for i, zone in ipairs { "us-east-1a", "us-east-1b" } do
        subnets[i] = stack:resource("AWS::EC2::Subnet", "subnet-" .. i, {
          VpcId = vpc.VpcId, AvailabilityZone = zone,
          CidrBlock = ("%s.%d.0/24"):format(range, i == moved and 9 or i),
        }).SubnetId
      end
      local group = stack:resource("AWS::RDS::DBSubnetGroup", "group", {
        DBSubnetGroupDescription = "private", SubnetIds = subnets,
      })
      local cluster = stack:resource("AWS::RDS::DBCluster", "cluster", {
        Engine = "aurora-postgresql", MasterUsername = "dbadmin", MasterUserPassword = infra.secret "correct-horse",
        DBSubnetGroupName = group.DBSubnetGroupName,
        ServerlessV2ScalingConfiguration = { MinCapacity = 0.5, MaxCapacity = 4 },
      })
      stack:resource("AWS::RDS::DBInstance", "instance", {
        DBClusterIdentifier = cluster.DBClusterIdentifier, Engine = "aurora-postgresql",
        DBInstanceClass = "db.serverless", AvailabilityZone = "us-east-1b",
      })
    end)
  end

  it("takes the database along, whose names stay the same: RDS refuses subnets of another VPC", function()
    world:run(database "10.0")
    local moved = database "10.1"
    assert.same({ vpc = "replace", ["subnet-1"] = "replace", ["subnet-2"] = "replace", group = "replace",
      cluster = "replace", instance = "replace" }, world:planned(moved))
    local run = world:run(moved)
    local last = 0
    for _, operation in ipairs { "DeleteDBInstance", "DeleteDBCluster", "DeleteDBSubnetGroup", "DeleteSubnet",
      "DeleteVpc", "CreateVpc", "CreateSubnet", "CreateDBSubnetGroup", "CreateDBCluster", "CreateDBInstance" } do
      local now = position(run, operation)
      assert.is_true(now > last, operation)
      last = now
    end
    world:unchanged(moved)
  end)

  it("is told from a subnet that is: then the group only gets the new one", function()
    world:run(database "10.0")
    local moved = database("10.0", 1)
    assert.same({ ["subnet-1"] = "replace", group = "update" }, world:planned(moved))
    local run = world:run(moved)
    assert.is_true(position(run, "ModifyDBSubnetGroup") < position(run, "DeleteSubnet"))
    world:unchanged(moved)
  end)

  it("is told from a subnet that an instance is in, which RDS does not let go", function()
    world:run(database "10.0")
    local failure = world:apply(database("10.0", 2)).result.failures[1]
    assert.same({ "SubnetAlreadyInUse", "group" }, { failure.code, failure.resource })
    assert.matches("keep the subnets that it is in", failure.hint)
    assert.same({ group = "update" }, world:planned(database("10.0", 2)))
  end)

  it("stays until a function has left it, with its subnets and groups, and its interfaces have gone", function()
    local function in_vpc(range)
      return World.declare(function(stack)
        local vpc = stack:resource("AWS::EC2::VPC", "vpc", { CidrBlock = range .. ".0.0/16" })
        local subnet = stack:resource("AWS::EC2::Subnet", "subnet", {
          VpcId = vpc.VpcId, CidrBlock = range .. ".0.0/24",
        })
        local group = stack:resource("AWS::EC2::SecurityGroup", "group", {
          VpcId = vpc.VpcId, GroupDescription = "the function",
        })
        functions.declare(stack, {
          VpcConfig = { SubnetIds = { subnet.SubnetId }, SecurityGroupIds = { group.GroupId } },
        })
      end)
    end
    world:run(in_vpc "10.0")
    local moved = in_vpc "10.1"
    assert.same({ vpc = "replace", subnet = "replace", group = "replace", api = "update" }, world:planned(moved))
    local run = world:run(moved)
    local left = position(run, "UpdateFunctionConfiguration")
    for _, kind in ipairs { "Subnet", "SecurityGroup", "Vpc" } do
      assert.is_true(position(run, "Create" .. kind) < left)
      assert.is_true(position(run, "Delete" .. kind) > left)
    end
    assert.is_true(run.seconds > 300) -- Lambda is not done with its interfaces before
    world:unchanged(moved)
  end)
end)

describe("what is made anew and used by what stays", function()
  local VISIBILITY = { CloudWatchMetricsEnabled = true, SampledRequestsEnabled = true, MetricName = "demo" }

  -- A web ACL with addresses of the given name.
  local function firewall(name, version, address)
    return World.declare(function(stack)
      local set = stack:resource("AWS::WAFv2::IPSet", "set", {
        Name = name, Scope = "CLOUDFRONT", IPAddressVersion = version or "IPV4", Addresses = { address },
      })
      stack:resource("AWS::WAFv2::WebACL", "acl", {
        Scope = "CLOUDFRONT", DefaultAction = { Allow = {} }, VisibilityConfig = VISIBILITY,
        Rules = { { Name = "addresses", Priority = 0, Action = { Block = {} }, VisibilityConfig = VISIBILITY,
          Statement = { IPSetReferenceStatement = { Arn = set.Arn } } } },
      })
    end)
  end

  it("is made before, and goes once nothing has it any more", function()
    world:run(firewall "one")
    assert.same({ set = "replace", acl = "update" }, world:planned(firewall "two"))
    assert.same({ "CreateIPSet", "UpdateWebACL", "DeleteIPSet" }, calls.changes(world:run(firewall "two")))
    world:unchanged(firewall "two")
  end)

  it("goes first where both need the same address", function()
    local function network(range)
      return World.declare(function(stack)
        local vpc = stack:resource("AWS::EC2::VPC", "vpc", { CidrBlock = "10.0.0.0/16" })
        local subnet = stack:resource("AWS::EC2::Subnet", "subnet", { VpcId = vpc.VpcId, CidrBlock = range })
        local gateway = stack:resource("AWS::EC2::InternetGateway", "gateway")
        local attachment = stack:resource("AWS::EC2::VPCGatewayAttachment", "attachment", {
          VpcId = vpc.VpcId, InternetGatewayId = gateway.InternetGatewayId,
        })
        local address = stack:resource("AWS::EC2::EIP", "address", {}, { depends_on = { attachment } })
        local nat = stack:resource("AWS::EC2::NatGateway", "nat", {
          SubnetId = subnet.SubnetId, AllocationId = address.AllocationId,
        })
        local routes = stack:resource("AWS::EC2::RouteTable", "routes", { VpcId = vpc.VpcId })
        stack:resource("AWS::EC2::Route", "default", {
          RouteTableId = routes.RouteTableId, DestinationCidrBlock = "0.0.0.0/0", NatGatewayId = nat.NatGatewayId,
        })
      end)
    end
    world:run(network "10.0.1.0/24")
    assert.same({ subnet = "replace", nat = "replace", default = "update" }, world:planned(network "10.0.2.0/24"))
    local run = world:run(network "10.0.2.0/24")
    assert.is_true(position(run, "DeleteNatGateway") < position(run, "CreateNatGateway"))
    world:unchanged(network "10.0.2.0/24")
  end)

  it("goes first where both would have the same name", function()
    local function role(path)
      return World.declare(function(stack)
        local made = stack:resource("AWS::IAM::Role", "role", { RoleName = "worker", Path = path,
          AssumeRolePolicyDocument = { Version = "2012-10-17", Statement = { { Effect = "Allow",
            Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } } } } })
        stack:resource("AWS::SSM::Parameter", "name", { Name = "/role", Type = "String", Value = made.Arn })
      end)
    end
    world:run(role "/one/")
    assert.same({ role = "replace", name = "update" }, world:planned(role "/two/"))
    local run = world:run(role "/two/")
    assert.is_true(position(run, "DeleteRole") < position(run, "CreateRole"))
    world:unchanged(role "/two/")
  end)

  it("is refused at once where both would have the same name and AWS would not let the old one go", function()
    local function function_in(description)
      return World.declare(function(stack)
        local vpc = stack:resource("AWS::EC2::VPC", "vpc", { CidrBlock = "10.0.0.0/16" })
        local subnet = stack:resource("AWS::EC2::Subnet", "subnet", { VpcId = vpc.VpcId, CidrBlock = "10.0.0.0/24" })
        local group = stack:resource("AWS::EC2::SecurityGroup", "group", {
          VpcId = vpc.VpcId, GroupName = "api", GroupDescription = description,
        })
        functions.declare(stack, {
          VpcConfig = { SubnetIds = { subnet.SubnetId }, SecurityGroupIds = { group.GroupId } },
        })
      end)
    end
    local function cluster_with(family)
      return World.declare(function(stack)
        local group = stack:resource("AWS::RDS::DBSubnetGroup", "subnets", {
          DBSubnetGroupDescription = "private", SubnetIds = rds.subnets(stack),
        })
        local parameters = stack:resource("AWS::RDS::DBClusterParameterGroup", "parameters", {
          DBClusterParameterGroupName = "demo", Family = family, Description = "cluster", Parameters = {},
        })
        stack:resource("AWS::RDS::DBCluster", "cluster", {
          Engine = "aurora-postgresql", EngineVersion = "16.1", DBSubnetGroupName = group.DBSubnetGroupName,
          MasterUsername = "dbadmin", MasterUserPassword = infra.secret "correct-horse",
          DBClusterParameterGroupName = parameters.DBClusterParameterGroupName,
        })
      end)
    end
    for address, pair in pairs {
      set = { firewall("same", "IPV4", "192.0.2.0/24"), firewall("same", "IPV6", "2001:db8::/32") },
      group = { function_in "one", function_in "another" },
      parameters = { cluster_with "aurora-postgresql16", cluster_with "aurora-postgresql17" },
    } do
      world:run(pair[1])
      local _, err = world:plan(pair[2])
      assert.same({ "SameName", address }, { err.code, err.resource })
      assert.matches("another name", err.hint)
      world:destroy(pair[1])
    end
  end)
end)

describe("a key under what is encrypted with it", function()
  it("goes after that was made anew: AWS deletes keys under databases without a word", function()
    local function encrypted(with_key)
      return World.declare(function(stack)
        local key = with_key and stack:resource("AWS::KMS::Key", "key")
        local group = stack:resource("AWS::RDS::DBSubnetGroup", "group", {
          DBSubnetGroupDescription = "private", SubnetIds = rds.subnets(stack),
        })
        stack:resource("AWS::RDS::DBCluster", "cluster", {
          Engine = "aurora-postgresql", MasterUsername = "dbadmin", MasterUserPassword = infra.secret "correct-horse",
          StorageEncrypted = true, KmsKeyId = key and key.Arn or nil,
          DBSubnetGroupName = group.DBSubnetGroupName,
        })
      end)
    end
    world:run(encrypted(true))
    assert.same({ key = "delete", cluster = "replace" }, world:planned(encrypted(false)))
    local run = world:run(encrypted(false))
    assert.is_true(position(run, "DeleteDBCluster") < position(run, "ScheduleKeyDeletion"))
    world:unchanged(encrypted(false))
  end)
end)
