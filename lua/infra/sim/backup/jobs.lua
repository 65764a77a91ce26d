-- Jobs of the simulated AWS Backup: backups by plan and on demand, and copies into other vaults and regions. Of Aurora
-- clusters only, and of those that a selection names by ARN.
--
-- Nothing runs between two calls: before each one, `advance` does what has become due, at the time when it was. Kept in
-- the region's store, kinds "job" and "copy", by id: the members of the API's BackupJob and CopyJob, and
--   starts_at, ends_at   unix seconds; ends_at once it has started
--   copies               the copy actions that follow
--   settled              true when there is nothing more to do for it
-- and in the account's global store, kind "region": { done_until = when the region's plans were last looked at }.

local entities = require "infra.sim.backup.entities"
local merged = require "infra.merged"
local points = require "infra.sim.backup.points"
local principals = require "infra.sim.iam.principals"
local rds = require "infra.sim.rds.entities"
local schedule = require "infra.sim.backup.schedule"
local settings = require "infra.sim.backup.settings"
local snapshots = require "infra.sim.rds.snapshots"

local jobs = { operations = {} }
local operations = jobs.operations

-- Seconds from when a job is due until it starts.
local STARTING <const> = 300

-- The context as it was at `time`.
local function at(ctx, time)
  return setmetatable({ now = function() return time end }, { __index = ctx })
end

local function new_job(ctx, vault_name, resource, fields)
  local job = merged({
    BackupJobId = ctx.uuid(), BackupVaultName = vault_name, ResourceArn = resource, ResourceType = "Aurora",
    BackupVaultArn = entities.vault_arn(ctx, vault_name), CreationDate = ctx.now(), starts_at = ctx.now() + STARTING,
  }, fields)
  entities.watch(ctx)
  return ctx.store:put("job", job.BackupJobId, job)
end

local function new_copy(ctx, point, destination, fields)
  local copy = merged({
    CopyJobId = ctx.uuid(), SourceBackupVaultArn = point.BackupVaultArn, ResourceType = "Aurora",
    SourceRecoveryPointArn = point.RecoveryPointArn, DestinationBackupVaultArn = destination,
    ResourceArn = point.ResourceArn, CreationDate = ctx.now(), starts_at = ctx.now(),
  }, fields)
  return ctx.store:put("copy", copy.CopyJobId, copy)
end

-- -- what a job does --------------------------------------------------------------------------------------------------

local function fail(job, message, ...)
  job.settled, job.failed_at, job.StatusMessage = true, job.starts_at, message:format(...)
end

local function cluster_of(ctx, arn)
  local cluster = rds.get(ctx, "cluster", arn:match ":cluster:(.+)$" or "")
  return cluster and cluster.available_at <= ctx.now() and cluster or nil
end

local function take(ctx, job)
  local vault, cluster = ctx.store:get("vault", job.BackupVaultName), cluster_of(ctx, job.ResourceArn)
  if not vault or not cluster then
    return fail(job, "The backup vault or the resource does not exist: %s", job.ResourceArn)
  elseif not entities.allows(ctx, job.IamRoleArn, "rds:CreateDBClusterSnapshot", job.ResourceArn) then
    return fail(job, "IAM Role %s does not have sufficient permissions to execute the backup", job.IamRoleArn)
  end
  local snapshot = snapshots.take(ctx, cluster, {
    DBClusterSnapshotIdentifier = "awsbackup:job-" .. job.BackupJobId, SnapshotType = "awsbackup",
  })
  points.put(ctx, vault, snapshot, {
    ResourceArn = job.ResourceArn, IamRoleArn = job.IamRoleArn, CreatedBy = job.CreatedBy, Lifecycle = job.Lifecycle,
  })
  job.RecoveryPointArn, job.ends_at = snapshot.DBClusterSnapshotArn, snapshot.available_at
end

