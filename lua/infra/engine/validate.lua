-- Checks what a stack declares against the schema of the resource type, before anything touches the network: unknown
-- and missing properties, wrong types, properties that the handler cannot set. Used by engine/resource.

local json = require "host.json"
local reference = require "infra.engine.reference"
local suggest = require "infra.suggest"

local validate = {}

local LUA_TYPES = {
  string = { string = true, number = true, boolean = true }, -- CloudFormation takes 30 for "30"
  integer = { number = true }, number = { number = true }, boolean = { boolean = true },
  ["date-time"] = { string = true }, ["null"] = {},
  json = { table = true, string = true, number = true, boolean = true },
}

--- ", did you mean ...?" for a name that is none of the keys of the tables, or "".
function validate.nearest(name, ...)
  local names = {}
  for _, keys in ipairs { ... } do
    for key in pairs(keys) do
      names[#names + 1] = key
    end
  end
  table.sort(names)
  return suggest(tostring(name), names)
end

local function describe(value)
  local kind = type(value)
  if kind == "string" then
    return ("the string %q"):format(#value > 40 and value:sub(1, 37) .. "..." or value)
  elseif kind == "number" or kind == "boolean" then
    return ("the %s %s"):format(kind, value)
  elseif kind == "table" then
    return next(value) == nil and "an empty table" or #value > 0 and "a list" or "a table"
  end
  return "a " .. kind
end

local function is_list(value)
  return type(value) == "table" and (json.is_array(value) or #value > 0 or next(value) == nil)
end

local check -- forward: types nest

local function check_structure(schema, name, where, value, report)
  local definition = schema:definition(name)
  if not definition or not definition.properties then
    return
  end
  for member, item in pairs(value) do
    local property = definition.properties[member]
    if not property then
      report(where, ("there is no member '%s'%s"):format(tostring(member), validate.nearest(member, definition.properties)))
    else
      check(schema, property.type, where .. "." .. member, item, report)
    end
  end
  for member, property in pairs(definition.properties) do
    if property.required and value[member] == nil then
      report(where, ("member '%s' is required"):format(member))
    end
  end
end

local function matches(schema, kind, value)
  local matched = true
  check(schema, kind, "", value, function()
    matched = false
  end)
  return matched
end

function check(schema, kind, where, value, report)
  if reference.is_deferred(value) or value == json.null then
    return
  end
  local name = kind.type
  if name == "array" then
    if not is_list(value) then
      report(where, "must be a list, is " .. describe(value))
      return
    end
    for i, item in ipairs(value) do
      check(schema, kind.element, ("%s[%d]"):format(where, i), item, report)
    end
  elseif name == "map" then
    if type(value) ~= "table" or #value > 0 then
      report(where, "must be a table of names and values, is " .. describe(value))
      return
    end
    for key, item in pairs(value) do
      check(schema, kind.element, where .. "." .. tostring(key), item, report)
    end
  elseif name == "ref" or name == "tag" then
    if type(value) ~= "table" or #value > 0 then
      report(where, "must be a table, is " .. describe(value))
    elseif name == "ref" then
      check_structure(schema, kind.reference, where, value, report)
    end
  elseif name == "union" then
    for _, one in ipairs(kind.types) do
      if matches(schema, one, value) then
        return
      end
    end
    report(where, "has a value of no allowed type: " .. describe(value))
  elseif LUA_TYPES[name] and not LUA_TYPES[name][type(value)] then
    report(where, ("must be a%s %s, is %s"):format(name == "integer" and "n" or "", name, describe(value)))
  elseif name == "integer" and math.tointeger(value) == nil then
    report(where, ("must be an integer, is %s"):format(describe(value)))
  end
end

--- Checks `properties` of a resource of `resource_type` (infra.resources). Calls report(where, message) for each fault.
function validate.properties(resource_type, properties, report)
  local schema = resource_type.schema
  for name, value in pairs(properties) do
    local property = schema.properties[name]
    if not property then
      report(tostring(name), ("%s has no property '%s'%s"):format(resource_type.name, tostring(name),
        validate.nearest(name, schema.properties)))
    elseif name == schema.tag_property then
      if type(value) ~= "table" then
        report(name, "must be a table of tags, is " .. describe(value))
      end
    elseif not resource_type.supported[name] then
      report(name, ("%s: this version's handler cannot set '%s'"):format(resource_type.name, name))
    else
      check(schema, property.type, name, value, report)
    end
  end
  for name, property in pairs(schema.properties) do
    if property.required and properties[name] == nil then
      report(name, ("%s: property '%s' is required"):format(resource_type.name, name))
    end
  end
end

return validate
