-- What the specs of RDS declare, with the network that it needs.

local World = require "spec.engine.world"
local infra = require "infra"
local merged = require "infra.merged"

local rds = {}

--- Subnets in three zones; returns their ids.
function rds.subnets(stack)
  local vpc, ids = stack:resource("AWS::EC2::VPC", "vpc", { CidrBlock = "10.0.0.0/16" }), {}
  for i, zone in ipairs { "us-east-1a", "us-east-1b", "us-east-1c" } do
    ids[i] = stack:resource("AWS::EC2::Subnet", "subnet-" .. i, {
      VpcId = vpc.VpcId, AvailabilityZone = zone, CidrBlock = ("10.0.%d.0/24"):format(i),
    }).SubnetId
  end
  return ids
end

rds.UNDECLARED = {} -- in place of one of the usual properties

--- A cluster with what it needs. `more`: instances = how many, instance = their properties, options of the cluster,
--- group = name of its subnet group, clone = properties of a further cluster.
function rds.cluster(properties, more)
  more = more or {}
  return World.declare(function(stack)
    local group = stack:resource("AWS::RDS::DBSubnetGroup", "subnets", {
      DBSubnetGroupName = more.group, DBSubnetGroupDescription = "private", SubnetIds = rds.subnets(stack),
    })
    local all = {
      DBClusterIdentifier = "Demo-Cluster", Engine = "aurora-postgresql", EngineVersion = "16.1",
      DatabaseName = "demo", MasterUsername = "dbadmin", MasterUserPassword = infra.secret "correct-horse",
      DBSubnetGroupName = group.DBSubnetGroupName, StorageEncrypted = true,
      ServerlessV2ScalingConfiguration = { MinCapacity = 0.5, MaxCapacity = 4 },
    }
    for name, value in pairs(properties) do
      if value == rds.UNDECLARED then
        all[name] = nil
      else
        all[name] = value
      end
    end
    local made = stack:resource("AWS::RDS::DBCluster", "cluster", all, more.options)
    local first
    for i = 1, more.instances or 0 do
      local instance = merged({ DBClusterIdentifier = made.DBClusterIdentifier, Engine = "aurora-postgresql",
        DBInstanceClass = "db.serverless" }, more.instance)
      local one = stack:resource("AWS::RDS::DBInstance", "instance-" .. i, instance, { depends_on = { first } })
      first = first or one
    end
    if more.clone then
      more.clone.DBSubnetGroupName = group.DBSubnetGroupName
      stack:resource("AWS::RDS::DBCluster", "clone", more.clone)
    end
    stack:output("endpoint", made.Endpoint.Address .. ":" .. made.Endpoint.Port)
    stack:output("reader", made.ReadEndpoint.Address)
  end)
end

return rds
