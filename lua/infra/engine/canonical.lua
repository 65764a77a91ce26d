-- Comparable forms: what AWS returns and what a stack declares are brought to the same shape before they are compared,
-- so that a plan shows differences of meaning only. Policy documents, sets, tags, numbers as text, defaults.
-- Used by engine/diff.

local json = require "host.json"
local reference = require "infra.engine.reference"
local tags = require "infra.handler.tags"

local canonical = {}

local function is_array(value)
  return json.is_array(value) or #value > 0
end

local function sort_key(value)
  return type(value) == "table" and not reference.is_deferred(value) and json.encode(value) or tostring(value)
end

local function sorted(list)
  local result = json.array(table.move(list, 1, #list, 1, {}))
  table.sort(result, function(a, b)
    return sort_key(a) < sort_key(b)
  end)
  return result
end

-- Members of a policy statement where one text and a list of one text mean the same, and order means nothing.
local POLICY_LISTS = { Action = true, NotAction = true, Resource = true, NotResource = true }

local function policy_list(value)
  if type(value) ~= "table" or reference.is_deferred(value) then
    return value
  elseif #value == 1 then
    return value[1]
  end
  return sorted(value)
end

local function principal(value)
  if type(value) ~= "table" or reference.is_deferred(value) then
    return value
  end
  local result = {}
  for kind, who in pairs(value) do
    result[kind] = policy_list(who)
    if kind == "AWS" and type(result[kind]) == "string" then -- an account number stands for its root user
      result[kind] = result[kind]:gsub("^arn:aws[%w-]*:iam::(%d+):root$", "%1")
    end
  end
  return result
end

local function statement(value)
  local result = {}
  for name, item in pairs(value) do
    if POLICY_LISTS[name] then
      result[name] = policy_list(item)
    elseif name == "Principal" or name == "NotPrincipal" then
      result[name] = principal(item)
    elseif name == "Condition" then
      result[name] = {}
      for operator, conditions in pairs(item) do
        result[name][operator] = {}
        for key, values in pairs(conditions) do
          result[name][operator][key] = policy_list(values)
        end
      end
    elseif not (name == "Sid" and item == "") then
      result[name] = item
    end
  end
  return result
end

local function percent_decoded(text)
  return (text:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

--- A policy document (table, or text as AWS returns it: plain or percent-encoded) in comparable form. Other documents
--- stay as they are, parsed.
function canonical.document(value)
  if type(value) == "string" then
    local text = value:match("^%%7[Bb]") and percent_decoded(value) or value
    local parsed = text:match("^%s*[%[{]") and json.decode(text)
    if parsed == nil then
      return value
    end
    value = parsed
  end
  if type(value) ~= "table" or reference.is_deferred(value) or not value.Statement then
    return value
  end
  local result = { Statement = json.array {} }
  for name, item in pairs(value) do
    if name ~= "Statement" then
      result[name] = item
    end
  end
  local statements = is_array(value.Statement) and value.Statement or { value.Statement }
  for i, one in ipairs(statements) do
    result.Statement[i] = type(one) == "table" and statement(one) or one
  end
  return result
end

local function scalar(kind, value)
  if kind == "string" and (type(value) == "number" or type(value) == "boolean") then
    return tostring(value)
  elseif (kind == "integer" or kind == "number") and type(value) == "string" then
    return math.tointeger(tonumber(value)) or tonumber(value) or value
  elseif kind == "boolean" and type(value) == "string" then
    return value == "true" or (value ~= "false" and value)
  end
  return value
end

local function by_type(schema, kind, value)
  if value == nil or value == json.null then
    return nil
  elseif reference.is_deferred(value) then
    return value
  elseif kind.type == "json" or kind.type == "union" then
    return canonical.document(value)
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
      result[name] = property and by_type(schema, property.type, item) or item
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

--- The comparable form of one property of a type (infra.resources).
function canonical.property(resource_type, name, value)
  local schema, spec = resource_type.schema, resource_type.spec
  if name == schema.tag_property then
    return canonical.tags(value)
  end
  local property = schema.properties[name]
  local result = property and by_type(schema, property.type, value) or value
  if result ~= nil and spec.canonical and spec.canonical[name] and not reference.find_unknown(result) then
    result = spec.canonical[name](result)
  end
  for _, set in ipairs(spec.sets or {}) do
    if set == name and type(result) == "table" and not reference.is_deferred(result) then
      return sorted(result)
    end
  end
  return result
end

return canonical
