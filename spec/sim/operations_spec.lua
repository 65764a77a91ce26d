-- The simulated CloudWatch, EventBridge and AWS Backup: what their API references and their known traps say.

local caller = require "spec.sim.caller"
local json = require "host.json"
local merged = require "infra.merged"

local code = caller.code

describe("infra.sim.cloudwatch", function()
  local function alarm(more)
    return merged({ AlarmName = "a", Namespace = "AWS/Lambda", MetricName = "Errors", Statistic = "Sum", Period = 60,
      EvaluationPeriods = 2, Threshold = 5, ComparisonOperator = "GreaterThanThreshold" }, more)
  end

  it("replaces an alarm as a whole, but for its tags and its state", function()
    caller.run({}, function(call)
      local tags = { { Key = "a", Value = "1" } }
      assert(call("cloudwatch", "PutMetricAlarm", alarm { AlarmDescription = "d", Tags = tags }))
      assert(call("cloudwatch", "PutMetricAlarm", alarm { Tags = { { Key = "b", Value = "2" } } }))
      local found = assert(call("cloudwatch", "DescribeAlarms", { AlarmNames = { "a" } })).MetricAlarms[1]
      assert.is_nil(found.AlarmDescription)
      assert.is_true(found.ActionsEnabled)
      assert.equal("INSUFFICIENT_DATA", found.StateValue)
      assert.same(tags, assert(call("cloudwatch", "ListTagsForResource", { ResourceARN = found.AlarmArn })).Tags)
    end)
  end)

  it("lists alarms by their state", function()
    caller.run({}, function(call)
      assert(call("cloudwatch", "PutMetricAlarm", alarm()))
      local function names(state)
        local found = {}
        for i, each in ipairs(assert(call("cloudwatch", "DescribeAlarms", { StateValue = state })).MetricAlarms) do
          found[i] = each.AlarmName
        end
        return found
      end
      assert.same({ "a" }, names "INSUFFICIENT_DATA")
      assert.same({}, names "ALARM")
      assert.same({ "a" }, names())
    end)
  end)

  it("refuses what could not be evaluated", function()
    caller.run({}, function(call)
      assert.equal("ValidationError", code(call("cloudwatch", "PutMetricAlarm", alarm { Period = 45 })))
      assert.equal("ValidationError", code(call("cloudwatch", "PutMetricAlarm",
        alarm { AlarmActions = { "arn:aws:sns:eu-west-1:1:t" } })))
      assert.equal("InvalidParameterCombination", code(call("cloudwatch", "PutMetricAlarm",
        alarm { Metrics = { { Id = "e", Expression = "1", ReturnData = true } } })))
    end)
  end)

  it("deletes what there is, and says when something was missing", function()
    caller.run({}, function(call)
      assert(call("cloudwatch", "PutMetricAlarm", alarm()))
      assert.equal("ResourceNotFound", code(call("cloudwatch", "DeleteAlarms", { AlarmNames = { "a", "b" } })))
      assert.same({}, assert(call("cloudwatch", "DescribeAlarms", {})).MetricAlarms)
    end)
  end)

  it("keeps dashboards as they were written", function()
    caller.run({}, function(call)
      local text = '{ "widgets": [ { "type": "metric", "properties": { "region": "us-east-1" } } ] }'
      assert(call("cloudwatch", "PutDashboard", { DashboardName = "d", DashboardBody = text }))
      assert.equal(text, assert(call("cloudwatch", "GetDashboard", { DashboardName = "d" })).DashboardBody)
      assert.equal("InvalidParameterInput", code(call("cloudwatch", "PutDashboard", { DashboardName = "e",
        DashboardBody = '{"widgets":[{"type":"metric","properties":{}}]}' })))
      assert.equal("ResourceNotFound", code(call("cloudwatch", "DeleteDashboards", { DashboardNames = { "d", "e" } })))
      assert(call("cloudwatch", "GetDashboard", { DashboardName = "d" }))
    end)
  end)
end)

