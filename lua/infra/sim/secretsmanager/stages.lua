-- Staging labels in the simulated Secrets Manager: each is on one version of a secret at most. Used by
-- infra.sim.secretsmanager and its versions.

local entities = require "infra.sim.secretsmanager.entities"

local stages = { operations = {} }

local CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"

--- The version of a secret with this id, or nil.
function stages.version(secret, id)
  for _, version in ipairs(secret.versions) do
    if version.VersionId == id then
      return version
    end
  end
end

--- The position of a label on a version, or nil.
function stages.has(version, label)
  for i, given in ipairs(version.stages) do
    if given == label then
      return i
    end
  end
end

--- The version that a label is on, or nil.
function stages.holder(secret, label)
  for _, version in ipairs(secret.versions) do
    if stages.has(version, label) then
      return version
    end
  end
end

local function remove(secret, label)
  local holder = stages.holder(secret, label)
  if holder then
    table.remove(holder.stages, stages.has(holder, label))
  end
  return holder
end

--- Moves a label to `version` (nil: to none). The version that AWSCURRENT leaves becomes AWSPREVIOUS.
function stages.move(secret, label, version)
  local from = remove(secret, label)
  if version then
    table.insert(version.stages, label)
  end
  if label == CURRENT and from and from ~= version then
    stages.move(secret, PREVIOUS, from)
  end
end

-- A version that a request names, or ResourceNotFoundException.
local function find(ctx, secret, id)
  return stages.version(secret, id) or entities.fail(ctx, "ResourceNotFoundException",
    "Secrets Manager can't find the specified secret version: %s.", id)
end

function stages.operations.UpdateSecretVersionStage(ctx, params)
  local secret = entities.find_own(ctx, params.SecretId)
  local label, holder = params.VersionStage, stages.holder(secret, params.VersionStage)
  local target = params.MoveToVersionId and find(ctx, secret, params.MoveToVersionId)
  local from = params.RemoveFromVersionId and find(ctx, secret, params.RemoveFromVersionId)
  if holder and holder ~= target and holder ~= from then
    entities.invalid(ctx, "The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to "
      .. "version %s, so you must explicitly reference that version in RemoveFromVersionId.", label, holder.VersionId)
  elseif label == CURRENT and not target then
    entities.invalid(ctx, "You can only move staging label %s to a different secret version. It can't be completely "
      .. "removed.", CURRENT)
  end
  stages.move(secret, label, target)
  entities.touch(ctx, secret)
  return { ARN = secret.ARN, Name = secret.Name }
end

return stages
