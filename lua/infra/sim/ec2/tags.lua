-- Tags of any resource. Operations of infra.sim.ec2.

local Resource = require "infra.sim.ec2.resources"
local listing = require "infra.sim.ec2.listing"

local operations = {}

-- Every named resource must exist before any is touched.
local function check_resources(ctx, ids)
  for _, id in ipairs(ids) do
    local kind = Resource.of(id)
    if not kind then
      ctx:fail("InvalidID", ("The ID '%s' is not valid"):format(id))
    end
    kind:find(ctx, id)
  end
end

function operations.CreateTags(ctx, params)
  check_resources(ctx, params.Resources)
  local changed = {}
  for i, id in ipairs(params.Resources) do
    changed[i] = Resource.checked_tags(ctx, params.Tags, Resource.tags(ctx, id))
  end
  for i, id in ipairs(params.Resources) do
    Resource.put_tags(ctx, id, changed[i])
  end
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
  check_resources(ctx, params.Resources)
  for _, id in ipairs(params.Resources) do
    local kept = {}
    for _, tag in ipairs(Resource.tags(ctx, id)) do
      if not is_named(tag, params.Tags or {}) then
        kept[#kept + 1] = tag
      end
    end
    Resource.put_tags(ctx, id, Resource.checked_tags(ctx, kept))
  end
end

local LISTING = {
  output = "Tags",
  key = "order",
  pages = { 5, 1000 },
  filters = { key = "Key", ["resource-id"] = "ResourceId", ["resource-type"] = "ResourceType", value = "Value" },
}

function operations.DescribeTags(ctx, params)
  local items = {}
  for id, tags in ctx.store:each("tags") do
    for _, tag in ipairs(tags) do
      items[#items + 1] = {
        Key = tag.Key,
        Value = tag.Value,
        ResourceId = id,
        ResourceType = Resource.of(id).name,
        Tags = { tag }, -- for the filter "tag:..."
        order = id .. "/" .. tag.Key,
      }
    end
  end
  return listing.answer(ctx, LISTING, params, items)
end

return { operations = operations }
