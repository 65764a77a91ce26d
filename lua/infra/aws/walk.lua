-- Copies a value along its shape, changing parts of it. Used by whoever treats some members of requests and responses
-- differently: infra.aws.redact, infra.aws.json_form. Shapes are those of infra.aws.protocols.shapes.

local json = require "host.json"

--- A copy of `value`, a value of `shape`. visit(shape, value, name) may replace any part of it, from the outside in, by
--- returning something else than nil; `name` is that of a structure's member. Members that the shape does not have are
--- copied as they are. Lists get the JSON array metatable, structures and maps the object one.
local function walk(shape, value, visit, name)
  local replaced = visit(shape, value, name)
  if replaced ~= nil then
    return replaced
  elseif type(value) ~= "table" or not (shape.type == "structure" or shape.type == "map" or shape.type == "list") then
    return value
  end
  local copy = shape.type == "list" and json.array {} or json.object {}
  for key, part in pairs(value) do
    local inner
    if shape.type == "structure" then
      inner = shape:member(key)
    elseif shape.type == "map" then
      inner = shape:value()
    else
      inner = shape:element()
    end
    if inner then
      part = walk(inner, part, visit, shape.type == "structure" and key or nil)
    end
    copy[key] = part
  end
  return copy
end

return walk
