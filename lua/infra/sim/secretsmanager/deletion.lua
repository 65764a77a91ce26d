-- The end of secrets in the simulated Secrets Manager, and their return from it. Used by infra.sim.secretsmanager.

local entities = require "infra.sim.secretsmanager.entities"

local operations = {}

local DAY = 86400
local WINDOW = { shortest = 7, usual = 30, longest = 30 }

-- Seconds for which the name of a secret that was deleted without recovery stays taken.
local PURGING = 60

local function delete_now(ctx, params)
  local secret = entities.get(ctx, params.SecretId)
  if secret then
    entities.check_owner(ctx, secret)
    entities.store(ctx):put("secret", secret.Name, { Name = secret.Name, purged_at = ctx.now() + PURGING })
  end
  -- For a secret that is not there this is no error, so that the call can be repeated.
  return {
    ARN = secret and secret.ARN, Name = secret and secret.Name or params.SecretId, DeletionDate = ctx.now(),
  }
end

function operations.DeleteSecret(ctx, params)
  local days = params.RecoveryWindowInDays
  if params.ForceDeleteWithoutRecovery and days then
    entities.invalid(ctx, "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
  elseif params.ForceDeleteWithoutRecovery then
    return delete_now(ctx, params)
  end
  days = days or WINDOW.usual
  if days < WINDOW.shortest or days > WINDOW.longest then
    entities.invalid(ctx, "The RecoveryWindowInDays value must be between %d and %d days (inclusive).", WINDOW.shortest,
      WINDOW.longest)
  end
  local secret = entities.find_any(ctx, params.SecretId)
  entities.check_owner(ctx, secret)
  if secret.DeletedDate then
    entities.refuse(ctx, "You can't perform this operation on the secret because it was already scheduled for "
      .. "deletion.")
  end
  secret.DeletedDate, secret.gone_at = ctx.now(), ctx.now() + days * DAY
  entities.touch(ctx, secret)
  return { ARN = secret.ARN, Name = secret.Name, DeletionDate = secret.gone_at }
end

function operations.RestoreSecret(ctx, params)
  local secret = entities.find_any(ctx, params.SecretId)
  secret.DeletedDate, secret.gone_at = nil, nil
  entities.touch(ctx, secret)
  return { ARN = secret.ARN, Name = secret.Name }
end

return { operations = operations }
