-- Aliases of keys of the simulated KMS. Used by infra.sim.kms.

local entities = require "infra.sim.kms.entities"

local operations = {}
local fail, store = entities.fail, entities.store

local function check_name(ctx, name)
  if not name:find("^alias/.") then
    fail(ctx, "ValidationException", "Alias must start with the prefix \"alias/\". Please see "
      .. "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html")
  elseif name:find("^alias/aws/") then
    fail(ctx, "NotAuthorizedException", "")
  elseif #name > 256 or not name:find("^[%w:/_-]+$") then
    entities.invalid(ctx, name, "aliasName", "Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$")
  elseif name:find(":", 1, true) then
    fail(ctx, "ValidationException", "%s contains invalid characters for an alias", name)
  end
end

-- The customer's key that an alias is to name.
local function target(ctx, text)
  return entities.check_state(ctx, entities.find_own(ctx, text))
end

local function put(ctx, alias, key)
  alias.TargetKeyId, alias.LastUpdatedDate = key.KeyId, ctx.now()
  store(ctx):put("alias", alias.AliasName, alias)
end

local function find(ctx, name)
  return entities.alias(ctx, name)
    or fail(ctx, "NotFoundException", "Alias %s is not found.", entities.arn(ctx, name))
end

function operations.CreateAlias(ctx, params)
  local name = params.AliasName
  check_name(ctx, name)
  local key = target(ctx, params.TargetKeyId)
  if store(ctx):get("alias", name) then
    fail(ctx, "AlreadyExistsException", "An alias with the name %s already exists", entities.arn(ctx, name))
  end
  put(ctx, { AliasName = name, CreationDate = ctx.now() }, key)
end

function operations.UpdateAlias(ctx, params)
  check_name(ctx, params.AliasName)
  local alias, key = find(ctx, params.AliasName), target(ctx, params.TargetKeyId)
  local current = store(ctx):get("key", alias.TargetKeyId)
  if current.KeyUsage ~= key.KeyUsage
    or (current.KeySpec == "SYMMETRIC_DEFAULT") ~= (key.KeySpec == "SYMMETRIC_DEFAULT") then
    fail(ctx, "ValidationException", "Alias %s cannot be changed to a key of another type or usage",
      entities.arn(ctx, params.AliasName))
  end
  put(ctx, alias, key)
end

function operations.DeleteAlias(ctx, params)
  check_name(ctx, params.AliasName)
  find(ctx, params.AliasName)
  store(ctx):delete("alias", params.AliasName)
end

function operations.ListAliases(ctx, params)
  local key = params.KeyId and entities.find(ctx, params.KeyId)
  local found = {}
  for name in store(ctx):each("alias") do
    local alias = entities.alias(ctx, name)
    if alias and (not key or alias.TargetKeyId == key.KeyId) then
      found[#found + 1] = {
        AliasName = name,
        AliasArn = entities.arn(ctx, name),
        TargetKeyId = alias.TargetKeyId,
        CreationDate = alias.CreationDate,
        LastUpdatedDate = alias.LastUpdatedDate,
      }
    end
  end
  return entities.listed(ctx, params, "Aliases", found, function(alias) return alias.AliasName end, 1000, 50)
end

return { operations = operations }
