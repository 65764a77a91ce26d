-- Lists whose order means nothing, in one that follows from their items. Used by engine/canonical and
-- engine/policy_document.

local joined = require "infra.joined"
local json = require "host.json"
local reference = require "infra.engine.reference"

local function key_of(item)
  return type(item) == "table" and not reference.is_deferred(item) and json.encode(item) or tostring(item)
end

--- A new JSON array of the items of `list`, sorted by their text.
return function(list)
  local keys, result = {}, json.array(joined(list))
  for _, item in ipairs(result) do
    keys[item] = keys[item] or key_of(item)
  end
  table.sort(result, function(a, b)
    return keys[a] < keys[b]
  end)
  return result
end
