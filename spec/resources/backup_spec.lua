local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local merged = require "infra.merged"

local world

before_each(function()
  world = World.new()
end)
after_each(function()
  world:close()
end)

local function vault(properties, options)
  return World.declare(function(stack)
    stack:resource("AWS::Backup::BackupVault", "vault", merged({ BackupVaultName = "demo" }, properties), options)
  end)
end

describe("AWS::Backup::BackupVault", function()
  local POLICY = { Version = "2012-10-17", Statement = { {
    Effect = "Deny", Principal = "*", Action = { "backup:DeleteRecoveryPoint" }, Resource = "*",
  } } }

  it("is created with its access policy and tags, and is the same afterwards", function()
    local declaration = vault { AccessPolicy = POLICY, BackupVaultTags = { A = "1" } }
    local run = world:run(declaration)
    assert.same({ "CreateBackupVault", "PutBackupVaultAccessPolicy" }, calls.changes(run))
    assert.equal("1", calls.params(run, "CreateBackupVault")[1].BackupVaultTags.A)
    world:unchanged(declaration)
  end)

  it("loses a policy that is not declared any more, and changes tags in place", function()
    world:run(vault { AccessPolicy = POLICY, BackupVaultTags = { A = "1", B = "2" } })
    local wanted = vault { BackupVaultTags = { A = "3" } }
    assert.same({ "DeleteBackupVaultAccessPolicy", "TagResource", "UntagResource" }, calls.changes(world:run(wanted)))
    world:unchanged(wanted)
  end)

  it("is another one when its key changes", function()
    world:run(vault { EncryptionKeyArn = "arn:aws:kms:us-east-1:123456789012:key/1" })
    assert.same({ vault = "replace" }, world:planned(vault { EncryptionKeyArn =
      "arn:aws:kms:us-east-1:123456789012:key/2" }))
  end)

  it("is its own after a lost answer, and never somebody else's", function()
    local run = world:run(vault(), calls.lose "CreateBackupVault")
    assert.is_string(calls.params(run, "CreateBackupVault")[1].CreatorRequestId)
    world:unchanged(vault())
    world:destroy(vault())
    world:as_other(function(call)
      assert(call("backup", "CreateBackupVault", { BackupVaultName = "demo" }))
    end)
    assert.equal("AlreadyExists", world:apply(vault()).result.failures[1].code)
    world:run(vault({}, { adopt = true }))
  end)

  it("is missing, not unreadable, when it is gone: the list says so, where a look at it is denied", function()
    world:run(vault())
    world:as_other(function(call)
      assert(call("backup", "DeleteBackupVault", { BackupVaultName = "demo" }))
    end)
    assert.same({ vault = "create" }, world:planned(vault()))
    world:run(vault())
    world:destroy(vault(), calls.lose "DeleteBackupVault") -- asked again, AWS says "denied"
    assert.same({}, world:rows())
  end)

  it("is not taken for deleted when deleting it is really denied", function()
    world:run(vault())
    calls.with("backup", {
      DeleteBackupVault = function(_, ctx)
        ctx:fail("AccessDeniedException", "not authorized to perform: backup:DeleteBackupVault", 403)
      end,
    }, function()
      assert.equal("AccessDeniedException", world:apply(vault(), { destroy = true }).result.failures[1].code)
    end)
  end)

  -- The vault as AWS lists it, with `count` recovery points.
  local function holding(count)
    return {
      ListBackupVaults = function(original, ctx, params)
        local output = original(ctx, params)
        for _, one in ipairs(output.BackupVaultList) do
          one.NumberOfRecoveryPoints = count
        end
        return output
      end,
    }
  end

  it("stays when it holds recovery points, and so do they", function()
    world:run(vault())
    calls.with("backup", holding(3), function()
      local run = world:apply(vault(), { destroy = true })
      local failure = run.result.failures[1]
      assert.equal("BackupVaultNotEmpty", failure.code)
      assert.matches("holds 3 recovery points", failure.message)
      assert.matches("retain = true", failure.hint)
      assert.same({}, calls.changes(run))
    end)
  end)

  it("is deleted as soon as AWS has noticed that it is empty", function()
    world:run(vault())
    local refused = 0
    calls.with("backup", {
      DeleteBackupVault = function(original, ctx, params)
        refused = refused + 1
        if refused < 4 then
          ctx:fail("InvalidRequestException",
            "Backup vault cannot be deleted because it contains recovery points.", 400)
        end
        return original(ctx, params)
      end,
    }, function()
      world:destroy(vault())
    end)
    assert.same({}, world:rows())
  end)
end)

