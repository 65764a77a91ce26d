-- Snapshots of the simulated RDS, and what can be restored.

local account = require "spec.sim.rds.account"
local caller = require "spec.sim.caller"
local json = require "host.json"
local merged = require "infra.merged"

local with_cluster, cluster = account.with_cluster, account.cluster

describe("infra.sim.rds snapshots", function()
  local function take(aws, name)
    return aws.CreateDBClusterSnapshot { DBClusterIdentifier = "app", DBClusterSnapshotIdentifier = name }
      .DBClusterSnapshot
  end

  local function snapshot(aws, name)
    return aws.DescribeDBClusterSnapshots { DBClusterSnapshotIdentifier = name }.DBClusterSnapshots[1]
  end

  it("keep the cluster busy, and outlive it", function()
    with_cluster(function(aws)
      local made = take(aws, "One")
      assert.same({ "one", "creating", "manual", "16.4" },
        { made.DBClusterSnapshotIdentifier, made.Status, made.SnapshotType, made.EngineVersion })
      assert.equal("backing-up", cluster(aws).Status)
      assert.equal("InvalidDBClusterStateFault",
        aws.refused.CreateDBClusterSnapshot { DBClusterIdentifier = "app", DBClusterSnapshotIdentifier = "two" })
      assert.equal("InvalidDBClusterSnapshotStateFault",
        aws.refused.DeleteDBClusterSnapshot { DBClusterSnapshotIdentifier = "one" })
      aws.sleep(90)
      assert.same({ { Key = "a", Value = "1" } }, snapshot(aws, "one").TagList)
      aws.DeleteDBCluster { DBClusterIdentifier = "app", SkipFinalSnapshot = true }
      aws.sleep(60)
      assert.equal(1, #aws.DescribeDBClusterSnapshots { DBClusterIdentifier = "app" }.DBClusterSnapshots)
      aws.DeleteDBClusterSnapshot { DBClusterSnapshotIdentifier = "one" }
      aws.sleep(5)
      assert.equal("DBClusterSnapshotNotFoundFault",
        aws.refused.DescribeDBClusterSnapshots { DBClusterSnapshotIdentifier = "one" })
    end, { CopyTagsToSnapshot = true, Tags = { { Key = "a", Value = "1" } } })
  end)

  it("are shared with other accounts", function()
    with_cluster(function(aws)
      take(aws, "one")
      aws.sleep(90)
      local function share(params)
        return aws.ModifyDBClusterSnapshotAttribute(merged({
          DBClusterSnapshotIdentifier = "one", AttributeName = "restore",
        }, params)).DBClusterSnapshotAttributesResult.DBClusterSnapshotAttributes[1].AttributeValues
      end
      assert.same({ "111111111111", "222222222222" }, share { ValuesToAdd = { "111111111111", "222222222222" } })
      assert.same({ "222222222222" }, share { ValuesToRemove = { "111111111111" } })
      assert.same({ "222222222222" }, aws.DescribeDBClusterSnapshotAttributes { DBClusterSnapshotIdentifier = "one" }
        .DBClusterSnapshotAttributesResult.DBClusterSnapshotAttributes[1].AttributeValues)
    end)
  end)

  it("restore clusters without instances and with few of the old settings", function()
    with_cluster(function(aws)
      take(aws, "one")
      aws.sleep(90)
      local function restore(changes)
        return merged({
          DBClusterIdentifier = "new", SnapshotIdentifier = "one", Engine = "aurora-postgresql",
          DBSubnetGroupName = "app",
        }, changes)
      end
      assert.equal("InvalidParameterCombination",
        aws.refused.RestoreDBClusterFromSnapshot(restore { EngineVersion = "16.3" }))
      assert.equal("InvalidSubnet",
        aws.refused.RestoreDBClusterFromSnapshot(restore { DBSubnetGroupName = json.null }))
      aws.RestoreDBClusterFromSnapshot(restore())
      aws.sleep(240)
      local old, new = cluster(aws), cluster(aws, "new")
      assert.same({ "available", "app", 7, {}, old.KmsKeyId }, {
        new.Status, new.MasterUsername, new.BackupRetentionPeriod, new.DBClusterMembers, new.KmsKeyId,
      })
      -- Not the snapshot's version, but the usual one of the region.
      assert.not_equal(old.EngineVersion, new.EngineVersion)
      assert.is_false(new.DeletionProtection)
      assert.is_nil(new.ServerlessV2ScalingConfiguration)
      assert.not_equal(old.VpcSecurityGroups[1].VpcSecurityGroupId, new.VpcSecurityGroups[1].VpcSecurityGroupId)
    end, { StorageEncrypted = true, DeletionProtection = true, BackupRetentionPeriod = 7 })
  end)

  it("are not needed to go back in time", function()
    with_cluster(function(aws)
      aws.sleep(3600)
      local source = cluster(aws)
      local function restore(changes)
        return merged({
          DBClusterIdentifier = "new", SourceDBClusterIdentifier = "app", DBSubnetGroupName = "app",
        }, changes)
      end
      assert.equal("InvalidParameterCombination", aws.refused.RestoreDBClusterToPointInTime(restore()))
      assert.equal("InvalidParameterCombination", aws.refused.RestoreDBClusterToPointInTime(restore {
        RestoreToTime = source.LatestRestorableTime, RestoreType = "copy-on-write",
      }))
      assert.equal("InvalidRestoreFault",
        aws.refused.RestoreDBClusterToPointInTime(restore { RestoreToTime = source.LatestRestorableTime + 200 }))
      aws.RestoreDBClusterToPointInTime(restore { RestoreToTime = source.EarliestRestorableTime + 1 })
      aws.RestoreDBClusterToPointInTime(restore {
        DBClusterIdentifier = "clone", UseLatestRestorableTime = true, RestoreType = "copy-on-write",
        SourceDBClusterIdentifier = json.null, SourceDbClusterResourceId = source.DbClusterResourceId,
      })
      assert.equal(source.EngineVersion, cluster(aws, "clone").EngineVersion)
    end)
  end)

  it("are copied to another region on its order, with a key of that region", function()
    with_cluster(function(aws)
      local arn = take(aws, "one").DBClusterSnapshotArn
      aws.sleep(90)
      local there = { region = "eu-west-1" }
      local key = assert(aws.call("kms", "CreateKey", {}, there)).KeyMetadata.Arn
      local function copy(changes)
        return aws.call("rds", "CopyDBClusterSnapshot", merged({
          SourceDBClusterSnapshotIdentifier = arn, TargetDBClusterSnapshotIdentifier = "copy", KmsKeyId = key,
          PreSignedUrl = "https://rds.us-east-1.amazonaws.com/?Action=CopyDBClusterSnapshot"
            .. "&DestinationRegion=eu-west-1&X-Amz-Credential=A%2F20240101%2Fus-east-1%2Frds%2Faws4_request"
            .. "&X-Amz-Signature=0",
        }, changes), there)
      end
      local code = caller.code
      assert.equal("InvalidParameterCombination", code(copy { KmsKeyId = json.null }))
      assert.equal("KMSKeyNotAccessibleFault", code(copy { KmsKeyId = cluster(aws).KmsKeyId }))
      assert.equal("InvalidParameterValue", code(copy { PreSignedUrl = json.null }))
      local copied = assert(copy()).DBClusterSnapshot
      assert.same({ "copying", arn, key }, { copied.Status, copied.SourceDBClusterSnapshotArn, copied.KmsKeyId })
      assert.equal("DBClusterSnapshotAlreadyExistsFault", code(copy()))
      aws.sleep(600)
      local found = assert(aws.call("rds", "DescribeDBClusterSnapshots", {}, there)).DBClusterSnapshots
      assert.same({ 1, "available" }, { #found, found[1].Status })
    end, { StorageEncrypted = true })
  end)
end)
