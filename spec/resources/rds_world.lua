-- What the specs of RDS have in common: declarations with the network that they need, and faults.

local World = require "spec.engine.world"
local infra = require "infra"

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

--- An operation (for spec.resources.calls) that fails with the given errors { code, message }, one after the other,
--- before it does what it does; and a function that tells how often it was called.
function rds.failing(...)
  local failures, tries = { ... }, 0
  return function(original, ctx, params)
    tries = tries + 1
    if failures[tries] then
      ctx:fail(table.unpack(failures[tries]))
    end
    return original(ctx, params)
  end, function() return tries end
end

--- Options of a run in which the answer of `operation` is lost, or the process crashes with it.
function rds.lose(operation)
  return { faults = { schedule = { { fault = "lost_response", operation = operation } } } }
end

function rds.crash(operation)
  return { faults = { schedule = { { fault = "crash", operation = operation } } } }
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
      local instance = { DBClusterIdentifier = made.DBClusterIdentifier, Engine = "aurora-postgresql",
        DBInstanceClass = "db.serverless" }
      for name, value in pairs(more.instance or {}) do
        instance[name] = value
      end
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