local function rule(more)
  return merged({ RuleName = "hourly", TargetBackupVault = "demo", ScheduleExpression = "cron(0 * * * ? *)",
    StartWindowMinutes = 60, CompletionWindowMinutes = 120, Lifecycle = { DeleteAfterDays = 7 } }, more)
end

local DAILY = rule { RuleName = "daily", ScheduleExpression = "cron(0 5 * * ? *)" }

local function plan(rules, more, selection)
  return World.declare(function(stack)
    local to = stack:resource("AWS::Backup::BackupVault", "vault", { BackupVaultName = "demo" })
    local made = stack:resource("AWS::Backup::BackupPlan", "plan", merged({
      BackupPlan = { BackupPlanName = "demo", BackupPlanRule = rules },
    }, more), { depends_on = { to } })
    if selection then
      local role = stack:resource("AWS::IAM::Role", "role", {
        AssumeRolePolicyDocument = { Version = "2012-10-17", Statement = { {
          Effect = "Allow", Principal = { Service = "backup.amazonaws.com" }, Action = "sts:AssumeRole",
        } } },
        Policies = { { PolicyName = "selection", PolicyDocument = { Version = "2012-10-17", Statement = { {
          Effect = "Allow", Action = "tag:GetResources", Resource = "*",
        } } } } },
      })
      stack:resource("AWS::Backup::BackupSelection", "selection", {
        BackupPlanId = made.BackupPlanId,
        BackupSelection = merged({ SelectionName = "database", IamRoleArn = role.Arn }, selection),
      })
    end
  end)
end

