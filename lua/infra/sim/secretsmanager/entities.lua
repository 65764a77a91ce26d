-- What the parts of the simulated Secrets Manager share: finding a secret by all its names, failing, tags. Used by the
-- other files of this folder; the store is always that of Secrets Manager in the caller's account and region.
--
-- Kept in the region's store, kind "secret", by name: { Name, ARN, Description, KmsKeyId, CreatedDate,
-- LastChangedDate, LastAccessedDate, OwningService, RotationEnabled, RotationRules, DeletedDate (when its deletion was
-- asked for), gone_at (when it is gone), purged_at (when the name is free again after a deletion without recovery),
-- tags = { key = value }, policy = text, bindings (infra.sim.iam.principals), versions = array, oldest first, of
-- { VersionId, SecretString or SecretBinary (as base64), CreatedDate, LastAccessedDate, key = ARN of its KMS key,
-- stages = array } }.

local Failure = require "infra.sim.failure"
local arns = require "infra.sim.arns"
local paging = require "infra.sim.paging"
local tagging = require "infra.sim.tagging"

local entities = {}

local SUFFIX = "%-%w%w%w%w%w%w$"

--- Throws the service's error `code`; further arguments are string.format's.
entities.fail = Failure.thrower()

local fail = entities.fail

--- Throws InvalidParameterException.
function entities.invalid(ctx, message, ...)
  fail(ctx, "InvalidParameterException", message, ...)
end

--- Throws InvalidRequestException: what the secret's state does not allow.
function entities.refuse(ctx, message, ...)
  fail(ctx, "InvalidRequestException", message, ...)
end

function entities.store(ctx)
  return ctx:of("secretsmanager")
end

local store = entities.store

--- The ARN that begins every secret's; behind the name come a hyphen and six random characters.
function entities.arn_prefix(ctx)
  return arns.of(ctx, "secretsmanager", "secret:")
end

function entities.put(ctx, secret)
  store(ctx):put("secret", secret.Name, secret)
end

--- Keeps a changed secret.
function entities.touch(ctx, secret)
  secret.LastChangedDate = ctx.now()
  entities.put(ctx, secret)
end

--- What is kept under a name, even if it is no secret any more: a name that was just deleted without recovery has
--- `purged_at` alone. Nil when the name is free.
function entities.taken(ctx, name)
  local secret = store(ctx):get("secret", name)
  local ends_at = secret and (secret.purged_at or secret.gone_at)
  if ends_at and ends_at <= ctx.now() then
    store(ctx):delete("secret", name)
    return nil
  end
  return secret
end

--- The secret that an id means, however new, or nil: its name, its ARN, or an ARN without the six characters. What ends
--- like them is always taken for a whole ARN.
function entities.look_up(ctx, id)
  local name, prefix = id, entities.arn_prefix(ctx)
  if id:sub(1, #prefix) == prefix then
    name = id:sub(#prefix + 1):gsub(SUFFIX, "")
  end
  local secret = entities.taken(ctx, name)
  if not secret or secret.purged_at or (name ~= id and id:find(SUFFIX) and secret.ARN ~= id) then
    return nil
  end
  return secret
end

--- The secret, or nil when there is none (any more) or it is too new to be known here.
function entities.get(ctx, id)
  local secret = entities.look_up(ctx, id)
  return secret and not ctx:fresh("secret", secret.Name, store(ctx)) and secret or nil
end

--- The same, or ResourceNotFoundException; secrets that wait for their deletion are found.
function entities.find_any(ctx, id)
  return entities.get(ctx, id)
    or fail(ctx, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
end

--- The same without those.
function entities.find(ctx, id)
  local secret = entities.find_any(ctx, id)
  if secret.DeletedDate then
    entities.refuse(ctx, "You can't perform this operation on the secret because it was marked for deletion.")
  end
  return secret
end

--- The same, for a change: a secret that a service keeps is the service's to change.
function entities.find_own(ctx, id)
  local secret = entities.find(ctx, id)
  entities.check_owner(ctx, secret)
  return secret
end

--- Fails when a service owns the secret.
function entities.check_owner(ctx, secret)
  if secret.OwningService then
    entities.refuse(ctx, "You can't perform this operation on the secret because it's owned by the service %s.",
      secret.OwningService)
  end
end

--- Iterates over name, secret of all there are.
function entities.each(ctx)
  local next_secret = store(ctx):each("secret")
  return function()
    for name in next_secret do
      local secret = entities.taken(ctx, name)
      if secret and not secret.purged_at then
        return name, secret
      end
    end
  end
end

local TAG_RULES = {
  fail = fail,
  length = {
    "InvalidParameterException", "Tag keys must be between 1 and 128 characters in length, values at most 256.",
  },
  reserved = { "InvalidParameterException", "Tag keys can't begin with the reserved prefix aws:." },
  number = { "LimitExceededException", "You've exceeded the limit of %d tags for a secret." },
}

--- `tags` merged into { key = value }, checked.
function entities.merged_tags(ctx, existing, tags)
  return tagging.checked(ctx, existing, tags, TAG_RULES)
end

--- One page of `items`, of `most` at most.
function entities.page(ctx, params, items, key, most)
  local limit = params.MaxResults or most
  if limit < 1 or limit > most then
    entities.invalid(ctx, "MaxResults must be between 1 and %d.", most)
  end
  local page, token = paging.page(ctx, items, key, params.NextToken, limit)
  if not page then
    fail(ctx, "InvalidNextTokenException", "The NextToken value is not valid.")
  end
  return page, token
end

return entities
