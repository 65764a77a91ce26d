-- Checks what a stack declares against the schema of the resource type, before anything touches the network: unknown
-- and missing properties, wrong types, properties that the handler cannot set. Used by engine/resource and handler
-- specs.

local contains = require "infra.contains"
local dynamic = require "infra.handler.dynamic"
local form = require "infra.handler.form"
local json = require "host.json"
local merged = require "infra.merged"
local reference = require "infra.engine.reference"
local sorted_keys = require "infra.sorted_keys"
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
  return suggest(tostring(name), sorted_keys(merged(...)))
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
  if type(value) ~= "table" then
    return false
  end
  for key in pairs(value) do
    if math.type(key) ~= "integer" or key < 1 or key > #value then
      return false
    end
  end
  return true
end

-- Whether AWS's data lists the values of this type, and not this one. New ones come before the data that lists them.
local function is_doubtful(kind, value)
  return kind.allowed_values and not contains(kind.allowed_values, value) and not dynamic.is(value)
end

local check -- types nest; report(where, message, doubt), where doubt says that it is no fault for certain

local function check_structure(schema, name, where, value, report)
  local definition = schema:definition(name)
  if not definition or not definition.properties then
    return
  end
  for member, item in pairs(value) do
    local property = definition.properties[member]
    if not property then
      report(where, ("has no member '%s'%s"):format(tostring(member), validate.nearest(member, definition.properties)))
    else
      check(schema, property.type, where .. "." .. member, item, report)
    end
  end
  for member, property in pairs(definition.properties) do
    if property.required and value[member] == nil then
      report(where, ("needs the member '%s'"):format(member))
    end
  end
end

local function matches(schema, kind, value)
  local matched = true
  check(schema, kind, "", value, function(_, _, doubt)
    matched = matched and doubt
  end)
  return matched
end

-- One function for each type whose values have parts: function(schema, kind, where, value, report).
local COMPOSITE = {}

function COMPOSITE.array(schema, kind, where, value, report)
  if not is_list(value) then
    report(where, "must be a list, is " .. describe(value))
    return
  end
  for i, item in ipairs(value) do
    check(schema, kind.element, ("%s[%d]"):format(where, i), item, report)
  end
end

function COMPOSITE.map(schema, kind, where, value, report)
  if type(value) ~= "table" or #value > 0 then
    report(where, "must be a table of names and values, is " .. describe(value))
    return
  end
  for key, item in pairs(value) do
    check(schema, kind.element, where .. "." .. tostring(key), item, report)
  end
end

function COMPOSITE.ref(schema, kind, where, value, report)
  if type(value) ~= "table" or #value > 0 then
    report(where, "must be a table, is " .. describe(value))
  elseif kind.reference then
    check_structure(schema, kind.reference, where, value, report)
  end
end

COMPOSITE.tag = COMPOSITE.ref

function COMPOSITE.union(schema, kind, where, value, report)
  for _, one in ipairs(kind.types) do
    if matches(schema, one, value) then
      return
    end
  end
  report(where, "has a value of no allowed type: " .. describe(value))
end

function check(schema, kind, where, value, report)
  if reference.is_deferred(value) or value == json.null then
    return
  end
  local name = kind.type
  if COMPOSITE[name] then
    COMPOSITE[name](schema, kind, where, value, report)
  elseif LUA_TYPES[name] and not LUA_TYPES[name][type(value)] then
    report(where, ("must be a%s %s, is %s"):format(name == "integer" and "n" or "", name, describe(value)))
  elseif name == "integer" and math.tointeger(value) == nil then
    report(where, ("must be an integer, is %s"):format(describe(value)))
  elseif is_doubtful(kind, value) then
    report(where, ("is %s; AWS's data knows %s"):format(describe(value), table.concat(kind.allowed_values, ", ")), true)
  end
end

-- Tags may be written in both of CloudFormation's forms: { {Key=, Value=}, ... } and { key = value }.
local function check_tags(name, value, report)
  if reference.is_deferred(value) then
    return
  elseif type(value) ~= "table" then
    report(name, "must be a table of tags, is " .. describe(value))
    return
  end
  for key, item in pairs(value) do
    local is_pair = type(key) == "number"
    local text = item
    if is_pair then
      text = type(item) == "table" and type(item.Key) == "string" and item.Value or json.null
    end
    if reference.is_secret(text) then
      report(("%s[%s]"):format(name, key), "cannot be a secret: everybody who may look at the account sees it")
    elseif not (reference.is_deferred(text) or LUA_TYPES.string[type(text)]) then
      report(("%s[%s]"):format(name, key), ("must be %s, is %s"):format(
        is_pair and "a table with a text as Key and one as Value" or "a text", describe(item)))
    end
  end
end

--- Reports a secret that stands there in clear. Used by handler specs too.
function validate.secret(name, value, report)
  if value ~= nil and not (reference.is_secret(value) or dynamic.is(value)) then
    report(name, "must be infra.secret(...) or a reference {{resolve:secretsmanager:...}}: in clear it would stand " ..
      "in the state and in plans")
  end
end

--- Checks `properties` of a resource of `resource_type` (infra.resources). Calls fault(message) for each fault. `facts`
--- are for the spec's own check, which comes when all else is right: { region, type_of = function(address) -> name of
--- the type of the resource there }. Returns what is no fault for certain, as texts.
function validate.properties(resource_type, properties, fault, facts)
  local schema, spec, faulty, doubts = resource_type.schema, resource_type.spec, false, {}
  local function report(message)
    faulty = true
    fault(message)
  end
  local function misplaced(where, message, doubt)
    if doubt then
      table.insert(doubts, ("%s %s"):format(where, message))
    else
      report(("%s: %s %s"):format(resource_type.name, where, message))
    end
  end
  for name, value in pairs(properties) do
    local property = schema.properties[name]
    if not property then
      report(("%s has no property '%s'%s"):format(resource_type.name, tostring(name),
        validate.nearest(name, schema.properties)))
    elseif name == schema.tag_property and spec.tags then
      check_tags(name, value, misplaced)
    elseif not resource_type.supported[name] then
      report(("%s: this version's handler cannot set '%s'"):format(resource_type.name, name))
    else
      check(schema, property.type, name, value, misplaced)
      if spec.form then
        form.of(spec, schema):check(name, value, misplaced)
      end
    end
  end
  local function require_property(name)
    if properties[name] == nil then
      report(("%s: property '%s' is required"):format(resource_type.name, name))
    end
  end
  local filled = spec.name and spec.name.property -- when the stack leaves it out
  for name, property in pairs(schema.properties) do
    if property.required and name ~= filled then
      require_property(name)
    end
  end
  for _, name in ipairs(spec.required or {}) do
    require_property(name)
  end
  for _, name in ipairs(spec.secrets or {}) do
    validate.secret(name, properties[name], misplaced)
  end
  if spec.check and not faulty then
    spec.check(properties, misplaced, facts or {})
  end
  return doubts
end

return validate
