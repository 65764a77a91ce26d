-- Comparable forms: what AWS returns and what a stack declares are brought to the same shape before they are compared,
-- so that a plan shows differences of meaning only. Policy documents, sets, tags, numbers as text, defaults.
-- Used by engine/diff, engine/decision and handler/*.

local form = require "infra.handler.form"
local json = require "host.json"
local policy_document = require "infra.engine.policy_document"
local reference = require "infra.engine.reference"
local sorted = require "infra.engine.sorted"
local tags = require "infra.handler.tags"

local canonical = {}

local BOOLEANS = { ["true"] = true, ["false"] = false }

local function scalar(kind, value)
  if kind == "string" and type(value) == "number" then
    return tostring(math.tointeger(value) or value)
  elseif kind == "string" and type(value) == "boolean" then
    return tostring(value)
  elseif (kind == "integer" or kind == "number") and type(value) == "string" then
    local number = tonumber(value)
    return math.tointeger(number) or number or value
  elseif kind == "boolean" and BOOLEANS[value] ~= nil then
    return BOOLEANS[value]
  end
  return value
end

-- The comparable form of a value of this type, nil for what counts as not set.
local function by_type(schema, kind, value)
  if value == nil or value == json.null then
    return nil
  elseif reference.is_deferred(value) then
    return value
  elseif kind.type == "json" or kind.type == "union" then
    return policy_document.canonical(value)
  elseif kind.type == "array" and type(value) == "table" then
    local result = json.array {}
    for i, item in ipairs(value) do
      result[i] = by_type(schema, kind.element, item)
    end
    return result
  elseif kind.type == "map" and type(value) == "table" then
    local result = {}
    for key, item in pairs(value) do
      result[key] = by_type(schema, kind.element, item)
    end
    return result
  elseif kind.type == "ref" and type(value) == "table" then
    local definition = schema:definition(kind.reference)
    local result = {}
    for name, item in pairs(value) do
      local property = definition and definition.properties[name]
      if property then
        item = by_type(schema, property.type, item)
      end
      result[name] = item
    end
    return result
  end
  return scalar(kind.type, value)
end

--- Tags in either of CloudFormation's forms ({ {Key=, Value=} } or { key = value }) as a map without AWS's own.
function canonical.tags(value)
  if reference.is_deferred(value) then
    return value
  elseif type(value) == "table" and value[1] then
    value = tags.decode({ form = "list" }, value)
  end
  return tags.visible(value)
end

--- The comparable form of one property of a type (infra.resources). `siblings`: the properties beside it, where what a
--- value means depends on them.
function canonical.property(resource_type, name, value, siblings)
  local schema, spec = resource_type.schema, resource_type.spec
  if name == schema.tag_property then
    return canonical.tags(value)
  end
  local property = schema.properties[name]
  local result = value
  if property then
    result = by_type(schema, property.type, value)
  end
  if result ~= nil and spec.form then
    result = form.of(spec, schema):canonical(name, result)
  end
  if result ~= nil and spec.canonical and spec.canonical[name] and not reference.find_unknown(result) then
    result = spec.canonical[name](result, siblings or {})
  end
  for _, set in ipairs(spec.sets or {}) do
    if set == name and type(result) == "table" and not reference.is_deferred(result) then
      return sorted(result)
    end
  end
  return result
end

return canonical
