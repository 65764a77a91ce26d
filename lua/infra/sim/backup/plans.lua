-- Plans of the simulated AWS Backup, and their selections of what is backed up. Kept in the region's store, kinds
-- "plan" and "selection/PLAN", by id.

local arns = require "infra.sim.arns"
local entities = require "infra.sim.backup.entities"
local json = require "host.json"
local principals = require "infra.sim.iam.principals"
local tagging = require "infra.sim.tagging"

local plans = { operations = {}, tagged = { plan = tagging.with_arn "BackupPlanArn" } }
local operations = plans.operations

local fail, page_of = entities.fail, entities.page

local function find_plan(ctx, id)
  local plan = ctx.store:get("plan", id)
  if not plan or plan.DeletionDate then
    fail(ctx, "ResourceNotFoundException", "Failed reading Backup plan with provided version")
  end
  return plan
end

local function check_cron(ctx, expression)
  local fields = {}
  for field in (expression:match "^cron%((.*)%)$" or ""):gmatch "%S+" do
    fields[#fields + 1] = field
  end
  if #fields ~= 6 or (fields[3] == "?") == (fields[5] == "?") then
    fail(ctx, "InvalidParameterValueException", "Invalid cron expression %s: one of day-of-month and day-of-week " ..
      "must be ?", expression)
  end
end

local function check_rule(ctx, rule)
  if rule.ScheduleExpression then
    check_cron(ctx, rule.ScheduleExpression)
  end
  local start, completion = rule.StartWindowMinutes or 480, rule.CompletionWindowMinutes or 10080
  if start < 60 or completion < start + 60 then
    fail(ctx, "InvalidParameterValueException", "Invalid windows: the completion window must be an hour longer than " ..
      "the start window")
  elseif not ctx.store:get("vault", rule.TargetBackupVaultName) then
    fail(ctx, "InvalidParameterValueException", "Backup vault %s does not exist", rule.TargetBackupVaultName)
  end
  for _, part in ipairs { rule, table.unpack(rule.CopyActions or {}) } do
    local lifecycle = part.Lifecycle or {}
    local cold = lifecycle.MoveToColdStorageAfterDays
    if cold and lifecycle.DeleteAfterDays and lifecycle.DeleteAfterDays < cold + 90 then
      fail(ctx, "InvalidParameterValueException", "DeleteAfterDays must be at least 90 days after " ..
        "MoveToColdStorageAfterDays")
    end
  end
end

-- What the service writes into a plan by itself.
local function complete(ctx, document)
  for _, rule in ipairs(document.Rules) do
    rule.RuleId = ctx.uuid()
    rule.ScheduleExpression = rule.ScheduleExpression or "cron(0 5 ? * * *)"
    rule.ScheduleExpressionTimezone = rule.ScheduleExpressionTimezone or "Etc/UTC"
    rule.StartWindowMinutes = rule.StartWindowMinutes or 480
    rule.CompletionWindowMinutes = rule.CompletionWindowMinutes or 10080
    rule.EnableContinuousBackup = rule.EnableContinuousBackup or false
  end
  return document
end

local function plan_summary(plan)
  return { BackupPlanId = plan.BackupPlanId, BackupPlanArn = plan.BackupPlanArn, VersionId = plan.VersionId,
    CreationDate = plan.CreationDate, DeletionDate = plan.DeletionDate, CreatorRequestId = plan.CreatorRequestId,
    BackupPlanName = plan.BackupPlan.BackupPlanName }
end

function operations.CreateBackupPlan(ctx, params)
  for _, rule in ipairs(params.BackupPlan.Rules) do
    check_rule(ctx, rule)
  end
  local request = json.encode(params.BackupPlan)
  for _, plan in ctx.store:each("plan") do
    local same_request = params.CreatorRequestId and plan.CreatorRequestId == params.CreatorRequestId
    if not plan.DeletionDate and same_request then
      return plan_summary(plan)
    elseif not plan.DeletionDate and plan.request == request then
      fail(ctx, "AlreadyExistsException", "Backup plan with the same plan document already exists")
    end
  end
  local id = ctx.uuid()
  local plan = {
    BackupPlanId = id, VersionId = ctx.unique(48), CreationDate = ctx.now(), request = request,
    BackupPlanArn = arns.of(ctx, "backup", "backup-plan:" .. id),
    CreatorRequestId = params.CreatorRequestId, BackupPlan = complete(ctx, params.BackupPlan),
    tags = tagging.merge(params.BackupPlanTags),
  }
  entities.watch(ctx)
  ctx.store:put("plan", id, plan)
  return plan_summary(plan)
end

function operations.GetBackupPlan(ctx, params)
  local plan = find_plan(ctx, params.BackupPlanId)
  local shown = plan_summary(plan)
  shown.BackupPlan = plan.BackupPlan
  return shown
end

function operations.UpdateBackupPlan(ctx, params)
  local plan = find_plan(ctx, params.BackupPlanId)
  for _, rule in ipairs(params.BackupPlan.Rules) do
    check_rule(ctx, rule)
  end
  plan.request, plan.VersionId = json.encode(params.BackupPlan), ctx.unique(48)
  plan.BackupPlan = complete(ctx, params.BackupPlan)
  ctx.store:put("plan", plan.BackupPlanId, plan)
  return plan_summary(plan)
end

function operations.ListBackupPlans(ctx, params)
  local items = {}
  for _, plan in ctx.store:each("plan") do
    if params.IncludeDeleted or not plan.DeletionDate then
      items[#items + 1] = plan_summary(plan)
    end
  end
  local page, token = page_of(ctx, items, function(item) return item.BackupPlanId end, params)
  return { BackupPlansList = page, NextToken = token }
end

function operations.DeleteBackupPlan(ctx, params)
  local plan = find_plan(ctx, params.BackupPlanId)
  for _ in ctx.store:each("selection/" .. plan.BackupPlanId) do
    fail(ctx, "InvalidRequestException", "Related backup plan selections must be deleted prior to backup plan deletion")
  end
  plan.DeletionDate = ctx.now()
  ctx.store:put("plan", plan.BackupPlanId, plan)
  return plan_summary(plan)
end

-- -- selections -------------------------------------------------------------------------------------------------------

local function selection_summary(selection)
  return { BackupPlanId = selection.BackupPlanId, SelectionId = selection.SelectionId,
    SelectionName = selection.BackupSelection.SelectionName, CreationDate = selection.CreationDate,
    IamRoleArn = selection.BackupSelection.IamRoleArn, CreatorRequestId = selection.CreatorRequestId }
end

function operations.CreateBackupSelection(ctx, params)
  local plan, request = find_plan(ctx, params.BackupPlanId), params.BackupSelection
  local kind = "selection/" .. plan.BackupPlanId
  if not principals.assumable_by(ctx, request.IamRoleArn, "backup.amazonaws.com") then
    fail(ctx, "InvalidParameterValueException", "IAM Role %s cannot be assumed by AWS Backup", request.IamRoleArn)
  elseif not entities.allows(ctx, request.IamRoleArn, "tag:GetResources") then
    fail(ctx, "InvalidParameterValueException", "IAM Role %s is not authorized to call tag:GetResources",
      request.IamRoleArn)
  end
  for _, other in ctx.store:each(kind) do
    if params.CreatorRequestId and other.CreatorRequestId == params.CreatorRequestId then
      return selection_summary(other)
    end
  end
  local selection = { BackupPlanId = plan.BackupPlanId, SelectionId = ctx.uuid(), CreationDate = ctx.now(),
    CreatorRequestId = params.CreatorRequestId, BackupSelection = request }
  ctx.store:put(kind, selection.SelectionId, selection)
  return selection_summary(selection)
end

local function find_selection(ctx, params)
  local selection = ctx.store:get("selection/" .. params.BackupPlanId, params.SelectionId)
  if not selection then
    fail(ctx, "InvalidParameterValueException", "Cannot find backup selection %s", params.SelectionId)
  end
  return selection
end

function operations.GetBackupSelection(ctx, params)
  return find_selection(ctx, params)
end

function operations.ListBackupSelections(ctx, params)
  local items = {}
  for _, selection in ctx.store:each("selection/" .. find_plan(ctx, params.BackupPlanId).BackupPlanId) do
    items[#items + 1] = selection_summary(selection)
  end
  local page, token = page_of(ctx, items, function(item) return item.SelectionId end, params)
  return { BackupSelectionsList = page, NextToken = token }
end

function operations.DeleteBackupSelection(ctx, params)
  local selection = find_selection(ctx, params)
  ctx.store:delete("selection/" .. params.BackupPlanId, selection.SelectionId)
  return {}
end

return plans
