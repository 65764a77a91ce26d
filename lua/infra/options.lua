-- Declared, validated options: of stacks, of layers and of plugins. One table says name, type, default and meaning:
--
--   options = {
--     cidr = infra.default("10.20.0.0/16", "the VPC's address range"),
--     alert_email = infra.optional("string", "who gets the alarms"),
--     nat = infra.one_of({ "single", "per-az", "none" }, "how many NAT gateways"),   -- the first is the default
--     network = infra.required("table"),
--   }

local contains = require "infra.contains"
local errors = require "infra.errors"
local sorted_keys = require "infra.sorted_keys"

local options = {}

local Option = {}
Option.__index = Option

local function option(fields)
  return setmetatable(fields, Option)
end

--- May be left out, then nil.
function options.optional(kind, meaning)
  return option { kind = kind, meaning = meaning }
end

--- Must be given.
function options.required(kind, meaning)
  return option { kind = kind, required = true, meaning = meaning }
end

--- May be left out, then `value`; its type is the type of the default.
function options.default(value, meaning)
  return option { kind = type(value), default = value, meaning = meaning }
end

--- One of the listed values; the first is the default.
function options.one_of(values, meaning)
  return option { kind = type(values[1]), values = values, default = values[1], meaning = meaning }
end

-- Text from the command line (--set NAME=VALUE) as the option's type; anything else unchanged.
local function convert(declared, value)
  if type(value) ~= "string" then
    return value
  elseif declared.kind == "number" then
    return tonumber(value) or value
  elseif declared.kind == "boolean" then
    return value == "true" or (value ~= "false" and value or false)
  end
  return value
end

local function names(list)
  local texts = {}
  for i, value in ipairs(list) do
    texts[i] = ("%q"):format(tostring(value))
  end
  return table.concat(texts, ", ")
end

-- A default as somebody writes it in a stack.
local function example(value)
  return type(value) == "table" and "{ ... }" or type(value) == "string" and ("%q"):format(value) or tostring(value)
end

local function check_one(where, name, declared, value)
  if value == nil then
    if declared.required then
      return errors.fail { code = "MissingOption", message = ("%s: option '%s' (%s) is required"):format(where, name,
        declared.kind) }
    end
    return true
  elseif type(value) ~= declared.kind then
    return errors.fail { code = "BadOption", message = ("%s: option '%s' must be a %s, got the %s %s"):format(
      where, name, declared.kind, type(value), tostring(value)) }
  elseif declared.values and not contains(declared.values, value) then
    return errors.fail { code = "BadOption", message = ("%s: option '%s' must be one of %s, got %q"):format(where, name,
      names(declared.values), tostring(value)) }
  end
  return true
end

--- The complete option values for `declared` (name -> option) from the `given` ones, or nil and an error that starts
--- with `where`: "BadDeclaration" when the fault is in `declared`. Unknown names are errors.
function options.check(where, declared, given)
  local result = {}
  for name in pairs(given or {}) do
    if not declared[name] then
      return errors.fail { code = "UnknownOption", message = ("%s: there is no option '%s'; there are: %s"):format(
        where, name, table.concat(sorted_keys(declared), ", ")) }
    end
  end
  for name, one in pairs(declared) do
    if getmetatable(one) ~= Option then
      return errors.fail { code = "BadDeclaration", message = ("%s: option '%s' is not declared with " ..
        "infra.optional, infra.required, infra.default or infra.one_of"):format(where, name),
        hint = ('write %s = infra.default(%s, "what it is for")'):format(name, example(one)) }
    end
    local value = given and given[name]
    value = convert(one, value)
    if value == nil then
      value = one.default
    end
    local ok, err = check_one(where, name, one, value)
    if not ok then
      return nil, err
    end
    result[name] = value
  end
  return result
end

return options