local function copy_point(ctx, job)
  local point = ctx.store:get("point", job.SourceRecoveryPointArn)
  local region, name = job.DestinationBackupVaultArn:match ":backup:([^:]+):[^:]+:backup%-vault:(.+)$"
  local there = ctx:in_region(region)
  local vault = there.store:get("vault", name)
  local id = "awsbackup:copyjob-" .. job.CopyJobId
  if not point or not vault then
    return fail(job, "The recovery point or the destination backup vault does not exist")
  elseif not entities.allows(ctx, job.IamRoleArn, "rds:CopyDBClusterSnapshot", rds.arn(there, "snapshot", id)) then
    return fail(job, "IAM Role %s does not have sufficient permissions to execute the copy", job.IamRoleArn)
  end
  local snapshot = snapshots.copy(there, rds.find(ctx, "snapshot", point.RecoveryPointArn), ctx.region,
    { TargetDBClusterSnapshotIdentifier = id, SnapshotType = "awsbackup", CopyTags = true }, vault.EncryptionKeyArn)
  points.put(there, vault, snapshot, {
    ResourceArn = job.ResourceArn, IamRoleArn = job.IamRoleArn, CreatedBy = job.CreatedBy, Lifecycle = job.Lifecycle,
    SourceBackupVaultArn = job.SourceBackupVaultArn,
  })
  job.DestinationRecoveryPointArn, job.ends_at = snapshot.DBClusterSnapshotArn, snapshot.available_at
end

local function copies_after(ctx, job)
  local point = ctx.store:get("point", job.RecoveryPointArn)
  for _, action in ipairs(point and job.copies or {}) do
    new_copy(ctx, point, action.DestinationBackupVaultArn, {
      IamRoleArn = job.IamRoleArn, CreatedBy = job.CreatedBy, Lifecycle = action.Lifecycle,
    })
  end
end

-- -- time -------------------------------------------------------------------------------------------------------------

-- Has job records made for all that the region's plans had due after `since`: none as long as the region has not opted
-- in, and nobody is told.
local function start_due(ctx, since)
  if not settings.opted_in(ctx, "Aurora") then
    return
  end
  for id, plan in ctx.store:each "plan" do
    for _, rule in ipairs(plan.DeletionDate and {} or plan.BackupPlan.Rules) do
      for _, time in ipairs(schedule.due(rule.ScheduleExpression, math.max(since, plan.CreationDate), ctx.now())) do
        for _, selection in ctx.store:each("selection/" .. id) do
          for _, resource in ipairs(selection.BackupSelection.Resources or {}) do
            new_job(at(ctx, time), rule.TargetBackupVaultName, resource, {
              IamRoleArn = selection.BackupSelection.IamRoleArn, Lifecycle = rule.Lifecycle, copies = rule.CopyActions,
              CreatedBy = { BackupPlanId = id, BackupPlanArn = plan.BackupPlanArn, BackupRuleId = rule.RuleId,
                BackupPlanVersion = plan.VersionId },
            })
          end
        end
      end
    end
  end
end

-- Begins and ends what is due of the jobs of one kind: `begin(ctx, job)`, `finish(ctx, job)`.
local function settle(ctx, kind, begin, finish)
  for id, job in ctx.store:each(kind) do
    if not job.settled and not job.ends_at and job.starts_at <= ctx.now() then
      begin(at(ctx, job.starts_at), job)
      ctx.store:put(kind, id, job)
    end
    if not job.settled and job.ends_at and job.ends_at <= ctx.now() then
      job.settled = true
      finish(at(ctx, job.ends_at), job)
      ctx.store:put(kind, id, job)
    end
  end
end

--- Does in all regions of the account what has become due.
function jobs.advance(ctx)
  for region, watched in ctx.global:each "region" do
    local there = ctx:in_region(region)
    start_due(there, watched.done_until)
    ctx.global:put("region", region, { done_until = ctx.now() })
    settle(there, "job", take, copies_after)
    settle(there, "copy", copy_point, function() end)
    points.expire(there)
  end
end

-- -- operations -------------------------------------------------------------------------------------------------------

