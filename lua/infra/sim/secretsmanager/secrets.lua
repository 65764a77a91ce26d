-- Secrets of the simulated Secrets Manager: making, describing, changing, tagging. Operations of
-- infra.sim.secretsmanager; `create_owned` and `end_owned` are for the services that keep secrets of their own.

local entities = require "infra.sim.secretsmanager.entities"
local merged = require "infra.merged"
local stages = require "infra.sim.secretsmanager.stages"
local tagging = require "infra.sim.tagging"
local versions = require "infra.sim.secretsmanager.versions"

local secrets = { operations = {} }
local operations = secrets.operations
local fail = entities.fail

local DESCRIPTION_LIMIT = 2048
local DEFAULT_KEY = "alias/aws/secretsmanager"
local SUFFIX_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

local function check_texts(ctx, params)
  if params.Name and (#params.Name > 512 or not params.Name:find("^[%w/_+=.@!-]+$")) then
    fail(ctx, "ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, or any of "
      .. "the following: -/_+=.@!")
  elseif #(params.Description or "") > DESCRIPTION_LIMIT then
    fail(ctx, "ValidationException", "1 validation error detected: Value at 'description' failed to satisfy "
      .. "constraint: Member must have length less than or equal to %d", DESCRIPTION_LIMIT)
  end
end

-- The default key is not named in a secret.
local function key_name(given)
  return given ~= "" and given ~= DEFAULT_KEY and given or nil
end

-- A secret that is not kept yet.
local function new(ctx, members)
  return merged({
    ARN = entities.arn_prefix(ctx) .. members.Name .. "-" .. ctx.unique(6, SUFFIX_ALPHABET),
    CreatedDate = ctx.now(),
    LastChangedDate = ctx.now(),
    versions = {},
    bindings = {},
  }, members)
end

local function summary(secret, version)
  return { ARN = secret.ARN, Name = secret.Name, VersionId = version and version.VersionId }
end

-- Creating again is a repeated call when token and value are those of a version; anything else is a conflict.
local function repeated(ctx, existing, params)
  if existing.DeletedDate or existing.purged_at then
    entities.refuse(ctx, "You can't create this secret because a secret with this name is already scheduled for "
      .. "deletion.")
  elseif not (versions.has_value(ctx, params) and stages.version(existing, params.ClientRequestToken)) then
    fail(ctx, "ResourceExistsException", "The operation failed because the secret %s already exists.", params.Name)
  end
  return summary(existing, versions.add(ctx, existing, params))
end

function operations.CreateSecret(ctx, params)
  versions.check_token(ctx, params)
  check_texts(ctx, params)
  local existing = entities.taken(ctx, params.Name)
  if existing then
    return repeated(ctx, existing, params)
  end
  local secret = new(ctx, {
    Name = params.Name,
    Description = params.Description,
    KmsKeyId = key_name(params.KmsKeyId),
    tags = entities.merged_tags(ctx, {}, params.Tags),
  })
  local version = versions.has_value(ctx, params) and versions.add(ctx, secret, params)
  entities.put(ctx, secret)
  return summary(secret, version or nil)
end

-- What has no label stays under its old key.
local function reencrypt(secret, key)
  for _, version in ipairs(secret.versions) do
    if #version.stages > 0 then
      version.key = key
    end
  end
end

function operations.UpdateSecret(ctx, params)
  versions.check_token(ctx, params)
  check_texts(ctx, params)
  local secret = entities.find_own(ctx, params.SecretId)
  local has_value = versions.has_value(ctx, params)
  local new_key = params.KmsKeyId and versions.key_of(ctx, { KmsKeyId = key_name(params.KmsKeyId) })
  local version = has_value and versions.add(ctx, secret, params, new_key)
  secret.Description = params.Description or secret.Description
  if new_key then
    secret.KmsKeyId = key_name(params.KmsKeyId)
    reencrypt(secret, new_key)
  end
  entities.touch(ctx, secret)
  return summary(secret, version or nil)
end

-- -- describing -------------------------------------------------------------------------------------------------------

local SHOWN = {
  "ARN", "Name", "Description", "KmsKeyId", "CreatedDate", "LastChangedDate", "LastAccessedDate", "DeletedDate",
  "OwningService", "RotationEnabled", "RotationRules",
}

--- A secret as it is described; `stages_member`: how that operation calls the map of versions to labels.
function secrets.view(secret, stages_member)
  local shown, labels = {}, {}
  for _, member in ipairs(SHOWN) do
    shown[member] = secret[member]
  end
  for _, version in ipairs(secret.versions) do
    if #version.stages > 0 then
      labels[version.VersionId] = version.stages
    end
  end
  shown.Tags = tagging.list(secret.tags)
  shown[stages_member] = next(labels) and labels or nil
  return shown
end

-- A secret that waits for its deletion is still described.
function operations.DescribeSecret(ctx, params)
  return secrets.view(entities.find_any(ctx, params.SecretId), "VersionIdsToStages")
end

-- -- tags -------------------------------------------------------------------------------------------------------------

function operations.TagResource(ctx, params)
  local secret = entities.find(ctx, params.SecretId)
  secret.tags = entities.merged_tags(ctx, secret.tags, params.Tags)
  entities.touch(ctx, secret)
end

function operations.UntagResource(ctx, params)
  local secret = entities.find(ctx, params.SecretId)
  for _, key in ipairs(params.TagKeys) do
    if key:lower():find("^aws:") then
      entities.invalid(ctx, "Tag keys can't begin with the reserved prefix aws:.")
    end
  end
  secret.tags = tagging.without(secret.tags, params.TagKeys)
  entities.touch(ctx, secret)
end

-- -- secrets of other services ----------------------------------------------------------------------------------------

--- Makes a secret that a service keeps for a customer. `members`: Name, OwningService, Description, KmsKeyId, tags, ...
--- `value`: its SecretString. Returns it.
function secrets.create_owned(ctx, members, value)
  local secret = new(ctx, members)
  versions.add(ctx, secret, { ClientRequestToken = ctx.uuid(), SecretString = value })
  return secret
end

--- Takes it away again, at the time `at`, with its name.
function secrets.end_owned(ctx, arn, at)
  local secret = entities.look_up(ctx, arn)
  if secret then
    secret.gone_at = at
    entities.put(ctx, secret)
  end
end

secrets.tagged = { secret = tagging.with_arn "ARN" }

return secrets
