local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local merged = require "infra.merged"
local watched = require "spec.layers.watched"

-- The layer with further options, but without those named in `less`.
local function declare(more, less)
  return World.declare(function(stack)
    local parts = watched(stack)
    local options = merged({
      cluster = parts.cluster, role = parts.roles.backup, topic = stack:layer("observability", {}).topic,
      domain = "example.com",
    }, more)
    for _, name in ipairs(less or {}) do
      options[name] = nil
    end
    stack:layer("dr", options)
  end)
end

local function one(declaration, address)
  return (assert(declaration.resources["dr/" .. address], address))
end

describe("the layer dr", function()
  it("backs up every hour and every day, and copies both", function()
    local declaration = declare()
    local hourly, daily = table.unpack(one(declaration, "backup-plan").properties.BackupPlan.BackupPlanRule)
    assert.same({ "cron(0 * * * ? *)", 7, 7 }, { hourly.ScheduleExpression, hourly.Lifecycle.DeleteAfterDays,
      hourly.CopyActions[1].Lifecycle.DeleteAfterDays })
    assert.same({ "cron(0 5 * * ? *)", 90, 90 }, { daily.ScheduleExpression, daily.Lifecycle.DeleteAfterDays,
      daily.CopyActions[1].Lifecycle.DeleteAfterDays })
    local vaults = { one(declaration, "vault"), one(declaration, "recovery-vault") }
    assert.same({ "us-east-1", "us-west-2" }, { vaults[1].region, vaults[2].region })
    assert.same({ "us-east-1", "us-west-2" },
      { one(declaration, "vault-key").region, one(declaration, "recovery-vault-key").region })
    for _, vault in ipairs(vaults) do
      assert.is_string(vault.properties.EncryptionKeyArn)
      assert.equal("Deny", vault.properties.AccessPolicy.Statement[1].Effect)
    end
    assert.equal(1, #one(declaration, "backup-selection").properties.BackupSelection.Resources)
  end)

  it("tells of failed backups, by events and by an alarm", function()
    local declaration = declare()
    local pattern = one(declaration, "backup-failures").properties.EventPattern
    assert.equal(3, #pattern["detail-type"])
    assert.equal(2, #pattern.detail["$or"])
    local alarm = one(declaration, "backup-failed").properties
    assert.same({ "NumberOfBackupJobsFailed", "notBreaching", "BackupVaultName" },
      { alarm.MetricName, alarm.TreatMissingData, alarm.Dimensions[1].Name })
  end)

  it("asks for the application's health from outside", function()
    local check = one(declare(), "health-check").properties.HealthCheckConfig
    assert.same({ "HTTPS", "example.com", "/health/" },
      { check.Type, check.FullyQualifiedDomainName, check.ResourcePath })
  end)

  it("makes what it is given the means for, and lets backups be deleted when it is told to", function()
    local declaration = declare({}, { "cluster", "domain" })
    assert.is_nil(declaration.resources["dr/vault"])
    assert.is_nil(declaration.resources["dr/health-check"])
    assert.is_nil(one(declare { keep = false }, "vault").properties.AccessPolicy)
  end)

  it("is built, changes nothing when built again, is changed in place and destroyed on AWS's terms", function()
    local world = World.new()
    local function whole(days)
      return World.declare(function(stack)
        local network = stack:layer("network", { nat = "none" })
        local security = stack:layer("security", { vpc = network.vpc })
        local cluster = stack:resource("AWS::RDS::DBCluster", "cluster", {
          Engine = "aurora-postgresql", DBClusterIdentifier = "demo", MasterUsername = "dbadmin",
          ManageMasterUserPassword = true,
          DBSubnetGroupName = stack:resource("AWS::RDS::DBSubnetGroup", "subnets", {
            DBSubnetGroupDescription = "demo", DBSubnetGroupName = "demo",
            SubnetIds = { network.private_subnets[1].SubnetId, network.private_subnets[2].SubnetId },
          }).DBSubnetGroupName,
        })
        local observability = stack:layer("observability", {})
        stack:layer("dr", { cluster = cluster, role = security.roles.backup, topic = observability.topic,
          domain = "example.com", hourly_days = days })
      end)
    end
    world:run(whole(7))
    world:unchanged(whole(7))
    assert.same({ "UpdateBackupPlan" }, calls.changes(world:run(whole(14))))
    world:destroy(whole(14))
    assert.same({}, world:rows())
    world:close()
  end)
end)
