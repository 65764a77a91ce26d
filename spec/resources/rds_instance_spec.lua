local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local infra = require "infra"
local rds = require "spec.resources.rds_world"

local cluster, subnets = rds.cluster, rds.subnets
local failing, lose = calls.failing, calls.lose

local world

before_each(function()
  world = World.new()
end)
after_each(function()
  world:close()
end)

describe("AWS::RDS::DBInstance", function()
  it("makes the writer alone, and the readers after it", function()
    local run = world:run(cluster({}, { instances = 3 }))
    local at = {}
    for _, event in ipairs(run.events) do
      if event.address:find "^instance" then
        at[#at + 1] = event.kind .. " " .. event.address
      end
    end
    local text = table.concat(at, ", ")
    assert.is_true(text:find("done instance-1", 1, true) < text:find("start instance-2", 1, true))
    world:as_other(function(call)
      for _, member in ipairs(assert(call("rds", "DescribeDBClusters", {})).DBClusters[1].DBClusterMembers) do
        assert.equal(member.DBInstanceIdentifier == "demo-test-instance-1", member.IsClusterWriter)
      end
    end)
  end)

  it("sends nothing that is the cluster's, and changes the rest in place", function()
    local declaration = cluster({}, { instances = 1 })
    local sent = calls.params(world:run(declaration), "CreateDBInstance")[1]
    for _, name in ipairs { "EngineVersion", "MasterUsername", "StorageEncrypted", "DBSubnetGroupName" } do
      assert.is_nil(sent[name])
      assert.error_matches(function()
        cluster({}, { instances = 1, instance = { [name] = "x" } })
      end, "cannot set '" .. name)
    end
    local changed = cluster({}, { instances = 1, instance = {
      PromotionTier = 5, EnablePerformanceInsights = true, PerformanceInsightsRetentionPeriod = 31,
    } })
    sent = calls.params(world:run(changed), "ModifyDBInstance")[1]
    assert.same({
      DBInstanceIdentifier = "demo-test-instance-1", ApplyImmediately = true, PromotionTier = 5,
      EnablePerformanceInsights = true, PerformanceInsightsRetentionPeriod = 31,
    }, sent)
    world:unchanged(changed)
    sent = calls.params(world:run(cluster({}, { instances = 1, instance = {
      PromotionTier = 5, EnablePerformanceInsights = true, PerformanceInsightsRetentionPeriod = 62,
    } })), "ModifyDBInstance")[1]
    assert.is_true(sent.EnablePerformanceInsights)
  end)

  it("is another one in another zone", function()
    world:run(cluster({}, { instances = 1, instance = { AvailabilityZone = "us-east-1a" } }))
    local moved = cluster({}, { instances = 1, instance = { AvailabilityZone = "us-east-1b" } })
    assert.equal("replace", world:planned(moved)["instance-1"])
    world:unchanged(cluster({}, { instances = 1 })) -- wherever RDS put it
  end)

  it("says what has to be rebooted", function()
    local function with_parameter(value)
      return World.declare(function(stack)
        local parameters = stack:resource("AWS::RDS::DBClusterParameterGroup", "parameters", {
          Family = "aurora-postgresql16", Description = "d", Parameters = { ["rds.force_ssl"] = value },
        })
        local group = stack:resource("AWS::RDS::DBSubnetGroup", "subnets", {
          DBSubnetGroupDescription = "private", SubnetIds = subnets(stack),
        })
        local made = stack:resource("AWS::RDS::DBCluster", "cluster", {
          Engine = "aurora-postgresql", EngineVersion = "16.4", MasterUsername = "dbadmin",
          MasterUserPassword = infra.secret "correct-horse", DBSubnetGroupName = group.DBSubnetGroupName,
          DBClusterParameterGroupName = value and parameters.DBClusterParameterGroupName or nil,
          ServerlessV2ScalingConfiguration = { MinCapacity = 0.5, MaxCapacity = 2 },
        })
        stack:resource("AWS::RDS::DBInstance", "instance", {
          DBClusterIdentifier = made.DBClusterIdentifier, Engine = "aurora-postgresql",
          DBInstanceClass = "db.serverless",
        })
      end)
    end
    world:run(with_parameter(nil))
    local run = world:run(with_parameter "1")
    assert.matches("must be rebooted", table.concat(run.result.warnings, " "))
  end)

  it("is not made twice, goes on where a deletion is under way, and waits for a busy one", function()
    local declaration = cluster({}, { instances = 1 })
    assert.equal(1, #calls.params(world:run(declaration, lose "CreateDBInstance"), "CreateDBInstance"))
    local delete, deletes = failing({ "InvalidDBInstanceState", "instance is not available" },
      { "InvalidDBClusterStateFault", "Delete the replica cluster before deleting the last instance" })
    calls.with("rds", { DeleteDBInstance = delete }, function()
      world:destroy(declaration)
    end)
    assert.equal(3, deletes())

    world:run(declaration)
    calls.with("rds", {
      DeleteDBInstance = function(original, ctx, params)
        original(ctx, params)
        ctx:fail("InvalidDBInstanceState", "Instance demo-test-instance-1 is already being deleted.")
      end,
    }, function()
      world:destroy(declaration)
    end)
    assert.same({}, world:rows())
  end)

  it("needs a cluster", function()
    assert.error_matches(function()
      World.declare(function(stack)
        stack:resource("AWS::RDS::DBInstance", "instance", { DBInstanceClass = "db.serverless" })
      end)
    end, "'DBClusterIdentifier' is required")
  end)
end)
