-- Tags of the simulated Route 53's zones and health checks. Kept in the account's global store, kind "tags", by
-- "hostedzone/ID" or "healthcheck/ID": { key = value }.

local tagging = require "infra.sim.tagging"
local zones = require "infra.sim.route53.zones"

local tags = { operations = {} }
local operations = tags.operations

local IDS_IN_A_CALL <const> = 10

local function key_of(ctx, kind, id)
  if kind == "hostedzone" then
    return "hostedzone/" .. zones.find(ctx, id).Id
  elseif not ctx.global:get("check", id) then
    ctx:fail("NoSuchHealthCheck", ("A health check with id %s does not exist."):format(id), 404)
  end
  return "healthcheck/" .. id
end

local function render(ctx, kind, id)
  local stored = ctx.global:get("tags", key_of(ctx, kind, id)) or {}
  return { ResourceType = kind, ResourceId = (id:gsub("^/?hostedzone/", "")), Tags = tagging.list(stored) }
end

function operations.ChangeTagsForResource(ctx, params)
  local key = key_of(ctx, params.ResourceType, params.ResourceId)
  local stored = tagging.merge(ctx.global:get("tags", key), params.AddTags)
  ctx.global:put("tags", key, tagging.without(stored, params.RemoveTagKeys or {}))
  return {}
end

function operations.ListTagsForResource(ctx, params)
  return { ResourceTagSet = render(ctx, params.ResourceType, params.ResourceId) }
end

function operations.ListTagsForResources(ctx, params)
  if #params.ResourceIds > IDS_IN_A_CALL then
    ctx:fail("InvalidInput", ("A call takes %d resource ids."):format(IDS_IN_A_CALL), 400)
  end
  local sets = {}
  for i, id in ipairs(params.ResourceIds) do
    sets[i] = render(ctx, params.ResourceType, id)
  end
  return { ResourceTagSets = sets }
end

return tags
