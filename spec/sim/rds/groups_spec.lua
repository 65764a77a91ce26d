-- The subnet groups and cluster parameter groups of the simulated RDS.

local account = require "spec.sim.rds.account"
local merged = require "infra.merged"

local simulated, with_cluster = account.simulated, account.with_cluster
local subnet_group, cluster_of, instance_of = account.subnet_group, account.cluster_of, account.instance_of
local cluster, instance = account.cluster, account.instance

describe("infra.sim.rds subnet groups", function()
  it("have lower-case names, each once, and no tags in their description", function()
    simulated(function(aws)
      local made = aws.CreateDBSubnetGroup(subnet_group(aws, { Tags = { { Key = "a", Value = "1" } } })).DBSubnetGroup
      assert.same({ "app", aws.vpc, "Complete", 3 },
        { made.DBSubnetGroupName, made.VpcId, made.SubnetGroupStatus, #made.Subnets })
      assert.equal("arn:aws:rds:us-east-1:123456789012:subgrp:app", made.DBSubnetGroupArn)
      assert.equal("DBSubnetGroupAlreadyExists", aws.refused.CreateDBSubnetGroup(subnet_group(aws)))
      assert.same({ { Key = "a", Value = "1" } },
        aws.ListTagsForResource { ResourceName = made.DBSubnetGroupArn }.TagList)
      assert.equal("app", aws.DescribeDBSubnetGroups { DBSubnetGroupName = "APP" }.DBSubnetGroups[1].DBSubnetGroupName)
      assert.equal("DBSubnetGroupNotFoundFault", aws.refused.DescribeDBSubnetGroups { DBSubnetGroupName = "none" })
    end)
  end)

  it("cover two zones of one VPC", function()
    simulated(function(aws)
      for expected, ids in pairs {
        DBSubnetGroupDoesNotCoverEnoughAZs = { aws.subnets[1] },
        InvalidSubnet = { aws.subnets[1], "subnet-0123456789abcdef0" },
      } do
        assert.equal(expected, aws.refused.CreateDBSubnetGroup(subnet_group(aws, { SubnetIds = ids })))
      end
      assert.equal("InvalidParameterValue",
        aws.refused.CreateDBSubnetGroup(subnet_group(aws, { DBSubnetGroupName = "default" })))
    end)
  end)

  it("are replaced as a whole, except what is in use", function()
    with_cluster(function(aws)
      local kept = aws.CreateDBInstance(instance_of()).DBInstance.AvailabilityZone
      local used, others = nil, {}
      for i, zone in ipairs { "us-east-1a", "us-east-1b", "us-east-1c" } do
        if zone == kept then
          used = aws.subnets[i]
        else
          others[#others + 1] = aws.subnets[i]
        end
      end
      local function set(...)
        return { DBSubnetGroupName = "app", SubnetIds = { ... } }
      end
      assert.equal("SubnetAlreadyInUse", aws.refused.ModifyDBSubnetGroup(set(others[1], others[2])))
      assert.equal(2, #aws.ModifyDBSubnetGroup(set(others[1], used)).DBSubnetGroup.Subnets)
    end)
  end)

  it("can be deleted when no cluster is left, not even one that is being deleted", function()
    with_cluster(function(aws)
      local name = { DBSubnetGroupName = "app" }
      assert.equal("InvalidDBSubnetGroupStateFault", aws.refused.DeleteDBSubnetGroup(name))
      aws.DeleteDBCluster { DBClusterIdentifier = "app", SkipFinalSnapshot = true }
      assert.equal("InvalidDBSubnetGroupStateFault", aws.refused.DeleteDBSubnetGroup(name))
      aws.sleep(60)
      aws.DeleteDBSubnetGroup(name)
      assert.equal("DBSubnetGroupNotFoundFault", aws.refused.DeleteDBSubnetGroup(name))
    end)
  end)
end)

describe("infra.sim.rds cluster parameter groups", function()
  local GROUP = {
    DBClusterParameterGroupName = "App", DBParameterGroupFamily = "aurora-postgresql16", Description = "d",
  }

  local function parameter(name, value, method)
    return { ParameterName = name, ParameterValue = value, ApplyMethod = method or "pending-reboot" }
  end

  local function change(...)
    return { DBClusterParameterGroupName = "app", Parameters = { ... } }
  end

  local function shown(aws, source)
    local values = {}
    for _, found in ipairs(aws.DescribeDBClusterParameters {
      DBClusterParameterGroupName = "app", Source = source,
    }.Parameters) do
      values[found.ParameterName] = found.ParameterValue
    end
    return values
  end

  it("start with the family's parameters, and show which are the user's", function()
    simulated(function(aws)
      local made = aws.CreateDBClusterParameterGroup(GROUP).DBClusterParameterGroup
      assert.same({ "app", "arn:aws:rds:us-east-1:123456789012:cluster-pg:app" },
        { made.DBClusterParameterGroupName, made.DBClusterParameterGroupArn })
      assert.equal("DBParameterGroupAlreadyExists", aws.refused.CreateDBClusterParameterGroup(GROUP))
      assert.same({}, shown(aws, "user"))
      aws.ModifyDBClusterParameterGroup(change(
        parameter("LOG_statement", "ddl", "immediate"),
        parameter("shared_preload_libraries", "pg_stat_statements, pgaudit"),
        parameter("rds.force_ssl", "0")
      ))
      -- Names and lists are rewritten, and the value that RDS sets itself stays RDS's.
      assert.same({ log_statement = "ddl", shared_preload_libraries = "pg_stat_statements,pgaudit" },
        shown(aws, "user"))
      assert.equal("0", shown(aws, "system")["rds.force_ssl"])
      aws.ResetDBClusterParameterGroup(change { ParameterName = "log_statement", ApplyMethod = "immediate" })
      assert.is_nil(shown(aws, "user").log_statement)
      aws.ResetDBClusterParameterGroup { DBClusterParameterGroupName = "app", ResetAllParameters = true }
      assert.same({}, shown(aws, "user"))
    end)
  end)

  it("take twenty parameters at a time, static ones at a reboot, values that can be", function()
    simulated(function(aws)
      aws.CreateDBClusterParameterGroup(GROUP)
      local many = {}
      for i = 1, 21 do
        many[i] = parameter("work_mem", "64")
      end
      assert.equal("InvalidParameterValue", aws.refused.ModifyDBClusterParameterGroup(change(table.unpack(many))))
      assert.equal("InvalidParameterCombination",
        aws.refused.ModifyDBClusterParameterGroup(change(parameter("max_connections", "100", "immediate"))))
      for _, wrong in ipairs {
        parameter("none", "1"), parameter("work_mem", "1"), parameter("rds.force_ssl", "on"),
        parameter("data_directory", "/x"), parameter("shared_preload_libraries", "none"),
      } do
        assert.equal("InvalidParameterValue", aws.refused.ModifyDBClusterParameterGroup(change(wrong)),
          wrong.ParameterName)
      end
      aws.ModifyDBClusterParameterGroup(change(parameter("max_connections", "LEAST({DBInstanceClassMemory/1},100)")))
      assert.equal("InvalidParameterValue",
        aws.refused.CreateDBClusterParameterGroup(merged(GROUP, {
          DBClusterParameterGroupName = "other", DBParameterGroupFamily = "mysql8.0",
        })))
    end)
  end)

  it("are in use as long as a cluster has them, and need a reboot for static parameters", function()
    simulated(function(aws)
      aws.CreateDBClusterParameterGroup(GROUP)
      aws.CreateDBSubnetGroup(subnet_group(aws))
      aws.CreateDBCluster(cluster_of(aws, { DBClusterParameterGroupName = "app" }))
      aws.CreateDBInstance(instance_of())
      aws.sleep(500)
      local function status()
        return cluster(aws).DBClusterMembers[1].DBClusterParameterGroupStatus
      end
      assert.equal("in-sync", status())
      assert.equal("InvalidDBParameterGroupState",
        aws.refused.DeleteDBClusterParameterGroup { DBClusterParameterGroupName = "app" })
      aws.ModifyDBClusterParameterGroup(change(parameter("max_connections", "100")))
      assert.equal("pending-reboot", status())
      local code, message = aws.refused.ResetDBClusterParameterGroup(change(parameter("max_connections")))
      assert.equal("InvalidDBParameterGroupState", code)
      assert.matches("has pending changes", message)
      aws.RebootDBInstance { DBInstanceIdentifier = "app-1" }
      assert.equal("rebooting", instance(aws).DBInstanceStatus)
      aws.sleep(60)
      assert.equal("in-sync", status())
    end)
  end)

  it("have a default for each version that cannot be changed", function()
    simulated(function(aws)
      local name = { DBClusterParameterGroupName = "default.aurora-postgresql16" }
      assert.equal("aurora-postgresql16",
        aws.DescribeDBClusterParameterGroups(name).DBClusterParameterGroups[1].DBParameterGroupFamily)
      assert.equal("InvalidParameterValue", aws.refused.DeleteDBClusterParameterGroup(name))
      assert.equal("DBParameterGroupNotFound",
        aws.refused.DescribeDBClusterParameterGroups { DBClusterParameterGroupName = "none" })
      aws.CreateDBSubnetGroup(subnet_group(aws))
      aws.CreateDBClusterParameterGroup(merged(GROUP, { DBParameterGroupFamily = "aurora-postgresql15" }))
      assert.equal("InvalidParameterCombination",
        aws.refused.CreateDBCluster(cluster_of(aws, { DBClusterParameterGroupName = "app" })))
    end)
  end)
end)
