-- Vaults of the simulated AWS Backup. Kept in the region's store, kind "vault", by name.

local arns = require "infra.sim.arns"
local entities = require "infra.sim.backup.entities"
local json = require "host.json"
local tagging = require "infra.sim.tagging"

local vaults = { operations = {}, tagged = { vault = tagging.with_arn "BackupVaultArn" } }
local operations = vaults.operations

local fail, find_vault, page_of = entities.fail, entities.vault, entities.page

function operations.CreateBackupVault(ctx, params)
  local name = params.BackupVaultName
  local existing = ctx.store:get("vault", name)
  if not name:find "^[%w_-]+$" or #name < 2 or #name > 50 then
    fail(ctx, "InvalidParameterValueException", "Invalid vault name %s", name)
  elseif existing then
    ctx:fail("AlreadyExistsException", ("Backup vault with the same name already exists: %s"):format(name), 400,
      { Arn = existing.BackupVaultArn, CreatorRequestId = existing.CreatorRequestId })
  end
  local vault = {
    BackupVaultName = name, BackupVaultArn = entities.vault_arn(ctx, name), CreationDate = ctx.now(),
    CreatorRequestId = params.CreatorRequestId, NumberOfRecoveryPoints = 0, Locked = false,
    VaultType = "BACKUP_VAULT", VaultState = "AVAILABLE",
    EncryptionKeyArn = params.EncryptionKeyArn or arns.of(ctx, "kms", "key/aws-backup"),
    tags = tagging.merge(params.BackupVaultTags),
  }
  ctx.store:put("vault", name, vault)
  return vault
end

function operations.DescribeBackupVault(ctx, params)
  return find_vault(ctx, params.BackupVaultName)
end

function operations.ListBackupVaults(ctx, params)
  local items = {}
  for _, vault in ctx.store:each("vault") do
    items[#items + 1] = vault
  end
  local page, token = page_of(ctx, items, function(vault) return vault.BackupVaultName end, params)
  return { BackupVaultList = page, NextToken = token }
end

function operations.DeleteBackupVault(ctx, params)
  local vault = find_vault(ctx, params.BackupVaultName)
  if vault.NumberOfRecoveryPoints > 0 then
    fail(ctx, "InvalidRequestException", "Backup vault cannot be deleted because it contains recovery points.")
  end
  ctx.store:delete("vault", vault.BackupVaultName)
  return {}
end

function operations.PutBackupVaultAccessPolicy(ctx, params)
  local vault = find_vault(ctx, params.BackupVaultName)
  if type(json.decode(params.Policy or "")) ~= "table" then
    fail(ctx, "InvalidParameterValueException", "The policy is not valid JSON.")
  end
  vault.policy = params.Policy
  ctx.store:put("vault", vault.BackupVaultName, vault)
  return {}
end

function operations.GetBackupVaultAccessPolicy(ctx, params)
  local vault = find_vault(ctx, params.BackupVaultName)
  if not vault.policy then
    fail(ctx, "ResourceNotFoundException", "Backup vault %s has no access policy.", vault.BackupVaultName)
  end
  return { BackupVaultName = vault.BackupVaultName, BackupVaultArn = vault.BackupVaultArn, Policy = vault.policy }
end

function operations.DeleteBackupVaultAccessPolicy(ctx, params)
  local vault = find_vault(ctx, params.BackupVaultName)
  vault.policy = nil
  ctx.store:put("vault", vault.BackupVaultName, vault)
  return {}
end

return vaults
