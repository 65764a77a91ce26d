-- The pilot light: backups of the database every hour and every day, copied to another region, told when they fail; and
-- what watches the application from outside. RPO 1 h, RTO 4 h.
--
--   local dr = stack:layer("dr", {
--     cluster = data.cluster, role = security.roles.backup, topic = observability.topic, domain = "example.com",
--   })
--
-- Every part is made when what it needs is given. Returns { vault, recovery_vault, plan, health_check }.
--
-- The application comes up in the other region by stacks/dr.lua, and what it takes from the first one decides how:
--   visitors   stay with the distribution that they know; Infra::CloudFront::OriginSwitch has it ask the other region's
--              API. A second distribution would need a certificate, a web ACL and the first one's name, all from
--              us-east-1's services.
--   frontend   fails over at the edges by itself: the edge layer's `replica_region`.
--   roles      IAM takes changes only while us-east-1 works, so they are made before it is needed, by
--              `infra run stacks/dr.lua --target security`.

local infra = require "infra"
local json = require "host.json"
local policy = require "infra.layers.policy"

local dr = {
  options = {
    cluster = infra.optional("table", "the Aurora cluster to back up"),
    role = infra.optional("table", "the role that AWS Backup works as, the security layer's `backup`"),
    cluster_key = infra.optional("table", "the KMS key that the cluster is encrypted with, when it is not AWS's own"),
    topic = infra.optional("table", "who is told of failed backups, copies and restores"),
    domain = infra.optional("string", "the application's host name: https://NAME/health/ is asked from outside"),
    recovery_region = infra.default("us-west-2", "where backups are copied to"),
    hourly_days = infra.default(7, "days that hourly backups are kept"),
    daily_days = infra.default(90, "days that daily backups are kept"),
    daily_hour = infra.default(5, "hour (UTC) of the daily backup, outside of the cluster's own backup window"),
    keep = infra.default(true, "nobody may delete a backup before its time, administrators included"),
  },
}

-- -- vaults -----------------------------------------------------------------------------------------------------------

-- What backups and their copies do with the keys of what they hold.
local KEY_USE = {
  "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
  "kms:ReEncryptFrom", "kms:ReEncryptTo",
}

local KEPT = {
  Sid = "Keep", Effect = "Deny", Principal = "*", Resource = "*",
  Action = { "backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle" },
}

-- `cluster_key`: of what is backed up here and keeps its key. AWS would delete that under the backups: it may not go
-- while the vault has to stay for them.
local function vault(stack, options, name, region, cluster_key)
  local key = stack:resource("AWS::KMS::Key", name .. "-key", {
    Description = ("Backups of %s in %s"):format(stack.name, region), EnableKeyRotation = true,
  }, { region = region })
  local made = stack:resource("AWS::Backup::BackupVault", name, {
    BackupVaultName = stack.name .. "-backup", EncryptionKeyArn = key.Arn,
    AccessPolicy = options.keep and policy.document { KEPT } or nil,
  }, { region = region, depends_on = { cluster_key } })
  return made, key
end

