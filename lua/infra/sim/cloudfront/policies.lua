-- Cache, origin-request and response-headers policies, and origin access controls, of the simulated CloudFront: four
-- kinds of the same thing. Kept in the account's global store: kind "policy/KIND" or "control" by id: { id, etag,
-- config, at }.

local defaults = require "infra.sim.cloudfront.defaults"
local distributions = require "infra.sim.cloudfront.distributions"
local merged = require "infra.merged"
local versions = require "infra.sim.cloudfront.versions"

local policies = { operations = {} }
local operations = policies.operations

-- What the operations call it -> where it is kept, the plural, its name among managed policies.
local KINDS = {
  CachePolicy = { store = "policy/cache", plural = "CachePolicies", managed = "cache" },
  OriginRequestPolicy = { store = "policy/origin-request", plural = "OriginRequestPolicies",
    managed = "origin-request" },
  ResponseHeadersPolicy = { store = "policy/response-headers", plural = "ResponseHeadersPolicies",
    managed = "response-headers" },
  OriginAccessControl = { store = "control", plural = "OriginAccessControls" },
}

local function render(kind, found)
  return { Id = found.id, LastModifiedTime = found.at, [kind .. "Config"] = found.config }
end

local function answer(kind, found)
  return { [kind] = render(kind, found), ETag = found.etag }
end

local function find(ctx, kind, id)
  local found = ctx.global:get(KINDS[kind].store, id)
  if not found then
    ctx:fail("NoSuch" .. kind, "The resource does not exist.", 404)
  end
  return found
end

local function check_mutable(ctx, kind, id, code)
  if defaults.MANAGED[id] and defaults.MANAGED[id][1] == KINDS[kind].managed then
    ctx:fail(code, "You cannot change a managed policy.", 400)
  end
end

local function check_name(ctx, kind, config, id)
  for _, other in ctx.global:each(KINDS[kind].store) do
    if other.config.Name == config.Name and other.id ~= id then
      ctx:fail(kind .. "AlreadyExists", ("A resource with the name %s already exists."):format(config.Name), 409)
    end
  end
end

local function create(ctx, kind, params)
  local config = params[kind .. "Config"]
  check_name(ctx, kind, config)
  local id = KINDS[kind].managed and ctx.uuid() or versions.id(ctx)
  local found = { id = id, etag = versions.id(ctx), config = config, at = ctx.now() }
  ctx.global:put(KINDS[kind].store, id, found)
  return answer(kind, found)
end

local function get(ctx, kind, params)
  return answer(kind, find(ctx, kind, params.Id))
end

local function get_config(ctx, kind, params)
  local found = find(ctx, kind, params.Id)
  return { [kind .. "Config"] = found.config, ETag = found.etag }
end

local function update(ctx, kind, params)
  check_mutable(ctx, kind, params.Id, "IllegalUpdate")
  local found = find(ctx, kind, params.Id)
  versions.check(ctx, found, params.IfMatch)
  check_name(ctx, kind, params[kind .. "Config"], found.id)
  found.config, found.etag, found.at = params[kind .. "Config"], versions.id(ctx), ctx.now()
  ctx.global:put(KINDS[kind].store, found.id, found)
  return answer(kind, found)
end

local function delete(ctx, kind, params)
  check_mutable(ctx, kind, params.Id, "IllegalDelete")
  local found = find(ctx, kind, params.Id)
  versions.check(ctx, found, params.IfMatch)
  if distributions.uses(ctx, found.id) then
    ctx:fail(kind .. "InUse", "The resource is in use by a distribution.", 409)
  end
  ctx.global:delete(KINDS[kind].store, found.id)
  return {}
end

local function summary(kind, found)
  if not KINDS[kind].managed then
    local item = merged({ Id = found.id }, found.config)
    item.Description = item.Description or ""
    return item
  end
  return { Type = "custom", [kind] = render(kind, found) }
end

local function list(ctx, kind, params)
  local items = {}
  for _, found in ctx.global:each(KINDS[kind].store) do
    if params.Type ~= "managed" then
      items[#items + 1] = summary(kind, found)
    end
  end
  local function key(item)
    return item.Id or item[kind].Id
  end
  return { [kind .. "List"] = versions.list(ctx, items, key, params) }
end

for kind, what in pairs(KINDS) do
  for name, operation in pairs { ["Create" .. kind] = create, ["Get" .. kind] = get, ["Update" .. kind] = update,
    ["Get" .. kind .. "Config"] = get_config, ["Delete" .. kind] = delete, ["List" .. what.plural] = list } do
    operations[name] = function(ctx, params)
      return operation(ctx, kind, params)
    end
  end
end

return policies
