-- Lists of secrets and of their versions in the simulated Secrets Manager. Used by infra.sim.secretsmanager.

local Failure = require "infra.sim.failure"
local entities = require "infra.sim.secretsmanager.entities"
local joined = require "infra.joined"
local secrets = require "infra.sim.secretsmanager.secrets"
local sorted_keys = require "infra.sorted_keys"
local versions = require "infra.sim.secretsmanager.versions"

local operations = {}

local FILTERS_LIMIT = 10
local BATCH_LIMIT = 20

-- -- filters ----------------------------------------------------------------------------------------------------------

local function keys_of(secret)
  return sorted_keys(secret.tags)
end

local function values_of(secret)
  local found = {}
  for _, value in pairs(secret.tags) do
    found[#found + 1] = value
  end
  return found
end

local function begins(text, wanted)
  return text:sub(1, #wanted) == wanted
end

local function begins_in_any_case(text, wanted)
  return begins(text:lower(), wanted:lower())
end

local function contains_words(text, wanted)
  for word in wanted:gmatch("[^%s/_+=.@-]+") do
    if not text:lower():find(word:lower(), 1, true) then
      return false
    end
  end
  return true
end

-- Filter key = what it looks at in a secret, and how.
local FILTERS = {
  name = { texts = function(secret) return { secret.Name } end, matches = begins },
  description = { texts = function(secret) return { secret.Description } end, matches = begins_in_any_case },
  ["tag-key"] = { texts = keys_of, matches = begins },
  ["tag-value"] = { texts = values_of, matches = begins },
  ["owning-service"] = { texts = function(secret) return { secret.OwningService } end, matches = begins },
  -- Simulated secrets are not replicated: none has a primary region.
  ["primary-region"] = { texts = function() return {} end, matches = begins },
  all = {
    texts = function(secret)
      return joined({ secret.Name, secret.Description or "", secret.OwningService or "" }, keys_of(secret),
        values_of(secret))
    end,
    matches = contains_words,
  },
}

local function any(texts, wanted, matches)
  for _, text in ipairs(texts) do
    if matches(text, wanted) then
      return true
    end
  end
  return false
end

-- Whether a secret passes one filter: one of its values, or none of those that begin with "!".
local function passes(secret, filter)
  local known, found = FILTERS[filter.Key], false
  for _, value in ipairs(filter.Values) do
    local negated = value:match("^!(.*)$")
    found = found or any(known.texts(secret), negated or value, known.matches) == (negated == nil)
  end
  return found
end

-- Function(secret) -> whether it passes all filters.
local function selection(ctx, filters)
  if #filters > FILTERS_LIMIT then
    entities.invalid(ctx, "The number of filters can't be more than %d.", FILTERS_LIMIT)
  end
  for _, filter in ipairs(filters) do
    if not FILTERS[filter.Key or ""] or #(filter.Values or {}) == 0 then
      entities.invalid(ctx, "The filter %s is not valid.", filter.Key or "")
    end
  end
  return function(secret)
    for _, filter in ipairs(filters) do
      if not passes(secret, filter) then
        return false
      end
    end
    return true
  end
end

local function all_where(ctx, wanted, deleted)
  local found = {}
  for name, secret in entities.each(ctx) do
    local known = not ctx:fresh("secret", name, entities.store(ctx))
    if known and (deleted or not secret.DeletedDate) and wanted(secret) then
      found[#found + 1] = secret
    end
  end
  return found
end

-- -- operations -------------------------------------------------------------------------------------------------------

-- A text of printable ASCII characters that orders the other way round.
local function reversed(text)
  return text:gsub(".", function(character) return string.char(158 - character:byte()) end) .. "~"
end

-- Function(secret) -> what it is ordered by: when it was made, in microseconds, and its name.
local function order_of(params)
  return function(secret)
    local key = ("%020d %s"):format(math.floor(secret.CreatedDate * 1e6), secret.Name)
    return params.SortOrder == "asc" and key or reversed(key)
  end
end

function operations.ListSecrets(ctx, params)
  local found = all_where(ctx, selection(ctx, params.Filters or {}), params.IncludePlannedDeletion)
  local key = order_of(params)
  table.sort(found, function(a, b) return key(a) < key(b) end)
  local page, token = entities.page(ctx, params, found, key, 100)
  local output = { SecretList = {}, NextToken = token }
  for i, secret in ipairs(page) do
    output.SecretList[i] = secrets.view(secret, "SecretVersionsToStages")
  end
  return output
end

function operations.ListSecretVersionIds(ctx, params)
  local secret = entities.find_any(ctx, params.SecretId)
  local found = {}
  for i, version in ipairs(secret.versions) do
    if #version.stages > 0 or params.IncludeDeprecated then
      found[#found + 1] = {
        position = i,
        VersionId = version.VersionId,
        VersionStages = #version.stages > 0 and version.stages or nil,
        CreatedDate = version.CreatedDate,
        LastAccessedDate = version.LastAccessedDate,
        KmsKeyIds = { version.key },
      }
    end
  end
  local page, token = entities.page(ctx, params, found, function(version)
    return ("%09d"):format(version.position)
  end, 100)
  return { Versions = page, ARN = secret.ARN, Name = secret.Name, NextToken = token }
end

-- What cannot be read is in Errors, and the call succeeds.
function operations.BatchGetSecretValue(ctx, params)
  local ids, token = params.SecretIdList, nil
  if (ids == nil) == (params.Filters == nil) then
    entities.invalid(ctx, "Either SecretIdList or Filters must be provided, but not both.")
  elseif #(ids or {}) > BATCH_LIMIT then
    entities.invalid(ctx, "SecretIdList can have %d members at most.", BATCH_LIMIT)
  elseif not ids then
    local found = all_where(ctx, selection(ctx, params.Filters))
    found, token = entities.page(ctx, params, found, function(secret) return secret.Name end, BATCH_LIMIT)
    ids = {}
    for i, secret in ipairs(found) do
      ids[i] = secret.ARN
    end
  end
  local output = { SecretValues = {}, Errors = {}, NextToken = token }
  for i, id in ipairs(ids) do
    local read, value = pcall(function()
      if ctx.partial_batch and i == #ids then
        entities.fail(ctx, "InternalServiceError", "An error occurred on the server side.")
      end
      return versions.read(ctx, entities.find(ctx, id), {})
    end)
    if read then
      table.insert(output.SecretValues, value)
    elseif Failure.is(value) then
      table.insert(output.Errors, { SecretId = id, ErrorCode = value.code, Message = value.message })
    else
      error(value, 0)
    end
  end
  return output
end

return { operations = operations }
