-- The simulated RDS: what its API reference, the Aurora User Guide and the known traps say of clusters.

local account = require "spec.sim.rds.account"
local json = require "host.json"
local merged = require "infra.merged"

local simulated, with_cluster = account.simulated, account.with_cluster
local subnet_group, cluster_of, instance_of = account.subnet_group, account.cluster_of, account.instance_of
local cluster, instance, modify = account.cluster, account.instance, account.modify

describe("infra.sim.rds clusters", function()
  it("come with AWS's own ideas of what was not said", function()
    simulated(function(aws)
      aws.CreateDBSubnetGroup(subnet_group(aws))
      aws.CreateDBCluster(cluster_of(aws, { EngineVersion = "16", AvailabilityZones = { "us-east-1f" } }))
      local made = cluster(aws, "APP")
      assert.same({ "app", "creating", 5432, 1, false, "default.aurora-postgresql16" }, {
        made.DBClusterIdentifier, made.Status, made.Port, made.BackupRetentionPeriod, made.StorageEncrypted,
        made.DBClusterParameterGroup,
      })
      assert.equal("arn:aws:rds:us-east-1:123456789012:cluster:app", made.DBClusterArn)
      assert.same({ "us-east-1a", "us-east-1b", "us-east-1c" }, made.AvailabilityZones)
      assert.matches("^16%.%d+$", made.EngineVersion)
      assert.matches("^%l%l%l:%d%d:%d%d%-%l%l%l:%d%d:%d%d$", made.PreferredMaintenanceWindow)
      assert.matches("^app%.cluster%-c%w+%.us%-east%-1%.rds%.amazonaws%.com$", made.Endpoint)
      assert.matches("^app%.cluster%-ro%-c%w+%.us%-east%-1%.rds%.amazonaws%.com$", made.ReaderEndpoint)
      assert.matches("^cluster%-%u?%w+$", made.DbClusterResourceId)
      for _, absent in ipairs {
        "StorageType", "KmsKeyId", "EnabledCloudwatchLogsExports", "PendingModifiedValues", "MasterUserSecret",
      } do
        assert.is_nil(made[absent], absent)
      end
      assert.equal("InvalidDBClusterStateFault",
        aws.refused.ModifyDBCluster { DBClusterIdentifier = "app", Port = 6000 })
      assert.equal("InvalidDBClusterStateFault",
        aws.refused.DeleteDBCluster { DBClusterIdentifier = "app", SkipFinalSnapshot = true })
      aws.sleep(60)
      assert.equal("available", cluster(aws).Status)
      assert.equal("DBClusterAlreadyExistsFault", aws.refused.CreateDBCluster(cluster_of(aws)))
      assert.equal("DBClusterNotFoundFault", aws.refused.DescribeDBClusters { DBClusterIdentifier = "none" })
    end)
  end)

  it("refuse what cannot be", function()
    simulated(function(aws)
      aws.CreateDBSubnetGroup(subnet_group(aws))
      local function capacity(least, most)
        return { ServerlessV2ScalingConfiguration = { MinCapacity = least, MaxCapacity = most } }
      end
      for expected, all in pairs {
        InvalidParameterValue = {
          { DBClusterIdentifier = "a--b" },
          { DBClusterIdentifier = "1a" },
          { Engine = "mysql" },
          { EngineMode = "serverless" },
          { MasterUsername = "admin" },
          { MasterUserPassword = "short" },
          { MasterUserPassword = "with a / in it" },
          { VpcSecurityGroupIds = { "sg-0123456789abcdef0" } },
          { BackupRetentionPeriod = 0 },
          { PreferredMaintenanceWindow = "sun:05:00-sun:05:10" },
          { PreferredBackupWindow = "25:00-26:00" },
          { Port = 80 },
          capacity(1, 0), capacity(0.3, 1), capacity(2, 1), capacity(1, 257),
          merged(capacity(0, 1), { EngineVersion = "16.2" }),
        },
        InvalidParameterCombination = {
          { EngineVersion = "9.6" },
          { ManageMasterUserPassword = true },
          { VpcSecurityGroupIds = { aws.other_group } },
          { EnableCloudwatchLogsExports = { "audit" } },
        },
        KMSKeyNotAccessibleFault = { { StorageEncrypted = true, KmsKeyId = "alias/none" } },
        DBSubnetGroupNotFoundFault = { { DBSubnetGroupName = "none" } },
        DBParameterGroupNotFound = { { DBClusterParameterGroupName = "none" } },
        GlobalClusterNotFoundFault = { { GlobalClusterIdentifier = "none" } },
      } do
        for i, changes in ipairs(all) do
          assert.equal(expected, aws.refused.CreateDBCluster(cluster_of(aws, changes)), expected .. " " .. i)
        end
      end
      assert.same({}, aws.DescribeDBClusters().DBClusters)
      aws.CreateDBCluster(cluster_of(aws, capacity(0, 1)))
    end)
  end)

  it("encrypt with the named key or AWS's own, and show its whole ARN", function()
    with_cluster(function(aws)
      local own = assert(aws.call("kms", "DescribeKey", { KeyId = "alias/aws/rds" })).KeyMetadata.Arn
      assert.equal(own, cluster(aws).KmsKeyId)
      local key = assert(aws.call("kms", "CreateKey", {})).KeyMetadata
      assert(aws.call("kms", "CreateAlias", { AliasName = "alias/db", TargetKeyId = key.KeyId }))
      aws.CreateDBCluster(cluster_of(aws, { DBClusterIdentifier = "other", KmsKeyId = "alias/db" }))
      local other = cluster(aws, "other")
      assert.same({ true, key.Arn }, { other.StorageEncrypted, other.KmsKeyId })
    end, { StorageEncrypted = true })
  end)

  it("are listed with filters, tags inside", function()
    with_cluster(function(aws)
      aws.CreateDBCluster(cluster_of(aws, { DBClusterIdentifier = "other" }))
      assert.equal(2, #aws.DescribeDBClusters().DBClusters)
      local found = aws.DescribeDBClusters { Filters = { { Name = "db-cluster-id", Values = { "app", "none" } } } }
      assert.same({ 1, { { Key = "a", Value = "1" } } }, { #found.DBClusters, found.DBClusters[1].TagList })
      assert.equal("InvalidParameterValue", aws.refused.DescribeDBClusters { MaxRecords = 19 })
      assert.equal("InvalidParameterValue",
        aws.refused.DescribeDBClusters { Filters = { { Name = "status", Values = { "x" } } } })
      local arn = found.DBClusters[1].DBClusterArn
      aws.AddTagsToResource { ResourceName = arn, Tags = { { Key = "b", Value = "2" } } }
      aws.RemoveTagsFromResource { ResourceName = arn, TagKeys = { "a", "none" } }
      assert.same({ { Key = "b", Value = "2" } }, cluster(aws).TagList)
      assert.equal("InvalidParameterValue",
        aws.refused.AddTagsToResource { ResourceName = arn, Tags = { { Key = "aws:x", Value = "1" } } })
      assert.equal("DBClusterNotFoundFault", aws.refused.ListTagsForResource { ResourceName = arn .. "x" })
    end, { Tags = { { Key = "a", Value = "1" } } })
  end)

  it("switch the Data API by an operation of its own", function()
    with_cluster(function(aws)
      local arn = cluster(aws).DBClusterArn
      modify(aws, { EnableHttpEndpoint = true })
      assert.is_false(cluster(aws).HttpEndpointEnabled)
      aws.EnableHttpEndpoint { ResourceArn = arn }
      assert.is_true(cluster(aws).HttpEndpointEnabled)
      aws.DisableHttpEndpoint { ResourceArn = arn }
      assert.is_false(cluster(aws).HttpEndpointEnabled)
    end)
  end)

  it("may not be known yet a moment after they were made", function()
    simulated(function(aws)
      local function patiently(operation, params)
        while true do
          local output, err = aws.call("rds", operation, params)
          if output then
            return output
          end
          assert.equal("DBSubnetGroupNotFoundFault", err.code)
          aws.sleep(1)
        end
      end
      patiently("CreateDBSubnetGroup", subnet_group(aws))
      patiently("CreateDBCluster", cluster_of(aws, { VpcSecurityGroupIds = {} }))
      local missed = 0
      for _ = 1, 20 do
        missed = missed + (aws.call("rds", "DescribeDBClusters", { DBClusterIdentifier = "app" }) and 0 or 1)
      end
      assert.is_true(missed > 0)
      aws.sleep(20)
      assert.equal("creating", cluster(aws).Status)
    end, { faults = { consistency = 20 } })
  end)
end)

describe("infra.sim.rds cluster changes", function()
  it("show only after a while that they are going on", function()
    with_cluster(function(aws)
      local changed = modify(aws, { ServerlessV2ScalingConfiguration = { MinCapacity = 1, MaxCapacity = 4 } })
      assert.same({ "available", { MinCapacity = 1, MaxCapacity = 4 } },
        { changed.Status, changed.ServerlessV2ScalingConfiguration })
      aws.sleep(30)
      assert.equal("modifying", cluster(aws).Status)
      assert.equal("InvalidDBClusterStateFault",
        aws.refused.ModifyDBCluster { DBClusterIdentifier = "app", Port = 6000 })
      aws.sleep(60)
      assert.equal("available", cluster(aws).Status)
    end)
  end)

  it("wait for the maintenance window unless they are to be applied at once", function()
    with_cluster(function(aws)
      local changes = { DBClusterIdentifier = "app", BackupRetentionPeriod = 7 }
      aws.ModifyDBCluster(changes)
      aws.sleep(3600)
      local waiting = cluster(aws)
      assert.same({ "available", 1, { BackupRetentionPeriod = 7 } },
        { waiting.Status, waiting.BackupRetentionPeriod, waiting.PendingModifiedValues })
      aws.sleep(7 * 86400)
      local done = cluster(aws)
      assert.equal(7, done.BackupRetentionPeriod)
      assert.is_nil(done.PendingModifiedValues)
      aws.ModifyDBCluster(merged(changes, { BackupRetentionPeriod = 3 }))
      -- What waits is applied with the next change that does not.
      modify(aws, { EnableIAMDatabaseAuthentication = true })
      assert.same({ BackupRetentionPeriod = 3, IAMDatabaseAuthenticationEnabled = true },
        cluster(aws).PendingModifiedValues)
      aws.sleep(90)
      done = cluster(aws)
      assert.same({ 3, true }, { done.BackupRetentionPeriod, done.IAMDatabaseAuthenticationEnabled })
      assert.is_nil(done.PendingModifiedValues)
    end, { PreferredMaintenanceWindow = "Sun:05:00-Sun:05:30" })
  end)

  it("switch log exports by what is to be added and taken away", function()
    with_cluster(function(aws)
      modify(aws, { CloudwatchLogsExportConfiguration = { EnableLogTypes = { "instance" } } })
      assert.same({ "instance" }, cluster(aws).PendingModifiedValues.PendingCloudwatchLogsExports.LogTypesToEnable)
      aws.sleep(90)
      local logs = cluster(aws).EnabledCloudwatchLogsExports
      table.sort(logs)
      assert.same({ "instance", "postgresql" }, logs)
      modify(aws, { CloudwatchLogsExportConfiguration = { DisableLogTypes = { "instance", "postgresql" } } })
      aws.sleep(90)
      assert.is_nil(cluster(aws).EnabledCloudwatchLogsExports)
    end, { EnableCloudwatchLogsExports = { "postgresql" } })
  end)

  it("upgrade, minor versions alone and major ones with a group of their own", function()
    with_cluster(function(aws)
      aws.CreateDBInstance(instance_of())
      aws.sleep(480)
      assert.equal("InvalidParameterCombination",
        aws.refused.ModifyDBCluster { DBClusterIdentifier = "app", EngineVersion = "16.3" })
      assert.equal("InvalidParameterCombination",
        aws.refused.ModifyDBCluster { DBClusterIdentifier = "app", EngineVersion = "17.4" })
      assert.equal("InvalidParameterCombination", aws.refused.ModifyDBCluster {
        DBClusterIdentifier = "app", EngineVersion = "16.6",
        DBInstanceParameterGroupName = "default.aurora-postgresql16",
      })
      modify(aws, { EngineVersion = "16.6" })
      aws.sleep(60)
      assert.same({ "upgrading", "upgrading" }, { cluster(aws).Status, instance(aws).DBInstanceStatus })
      assert.same({ EngineVersion = "16.6" }, cluster(aws).PendingModifiedValues)
      aws.sleep(480)
      assert.same({ "16.6", "16.6" }, { cluster(aws).EngineVersion, instance(aws).EngineVersion })
      modify(aws, { EngineVersion = "17", AllowMajorVersionUpgrade = true })
      aws.sleep(1000)
      assert.equal("upgrading", cluster(aws).Status)
      aws.sleep(600)
      local done = cluster(aws)
      assert.same({ "17.4", "default.aurora-postgresql17" }, { done.EngineVersion, done.DBClusterParameterGroup })
    end)
  end)

  it("move the network interfaces of instances to other security groups", function()
    with_cluster(function(aws)
      aws.CreateDBInstance(instance_of())
      local second = assert(aws.call("ec2", "CreateSecurityGroup", {
        VpcId = aws.vpc, GroupName = "second", Description = "d",
      })).GroupId
      local _, err = aws.call("ec2", "DeleteSecurityGroup", { GroupId = aws.group })
      assert.equal("DependencyViolation", err.code)
      modify(aws, { VpcSecurityGroupIds = { second } })
      assert(aws.call("ec2", "DeleteSecurityGroup", { GroupId = aws.group }))
      assert.equal(second, instance(aws).VpcSecurityGroups[1].VpcSecurityGroupId)
    end)
  end)
end)

describe("infra.sim.rds master passwords", function()
  local function secret(aws, arn)
    return aws.call("secretsmanager", "DescribeSecret", { SecretId = arn })
  end

  it("are in a secret that only RDS can change and that goes with the cluster", function()
    with_cluster(function(aws)
      local managed = cluster(aws).MasterUserSecret
      assert.equal("active", managed.SecretStatus)
      local described = assert(secret(aws, managed.SecretArn))
      assert.matches("^rds!cluster%-%x+", described.Name)
      assert.same({ "rds", true, 7 },
        { described.OwningService, described.RotationEnabled, described.RotationRules.AutomaticallyAfterDays })
      local value = json.decode(assert(aws.call("secretsmanager", "GetSecretValue", {
        SecretId = managed.SecretArn,
      })).SecretString)
      assert.equal("app", value.username)
      assert.is_nil(value.password:find("[/@\" ]"))
      for operation, params in pairs {
        DeleteSecret = { ForceDeleteWithoutRecovery = true },
        PutSecretValue = { SecretString = "x", ClientRequestToken = ("0"):rep(32) },
        UpdateSecret = { Description = "x" },
      } do
        local _, err = aws.call("secretsmanager", operation, merged(params, { SecretId = managed.SecretArn }))
        assert.equal("InvalidRequestException", err.code, operation)
      end
      aws.DeleteDBCluster { DBClusterIdentifier = "app", SkipFinalSnapshot = true }
      assert(secret(aws, managed.SecretArn))
      aws.sleep(60)
      local _, err = secret(aws, managed.SecretArn)
      assert.equal("ResourceNotFoundException", err.code)
    end, { ManageMasterUserPassword = true, MasterUserPassword = json.null })
  end)

  it("change hands only with another password, and take their secret with them", function()
    with_cluster(function(aws)
      local arn = cluster(aws).MasterUserSecret.SecretArn
      local function refused(changes)
        return aws.refused.ModifyDBCluster(merged({ DBClusterIdentifier = "app" }, changes))
      end
      local key = assert(aws.call("kms", "CreateKey", {})).KeyMetadata.Arn
      assert.equal("InvalidParameterCombination", refused { MasterUserPassword = "correct-horse" })
      assert.equal("InvalidParameterCombination", refused { ManageMasterUserPassword = false })
      assert.equal("InvalidParameterCombination", refused { MasterUserSecretKmsKeyId = key })
      modify(aws, { ManageMasterUserPassword = false, MasterUserPassword = "correct-horse" })
      local _, err = secret(aws, arn)
      assert.equal("ResourceNotFoundException", err.code)
      assert.is_nil(cluster(aws).MasterUserSecret)
      assert.equal("****", cluster(aws).PendingModifiedValues.MasterUserPassword)
      aws.sleep(30)
      assert.equal("resetting-master-credentials", cluster(aws).Status)
      aws.sleep(60)
      modify(aws, { ManageMasterUserPassword = true, MasterUserSecretKmsKeyId = key })
      local managed = cluster(aws).MasterUserSecret
      assert.same({ key, "creating" }, { managed.KmsKeyId, managed.SecretStatus })
    end, { ManageMasterUserPassword = true, MasterUserPassword = json.null })
  end)
end)

describe("infra.sim.rds deleting clusters", function()
  local function delete(changes)
    return merged({ DBClusterIdentifier = "app" }, changes)
  end

  it("is refused while they are protected, and without a word on the final snapshot", function()
    with_cluster(function(aws)
      local code, message = aws.refused.DeleteDBCluster(delete { SkipFinalSnapshot = true })
      assert.equal("InvalidParameterCombination", code)
      assert.matches("disable deletion protection", message)
      modify(aws, { DeletionProtection = false })
      assert.equal("available", cluster(aws).Status)
      assert.equal("InvalidParameterCombination", aws.refused.DeleteDBCluster(delete()))
      assert.equal("InvalidParameterCombination",
        aws.refused.DeleteDBCluster(delete { SkipFinalSnapshot = true, FinalDBSnapshotIdentifier = "last" }))
      aws.CreateDBClusterSnapshot { DBClusterIdentifier = "app", DBClusterSnapshotIdentifier = "last" }
      aws.sleep(90)
      assert.equal("DBClusterSnapshotAlreadyExistsFault",
        aws.refused.DeleteDBCluster(delete { FinalDBSnapshotIdentifier = "Last" }))
      assert.equal("available", cluster(aws).Status)
      aws.DeleteDBCluster(delete { FinalDBSnapshotIdentifier = "last-2" })
      assert.equal("deleting", cluster(aws).Status)
      aws.sleep(180)
      assert.equal("DBClusterNotFoundFault", aws.refused.DescribeDBClusters { DBClusterIdentifier = "app" })
      assert.equal("available",
        aws.DescribeDBClusterSnapshots { DBClusterSnapshotIdentifier = "last-2" }.DBClusterSnapshots[1].Status)
    end, { DeletionProtection = true })
  end)

  it("waits for instances, and they for nobody", function()
    with_cluster(function(aws)
      aws.CreateDBInstance(instance_of())
      aws.sleep(480)
      local code, message = aws.refused.DeleteDBCluster(delete { SkipFinalSnapshot = true })
      assert.equal("InvalidDBClusterStateFault", code)
      assert.matches("non%-deleting state", message)
      aws.DeleteDBInstance { DBInstanceIdentifier = "app-1" }
      aws.DeleteDBCluster(delete { SkipFinalSnapshot = true })
      aws.sleep(200)
      assert.same({ "deleting", "deleting" }, { cluster(aws).Status, instance(aws).DBInstanceStatus })
      local _, err = aws.call("ec2", "DeleteSecurityGroup", { GroupId = aws.group })
      assert.equal("DependencyViolation", err.code)
      aws.sleep(200)
      assert.same({}, aws.DescribeDBClusters().DBClusters)
      assert(aws.call("ec2", "DeleteSecurityGroup", { GroupId = aws.group }))
      for _, subnet in ipairs(aws.subnets) do
        assert(aws.call("ec2", "DeleteSubnet", { SubnetId = subnet }))
      end
    end)
  end)
end)

describe("infra.sim.rds engine versions", function()
  it("are listed by engine, version, family and default", function()
    simulated(function(aws)
      local function versions(params)
        local found = {}
        for i, version in ipairs(aws.DescribeDBEngineVersions(params).DBEngineVersions) do
          found[i] = version.EngineVersion
        end
        return found
      end
      assert.same({ "16.4" }, versions { Engine = "aurora-postgresql", EngineVersion = "16.4" })
      assert.same({ "16.8" }, versions { EngineVersion = "16", DefaultOnly = true })
      assert.equal(7, #versions { DBParameterGroupFamily = "aurora-postgresql16" })
      assert.same({}, versions { Engine = "mysql" })
      assert.same({}, aws.DescribeGlobalClusters().GlobalClusters)
    end)
  end)
end)
