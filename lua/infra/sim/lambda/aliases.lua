-- Aliases of function versions in the simulated Lambda. Operations of infra.sim.lambda.
--
-- Kept are Name, FunctionVersion, Description, RevisionId, weights = { version = share }, and moving: an alias with
-- provisioned concurrency goes over to its next version step by step, which shows as weights that nobody has set.

local entities = require "infra.sim.lambda.entities"

local aliases = { operations = {} }
local operations = aliases.operations
local fail, invalid = entities.fail, entities.invalid

local MOVING <const> = 60 -- seconds; "a few minutes" at most

--- The weights that an alias has now, its own or those of its move; nil when there are none.
function aliases.weights(ctx, alias)
  local moving = alias.moving
  if moving and ctx.now() < moving.ends_at then
    return { [moving.from] = math.ceil((moving.ends_at - ctx.now()) / MOVING * 10) / 10 }
  end
  return next(alias.weights) and alias.weights or nil
end

local function view(ctx, fn, alias)
  local weights = aliases.weights(ctx, alias)
  return {
    AliasArn = entities.arn(ctx, fn.FunctionName, alias.Name),
    Name = alias.Name,
    FunctionVersion = alias.FunctionVersion,
    Description = alias.Description or "",
    RoutingConfig = weights and { AdditionalVersionWeights = weights },
    RevisionId = alias.RevisionId,
  }
end

local function find(ctx, fn, name)
  return entities.get(ctx, "alias/" .. fn.FunctionName, name) or fail(ctx, "ResourceNotFoundException",
    "Cannot find alias arn: %s", entities.arn(ctx, fn.FunctionName, name))
end

local function check_version(ctx, fn, version)
  if version ~= "$LATEST" and not version:find("^%d+$") then
    entities.validation(ctx, version, "functionVersion", "Member must satisfy regular expression pattern: "
      .. "(\\$LATEST|[0-9]+)")
  end
  entities.version(ctx, fn, version)
end

-- The weights that a request's RoutingConfig gives to an alias of `version`.
local function weights_of(ctx, fn, routing, version)
  local weights = routing.AdditionalVersionWeights or {}
  local other, share = next(weights)
  if not other then
    return {}
  elseif next(weights, other) then
    invalid(ctx, "Number of items in AdditionalVersionWeights cannot be greater than 1.")
  elseif version == "$LATEST" or other == "$LATEST" then
    invalid(ctx, "$LATEST is not supported for an alias pointing to more than 1 version.")
  elseif other == version or share < 0 or share > 1 then
    invalid(ctx, "Invalid function version %s and weight %s.", other, share)
  end
  check_version(ctx, fn, other)
  return weights
end

function operations.CreateAlias(ctx, params)
  local fn = entities.find(ctx, params)
  local name, kind = params.Name, "alias/" .. fn.FunctionName
  if not name:find("^[%w_-]+$") or name:find("^%d+$") or #name > 128 then
    entities.validation(ctx, name, "name", "Member must satisfy regular expression pattern: "
      .. "(?!^[0-9]+$)([a-zA-Z0-9-_]+)")
  elseif ctx.store:get(kind, name) then
    fail(ctx, "ResourceConflictException", "Alias already exists: %s", entities.arn(ctx, fn.FunctionName, name))
  end
  check_version(ctx, fn, params.FunctionVersion)
  local alias = {
    Name = name,
    FunctionVersion = params.FunctionVersion,
    Description = params.Description,
    weights = weights_of(ctx, fn, params.RoutingConfig or {}, params.FunctionVersion),
  }
  entities.revise(ctx, alias)
  ctx.store:put(kind, name, alias)
  return view(ctx, fn, alias)
end

function operations.GetAlias(ctx, params)
  local fn = entities.find(ctx, params)
  return view(ctx, fn, find(ctx, fn, params.Name))
end

function operations.UpdateAlias(ctx, params)
  local fn = entities.find(ctx, params)
  local alias, name = find(ctx, fn, params.Name), fn.FunctionName
  local version, weights = params.FunctionVersion or alias.FunctionVersion, alias.weights
  entities.check_revision(ctx, params, alias)
  check_version(ctx, fn, version)
  if params.RoutingConfig then
    weights = weights_of(ctx, fn, params.RoutingConfig, version)
  end
  local provisioned = ctx.store:get("provisioned/" .. name, alias.Name)
  if provisioned and version ~= alias.FunctionVersion then
    alias.moving = { from = alias.FunctionVersion, ends_at = ctx.now() + MOVING }
    provisioned.ready_at = alias.moving.ends_at
    ctx.store:put("provisioned/" .. name, alias.Name, provisioned)
  end
  alias.FunctionVersion, alias.weights = version, weights
  alias.Description = params.Description or alias.Description
  entities.revise(ctx, alias)
  ctx.store:put("alias/" .. name, alias.Name, alias)
  return view(ctx, fn, alias)
end

-- No error when there is none.
function operations.DeleteAlias(ctx, params)
  local name = entities.find(ctx, params).FunctionName
  ctx.store:delete("alias/" .. name, params.Name)
  ctx.store:delete("provisioned/" .. name, params.Name)
  ctx.store:delete("policy", name .. "/" .. params.Name)
end

function operations.ListAliases(ctx, params)
  local fn, found = entities.find(ctx, params), {}
  for _, alias in ctx.store:each("alias/" .. fn.FunctionName) do
    if (params.FunctionVersion or alias.FunctionVersion) == alias.FunctionVersion then
      found[#found + 1] = view(ctx, fn, alias)
    end
  end
  return entities.listed(ctx, params, "Aliases", found, function(shown) return shown.Name end)
end

return aliases
