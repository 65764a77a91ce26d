-- The search for something by what a listing says of it, for types whose names or references are not what they are read
-- by:
--
--   find = {
--     "ListCachePolicies", list = "CachePolicyList.Items", next = "Marker=CachePolicyList.NextMarker",
--     same = { "CachePolicyConfig.Name=CachePolicy.CachePolicyConfig.Name" },   what must agree: wanted=listed
--     adopt = { ... },                         the same for resources that are to be taken over, where it differs
--     id = { "Id=CachePolicy.Id" },            what it is read by: value=listed
--     shared = true,                           others may be called the same, and are not in the way
--   }
--
-- and send, with as in other calls. `next` is a field: where the answer has the token that the call takes for its next
-- page. Used by handler/find.

local canonical = require "infra.engine.canonical"
local contains = require "infra.contains"
local json = require "host.json"
local merged = require "infra.merged"
local observe = require "infra.handler.observe"
local path = require "infra.handler.path"

local listing = {}

-- Lists agree when they have an item in common; what is not wanted in particular agrees with everything.
local function agrees(wanted, listed)
  if wanted == nil then
    return true
  elseif type(wanted) ~= "table" or type(listed) ~= "table" then
    return wanted == listed
  end
  for _, item in ipairs(wanted) do
    if contains(listed, item) then
      return true
    end
  end
  return false
end

local function is_candidate(op, fields, scope, item)
  for _, field in ipairs(fields) do
    local name, source = path.field(field)
    local wanted, listed = path.get(scope, name), path.get(item, source)
    if op.schema.properties[name] then
      wanted = canonical.property(op, name, wanted, scope)
      listed = canonical.property(op, name, listed, item)
    end
    if not agrees(wanted, listed) then
      return false
    end
  end
  return true
end

--- What may be the resource that `scope` wants: an array of items as the type's read gives them, or nil and an error.
function listing.candidates(op, scope)
  local find, items = op.spec.find, json.array {}
  local params = op:parameters(find, scope)
  local input, output_path = path.field(find.next)
  repeat
    local output, err = op:get(find, params)
    if not output then
      return nil, err
    end
    for _, item in ipairs(path.get(output, find.list) or {}) do
      if is_candidate(op, op.adopt and find.adopt or find.same, scope, item) then
        local live, problem = observe.item(op, merged(scope, path.extract(find.id, item)))
        if problem then
          return nil, problem
        end
        items[#items + 1] = live and live.item
      end
    end
    params[input] = path.get(output, output_path)
  until params[input] == nil or params[input] == ""
  return items
end

return listing
