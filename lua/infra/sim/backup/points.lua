-- Recovery points of the simulated AWS Backup. One of an Aurora cluster is a snapshot of RDS, which only this service
-- may delete. Kept in the region's store, kind "point", by ARN, the snapshot's: the members of the API's RecoveryPoint,
-- available_at, and delete_at, when its lifecycle ends.

local entities = require "infra.sim.backup.entities"
local merged = require "infra.merged"
local policy = require "infra.sim.policy"
local rds = require "infra.sim.rds.entities"

local points = { operations = {} }
local operations = points.operations

local DAY <const> = 86400

local function count(ctx, vault_name, by)
  local vault = ctx.store:get("vault", vault_name)
  vault.NumberOfRecoveryPoints = vault.NumberOfRecoveryPoints + by
  ctx.store:put("vault", vault_name, vault)
end

--- Keeps the RDS snapshot as a recovery point of `vault`. `fields`: its members ResourceArn, IamRoleArn, CreatedBy,
--- Lifecycle, SourceBackupVaultArn. Returns it.
function points.put(ctx, vault, snapshot, fields)
  local days = (fields.Lifecycle or {}).DeleteAfterDays
  local point = merged({
    RecoveryPointArn = snapshot.DBClusterSnapshotArn, BackupVaultName = vault.BackupVaultName,
    BackupVaultArn = vault.BackupVaultArn, ResourceType = "Aurora", CreationDate = ctx.now(),
    IsEncrypted = snapshot.StorageEncrypted, EncryptionKeyArn = snapshot.KmsKeyId,
    available_at = snapshot.available_at, delete_at = days and ctx.now() + days * DAY,
  }, fields)
  point.CalculatedLifecycle = days and { DeleteAt = point.delete_at }
  count(ctx, vault.BackupVaultName, 1)
  entities.watch(ctx)
  return ctx.store:put("point", point.RecoveryPointArn, point)
end

local function remove(ctx, point)
  rds.delete(ctx, "snapshot", point.RecoveryPointArn:match "cluster%-snapshot:(.+)$")
  count(ctx, point.BackupVaultName, -1)
  ctx.store:delete("point", point.RecoveryPointArn)
end

--- Removes the points of this region whose lifecycle has ended.
function points.expire(ctx)
  for _, point in ctx.store:each("point") do
    if point.delete_at and point.delete_at <= ctx.now() then
      remove(ctx, point)
    end
  end
end

local function view(ctx, point)
  local shown = merged(point)
  local done = ctx.now() >= point.available_at
  shown.Status, shown.CompletionDate = done and "COMPLETED" or "CREATING", done and point.available_at or nil
  return shown
end

local function find(ctx, params)
  entities.vault(ctx, params.BackupVaultName)
  local point = ctx.store:get("point", params.RecoveryPointArn)
  if not point or point.BackupVaultName ~= params.BackupVaultName then
    entities.fail(ctx, "ResourceNotFoundException", "Cannot find recovery point: %s", params.RecoveryPointArn)
  end
  return point
end

--- The point of the vault that can be copied by now, or AWS's answer that there is none.
function points.available(ctx, params)
  local point = find(ctx, params)
  if ctx.now() < point.available_at then
    entities.fail(ctx, "InvalidRequestException", "Recovery point %s is not in the COMPLETED state",
      point.RecoveryPointArn)
  end
  return point
end

local FILTERS = { ByResourceArn = "ResourceArn", ByResourceType = "ResourceType", ByBackupPlanId = "CreatedBy" }

local function wanted(point, params)
  for filter, member in pairs(FILTERS) do
    local value = point[member]
    value = member == "CreatedBy" and value and value.BackupPlanId or value
    if params[filter] and params[filter] ~= value then
      return false
    end
  end
  return point.BackupVaultName == params.BackupVaultName
    and point.CreationDate > (params.ByCreatedAfter or 0)
    and point.CreationDate < (params.ByCreatedBefore or math.huge)
end

function operations.ListRecoveryPointsByBackupVault(ctx, params)
  entities.vault(ctx, params.BackupVaultName)
  local items = {}
  for _, point in ctx.store:each("point") do
    items[#items + 1] = wanted(point, params) and view(ctx, point) or nil
  end
  local page, token = entities.page(ctx, items, function(point) return point.RecoveryPointArn end, params)
  return { RecoveryPoints = page, NextToken = token }
end

function operations.DescribeRecoveryPoint(ctx, params)
  return view(ctx, find(ctx, params))
end

function operations.DeleteRecoveryPoint(ctx, params)
  local point, vault = find(ctx, params), entities.vault(ctx, params.BackupVaultName)
  for _, statement in ipairs(vault.policy and policy.decode(vault.policy).Statement or {}) do
    for _, action in ipairs(statement.Effect == "Deny" and policy.list(statement.Action) or {}) do
      if policy.like("backup:deleterecoverypoint", action:lower()) then
        ctx:fail("AccessDeniedException", "Insufficient privileges to perform this action.", 403)
      end
    end
  end
  remove(ctx, point)
  return {}
end

return points
