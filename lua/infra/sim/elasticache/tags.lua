-- Tags of caches and snapshots in the simulated ElastiCache; they can be read and changed only while the thing is
-- available. Used by the other files of infra.sim.elasticache.

local entities = require "infra.sim.elasticache.entities"

local tags = { operations = {} }
local operations = tags.operations

local LIMIT = 50

--- `existing` ({ key = value }) with the tags of a request, checked.
function tags.merged(ctx, existing, given)
  local merged, count = {}, 0
  for key, value in pairs(existing) do
    merged[key] = value
  end
  for _, tag in ipairs(given or {}) do
    local key = tag.Key or ""
    if key == "" or #key > 128 or #(tag.Value or "") > 256 then
      entities.invalid(ctx, "Tag keys must be between 1 and 128 characters long, values at most 256.")
    elseif key:lower():find("^aws:") then
      entities.invalid(ctx, "Tag keys must not begin with aws:.")
    end
    merged[key] = tag.Value or ""
  end
  for _ in pairs(merged) do
    count = count + 1
  end
  if count > LIMIT then
    entities.fail(ctx, "TagQuotaPerResourceExceeded", "The quota of %d tags for a resource is exceeded.", LIMIT)
  end
  return merged
end

local function list(object)
  local found = {}
  for key, value in pairs(object.tags) do
    found[#found + 1] = { Key = key, Value = value }
  end
  table.sort(found, function(a, b) return a.Key < b.Key end)
  return { TagList = found }
end

function operations.AddTagsToResource(ctx, params)
  local object, kind = entities.by_arn(ctx, params.ResourceName)
  object.tags = tags.merged(ctx, object.tags, params.Tags)
  entities.put(ctx, kind, object)
  return list(object)
end

function operations.RemoveTagsFromResource(ctx, params)
  local object, kind = entities.by_arn(ctx, params.ResourceName)
  local left = tags.merged(ctx, object.tags)
  for _, key in ipairs(params.TagKeys) do
    if left[key] == nil then
      entities.fail(ctx, "TagNotFound", "The resource has no tag with the key %s.", key)
    end
    left[key] = nil
  end
  object.tags = left
  entities.put(ctx, kind, object)
  return list(object)
end

function operations.ListTagsForResource(ctx, params)
  return list((entities.by_arn(ctx, params.ResourceName)))
end

return tags
