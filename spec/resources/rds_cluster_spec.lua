local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local rds = require "spec.resources.rds_world"

local UNDECLARED, cluster = rds.UNDECLARED, rds.cluster
local crash, failing, lose = calls.crash, calls.failing, calls.lose

local world

before_each(function()
  world = World.new()
end)
after_each(function()
  world:close()
end)

describe("AWS::RDS::DBCluster", function()
  it("is made as declared, waited for, and the same afterwards", function()
    local declaration = cluster({ EnableCloudwatchLogsExports = { "postgresql" }, BackupRetentionPeriod = 7 },
      { instances = 2 })
    local run = world:run(declaration)
    assert.matches("^demo%-cluster%.cluster%-%w+%.us%-east%-1%.rds%.amazonaws%.com:5432$", run.result.outputs.endpoint)
    assert.matches("cluster%-ro", run.result.outputs.reader)
    world:unchanged(declaration)
    local _, _, process = world:plan(declaration)
    assert.equal(1, #calls.params(process, "DescribeDBClusters"))
    assert.equal(1, #calls.params(process, "DescribeDBInstances"))
  end)

  it("takes its password from a secret, which the state and the journal do not see", function()
    local declaration = World.declare(function(stack)
      local secret = stack:resource("AWS::SecretsManager::Secret", "secret", {
        GenerateSecretString = { ExcludePunctuation = true, PasswordLength = 30 },
      })
      local group = stack:resource("AWS::RDS::DBSubnetGroup", "subnets", {
        DBSubnetGroupDescription = "private", SubnetIds = rds.subnets(stack),
      })
      stack:resource("AWS::RDS::DBCluster", "cluster", {
        Engine = "aurora-postgresql", MasterUsername = "dbadmin", DBSubnetGroupName = group.DBSubnetGroupName,
        MasterUserPassword = "{{resolve:secretsmanager:" .. secret.Id .. "}}",
      })
    end)
    local sent = calls.params(world:run(declaration), "CreateDBCluster")[1].MasterUserPassword
    assert.matches("^%w+$", sent)
    local file = assert(io.open(world.path, "rb"))
    assert.is_nil(file:read("a"):find(sent, 1, true))
    file:close()
    world:unchanged(declaration)
  end)

  it("can leave the password to RDS, and take it back", function()
    local managed = cluster { ManageMasterUserPassword = true, MasterUserPassword = UNDECLARED }
    world:run(managed)
    world:unchanged(managed)
    local run = world:run(cluster {})
    local sent = calls.params(run, "ModifyDBCluster")[1]
    assert.same({ false, "correct-horse" }, { sent.ManageMasterUserPassword, sent.MasterUserPassword })
    world:unchanged(cluster {})
    sent = calls.params(world:run(managed), "ModifyDBCluster")[1]
    assert.is_true(sent.ManageMasterUserPassword)
    assert.is_nil(sent.MasterUserPassword)
    world:unchanged(managed)
  end)

  it("changes what is declared differently, at once and nothing else, and waits until nothing is pending", function()
    world:run(cluster({ EnableCloudwatchLogsExports = { "postgresql", "instance" } }))
    local changed = cluster {
      BackupRetentionPeriod = 14, EnableCloudwatchLogsExports = { "iam-db-auth-error", "postgresql" },
      ServerlessV2ScalingConfiguration = { MinCapacity = 1, MaxCapacity = 8 }, DeletionProtection = true,
    }
    local run = world:run(changed)
    assert.same({
      DBClusterIdentifier = "demo-cluster", ApplyImmediately = true, BackupRetentionPeriod = 14,
      DeletionProtection = true, ServerlessV2ScalingConfiguration = { MinCapacity = 1.0, MaxCapacity = 8.0 },
      CloudwatchLogsExportConfiguration = {
        EnableLogTypes = { "iam-db-auth-error" }, DisableLogTypes = { "instance" },
      },
    }, calls.params(run, "ModifyDBCluster")[1])
    world:as_other(function(call)
      local live = assert(call("rds", "DescribeDBClusters", {})).DBClusters[1]
      assert.same({}, live.PendingModifiedValues or {})
      assert.equal(14, live.BackupRetentionPeriod)
    end)
    world:unchanged(changed)
  end)

  it("goes back to RDS's defaults where there are any, and keeps what cannot be taken back", function()
    world:run(cluster {
      BackupRetentionPeriod = 14, DeletionProtection = true, CopyTagsToSnapshot = true, Port = 5433,
      EnableCloudwatchLogsExports = { "postgresql" },
    })
    local run = world:run(cluster { ServerlessV2ScalingConfiguration = UNDECLARED, Port = UNDECLARED })
    local sent = calls.params(run, "ModifyDBCluster")[1]
    assert.same({ 1, false, false, { "postgresql" } }, { sent.BackupRetentionPeriod, sent.DeletionProtection,
      sent.CopyTagsToSnapshot, sent.CloudwatchLogsExportConfiguration.DisableLogTypes })
    assert.is_nil(sent.Port or sent.ServerlessV2ScalingConfiguration)
    world:unchanged(cluster { ServerlessV2ScalingConfiguration = UNDECLARED, Port = UNDECLARED })
  end)

  it("switches the Data API by its own calls", function()
    world:run(cluster {})
    assert.same({ "EnableHttpEndpoint" }, calls.changes(world:run(cluster { EnableHttpEndpoint = true })))
    world:unchanged(cluster { EnableHttpEndpoint = true })
    assert.same({ "DisableHttpEndpoint" }, calls.changes(world:run(cluster {})))
  end)

  it("is upgraded with the groups of the new major version, and of that only", function()
    local groups = { DBInstanceParameterGroupName = "default.aurora-postgresql16" }
    local function version(number)
      return cluster {
        EngineVersion = number, DBInstanceParameterGroupName = groups.DBInstanceParameterGroupName,
        DBClusterParameterGroupName = "default.aurora-postgresql" .. number:match "^%d+",
      }
    end
    world:run(version "16.1")
    local sent = calls.params(world:run(version "16.4"), "ModifyDBCluster")[1]
    assert.is_nil(sent.AllowMajorVersionUpgrade or sent.DBInstanceParameterGroupName
      or sent.DBClusterParameterGroupName)
    groups.DBInstanceParameterGroupName = "default.aurora-postgresql17"
    sent = calls.params(world:run(version "17.4"), "ModifyDBCluster")[1]
    assert.same({ true, "default.aurora-postgresql17", "default.aurora-postgresql17" }, { sent.AllowMajorVersionUpgrade,
      sent.DBInstanceParameterGroupName, sent.DBClusterParameterGroupName })
    world:unchanged(version "17.4")
  end)

  it("is content with a newer minor version, an alias for its key, and with what RDS leaves out or rewrites", function()
    local declaration = cluster { KmsKeyId = "alias/aws/rds", EngineVersion = "16", PreferredMaintenanceWindow =
      "Sun:05:00-Sun:05:30", StorageType = "aurora" }
    world:run(declaration)
    world:unchanged(declaration)
    calls.with("rds", {
      DescribeDBClusters = function(original, ctx, params)
        local output = original(ctx, params)
        local live = output.DBClusters[1]
        live.DatabaseName, live.StorageType, live.EngineVersion = nil, "", "16.9"
        live.ServerlessV2ScalingConfiguration.MinCapacity = 0.50
        live.AvailabilityZones = { "us-east-1d", "us-east-1e", "us-east-1f" }
        table.insert(live.TagList, { Key = "aws:cloudformation:stack-name", Value = "x" })
        return output
      end,
    }, function()
      world:unchanged(declaration)
    end)
  end)

  it("says where the versions are listed when RDS has retired the declared one", function()
    local failure = world:apply(cluster { EngineVersion = "16.5" }).result.failures[1]
    assert.matches("Cannot find version 16.5", failure.message)
    assert.matches("DescribeDBEngineVersions Engine=aurora%-postgresql", failure.hint)
  end)

  it("is another cluster when what it was made from changes, and its member is another instance", function()
    world:run(cluster({}, { instances = 1 }))
    local plan = assert(world:plan(cluster({ DatabaseName = "other" }, { instances = 1 })))
    assert.same({ cluster = "replace", ["instance-1"] = "replace" }, World.actions(plan))
    plan = assert(world:plan(cluster({ MasterUsername = "somebody" })))
    assert.equal("replace", World.actions(plan).cluster)
  end)

  it("waits for what it stands on: a subnet, a key, groups that are seconds old", function()
    local create, creates = failing({ "InvalidSubnet", "no" }, { "KMSKeyNotAccessibleFault", "no" },
      { "DBSubnetGroupNotFoundFault", "no" }, { "DBClusterParameterGroupNotFound", "no" },
      { "InvalidParameterValue", "Invalid security group , groupId= sg-1, groupName=." },
      { "InvalidParameterValue", "IAM role ARN value is invalid or does not include the required permissions" })
    calls.with("rds", { CreateDBCluster = create }, function()
      world:run(cluster {})
    end)
    assert.equal(7, creates())
  end)

  it("waits for the group of a new major version, which is seconds old as well", function()
    world:run(cluster { EngineVersion = "16.1" })
    local modify, modifies = failing({ "DBParameterGroupNotFound", "no" }, { "DBClusterParameterGroupNotFound", "no" })
    calls.with("rds", { ModifyDBCluster = modify }, function()
      world:run(cluster { EngineVersion = "16.4" })
    end)
    assert.equal(3, modifies())
  end)

  it("waits for another change to end", function()
    world:run(cluster {})
    local modify, modifications = failing({ "InvalidDBClusterStateFault", "not in available state" })
    calls.with("rds", { ModifyDBCluster = modify }, function()
      world:run(cluster { BackupRetentionPeriod = 3 })
    end)
    assert.equal(2, modifications())
  end)

  it("is not made twice when the answer is lost or the run crashes, nor taken from somebody else", function()
    assert.equal(1, #calls.params(world:run(cluster {}, lose "CreateDBCluster"), "CreateDBCluster"))
    world:unchanged(cluster {})
    local other = world:neighbour()
    local failed = other:apply(cluster({}, { group = "second" }))
    assert.equal("AlreadyExists", failed.result.failures[1].code)
    local second = cluster({ DBClusterIdentifier = "second" }, { group = "second" })
    other:apply(second, crash "CreateDBCluster")
    assert.equal(0, #calls.params(other:run(second), "CreateDBCluster"))
    other:close()
  end)

  it("is never replaced because RDS calls it broken: that is for a person to look at", function()
    world:run(cluster {})
    calls.with("rds", {
      DescribeDBClusters = function(original, ctx, params)
        local output = original(ctx, params)
        output.DBClusters[1].Status = "inaccessible-encryption-credentials-recoverable"
        return output
      end,
    }, function()
      world:unchanged(cluster {})
    end)
  end)

  it("is refused when planning where RDS would refuse it", function()
    local function scaling(least, most, pause)
      return { ServerlessV2ScalingConfiguration = { MinCapacity = least, MaxCapacity = most,
        SecondsUntilAutoPause = pause } }
    end
    for message, properties in pairs {
      ["MaxCapacity must be 1 to 256"] = scaling(0, 0),
      ["steps of 0.5"] = scaling(0.7, 4),
      ["needs MinCapacity = 0"] = scaling(0.5, 4, 600),
      ["must not be given where RDS manages"] = { ManageMasterUserPassword = true },
      ["or ManageMasterUserPassword = true is needed"] = { MasterUserPassword = UNDECLARED },
      ["must be infra.secret"] = { MasterUserPassword = "in clear" },
      ["cannot set 'AvailabilityZones'"] = { AvailabilityZones = { "us-east-1a" } },
      ["property 'Engine' is required"] = { Engine = UNDECLARED },
    } do
      assert.error_matches(function()
        cluster(properties)
      end, message)
    end
  end)

  it("pauses only where it may: the seconds go with a minimum of 0", function()
    local run = world:apply(cluster { EngineVersion = "16.4",
      ServerlessV2ScalingConfiguration = { MinCapacity = 0, MaxCapacity = 2, SecondsUntilAutoPause = 600 } })
    assert.equal(600, calls.params(run, "CreateDBCluster")[1].ServerlessV2ScalingConfiguration.SecondsUntilAutoPause)
  end)
end)
