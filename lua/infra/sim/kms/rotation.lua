-- Automatic rotation of keys of the simulated KMS. Used by infra.sim.kms.

local entities = require "infra.sim.kms.entities"

local operations = {}

local DAY = 86400
local PERIOD = { shortest = 90, usual = 365, longest = 2560 }

-- The symmetric key that a request to change rotation names: it must be enabled.
local function rotating(ctx, params)
  local key = entities.check_state(ctx, entities.find_own(ctx, params.KeyId), true)
  if key.KeySpec ~= "SYMMETRIC_DEFAULT" then
    entities.fail(ctx, "UnsupportedOperationException", "%s is not a symmetric encryption key.", key.Arn)
  end
  return key
end

function operations.EnableKeyRotation(ctx, params)
  local key = rotating(ctx, params)
  local days = params.RotationPeriodInDays or PERIOD.usual
  if days < PERIOD.shortest or days > PERIOD.longest then
    entities.invalid(ctx, days, "rotationPeriodInDays", "Member must have value between %d and %d", PERIOD.shortest,
      PERIOD.longest)
  end
  entities.change(ctx, key, function() key.rotation = { days = days, since = ctx.now() } end)
end

function operations.DisableKeyRotation(ctx, params)
  local key = rotating(ctx, params)
  entities.change(ctx, key, function() key.rotation = nil end)
end

-- A key that waits for its deletion is not rotated, but will be when the deletion is cancelled.
function operations.GetKeyRotationStatus(ctx, params)
  local key = entities.seen(ctx, entities.find(ctx, params.KeyId))
  local rotation = entities.state(key) ~= "PendingDeletion" and key.rotation
  if not rotation then
    return { KeyId = key.KeyId, KeyRotationEnabled = false }
  end
  local period = rotation.days * DAY
  return {
    KeyId = key.KeyId,
    KeyRotationEnabled = true,
    RotationPeriodInDays = rotation.days,
    NextRotationDate = rotation.since + ((ctx.now() - rotation.since) // period + 1) * period,
  }
end

return { operations = operations }
