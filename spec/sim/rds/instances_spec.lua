-- The instances of the simulated RDS.

local account = require "spec.sim.rds.account"
local json = require "host.json"
local merged = require "infra.merged"

local with_cluster, instance_of = account.with_cluster, account.instance_of
local cluster, instance, writers = account.cluster, account.instance, account.writers

describe("infra.sim.rds instances", function()
  it("take minutes, and have an endpoint late", function()
    with_cluster(function(aws)
      local made = aws.CreateDBInstance(instance_of { DBInstanceIdentifier = "App-1" }).DBInstance
      assert.same({ "app-1", "creating", "16.4", 1, false }, {
        made.DBInstanceIdentifier, made.DBInstanceStatus, made.EngineVersion, made.PromotionTier,
        made.PubliclyAccessible,
      })
      assert.equal("arn:aws:rds:us-east-1:123456789012:db:app-1", made.DBInstanceArn)
      aws.sleep(200)
      assert.is_nil(instance(aws).Endpoint)
      aws.sleep(280)
      made = instance(aws)
      assert.same({ "available", 5432, {} }, { made.DBInstanceStatus, made.Endpoint.Port, made.PendingModifiedValues })
      assert.equal("DBInstanceAlreadyExists", aws.refused.CreateDBInstance(instance_of()))
      assert.equal("DBInstanceNotFound", aws.refused.DescribeDBInstances { DBInstanceIdentifier = "none" })
      local found = aws.DescribeDBInstances { Filters = { { Name = "db-cluster-id", Values = { "app" } } } }
      assert.equal(1, #found.DBInstances)
    end)
  end)

  it("leave to the cluster what is the cluster's", function()
    with_cluster(function(aws)
      for expected, all in pairs {
        InvalidParameterCombination = {
          { MasterUsername = "app" }, { BackupRetentionPeriod = 7 }, { StorageEncrypted = true },
          { VpcSecurityGroupIds = { aws.group } }, { EngineVersion = "15.4" }, { DBSubnetGroupName = "other" },
          { PerformanceInsightsRetentionPeriod = 7 }, { MonitoringInterval = 60 },
        },
        InvalidParameterValue = {
          { DBInstanceClass = "db.large" }, { PromotionTier = 16 }, { Engine = "postgres" },
          { DBClusterIdentifier = json.null },
          { MonitoringInterval = 60, MonitoringRoleArn = "arn:aws:iam::123456789012:role/none" },
          { EnablePerformanceInsights = true, PerformanceInsightsRetentionPeriod = 8 },
        },
        DBClusterNotFoundFault = { { DBClusterIdentifier = "none" } },
        DBParameterGroupNotFound = { { DBParameterGroupName = "none" } },
        CertificateNotFound = { { CACertificateIdentifier = "none" } },
        InvalidVPCNetworkStateFault = { { AvailabilityZone = "us-east-1f" } },
      } do
        for i, changes in ipairs(all) do
          assert.equal(expected, aws.refused.CreateDBInstance(instance_of(changes)), expected .. " " .. i)
        end
      end
      aws.CreateDBInstance(instance_of { DBSubnetGroupName = "app" })
      aws.sleep(480)
      local code, message = aws.refused.ModifyDBInstance { DBInstanceIdentifier = "app-1", DeletionProtection = true }
      assert.equal("InvalidParameterCombination", code)
      assert.matches("is a member of a cluster", message)
    end)
  end)

  it("of db.serverless need the cluster's capacity", function()
    with_cluster(function(aws)
      local code, message = aws.refused.CreateDBInstance(instance_of())
      assert.equal("InvalidDBClusterStateFault", code)
      assert.matches("Set the Serverless v2 scaling configuration", message)
      aws.CreateDBInstance(instance_of { DBInstanceClass = "db.r6g.large" })
    end, { ServerlessV2ScalingConfiguration = json.null })
  end)

  it("write where the first one is available, and fail over to the lowest tier", function()
    with_cluster(function(aws)
      aws.CreateDBInstance(instance_of())
      aws.sleep(480)
      assert.same({ "app-1" }, writers(aws))
      aws.CreateDBInstance(instance_of { DBInstanceIdentifier = "app-0", PromotionTier = 2 })
      aws.CreateDBInstance(instance_of { DBInstanceIdentifier = "app-2", PromotionTier = 1 })
      assert.equal("InvalidDBClusterStateFault", aws.refused.FailoverDBCluster { DBClusterIdentifier = "app" })
      aws.sleep(480)
      assert.same({ "app-1" }, writers(aws))
      assert.is_true(cluster(aws).MultiAZ)
      aws.FailoverDBCluster { DBClusterIdentifier = "app" }
      assert.equal("failing-over", cluster(aws).Status)
      aws.sleep(30)
      assert.same({ "app-2" }, writers(aws))
      assert.equal("InvalidDBInstanceState", aws.refused.FailoverDBCluster {
        DBClusterIdentifier = "app", TargetDBInstanceIdentifier = "app-2",
      })
      aws.DeleteDBInstance { DBInstanceIdentifier = "app-2" }
      assert.same({ "app-1" }, writers(aws))
    end)
  end)

  it("are changed in place, certificates at a reboot", function()
    with_cluster(function(aws)
      aws.CreateDBInstance(instance_of())
      local function modified(changes)
        return merged({ DBInstanceIdentifier = "app-1", ApplyImmediately = true }, changes)
      end
      assert.equal("InvalidDBInstanceState", aws.refused.ModifyDBInstance(modified { PromotionTier = 0 }))
      aws.sleep(480)
      local changed = aws.ModifyDBInstance(modified { PromotionTier = 0, EnablePerformanceInsights = true }).DBInstance
      assert.same({ "available", 0, true, 7 }, {
        changed.DBInstanceStatus, changed.PromotionTier, changed.PerformanceInsightsEnabled,
        changed.PerformanceInsightsRetentionPeriod,
      })
      aws.sleep(30)
      assert.equal("modifying", instance(aws).DBInstanceStatus)
      assert.equal("InvalidDBInstanceState", aws.refused.RebootDBInstance { DBInstanceIdentifier = "app-1" })
      aws.sleep(60)
      aws.ModifyDBInstance(modified { CACertificateIdentifier = "rds-ca-ecc384-g1" })
      aws.sleep(90)
      changed = instance(aws)
      assert.same({ "rds-ca-rsa2048-g1", { CACertificateIdentifier = "rds-ca-ecc384-g1" } },
        { changed.CACertificateIdentifier, changed.PendingModifiedValues })
      aws.RebootDBInstance { DBInstanceIdentifier = "app-1" }
      aws.sleep(60)
      assert.equal("rds-ca-ecc384-g1", instance(aws).CACertificateIdentifier)
      aws.ModifyDBInstance(modified { DBInstanceClass = "db.r6g.large" })
      assert.same({ DBInstanceClass = "db.r6g.large" }, instance(aws).PendingModifiedValues)
      aws.sleep(450)
      assert.equal("db.r6g.large", instance(aws).DBInstanceClass)
    end)
  end)

  it("are renamed after a while, and their cluster with them", function()
    with_cluster(function(aws)
      aws.CreateDBInstance(instance_of())
      aws.CreateDBInstance(instance_of { DBInstanceIdentifier = "app-2" })
      aws.sleep(1000)
      aws.FailoverDBCluster { DBClusterIdentifier = "app", TargetDBInstanceIdentifier = "app-2" }
      aws.sleep(600)
      local function rename(name, at_once)
        return { DBInstanceIdentifier = "app-2", NewDBInstanceIdentifier = name, ApplyImmediately = at_once }
      end
      assert.equal("DBInstanceAlreadyExists", aws.refused.ModifyDBInstance(rename("app-1", true)))
      assert.equal("InvalidParameterValue", aws.refused.ModifyDBInstance(rename("2", true)))
      assert.same({}, aws.ModifyDBInstance(rename "app-2").DBInstance.PendingModifiedValues)

      aws.ModifyDBInstance(rename("Other-2", true))
      assert.equal("other-2", instance(aws, "app-2").PendingModifiedValues.DBInstanceIdentifier)
      aws.sleep(60)
      assert.equal("renaming", instance(aws, "app-2").DBInstanceStatus)
      aws.sleep(60)
      local tags = aws.ListTagsForResource { ResourceName = "arn:aws:rds:us-east-1:123456789012:db:other-2" }
      assert.same({}, tags.TagList)
      assert.equal("DBInstanceNotFound", aws.refused.DescribeDBInstances { DBInstanceIdentifier = "app-2" })
      assert.same({ "other-2" }, writers(aws))

      aws.ModifyDBCluster { DBClusterIdentifier = "app", NewDBClusterIdentifier = "Shop" } -- in its maintenance window
      aws.sleep(600)
      assert.equal("shop", cluster(aws).PendingModifiedValues.DBClusterIdentifier)
      aws.sleep(7 * 86400)
      assert.equal("shop", instance(aws, "other-2").DBClusterIdentifier)
      assert.equal("arn:aws:rds:us-east-1:123456789012:cluster:shop", cluster(aws, "shop").DBClusterArn)
      assert.matches("^shop%.cluster%-", cluster(aws, "shop").Endpoint)
      assert.equal("DBClusterNotFoundFault", aws.refused.DescribeDBClusters { DBClusterIdentifier = "app" })
      assert.equal(1, #aws.DescribeDBClusters {}.DBClusters)
    end)
  end)

  it("are deleted once, without snapshots", function()
    with_cluster(function(aws)
      aws.CreateDBInstance(instance_of())
      aws.sleep(480)
      assert.equal("InvalidParameterCombination",
        aws.refused.DeleteDBInstance { DBInstanceIdentifier = "app-1", FinalDBSnapshotIdentifier = "x" })
      aws.DeleteDBInstance { DBInstanceIdentifier = "app-1" }
      local code, message = aws.refused.DeleteDBInstance { DBInstanceIdentifier = "app-1" }
      assert.equal("InvalidDBInstanceState", code)
      assert.matches("is already being deleted", message)
      aws.sleep(300)
      assert.equal("DBInstanceNotFound", aws.refused.DeleteDBInstance { DBInstanceIdentifier = "app-1" })
    end)
  end)

  it("are watched by a role that RDS can assume", function()
    with_cluster(function(aws)
      local role = assert(aws.call("iam", "CreateRole", {
        RoleName = "monitoring",
        AssumeRolePolicyDocument = json.encode {
          Version = "2012-10-17",
          Statement = {
            { Effect = "Allow", Principal = { Service = "monitoring.rds.amazonaws.com" }, Action = "sts:AssumeRole" },
          },
        },
      })).Role.Arn
      local params = instance_of { MonitoringInterval = 60, MonitoringRoleArn = role }
      local code, message = aws.refused.CreateDBInstance(params)
      assert.equal("InvalidParameterValue", code)
      assert.matches("IAM role ARN value is invalid or does not include the required permissions", message)
      aws.sleep(60)
      aws.CreateDBInstance(params)
    end)
  end)
end)
