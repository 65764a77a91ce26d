-- AWS Backup: vaults, plans, selections. The vocabulary is in handler/schema.lua.
--
-- A create with the same CreatorRequestId gives what the first one made.

local errors = require "infra.errors"
local merged = require "infra.merged"
local observe = require "infra.handler.observe"
local read = require "infra.handler.read"

local types = {}

local function tags_of(arn, create)
  return {
    arn = arn, form = "map", create = create,
    set = { "TagResource", send = { arn .. "=ResourceArn" }, tags = "Tags" },
    unset = { "UntagResource", send = { arn .. "=ResourceArn" }, keys = "TagKeyList" },
    read = { "ListTags", send = { arn .. "=ResourceArn" }, list = "Tags" },
  }
end

-- -- vaults -----------------------------------------------------------------------------------------------------------

local VAULT = { "BackupVaultName" }

local function vault_and(...)
  return { "BackupVaultName", ... }
end

local function not_empty(op, name, count)
  return errors.fail {
    code = "BackupVaultNotEmpty", resource = op.address, source = op.source, service = "backup",
    message = ("the vault %s holds %d recovery points: it stays, and so do they"):format(name, count),
    hint = "let them expire or delete them, wait some minutes, and run again; or give the vault { retain = true }: " ..
      "then it is only forgotten",
  }
end

local DELETE_VAULT = {
  "DeleteBackupVault", send = VAULT,
  -- The count of points that were deleted before this run is late.
  retry = { { "InvalidRequestException", 600, message = "contains recovery points" } },
}

-- A vault with recovery points in it stays: deleting them is nobody's business but a person's. To delete a vault that
-- is not there is "access denied", so the list is asked.
local function delete_vault(op, known)
  local live, err = observe.item(op, known)
  if not live then
    return not err, err
  elseif (live.item.NumberOfRecoveryPoints or 0) > 0 then
    return not_empty(op, known.BackupVaultName, live.item.NumberOfRecoveryPoints)
  end
  local output, refused = op:send(DELETE_VAULT, read.scope(op, known))
  if output or read.is_gone(op, DELETE_VAULT, refused) then
    return true
  end
  live, err = observe.item(op, known)
  return not (live or err), err or refused
end

types["AWS::Backup::BackupVault"] = {
  service = "backup",
  identity = VAULT,
  name = { property = "BackupVaultName", limit = 50 },
  typical = { create = 1, update = 1, delete = 2 },
  retry = { { "InvalidParameterValueException", 120, message = "[Pp]rincipal" } }, -- one that is seconds old
  canonical = {
    LockConfiguration = function(lock) -- how long it can still be changed is told nowhere
      return { MinRetentionDays = lock.MinRetentionDays, MaxRetentionDays = lock.MaxRetentionDays }
    end,
  },
  create = {
    "CreateBackupVault", send = vault_and("EncryptionKeyArn", "@token=CreatorRequestId"),
    exists = { "AlreadyExistsException" },
  },
  -- Describing a vault that does not exist is "access denied"; the list says plainly what there is.
  read = {
    "ListBackupVaults", list = "BackupVaultList", key = "BackupVaultName", all = true,
    map = vault_and("BackupVaultArn", "EncryptionKeyArn"), gives = { "LockConfiguration" },
    decode = function(vault, values)
      if vault.Locked then
        values.LockConfiguration = {
          MinRetentionDays = vault.MinRetentionDays, MaxRetentionDays = vault.MaxRetentionDays,
        }
      end
    end,
  },
  facets = {
    {
      properties = { "AccessPolicy" },
      write = { "PutBackupVaultAccessPolicy", send = vault_and("AccessPolicy=Policy") },
      clear = { "DeleteBackupVaultAccessPolicy", send = VAULT },
      read = { "GetBackupVaultAccessPolicy", send = VAULT, map = { "AccessPolicy=Policy" } },
    },
    {
      properties = { "Notifications" },
      write = {
        "PutBackupVaultNotifications", send = VAULT,
        encode = function(params, scope)
          params.SNSTopicArn = scope.Notifications.SNSTopicArn
          params.BackupVaultEvents = scope.Notifications.BackupVaultEvents
        end,
      },
      clear = { "DeleteBackupVaultNotifications", send = VAULT },
      read = {
        "GetBackupVaultNotifications", send = VAULT, gives = { "Notifications" },
        decode = function(output, values)
          values.Notifications = { SNSTopicArn = output.SNSTopicArn, BackupVaultEvents = output.BackupVaultEvents }
        end,
      },
    },
    {
      properties = { "LockConfiguration" },
      write = {
        "PutBackupVaultLockConfiguration", send = VAULT,
        encode = function(params, scope)
          for name, value in pairs(scope.LockConfiguration) do
            params[name] = value
          end
        end,
      },
      clear = { "DeleteBackupVaultLockConfiguration", send = VAULT },
    },
  },
  tags = tags_of("BackupVaultArn", "BackupVaultTags"),
  delete = { run = delete_vault },
  gone = { "ResourceNotFoundException" },
}

