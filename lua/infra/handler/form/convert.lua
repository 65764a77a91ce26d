-- Going through a value side by side with the models' nodes for it (handler/form/pairing). Used by the other files of
-- this folder.
--
-- `functions` is a table of a node's tag -> function(node, value) -> value.

local json = require "host.json"
local merged = require "infra.merged"
local reference = require "infra.engine.reference"

local convert = {}

--- A scalar as the type of this name, of either model.
function convert.scalar(type_name, value)
  if type(value) == "table" then
    return value
  elseif type_name == "string" or type_name == "blob" then
    return tostring(value)
  elseif type_name == "boolean" then
    return value == true or value == "true"
  end
  return math.tointeger(tonumber(value)) or tonumber(value) or value
end

--- The value that functions[node.tag] makes of `value`. What is not of the kind that the models say stays as it is, and
--- so does what is not known yet.
function convert.value(functions, node, value)
  local compound = node.element or node.definition
  local change = functions[node.tag]
  if not change or compound and type(value) ~= "table" or reference.is_deferred(value) then
    return value
  end
  return change(node, value)
end

--- A list of what becomes of the items of `value`.
function convert.items(functions, node, value)
  local items = json.array {}
  for i, item in ipairs(value) do
    items[i] = convert.value(functions, node.element, item)
  end
  return items
end

--- A function for the tag "map".
function convert.map(functions)
  return function(node, value)
    local result = {}
    for key, item in pairs(value) do
      result[key] = convert.value(functions, node.element, item)
    end
    return result
  end
end

--- A copy of a structure, with what members mean that are not set.
function convert.filled(node, value)
  return merged(node.fill, value)
end

return convert
