-- Tags of everything in the simulated RDS. Used by the other files of this folder.

local entities = require "infra.sim.rds.entities"

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
    local key, value = tag.Key or "", tag.Value or ""
    if key == "" or #key > 128 or #value > 256 then
      entities.invalid(ctx, "Tag keys must have between 1 and 128 characters, tag values at most 256.")
    elseif key:lower():find("^aws:") or key:lower():find("^rds:") then
      entities.invalid(ctx, "Tag keys can't begin with the reserved prefixes aws: and rds:.")
    end
    merged[key] = value
  end
  for _ in pairs(merged) do
    count = count + 1
  end
  if count > LIMIT then
    entities.invalid(ctx, "The number of tags exceeds the limit of %d for a resource.", LIMIT)
  end
  return merged
end

--- { key = value } as a TagList.
function tags.list(map)
  local list = {}
  for key, value in pairs(map) do
    list[#list + 1] = { Key = key, Value = value }
  end
  table.sort(list, function(a, b) return a.Key < b.Key end)
  return list
end

function operations.AddTagsToResource(ctx, params)
  local object, kind = entities.by_arn(ctx, params.ResourceName)
  object.tags = tags.merged(ctx, object.tags, params.Tags)
  entities.put(ctx, kind, object)
end

function operations.RemoveTagsFromResource(ctx, params)
  local object, kind = entities.by_arn(ctx, params.ResourceName)
  for _, key in ipairs(params.TagKeys) do
    object.tags[key] = nil
  end
  entities.put(ctx, kind, object)
end

function operations.ListTagsForResource(ctx, params)
  return { TagList = tags.list(entities.by_arn(ctx, params.ResourceName).tags) }
end

return tags
