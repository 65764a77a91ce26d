-- Tags of any resource. Operations of infra.sim.ec2.

local Resource = require "infra.sim.ec2.resources"
local listing = require "infra.sim.ec2.listing"

local operations = {}

-- Gives every named resource the tags changed(object). All of them must exist, and take their tags, before any is
-- touched.
local function change(ctx, ids, changed)
  local objects, tags = {}, {}
  for i, id in ipairs(ids) do
    local kind = Resource.of(id)
    if not kind then
      ctx:fail("InvalidID", ("The ID '%s' is not valid"):format(id))
    end
    objects[i] = kind:find(ctx, id)
  end
  for i, object in ipairs(objects) do
    tags[i] = changed(object)
  end
  for i, object in ipairs(objects) do
    object.Tags = tags[i]
    Resource.of(ids[i]):put(ctx, object)
  end
end

function operations.CreateTags(ctx, params)
  change(ctx, params.Resources, function(object)
    return Resource.checked_tags(ctx, params.Tags, object.Tags)
  end)
end

-- Without Tags all go; a tag without Value goes whatever its value, one with a value only if it has that one.
local function is_named(tag, named)
  for _, wanted in ipairs(named) do
    if wanted.Key == tag.Key and (wanted.Value == nil or wanted.Value == tag.Value) then
      return true
    end
  end
  return #named == 0
end

function operations.DeleteTags(ctx, params)
  change(ctx, params.Resources, function(object)
    local kept = {}
    for _, tag in ipairs(object.Tags) do
      if not is_named(tag, params.Tags or {}) then
        kept[#kept + 1] = tag
      end
    end
    return Resource.checked_tags(ctx, kept)
  end)
end

local LISTING = {
  output = "Tags",
  key = "order",
  pages = { 5, 1000 },
  filters = { key = "Key", ["resource-id"] = "ResourceId", ["resource-type"] = "ResourceType", value = "Value" },
}

function operations.DescribeTags(ctx, params)
  local items = {}
  for kind in Resource.kinds() do
    for id, object in kind:each(ctx) do
      for _, tag in ipairs(object.Tags) do
        items[#items + 1] = {
          Key = tag.Key,
          Value = tag.Value,
          ResourceId = id,
          ResourceType = kind.name,
          Tags = { tag }, -- for the filter "tag:..."
          order = id .. "/" .. tag.Key,
        }
      end
    end
  end
  table.sort(items, function(a, b) return a.order < b.order end)
  return listing.answer(ctx, LISTING, params, items)
end

return { operations = operations, tagged = Resource.tagged }