-- What AWS Backup may do beyond the region and the keys that the role knows of.
local function allow_copies(stack, options, keys)
  local arns = json.array {}
  for _, key in ipairs(keys) do
    arns[#arns + 1] = key.Arn
  end
  arns[#arns + 1] = options.cluster_key and options.cluster_key.Arn
  stack:resource("AWS::IAM::ManagedPolicy", "backup-copies", {
    Description = "Backups: their keys, and copies in the recovery region", Roles = { options.role.RoleName },
    PolicyDocument = policy.document {
      policy.allow("Keys", KEY_USE, arns),
      policy.allow("Grants", { "kms:CreateGrant" }, arns,
        { condition = { Bool = { ["kms:GrantIsForAWSResource"] = "true" } } }),
      policy.allow("Copies", {
        "rds:AddTagsToResource", "rds:CopyDBClusterSnapshot", "rds:DeleteDBClusterSnapshot",
        "rds:DescribeDBClusterSnapshots", "rds:ListTagsForResource",
      }, { policy.arn(stack, "rds", "cluster-snapshot:awsbackup:*", options.recovery_region) }),
    },
  })
end

-- -- the plan ---------------------------------------------------------------------------------------------------------

-- Windows in minutes: hourly backups must start and end before the next ones.
local function rule(name, schedule, days, completion, vaults)
  return {
    RuleName = name, TargetBackupVault = vaults.primary.BackupVaultName, ScheduleExpression = schedule,
    StartWindowMinutes = 60, CompletionWindowMinutes = completion, Lifecycle = { DeleteAfterDays = days },
    CopyActions = {
      { DestinationBackupVaultArn = vaults.recovery.BackupVaultArn, Lifecycle = { DeleteAfterDays = days } },
    },
  }
end

local function plan(stack, options, vaults)
  local made = stack:resource("AWS::Backup::BackupPlan", "backup-plan", {
    BackupPlan = {
      BackupPlanName = stack.name .. "-aurora",
      BackupPlanRule = {
        rule("hourly", "cron(0 * * * ? *)", options.hourly_days, 120, vaults),
        rule("daily", ("cron(0 %d * * ? *)"):format(options.daily_hour), options.daily_days, 480, vaults),
      },
    },
  })
  stack:resource("AWS::Backup::BackupSelection", "backup-selection", {
    BackupPlanId = made.BackupPlanId,
    BackupSelection = {
      SelectionName = stack.name .. "-aurora", IamRoleArn = options.role.Arn,
      Resources = { options.cluster.DBClusterArn },
    },
  })
  return made
end

local FAILED = json.array { "FAILED", "ABORTED", "EXPIRED", "PARTIAL" }

-- The events are what can be relied on: the metric has no value until a first job has failed.
local function watch(stack, options, primary)
  stack:resource("AWS::Events::Rule", "backup-failures", {
    EventPattern = {
      source = { "aws.backup" },
      ["detail-type"] = { "Backup Job State Change", "Copy Job State Change", "Restore Job State Change" },
      detail = { ["$or"] = { { state = FAILED }, { status = FAILED } } }, -- restores have a status
    },
    Targets = { { Id = "alerts", Arn = options.topic.TopicArn } },
  })
  stack:resource("AWS::CloudWatch::Alarm", "backup-failed", {
    AlarmName = stack.name .. "-backup-failed", AlarmDescription = "backup jobs that failed within an hour",
    Namespace = "AWS/Backup", MetricName = "NumberOfBackupJobsFailed", Statistic = "Sum",
    Dimensions = { { Name = "BackupVaultName", Value = primary.BackupVaultName } },
    Period = 3600, EvaluationPeriods = 1, Threshold = 0, ComparisonOperator = "GreaterThanThreshold",
    TreatMissingData = "notBreaching",
    AlarmActions = { options.topic.TopicArn }, OKActions = { options.topic.TopicArn },
  })
end

function dr.build(stack, options)
  local result = {}
  if options.cluster and options.role then
    local key, recovery_key
    result.vault, key = vault(stack, options, "vault", stack.region, options.cluster_key)
    result.recovery_vault, recovery_key = vault(stack, options, "recovery-vault", options.recovery_region)
    allow_copies(stack, options, { key, recovery_key })
    result.plan = plan(stack, options, { primary = result.vault, recovery = result.recovery_vault })
    if options.topic then
      watch(stack, options, result.vault)
    end
  end
  if options.domain then
    result.health_check = stack:resource("AWS::Route53::HealthCheck", "health-check", {
      HealthCheckConfig = {
        Type = "HTTPS", FullyQualifiedDomainName = options.domain, ResourcePath = "/health/", Port = 443,
        RequestInterval = 30, FailureThreshold = 3, EnableSNI = true,
      },
    })
  end
  return result
end

return dr
