-- Tags of keys of the simulated KMS, which calls their members TagKey and TagValue. Used by infra.sim.kms.

local entities = require "infra.sim.kms.entities"

local tags = { operations = {} }
local operations = tags.operations

local LIMIT = 50

--- `existing` ({ key = value }) with the tags of a request, checked.
function tags.merged(ctx, existing, given)
  local merged, seen, count = {}, {}, 0
  for key, value in pairs(existing) do
    merged[key] = value
  end
  for _, tag in ipairs(given or {}) do
    if tag.TagKey == "" or #tag.TagKey > 128 or #tag.TagValue > 256 then
      entities.invalid(ctx, tag.TagKey, "tags", "Member must have length between 1 and 128, its value at most 256")
    elseif tag.TagKey:lower():find("^aws:") then
      entities.fail(ctx, "TagException", "Tag keys must not begin with aws:")
    elseif seen[tag.TagKey] then
      entities.fail(ctx, "TagException", "Duplicate tag keys are not allowed.")
    end
    seen[tag.TagKey], merged[tag.TagKey] = true, tag.TagValue
  end
  for _ in pairs(merged) do
    count = count + 1
  end
  if count > LIMIT then
    entities.fail(ctx, "LimitExceededException", "The number of tags exceeds the limit of %d.", LIMIT)
  end
  return merged
end

function operations.TagResource(ctx, params)
  local key = entities.check_state(ctx, entities.find_own(ctx, params.KeyId))
  local merged = tags.merged(ctx, key.tags, params.Tags)
  entities.change(ctx, key, function() key.tags = merged end)
end

function operations.UntagResource(ctx, params)
  local key = entities.check_state(ctx, entities.find_own(ctx, params.KeyId))
  local left = tags.merged(ctx, key.tags)
  for _, name in ipairs(params.TagKeys) do
    left[name] = nil
  end
  entities.change(ctx, key, function() key.tags = left end)
end

function operations.ListResourceTags(ctx, params)
  local list = {}
  for name, value in pairs(entities.seen(ctx, entities.find(ctx, params.KeyId)).tags) do
    list[#list + 1] = { TagKey = name, TagValue = value }
  end
  table.sort(list, function(a, b) return a.TagKey < b.TagKey end)
  return entities.listed(ctx, params, "Tags", list, function(tag) return tag.TagKey end, 50, 50)
end

return tags
