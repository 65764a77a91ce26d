-- Keys and aliases of the simulated KMS: finding them by every name that KMS takes, changing them. Used by the other
-- files of this folder, and by the services that encrypt with keys (`usable`, `managed`); the store is always that of
-- KMS in the caller's account and region.
--
-- Kept in the region's store:
--   key     by id: { KeyId, Arn, CreationDate, Description, KeyUsage, KeySpec, Origin, MultiRegion, KeyManager,
--           Enabled, DeletionDate, rotation = { days, since }, policy = text, bindings (infra.sim.iam.principals),
--           tags = { key = value }, material = hex of 32 bytes, before = the key before its last change }
--   alias   by name: { AliasName, TargetKeyId, CreationDate, LastUpdatedDate }
--   change  by key id: empty; as old as the key's last change

local json = require "host.json"
local merged = require "infra.merged"

local Failure = require "infra.sim.failure"
local arns = require "infra.sim.arns"
local paging = require "infra.sim.paging"

local entities = {}

-- AWS managed keys that this account can have: the last part of their aliases.
local MANAGED = {}
for name in ("acm backup codebuild codepipeline ebs elasticache lambda rds s3 secretsmanager sns ssm"):gmatch "%w+" do
  MANAGED[name] = true
end

--- Throws KMS's error `code`; further arguments are string.format's.
entities.fail = Failure.thrower()

local fail = entities.fail

--- KMS's answer to a value that its model does not allow.
function entities.invalid(ctx, value, member, constraint, ...)
  fail(ctx, "ValidationException", "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: "
    .. constraint, value, member, ...)
end

function entities.store(ctx)
  return ctx:of("kms")
end

local store = entities.store

function entities.arn(ctx, resource)
  return arns.of(ctx, "kms", resource)
end

-- -- keys -------------------------------------------------------------------------------------------------------------

-- Forgets a key whose waiting period is over, and its aliases. Returns whether it is gone.
local function is_gone(ctx, key)
  if not key.DeletionDate or ctx.now() < key.DeletionDate then
    return false
  end
  for name, alias in store(ctx):each("alias") do
    if alias.TargetKeyId == key.KeyId then
      store(ctx):delete("alias", name)
    end
  end
  store(ctx):delete("key", key.KeyId)
  return true
end

--- Iterates over id, key of all there are.
function entities.each_key(ctx)
  local next_key = store(ctx):each("key")
  return function()
    for id, key in next_key do
      if not is_gone(ctx, key) then
        return id, key
      end
    end
  end
end

--- Keeps a new key. `members`: what is special about it. Returns it.
function entities.create_key(ctx, members)
  local id = (members.MultiRegion and "mrk-" .. ctx.unique(32)) or ctx.uuid()
  local key = merged({
    KeyId = id,
    Arn = entities.arn(ctx, "key/" .. id),
    CreationDate = ctx.now(),
    Description = "",
    KeyUsage = "ENCRYPT_DECRYPT",
    KeySpec = "SYMMETRIC_DEFAULT",
    Origin = "AWS_KMS",
    MultiRegion = false,
    KeyManager = "CUSTOMER",
    Enabled = true,
    tags = {},
    bindings = {},
    material = ctx.unique(64),
  }, members)
  return store(ctx):put("key", id, key)
end

--- Changes a key by `apply()`, which replaces members and leaves their old values as they are. For a while some readers
--- see the key as it was before.
function entities.change(ctx, key, apply)
  local before = merged(key)
  before.before = nil
  key.before = before
  apply()
  store(ctx):delete("change", key.KeyId)
  store(ctx):put("change", key.KeyId, {})
  store(ctx):put("key", key.KeyId, key)
end

--- The key as this reader sees it.
function entities.seen(ctx, key)
  return key.before and ctx:fresh("change", key.KeyId, store(ctx)) and key.before or key
end

--- "Enabled", "Disabled" or "PendingDeletion".
function entities.state(key)
  return key.DeletionDate and "PendingDeletion" or key.Enabled and "Enabled" or "Disabled"
end

-- -- AWS managed keys -------------------------------------------------------------------------------------------------

local function managed_policy(ctx, service)
  return json.encode({
    Version = "2012-10-17",
    Id = "auto-" .. service .. "-1",
    Statement = {
      {
        Sid = "Allow access through " .. service .. " for all principals in the account that are authorized to use it",
        Effect = "Allow",
        Principal = { AWS = "*" },
        Action = { "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey" },
        Resource = "*",
        Condition = { StringEquals = { ["kms:CallerAccount"] = ctx.account } },
      },
    },
  }, { indent = true })
end

--- The key that AWS keeps in this account and region for `service` ("rds"), made when it is first needed.
function entities.managed(ctx, service)
  local name = "alias/aws/" .. service
  local alias = store(ctx):get("alias", name)
  if alias then
    return store(ctx):get("key", alias.TargetKeyId)
  end
  local key = entities.create_key(ctx, {
    KeyManager = "AWS",
    Description = ("Default key that protects my %s data when no other key is defined"):format(service),
    rotation = { days = 365, since = ctx.now() },
    policy = managed_policy(ctx, service),
  })
  store(ctx):put("alias", name, {
    AliasName = name, TargetKeyId = key.KeyId, CreationDate = ctx.now(), LastUpdatedDate = ctx.now(),
  })
  return key