describe("AWS::Backup::BackupPlan", function()
  it("is sent in the API's names, and is the same afterwards, although AWS adds ids and defaults", function()
    local declaration = plan { { RuleName = "all", TargetBackupVault = "demo", CopyActions = { {
      DestinationBackupVaultArn = "arn:aws:backup:us-west-2:123456789012:backup-vault:demo",
      Lifecycle = { DeleteAfterDays = 90 },
    } } } }
    local sent = calls.params(world:run(declaration), "CreateBackupPlan")[1].BackupPlan
    assert.same({ "demo", "demo", 90 }, { sent.BackupPlanName, sent.Rules[1].TargetBackupVaultName,
      sent.Rules[1].CopyActions[1].Lifecycle.DeleteAfterDays })
    world:unchanged(declaration)
  end)

  it("means the same with its rules in another order, and is replaced by a new version as a whole", function()
    world:run(plan { rule(), DAILY })
    world:unchanged(plan { DAILY, rule() })
    local run = world:run(plan { rule { Lifecycle = { DeleteAfterDays = 14 } } })
    assert.same({ "UpdateBackupPlan" }, calls.changes(run))
    assert.equal(1, #calls.params(run, "UpdateBackupPlan")[1].BackupPlan.Rules)
    world:unchanged(plan { rule { Lifecycle = { DeleteAfterDays = 14 } } })
  end)

  it("is made once, however often the answer is lost or the program dies", function()
    local run = world:run(plan { rule() }, calls.lose "CreateBackupPlan")
    local sent = calls.params(run, "CreateBackupPlan")
    assert.equal(2, #sent)
    assert.equal(sent[1].CreatorRequestId, sent[2].CreatorRequestId)
    world:destroy(plan { rule() })

    local crash = { schedule = { { fault = "crash", operation = "CreateBackupPlan", when = "after" } } }
    assert.is_true(world:apply(plan { rule() }, { faults = crash }).crashed)
    assert.same({}, calls.params(world:run(plan { rule() }), "CreateBackupPlan"))
    world:unchanged(plan { rule() })
  end)

  it("does not take over one that says the same, unless it is told to", function()
    world:run(vault())
    world:as_other(function(call)
      local document = merged(rule(), { TargetBackupVaultName = "demo" })
      document.TargetBackupVault = nil
      assert(call("backup", "CreateBackupPlan", { BackupPlan = { BackupPlanName = "demo", Rules = { document } } }))
    end)
    assert.equal("AlreadyExistsException", world:apply(plan { rule() }).result.failures[1].code)
  end)

  it("is gone when it can still be read but says when it was deleted", function()
    world:run(plan { rule() })
    calls.with("backup", {
      GetBackupPlan = function(original, ctx, params)
        local output = original(ctx, params)
        output.DeletionDate = ctx.now()
        return output
      end,
    }, function()
      assert.same({ plan = "create" }, world:planned(plan { rule() }))
    end)
  end)

  it("changes its tags by calls of their own", function()
    world:run(plan({ rule() }, { BackupPlanTags = { A = "1", B = "2" } }))
    local wanted = plan({ rule() }, { BackupPlanTags = { A = "2" } })
    assert.same({ "TagResource", "UntagResource" }, calls.changes(world:run(wanted)))
    world:unchanged(wanted)
  end)

  it("is refused before anything is sent when its schedule, windows or lifecycle cannot be", function()
    local function fault(more)
      local ok, err = pcall(plan, { rule(more) })
      assert.is_false(ok)
      return tostring(err)
    end
    assert.matches("BackupPlanRule%[1%] has the ScheduleExpression cron%(0 5 %* %* %*%): it takes six fields",
      fault { ScheduleExpression = "cron(0 5 * * *)" })
    assert.matches("one of the third and the fifth", fault { ScheduleExpression = "cron(0 5 * * * *)" })
    assert.matches("StartWindowMinutes of at least 60", fault { StartWindowMinutes = 30 })
    assert.matches("CompletionWindowMinutes of at least 120", fault { CompletionWindowMinutes = 90 })
    assert.matches("DeleteAfterDays must be at least 97",
      fault { Lifecycle = { MoveToColdStorageAfterDays = 7, DeleteAfterDays = 30 } })
    assert.matches("CopyActions must keep", fault { CopyActions = { {
      DestinationBackupVaultArn = "arn:aws:backup:us-west-2:123456789012:backup-vault:demo",
      Lifecycle = { MoveToColdStorageAfterDays = 1, DeleteAfterDays = 2 },
    } } })
  end)
end)

describe("AWS::Backup::BackupSelection", function()
  local CLUSTERS = { Resources = { "arn:aws:rds:us-east-1:123456789012:cluster:a",
    "arn:aws:rds:us-east-1:123456789012:cluster:b" } }

  it("waits for its role, and is the same afterwards with its resources in another order", function()
    local run = world:run(plan({ rule() }, {}, CLUSTERS))
    assert.is_true(#calls.params(run, "CreateBackupSelection") > 1)
    local swapped = { Resources = { CLUSTERS.Resources[2], CLUSTERS.Resources[1] } }
    world:unchanged(plan({ rule() }, {}, swapped))
  end)

  it("has the region back up Aurora, and changes nothing else of that setting, nor where it is on already", function()
    local before = world:call("backup", "DescribeRegionSettings").ResourceTypeOptInPreference
    local run = world:run(plan({ rule() }, {}, CLUSTERS))
    assert.same({ { ResourceTypeOptInPreference = merged(before, { Aurora = true }) } },
      calls.params(run, "UpdateRegionSettings"))
    local names = calls.changes(run)
    assert.same({ "UpdateRegionSettings", "CreateBackupSelection" }, { names[#names - 1], names[#names] })
    assert.is_false(before.Aurora)
    world:destroy(plan({ rule() }, {}, CLUSTERS))
    assert.is_true(world:call("backup", "DescribeRegionSettings").ResourceTypeOptInPreference.Aurora)
    assert.same({}, calls.params(world:run(plan({ rule() }, {}, CLUSTERS)), "UpdateRegionSettings"))
  end)

  it("leaves the setting alone where it selects no Aurora cluster, and is not made where it is unreadable", function()
    local function refusing(selection)
      local run
      calls.with("backup", {
        DescribeRegionSettings = function(_, ctx)
          ctx:fail("AccessDeniedException", "not authorized to perform: backup:DescribeRegionSettings", 403)
        end,
      }, function()
        run = world:apply(plan({ rule() }, {}, selection))
      end)
      return run
    end
    assert.equal("AccessDeniedException", refusing(CLUSTERS).result.failures[1].code)
    assert.same({}, refusing { Resources = { "arn:aws:rds:us-east-1:123456789012:db:a",
      "arn:aws:dynamodb:us-east-1:123456789012:table/cluster:a" } }.result.failures)
  end)

  it("cannot be changed: it is made anew", function()
    world:run(plan({ rule() }, {}, CLUSTERS))
    local fewer = plan({ rule() }, {}, { Resources = { CLUSTERS.Resources[1] } })
    assert.same({ "DeleteBackupSelection", "CreateBackupSelection" }, calls.changes(world:run(fewer)))
    world:unchanged(fewer)
  end)

  it("is made once although the answer is lost, and found again after a crash", function()
    local crash = { schedule = { { fault = "crash", operation = "CreateBackupSelection", when = "after", nth = 4 } } }
    assert.is_true(world:apply(plan({ rule() }, {}, CLUSTERS), calls.crash "UpdateRegionSettings").crashed)
    world:apply(plan({ rule() }, {}, CLUSTERS), { faults = crash })
    world:run(plan({ rule() }, {}, CLUSTERS))
    world:run(plan({ rule() }, {}, { Resources = { CLUSTERS.Resources[1] } }), calls.lose "CreateBackupSelection")
    local count = world:as_other(function(call)
      local found = assert(call("backup", "ListBackupPlans", {})).BackupPlansList
      return #assert(call("backup", "ListBackupSelections",
        { BackupPlanId = found[1].BackupPlanId })).BackupSelectionsList
    end)
    assert.equal(1, count)
  end)

  it("is gone when AWS calls it an invalid parameter, and goes before its plan, which notices that late", function()
    world:run(plan({ rule() }, {}, CLUSTERS))
    world:as_other(function(call)
      local found = assert(call("backup", "ListBackupPlans", {})).BackupPlansList[1].BackupPlanId
      local list = assert(call("backup", "ListBackupSelections", { BackupPlanId = found })).BackupSelectionsList
      assert(call("backup", "DeleteBackupSelection", { BackupPlanId = found, SelectionId = list[1].SelectionId }))
    end)
    assert.same({ selection = "create" }, world:planned(plan({ rule() }, {}, CLUSTERS)))
    world:run(plan({ rule() }, {}, CLUSTERS))
    local refused = 0
    calls.with("backup", {
      DeleteBackupPlan = function(original, ctx, params)
        refused = refused + 1
        if refused < 3 then
          ctx:fail("InvalidRequestException",
            "Related backup plan selections must be deleted prior to backup plan deletion", 400)
        end
        return original(ctx, params)
      end,
    }, function()
      world:destroy(plan({ rule() }, {}, CLUSTERS))
    end)
    assert.same({}, world:rows())
  end)
end)
