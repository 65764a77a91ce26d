-- Versions of secrets in the simulated Secrets Manager: writing and reading values. Used by the other files of this
-- folder.

local crypto = require "host.crypto"
local entities = require "infra.sim.secretsmanager.entities"
local kms = require "infra.sim.kms.entities"
local stages = require "infra.sim.secretsmanager.stages"

local versions = { operations = {} }
local operations = versions.operations
local fail, invalid = entities.fail, entities.invalid

local DAY = 86400
local VERSIONS_LIMIT = 100
local SIZE_LIMIT = 65536
local CURRENT = "AWSCURRENT"

--- Whether the request has a value to store, checked.
function versions.has_value(ctx, params)
  local text, bytes = params.SecretString, params.SecretBinary
  if text and bytes then
    invalid(ctx, "You can't specify both a binary secret value and a string secret value in the same secret.")
  elseif #(text or bytes or "x") > SIZE_LIMIT or #(text or bytes or "x") < 1 then
    fail(ctx, "ValidationException", "1 validation error detected: Value at '%s' failed to satisfy constraint: Member "
      .. "must have length between 1 and %d", text and "secretString" or "secretBinary", SIZE_LIMIT)
  end
  return (text or bytes) ~= nil
end

--- Fails unless the request, if it has a value, has a token as the API wants it: the id of the new version. SDKs make
--- one up, raw callers have to.
function versions.check_token(ctx, params)
  local token = params.ClientRequestToken
  if not token and not versions.has_value(ctx, params) then
    return
  elseif not token then
    invalid(ctx, "You must provide a ClientRequestToken value. We recommend a UUID-type value.")
  elseif #token < 32 or #token > 64 then
    invalid(ctx, "ClientRequestToken must be 32-64 characters long.")
  end
end

--- The key that encrypts the secret's values from now on.
function versions.key_of(ctx, secret)
  local key = secret.KmsKeyId and kms.usable(ctx, secret.KmsKeyId) or not secret.KmsKeyId
    and kms.managed(ctx, "secretsmanager")
  return key and key.Arn or fail(ctx, "EncryptionFailure", "Secrets Manager can't encrypt the protected secret text "
    .. "using the provided KMS key. Check that the KMS key is available, enabled, and not in an invalid state.")
end

-- Room for one more version: the oldest one without a label that is older than a day goes.
local function make_room(ctx, secret)
  if #secret.versions < VERSIONS_LIMIT then
    return
  end
  for i, version in ipairs(secret.versions) do
    if #version.stages == 0 and version.CreatedDate + DAY <= ctx.now() then
      table.remove(secret.versions, i)
      return
    end
  end
  fail(ctx, "LimitExceededException", "You've exceeded the limit of versions of the secret %s.", secret.ARN)
end

--- Adds the request's value as a version, labelled with params.VersionStages (AWSCURRENT unless given) and encrypted
--- with `key` (an ARN; the secret's unless given). A token that was used before must have come with the same value, and
--- changes nothing. Returns the version.
function versions.add(ctx, secret, params, key)
  local binary = params.SecretBinary and crypto.base64(params.SecretBinary)
  local version = stages.version(secret, params.ClientRequestToken)
  if version then
    if version.SecretString ~= params.SecretString or version.SecretBinary ~= binary then
      fail(ctx, "ResourceExistsException", "You can't use ClientRequestToken %s because that value is already in use "
        .. "for a version of secret %s.", params.ClientRequestToken, secret.ARN)
    end
    return version
  end
  version = {
    VersionId = params.ClientRequestToken,
    SecretString = params.SecretString,
    SecretBinary = binary,
    CreatedDate = ctx.now(),
    key = key or versions.key_of(ctx, secret),
    stages = {},
  }
  make_room(ctx, secret)
  table.insert(secret.versions, version)
  for _, label in ipairs(params.VersionStages or { CURRENT }) do
    stages.move(secret, label, version)
  end
  entities.touch(ctx, secret)
  return version
end

function operations.PutSecretValue(ctx, params)
  versions.check_token(ctx, params)
  local secret = entities.find_own(ctx, params.SecretId)
  if not versions.has_value(ctx, params) then
    invalid(ctx, "You must provide either SecretString or SecretBinary.")
  end
  local version = versions.add(ctx, secret, params)
  return { ARN = secret.ARN, Name = secret.Name, VersionId = version.VersionId, VersionStages = version.stages }
end

-- -- reading ----------------------------------------------------------------------------------------------------------

local function wanted_version(ctx, secret, params)
  local label = params.VersionStage or not params.VersionId and CURRENT
  local version = params.VersionId and stages.version(secret, params.VersionId)
    or label and stages.holder(secret, label)
  if not version then
    fail(ctx, "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for %s: %s",
      params.VersionId and "VersionId" or "staging label", params.VersionId or label)
  elseif params.VersionId and label and not stages.has(version, label) then
    entities.refuse(ctx, "You provided a VersionStage that is not associated to the provided VersionId.")
  end
  return version
end

--- The value of a secret that a request names, as GetSecretValue answers it.
function versions.read(ctx, secret, params)
  local version = wanted_version(ctx, secret, params)
  if not kms.still_usable(ctx, version.key) then
    fail(ctx, "DecryptionFailure", "Secrets Manager can't decrypt the protected secret text using the provided KMS "
      .. "key.")
  end
  local today = ctx.now() // DAY * DAY
  version.LastAccessedDate, secret.LastAccessedDate = today, today
  entities.put(ctx, secret)
  return {
    ARN = secret.ARN,
    Name = secret.Name,
    VersionId = version.VersionId,
    VersionStages = version.stages,
    SecretString = version.SecretString,
    SecretBinary = version.SecretBinary and crypto.unbase64(version.SecretBinary),
    CreatedDate = version.CreatedDate,
  }
end

function operations.GetSecretValue(ctx, params)
  return versions.read(ctx, entities.find(ctx, params.SecretId), params)
end

return versions
