local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local merged = require "infra.merged"
local rds = require "spec.resources.rds_world"

local UNDECLARED, cluster = rds.UNDECLARED, rds.cluster
local crash, failing = calls.crash, calls.failing

local world

before_each(function()
  world = World.new()
end)
after_each(function()
  world:close()
end)

describe("AWS::RDS::DBCluster", function()
  describe("restored", function()
    local snapshot

    before_each(function()
      world:run(cluster { BackupRetentionPeriod = 5 })
      snapshot = world:as_other(function(call, session)
        local made = assert(call("rds", "CreateDBClusterSnapshot", {
          DBClusterIdentifier = "demo-cluster", DBClusterSnapshotIdentifier = "kept",
        })).DBClusterSnapshot
        session.runtime.scheduler:sleep(600)
        return made.DBClusterSnapshotArn
      end)
      world:destroy(cluster({}, { options = { recoverable = false } }))
    end)

    local function restored(properties)
      local all = merged({ SnapshotIdentifier = snapshot, DatabaseName = UNDECLARED, StorageEncrypted = UNDECLARED },
        properties)
      return cluster(all, { options = { recoverable = false } })
    end

    it("from a snapshot gets by a change what a restore does not take, and nothing that is so already", function()
      local declaration = restored { BackupRetentionPeriod = 14, EnableCloudwatchLogsExports = { "postgresql" } }
      local run = world:run(declaration)
      local sent = calls.params(run, "RestoreDBClusterFromSnapshot")[1]
      assert.same({ "16.1", { "postgresql" } }, { sent.EngineVersion, sent.EnableCloudwatchLogsExports })
      assert.same({ DBClusterIdentifier = "demo-cluster", ApplyImmediately = true, BackupRetentionPeriod = 14,
        MasterUserPassword = "correct-horse" }, calls.params(run, "ModifyDBCluster")[1])
      world:unchanged(declaration)
      local plain = cluster({ BackupRetentionPeriod = 14, EnableCloudwatchLogsExports = { "postgresql" },
        DatabaseName = UNDECLARED, StorageEncrypted = UNDECLARED })
      world:unchanged(plain) -- where it came from is history
    end)

    it("from a snapshot is as new as that, which RDS may have upgraded, and no newer major version", function()
      world:run(cluster { EngineVersion = "16.4" })
      world:as_other(function(call, session)
        assert(call("rds", "CreateDBClusterSnapshot", {
          DBClusterIdentifier = "demo-cluster", DBClusterSnapshotIdentifier = "newer",
        }))
        session.runtime.scheduler:sleep(600)
      end)
      world:destroy(cluster({}, { options = { recoverable = false } }))
      for declared, sent in pairs { ["16.1"] = "16.4", ["16"] = "16.4", ["16.6"] = "16.6", ["17.4"] = "17.4" } do
        local declaration = restored { SnapshotIdentifier = "newer", EngineVersion = declared }
        assert.equal(sent, calls.params(world:run(declaration), "RestoreDBClusterFromSnapshot")[1].EngineVersion)
        world:unchanged(declaration)
        world:destroy(declaration)
      end
      local refused = world:apply(restored { SnapshotIdentifier = "newer", EngineVersion = "15.4" })
      assert.matches("%(15.4%) is earlier than the engine version of the DB cluster snapshot %(16.4%)",
        refused.result.failures[1].message)
      local unknown = world:apply(restored { SnapshotIdentifier = "unknown" })
      assert.equal("DBClusterSnapshotNotFoundFault", unknown.result.failures[1].code)
      assert.equal(1, #calls.params(unknown, "RestoreDBClusterFromSnapshot"))
    end)

    it("needs the version, and one point in time", function()
      for message, properties in pairs {
        ["EngineVersion is needed"] = { EngineVersion = UNDECLARED },
        ["RestoreToTime or UseLatestRestorableTime"] = {
          SnapshotIdentifier = UNDECLARED, SourceDBClusterIdentifier = "x",
        },
        ["and not both"] = {
          SnapshotIdentifier = UNDECLARED, SourceDBClusterIdentifier = "x", UseLatestRestorableTime = true,
          RestoreToTime = "2026-01-01T00:00:00Z",
        },
      } do
        assert.error_matches(function()
          restored(properties)
        end, message)
      end
    end)
  end)

  it("is cloned from the log of another cluster", function()
    world:run(cluster {})
    world:as_other(function(_, session)
      session.runtime.scheduler:sleep(900)
    end)
    local declaration = cluster({}, { clone = {
      DBClusterIdentifier = "clone", Engine = "aurora-postgresql", SourceDBClusterIdentifier = "demo-cluster",
      UseLatestRestorableTime = true, RestoreType = "copy-on-write",
    } })
    local sent = calls.params(world:run(declaration), "RestoreDBClusterToPointInTime")[1]
    world:unchanged(declaration)
    assert.same({ "demo-cluster", true, "copy-on-write" }, { sent.SourceDBClusterIdentifier,
      sent.UseLatestRestorableTime, sent.RestoreType })
    assert.is_nil(sent.MasterUsername or sent.Engine)
  end)

  it("cloned from a newer cluster is not asked to be the older version that it declares", function()
    world:run(cluster { EngineVersion = "16.4" })
    world:as_other(function(_, session)
      session.runtime.scheduler:sleep(900)
    end)
    local declaration = cluster({ EngineVersion = "16.4" }, { clone = {
      DBClusterIdentifier = "clone", Engine = "aurora-postgresql", SourceDBClusterIdentifier = "demo-cluster",
      UseLatestRestorableTime = true, EngineVersion = "16.1",
    } })
    world:run(declaration)
    world:unchanged(declaration)
  end)

  describe("deleted", function()
    it("leaves a final snapshot, under another name every time", function()
      local names = {}
      for i = 1, 2 do
        world:run(cluster {})
        names[i] = calls.params(world:destroy(cluster {}), "DeleteDBCluster")[1].FinalDBSnapshotIdentifier
        assert.matches("^demo%-cluster%-final%-%x+$", names[i])
      end
      assert.not_equal(names[1], names[2])
    end)

    it("leaves none where it need not be recovered", function()
      local declaration = cluster({ DeleteAutomatedBackups = false }, { options = { recoverable = false } })
      world:run(declaration)
      local sent = calls.params(world:destroy(declaration), "DeleteDBCluster")[1]
      assert.same({ true, false }, { sent.SkipFinalSnapshot, sent.DeleteAutomatedBackups })
      assert.is_nil(sent.FinalDBSnapshotIdentifier)
    end)

    it("goes after its instances and before its subnet group, each waited for", function()
      local declaration = cluster({}, { instances = 2 })
      world:run(declaration)
      local order = {}
      for _, name in ipairs(calls.changes(world:destroy(declaration))) do
        if name:find "^DeleteDB" then
          order[#order + 1] = name
        end
      end
      assert.same({ "DeleteDBInstance", "DeleteDBInstance", "DeleteDBCluster", "DeleteDBSubnetGroup" }, order)
      assert.same({}, world:rows())
    end)

    it("is refused by RDS where it is protected, with RDS's own words", function()
      world:run(cluster { DeletionProtection = true })
      local failed = world:apply(cluster {}, { destroy = true })
      assert.matches("disable deletion protection", tostring(failed.result.failures[1].message))
    end)

    it("is started first where somebody has stopped it", function()
      world:run(cluster {})
      local started
      calls.with("rds", {
        DescribeDBClusters = function(original, ctx, params)
          local output = original(ctx, params)
          for _, live in ipairs(output.DBClusters) do
            live.Status = started and live.Status or "stopped"
          end
          return output
        end,
        StartDBCluster = function()
          started = true
          return {}
        end,
        DeleteDBCluster = (failing({ "InvalidDBClusterStateFault", "not currently in the available state" })),
      }, function()
        world:unchanged(cluster {}) -- and is no reason to make another
        world:destroy(cluster {})
      end)
      assert.is_true(started)
    end)

    it("is waited for by the next run when this one crashed, and not deleted twice", function()
      world:run(cluster {})
      world:apply(cluster {}, { destroy = true, faults = crash("DeleteDBCluster").faults })
      local run = world:destroy(cluster {})
      assert.equal(0, #calls.params(run, "DeleteDBCluster"))
      assert.same({}, world:rows())
    end)
  end)
end)