describe("infra.sim.events", function()
  local RULE = { Name = "r", EventPattern = '{"source":["aws.backup"]}' }

  it("keeps a rule while it has targets", function()
    caller.run({}, function(call)
      assert(call("events", "PutRule", RULE))
      local answer = assert(call("events", "PutTargets", { Rule = "r", Targets = {
        { Id = "1", Arn = "arn:aws:sns:us-east-1:1:t" }, { Id = "2", Arn = "nothing" } } }))
      assert.equal(1, answer.FailedEntryCount)
      assert.equal(1, #assert(call("events", "ListTargetsByRule", { Rule = "r" })).Targets)
      assert.equal("ValidationException", code(call("events", "DeleteRule", { Name = "r" })))
      assert(call("events", "RemoveTargets", { Rule = "r", Ids = { "1" } }))
      assert(call("events", "DeleteRule", { Name = "r" }))
      assert(call("events", "DeleteRule", { Name = "r" }))
      assert.equal("ResourceNotFoundException", code(call("events", "DescribeRule", { Name = "r" })))
    end)
  end)

  it("forgets what a second PutRule leaves out", function()
    caller.run({}, function(call)
      assert(call("events", "PutRule", { Name = "r", EventPattern = RULE.EventPattern, Description = "d" }))
      assert(call("events", "PutRule", RULE))
      assert.is_nil(assert(call("events", "DescribeRule", { Name = "r" })).Description)
    end)
  end)
end)

describe("infra.sim.backup", function()
  local function plan(more)
    local rule = merged({
      RuleName = "hourly", TargetBackupVaultName = "vault", ScheduleExpression = "cron(0 * * * ? *)",
      StartWindowMinutes = 60, CompletionWindowMinutes = 120,
    }, more)
    return { BackupPlan = { BackupPlanName = "p", Rules = { rule } }, CreatorRequestId = "c" }
  end

  it("hides whether there is a vault, and says whose the existing one is", function()
    caller.run({}, function(call)
      assert.equal("AccessDeniedException", code(call("backup", "DescribeBackupVault", { BackupVaultName = "vault" })))
      assert(call("backup", "CreateBackupVault", { BackupVaultName = "vault", CreatorRequestId = "c" }))
      local none, err = call("backup", "CreateBackupVault", { BackupVaultName = "vault" })
      assert.equal("AlreadyExistsException", code(none, err))
    end)
  end)

  it("knows a plan by its request, and keeps it while it has selections", function()
    caller.run({}, function(call, _, world)
      assert.equal("InvalidParameterValueException", code(call("backup", "CreateBackupPlan", plan())))
      assert(call("backup", "CreateBackupVault", { BackupVaultName = "vault" }))
      assert.equal("InvalidParameterValueException", code(call("backup", "CreateBackupPlan",
        plan { CompletionWindowMinutes = 90 })))
      assert.equal("InvalidParameterValueException", code(call("backup", "CreateBackupPlan",
        plan { ScheduleExpression = "cron(0 * * * * *)" })))
      local id = assert(call("backup", "CreateBackupPlan", plan())).BackupPlanId
      assert.equal(id, assert(call("backup", "CreateBackupPlan", plan())).BackupPlanId)
      local role = assert(call("iam", "CreateRole", { RoleName = "b", AssumeRolePolicyDocument = json.encode {
        Version = "2012-10-17", Statement = { { Effect = "Allow", Action = "sts:AssumeRole",
          Principal = { Service = "backup.amazonaws.com" } } } } })).Role.Arn
      local selection = { BackupPlanId = id, CreatorRequestId = "s", BackupSelection = { SelectionName = "s",
        IamRoleArn = role, Resources = { "arn:aws:rds:us-east-1:123456789012:cluster:c" } } }
      assert.equal("InvalidParameterValueException", code(call("backup", "CreateBackupSelection", selection)))
      world.scheduler:sleep(60)
      local _, err = call("backup", "CreateBackupSelection", selection)
      assert.matches("is not authorized to call tag:GetResources", err.message)
      assert(call("iam", "PutRolePolicy", { RoleName = "b", PolicyName = "p", PolicyDocument = json.encode {
        Version = "2012-10-17", Statement = { { Effect = "Allow", Action = "tag:GetResources", Resource = "*" } } } }))
      local made = assert(call("backup", "CreateBackupSelection", selection))
      assert.equal(made.SelectionId, assert(call("backup", "CreateBackupSelection", selection)).SelectionId)
      assert.equal("InvalidRequestException", code(call("backup", "DeleteBackupPlan", { BackupPlanId = id })))
      assert(call("backup", "DeleteBackupSelection", { BackupPlanId = id, SelectionId = made.SelectionId }))
      assert(call("backup", "DeleteBackupPlan", { BackupPlanId = id }))
      assert.equal("ResourceNotFoundException", code(call("backup", "GetBackupPlan", { BackupPlanId = id })))
    end)
  end)
end)