-- -- plans ------------------------------------------------------------------------------------------------------------

local MIN_START <const> = 60 -- minutes
local COLD_DAYS <const> = 90 -- what goes to cold storage stays there for so long

-- A number, or nil when it is not known yet.
local function number(value)
  return type(value) == "number" and value or nil
end

local function check_lifecycle(where, lifecycle, report)
  local move = number(lifecycle.MoveToColdStorageAfterDays)
  local delete = number(lifecycle.DeleteAfterDays)
  if move and delete and delete < move + COLD_DAYS then
    report(where, ("must keep what it moves to cold storage for %d days there: DeleteAfterDays must be at least %d")
      :format(COLD_DAYS, move + COLD_DAYS))
  end
end

-- "cron(0 5 * * ? *)": six fields, one of the days is "?".
local function is_schedule(text)
  local fields = {}
  for field in (text:match "^cron%((.+)%)$" or ""):gmatch "%S+" do
    fields[#fields + 1] = field
  end
  return #fields == 6 and (fields[3] == "?") ~= (fields[5] == "?")
end

local function check_rule(where, rule, report)
  local schedule = rule.ScheduleExpression
  if type(schedule) == "string" and schedule:find "^cron" and not is_schedule(schedule) then
    report(where, ("has the ScheduleExpression %s: it takes six fields, and one of the third and the fifth is ?")
      :format(schedule))
  end
  local start = number(rule.StartWindowMinutes)
  local completion = number(rule.CompletionWindowMinutes)
  if start and start < MIN_START then
    report(where, ("must have a StartWindowMinutes of at least %d"):format(MIN_START))
  elseif start and completion and completion < start + MIN_START then
    report(where, ("must have a CompletionWindowMinutes of at least %d: %d after the start window's end"):format(
      start + MIN_START, MIN_START))
  end
  check_lifecycle(where, rule.Lifecycle or {}, report)
  for _, copy in ipairs(rule.CopyActions or {}) do
    check_lifecycle(where .. ".CopyActions", copy.Lifecycle or {}, report)
  end
end

local PLAN = { "BackupPlanId" }

types["AWS::Backup::BackupPlan"] = {
  service = "backup",
  identity = PLAN,
  typical = { create = 1, update = 1, delete = 2 },
  check = function(properties, report)
    for i, rule in ipairs(properties.BackupPlan.BackupPlanRule) do
      check_rule(("BackupPlan.BackupPlanRule[%d]"):format(i), rule, report)
    end
  end,
  form = {
    names = {
      BackupPlanResourceType = { "BackupPlanRule=Rules" },
      BackupRuleResourceType = { "TargetBackupVault=TargetBackupVaultName" },
    },
    sets = { "BackupPlanResourceType.BackupPlanRule" },
  },
  create = {
    "CreateBackupPlan", send = { "BackupPlan", "@token=CreatorRequestId" }, idempotent = true,
    exists = { "AlreadyExistsException" },
  },
  find = {
    "ListBackupPlans", list = "BackupPlansList", next = "NextToken", same = { "@token=CreatorRequestId" },
    adopt = { "BackupPlan.BackupPlanName=BackupPlanName" }, id = PLAN,
  },
  read = {
    "GetBackupPlan", send = PLAN, map = { "BackupPlan", "BackupPlanArn", "BackupPlanId", "VersionId" },
    pick = function(plan) -- one that was deleted can still be read
      return not plan.DeletionDate and plan or nil
    end,
  },
  facets = {
    {
      properties = { "BackupPlan" },
      write = { "UpdateBackupPlan", send = { "BackupPlanId", "BackupPlan" }, map = { "VersionId" } },
    },
  },
  tags = tags_of("BackupPlanArn", "BackupPlanTags"),
  delete = {
    "DeleteBackupPlan", send = PLAN,
    retry = { { "InvalidRequestException", 120, message = "selections must be deleted" } }, -- noticed late
  },
  gone = { "ResourceNotFoundException" },
}

-- -- selections -------------------------------------------------------------------------------------------------------

local SELECTION = { "BackupPlanId", "SelectionId" }

-- Every region of an account has to opt in before its plans back up Aurora, also what they name by its ARN; without it
-- no job ever starts, and nobody is told. The setting is everybody's: it is left on when the selection goes.
-- https://docs.aws.amazon.com/aws-backup/latest/devguide/working-with-supported-services.html
local function opt_in(op, scope)
  local is_aurora = false
  for _, arn in ipairs(scope.BackupSelection.Resources or {}) do
    is_aurora = is_aurora or arn:find "^arn:[^:]+:rds:[^:]*:[^:]*:cluster:" ~= nil
  end
  local settings, err
  if is_aurora then
    settings, err = op:get({ "DescribeRegionSettings" }, {})
  end
  local services = settings and settings.ResourceTypeOptInPreference
  if not services or services.Aurora then
    return not err, err
  end
  op.report("letting AWS Backup back up Aurora in " .. op.region)
  return op:mutate({ "UpdateRegionSettings" }, { ResourceTypeOptInPreference = merged(services, { Aurora = true }) })
end

-- How AWS says that the plan, or the selection, is not there.
local UNKNOWN = { "InvalidParameterValueException" }

types["AWS::Backup::BackupSelection"] = { -- nothing about it can be changed, and it takes no tags
  service = "backup",
  identity = SELECTION,
  typical = { create = 2, delete = 1 },
  create = {
    "CreateBackupSelection", send = { "BackupPlanId", "BackupSelection", "@token=CreatorRequestId" }, idempotent = true,
    map = SELECTION, exists = { "AlreadyExistsException" }, before = opt_in,
    retry = { -- a role that is seconds old
      { "InvalidParameterValueException", 120, message = "cannot be assumed" },
      { "InvalidParameterValueException", 120, message = "is not authorized to call" },
    },
  },
  find = {
    "ListBackupSelections", list = "BackupSelectionsList", next = "NextToken", send = { "BackupPlanId" },
    same = { "@token=CreatorRequestId" }, adopt = { "BackupSelection.SelectionName=SelectionName" },
    id = { "SelectionId" },
  },
  read = {
    "GetBackupSelection", send = SELECTION, absent = UNKNOWN, map = { "BackupSelection", table.unpack(SELECTION) },
    decode = function(_, values)
      values.Id = ("%s_%s"):format(values.SelectionId, values.BackupPlanId)
    end,
  },
  form = {
    sets = { "BackupSelectionResourceType.Resources", "BackupSelectionResourceType.NotResources" },
  },
  delete = { "DeleteBackupSelection", send = SELECTION, absent = UNKNOWN },
  gone = { "ResourceNotFoundException" },
}

return types
