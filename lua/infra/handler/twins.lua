-- Where neither a name nor a token prevents it, a request that the network delivers twice makes two of a thing, both
-- with the ownership tag of the one that is recorded. So things of such types are read by that tag: whatever else the
-- answer has is there twice. Used by handler/observe; engine/plan deletes the second one.

local path = require "infra.handler.path"
local tags = require "infra.handler.tags"

local twins = {}

-- The filter for the ownership tag of a type that is found by nothing else, or nil.
local function owner_filter(spec)
  if type(spec.find) ~= "table" or spec.create.token then
    return nil
  end
  local name, property = next(spec.find)
  return property == true and next(spec.find, name) == nil and name or nil
end

local reads = setmetatable({}, { __mode = "k" }) -- handler spec -> read by the ownership tag, or false

-- How things of this type are read by the ownership tag, or false.
local function read_of(spec)
  if reads[spec] == nil then
    local filter = owner_filter(spec)
    local function key(item)
      return tags.decode(spec.tags, path.get(item, spec.tags.read))[tags.OWNER]
    end
    reads[spec] = filter and setmetatable({ filter = not spec.read.all and filter or nil, key = key },
      { __index = spec.read }) or false
  end
  return reads[spec]
end

--- The item with the identifier `id` and an array of those that were made with it; nil when its type has no twins, or
--- nothing carries its tag; nil and an error when the call failed.
function twins.item(op, service, id, params)
  local by_tag = read_of(op.spec)
  if not by_tag then
    return nil
  end
  local items, err = op.context.reader:items(service, op.region, by_tag, op.token, params)
  if not items then
    return nil, err
  end
  local item, others = nil, {}
  for _, one in ipairs(items) do
    if path.get(one, op.spec.read.key) == id then
      item = one
    else
      others[#others + 1] = one
    end
  end
  return item, nil, others
end

return twins
