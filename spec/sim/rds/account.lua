-- An account with a network for the databases of the simulated RDS, for the specs of its parts.

local caller = require "spec.sim.caller"
local merged = require "infra.merged"

local account = {}

--- Runs `body(aws)` in a VPC with three subnets: aws.<Operation>(params) calls RDS and returns its output, or throws;
--- aws.refused.<Operation>(params) returns the code and message of the expected refusal; aws.call(service, operation,
--- params, how) is caller's; aws.vpc, aws.subnets, aws.group, aws.other_group (of another VPC); aws.sleep(seconds).
function account.simulated(body, options)
  caller.run(options or {}, function(call, _, world)
    local function ec2(operation, params)
      world.scheduler:sleep(30) -- until everybody knows what was made before
      return assert(call("ec2", operation, params))
    end
    local function group_of(vpc)
      return ec2("CreateSecurityGroup", { VpcId = vpc, GroupName = "db", Description = "d" }).GroupId
    end
    local aws = { call = call, subnets = {}, sleep = function(seconds) world.scheduler:sleep(seconds) end }
    aws.vpc = ec2("CreateVpc", { CidrBlock = "10.0.0.0/16" }).Vpc.VpcId
    for i, zone in ipairs { "a", "b", "c" } do
      aws.subnets[i] = ec2("CreateSubnet", {
        VpcId = aws.vpc, CidrBlock = ("10.0.%d.0/24"):format(i), AvailabilityZone = "us-east-1" .. zone,
      }).Subnet.SubnetId
    end
    aws.group = group_of(aws.vpc)
    aws.other_group = group_of(ec2("CreateVpc", { CidrBlock = "10.1.0.0/16" }).Vpc.VpcId)
    aws.sleep(30)
    aws.refused = setmetatable({}, { __index = function(_, operation)
      return function(params)
        local output, err = call("rds", operation, params)
        assert(not output, operation .. " was not refused")
        return err.code, err.message
      end
    end })
    body(setmetatable(aws, { __index = function(_, operation)
      return function(params)
        local output, err = call("rds", operation, params)
        if not output then
          error(("%s: %s: %s"):format(operation, err.code, err.message), 0)
        end
        return output
      end
    end }))
  end)
end

--- The parameters of CreateDBSubnetGroup for the subnet group "app".
function account.subnet_group(aws, changes)
  return merged({ DBSubnetGroupName = "App", DBSubnetGroupDescription = "d", SubnetIds = aws.subnets }, changes)
end

--- The parameters of CreateDBCluster for the cluster "app".
function account.cluster_of(aws, changes)
  return merged({
    DBClusterIdentifier = "App", Engine = "aurora-postgresql", EngineVersion = "16.4", MasterUsername = "app",
    MasterUserPassword = "correct-horse", DBSubnetGroupName = "app", VpcSecurityGroupIds = { aws.group },
    ServerlessV2ScalingConfiguration = { MinCapacity = 0.5, MaxCapacity = 2 },
  }, changes)
end

--- The parameters of CreateDBInstance for its instance "app-1".
function account.instance_of(changes)
  return merged({
    DBInstanceIdentifier = "app-1", DBClusterIdentifier = "app", Engine = "aurora-postgresql",
    DBInstanceClass = "db.serverless",
  }, changes)
end

--- The same with the subnet group and an available cluster.
function account.with_cluster(body, changes, options)
  account.simulated(function(aws)
    aws.CreateDBSubnetGroup(account.subnet_group(aws))
    aws.CreateDBCluster(account.cluster_of(aws, changes))
    aws.sleep(60)
    body(aws)
  end, options)
end

--- A cluster as it is described.
function account.cluster(aws, name)
  return aws.DescribeDBClusters { DBClusterIdentifier = name or "app" }.DBClusters[1]
end

--- An instance as it is described.
function account.instance(aws, name)
  return aws.DescribeDBInstances { DBInstanceIdentifier = name or "app-1" }.DBInstances[1]
end

--- Modifies the cluster at once; returns its description.
function account.modify(aws, changes)
  local base = { DBClusterIdentifier = "app", ApplyImmediately = true }
  return aws.ModifyDBCluster(merged(base, changes)).DBCluster
end

--- The instances that write.
function account.writers(aws)
  local found = {}
  for _, member in ipairs(account.cluster(aws).DBClusterMembers) do
    found[#found + 1] = member.IsClusterWriter and member.DBInstanceIdentifier or nil
  end
  return found
end

return account
