-- Tags of the simulated Route 53's zones and health checks, which are kept with them.

local health_checks = require "infra.sim.route53.health_checks"
local tagging = require "infra.sim.tagging"
local zones = require "infra.sim.route53.zones"

local tags = { operations = {}, tagged = {} }
local operations = tags.operations

local IDS_IN_A_CALL <const> = 10

-- By ResourceType: how an object is found, and its kind in the store.
local TYPES = {
  hostedzone = { find = zones.find, kind = "zone" },
  healthcheck = { find = health_checks.find, kind = "check" },
}

for name, type in pairs(TYPES) do
  tags.tagged[type.kind] = function(place, object)
    return { arn = ("arn:%s:route53:::%s/%s"):format(place.partition, name, object.Id), tags = object.tags }
  end
end

local function type_of(ctx, name)
  return TYPES[name] or ctx:fail("InvalidInput", ("1 validation error detected: Value '%s' at 'resourceType' failed " ..
    "to satisfy constraint: Member must satisfy enum value set: [healthcheck, hostedzone]"):format(name), 400)
end

local function render(ctx, type, id)
  local object = type_of(ctx, type).find(ctx, id)
  return { ResourceType = type, ResourceId = object.Id, Tags = tagging.list(object.tags) }
end

function operations.ChangeTagsForResource(ctx, params)
  local type = type_of(ctx, params.ResourceType)
  local object = type.find(ctx, params.ResourceId)
  object.tags = tagging.without(tagging.merge(object.tags, params.AddTags), params.RemoveTagKeys or {})
  ctx.global:put(type.kind, object.Id, object)
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