end

-- -- finding ----------------------------------------------------------------------------------------------------------

--- The alias with this name, if the part of KMS that answers has heard of it.
function entities.alias(ctx, name)
  local alias = store(ctx):get("alias", name)
  local key = alias and store(ctx):get("key", alias.TargetKeyId)
  if not key or is_gone(ctx, key) or ctx:fresh("alias", name, store(ctx)) then
    return nil
  end
  return alias
end

-- The key that `text` means: a key id, an alias, or the ARN of either. Returns it, or nil and KMS's message. A key that
-- was just made is not known everywhere, unless by its alias.
local function look_up(ctx, text)
  local own = entities.arn(ctx, "")
  local resource = text:sub(1, #own) == own and text:sub(#own + 1) or nil
  local id, name = resource and resource:match("^key/(.+)$") or text, (resource or text):match("^alias/.+$")
  if id:find("^arn:") and not name then
    return nil, ("Key '%s' does not exist"):format(text)
  elseif name then
    local service = name:match("^alias/aws/(.+)$")
    local alias = entities.alias(ctx, name)
    if alias then
      id = alias.TargetKeyId
    elseif service and MANAGED[service] then
      id = entities.managed(ctx, service).KeyId
    else
      return nil, ("Alias %s is not found."):format(own .. name)
    end
  elseif not (id:find("^%x+%-%x+%-%x+%-%x+%-%x+$") or id:find("^mrk%-%x+$")) then
    return nil, ("Invalid keyId '%s'"):format(text)
  end
  local key = store(ctx):get("key", id)
  local hidden = not name and key and key.KeyManager == "CUSTOMER" and ctx:fresh("key", id, store(ctx))
  if not key or hidden or is_gone(ctx, key) then
    return nil, ("Key '%skey/%s' does not exist"):format(own, id)
  end
  return key
end

--- The key that a caller means by its id, its alias or the ARN of either, or NotFoundException.
function entities.find_any(ctx, text)
  local key, problem = look_up(ctx, text)
  return key or fail(ctx, "NotFoundException", "%s", problem)
end

--- The same for the operations that take no aliases.
function entities.find(ctx, text)
  if text:find("^alias/") or text:find(":alias/", 1, true) then
    fail(ctx, "NotFoundException", "Invalid keyId '%s'", text)
  end
  return entities.find_any(ctx, text)
end

--- The same, for a change: AWS's own keys are AWS's to change.
function entities.find_own(ctx, text)
  local key = entities.find(ctx, text)
  if key.KeyManager == "AWS" then
    fail(ctx, "AccessDeniedException", "User: %s is not authorized to perform: kms:%s on resource: %s because no "
      .. "resource-based policy allows the kms:%s action", ctx.caller.arn, ctx.operation, key.Arn, ctx.operation)
  end
  return key
end

--- Fails unless the key is in a state that allows what is asked: one that waits for its deletion allows hardly
--- anything, a disabled one no use of its material (`enabled`).
function entities.check_state(ctx, key, enabled)
  local state = entities.state(key)
  if state == "PendingDeletion" then
    fail(ctx, "KMSInvalidStateException", "%s is pending deletion.", key.Arn)
  elseif enabled and state == "Disabled" then
    fail(ctx, "DisabledException", "%s is disabled.", key.Arn)
  end
  return key
end

local function is_usable(key)
  return entities.state(key) == "Enabled" and key.KeySpec == "SYMMETRIC_DEFAULT"
end

--- For other services: the symmetric key, named in any way, that they can encrypt with now, or nil.
function entities.usable(ctx, text)
  local key = look_up(ctx, text)
  return key and is_usable(key) and key or nil
end

--- For other services: whether they can still decrypt with the key of this ARN, which they have used before.
function entities.still_usable(ctx, arn)
  local key = store(ctx):get("key", arn:match("[^/]+$"))
  return key ~= nil and not is_gone(ctx, key) and is_usable(key)
end

-- -- listing ----------------------------------------------------------------------------------------------------------

--- One page of `items` as KMS lists them: in `member` of a new output. `key(item)`: what they are ordered by; `most`
--- and `usual`: how many a page can have, and has.
function entities.listed(ctx, params, member, items, key, most, usual)
  if params.Limit and (params.Limit < 1 or params.Limit > most) then
    entities.invalid(ctx, params.Limit, "limit", "Member must have value between 1 and %d", most)
  end
  local page, marker = paging.page(ctx, items, key, params.Marker, params.Limit or usual)
  if not page then
    fail(ctx, "InvalidMarkerException", "Could not deserialize marker '%s'", params.Marker)
  end
  return { [member] = page, Truncated = marker ~= nil, NextMarker = marker }
end

return entities