local function state(ctx, job)
  if job.failed_at then
    return "FAILED"
  elseif not job.ends_at then
    return "CREATED"
  end
  return ctx.now() < job.ends_at and "RUNNING" or "COMPLETED"
end

local function view(ctx, job)
  local shown = merged(job)
  shown.State = state(ctx, job)
  shown.CompletionDate = job.settled and (job.failed_at or job.ends_at) or nil
  shown.PercentDone = job.settled and "100.0" or "0.0"
  return shown
end

local function check_role(ctx, role)
  if not principals.assumable_by(ctx, role, "backup.amazonaws.com") then
    entities.fail(ctx, "InvalidParameterValueException", "IAM Role %s cannot be assumed by AWS Backup", role)
  end
end

-- The job that the same request has made before, or nil.
local function repeated(ctx, kind, token)
  for _, job in ctx.store:each(kind) do
    if token and job.token == token then
      return job
    end
  end
end

function operations.StartBackupJob(ctx, params)
  entities.vault(ctx, params.BackupVaultName)
  check_role(ctx, params.IamRoleArn)
  if not cluster_of(ctx, params.ResourceArn) then
    entities.fail(ctx, "InvalidParameterValueException", "Unsupported resource type or unknown resource: %s",
      params.ResourceArn)
  end
  local job = repeated(ctx, "job", params.IdempotencyToken)
    or new_job(ctx, params.BackupVaultName, params.ResourceArn, {
      IamRoleArn = params.IamRoleArn, Lifecycle = params.Lifecycle, token = params.IdempotencyToken,
    })
  return { BackupJobId = job.BackupJobId, CreationDate = job.CreationDate, IsParent = false }
end

function operations.StartCopyJob(ctx, params)
  check_role(ctx, params.IamRoleArn)
  local point = points.available(ctx, {
    BackupVaultName = params.SourceBackupVaultName, RecoveryPointArn = params.RecoveryPointArn,
  })
  local copy = repeated(ctx, "copy", params.IdempotencyToken)
    or new_copy(ctx, point, params.DestinationBackupVaultArn, {
      IamRoleArn = params.IamRoleArn, Lifecycle = params.Lifecycle, token = params.IdempotencyToken,
    })
  return { CopyJobId = copy.CopyJobId, CreationDate = copy.CreationDate, IsParent = false }
end

-- { operations that show jobs of a kind }: { kind, id, Describe's and List's members, filters }.
local function shown_by(what)
  operations["Describe" .. what.name] = function(ctx, params)
    local job = ctx.store:get(what.kind, params[what.id])
    if not job then
      entities.fail(ctx, "ResourceNotFoundException", "Cannot find the job %s", params[what.id])
    end
    return what.wrap and { [what.wrap] = view(ctx, job) } or view(ctx, job)
  end
  operations["List" .. what.name .. "s"] = function(ctx, params)
    local items = {}
    for _, job in ctx.store:each(what.kind) do
      local shown, wanted = view(ctx, job), true
      for filter, member in pairs(what.filters) do
        wanted = wanted and (params[filter] == nil or params[filter] == shown[member])
      end
      items[#items + 1] = wanted and shown or nil
    end
    local page, token = entities.page(ctx, items, function(job) return job[what.id] end, params)
    return { [what.list] = page, NextToken = token }
  end
end

shown_by {
  name = "BackupJob", kind = "job", id = "BackupJobId", list = "BackupJobs",
  filters = {
    ByState = "State", ByBackupVaultName = "BackupVaultName", ByResourceArn = "ResourceArn",
    ByResourceType = "ResourceType",
  },
}
shown_by {
  name = "CopyJob", kind = "copy", id = "CopyJobId", list = "CopyJobs", wrap = "CopyJob",
  filters = {
    ByState = "State", ByResourceArn = "ResourceArn", ByDestinationVaultArn = "DestinationBackupVaultArn",
    ByResourceType = "ResourceType",
  },
}

return jobs
