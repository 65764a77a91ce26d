-- Whether a metric that an alarm or a dashboard names is one that AWS publishes (infra.models): one that it does not
-- never has a value, so the alarm never fires and the widget stays empty. Used by resources/cloudwatch.lua.
--
-- Metrics outside of AWS's own namespaces, and of namespaces that AWS's data has no list for, pass.

local models = require "infra.models"
local reference = require "infra.engine.reference"
local sorted_keys = require "infra.sorted_keys"
local suggest = require "infra.suggest"

local metric = {}

-- { { name, dimensions }, ... } whose name is `name`; the others' names, sorted, when there are none.
local function named(entries, name)
  local found, others = {}, {}
  for _, entry in ipairs(entries) do
    if entry.name == name then
      found[#found + 1] = entry
    else
      others[#others + 1] = entry.name
    end
  end
  table.sort(others)
  return found, others
end

-- Whether the set of dimensions is exactly the given one: name -> value. A dimension of the set may have a fixed value.
local function is_set(set, given)
  local count = 0
  for _ in pairs(given) do
    count = count + 1
  end
  for _, dimension in ipairs(set) do
    local value = given[dimension.name]
    local deferred = reference.is_deferred(value)
    if value == nil or not deferred and dimension.value and dimension.value ~= value then
      return false
    end
  end
  return count == #set
end

local function any_set(entries, test)
  for _, entry in ipairs(entries) do
    for _, set in ipairs(entry.dimensions) do
      if test(set) then
        return true
      end
    end
  end
  return false
end

local function in_words(names)
  return "{" .. table.concat(names, ", ") .. "}"
end

-- "{ApiId} or {ApiId, Stage}"
local function sets_in_words(entries)
  local words, seen = {}, {}
  any_set(entries, function(set)
    local names = {}
    for i, dimension in ipairs(set) do
      names[i] = dimension.value and dimension.name .. "=" .. dimension.value or dimension.name
    end
    local text = in_words(names)
    if not seen[text] then
      seen[text] = true
      words[#words + 1] = text
    end
  end)
  return table.concat(words, " or ")
end

-- What is wrong with the metric for the resource that the dimension's value refers to, by that resource's type.
local function fault_of_resource(namespace, name, dimension, type_name)
  local resource_type = models.type(type_name)
  local entries = {}
  for _, entry in ipairs(resource_type and resource_type:metrics() or {}) do
    entries[#entries + 1] = entry.namespace == namespace and entry or nil
  end
  local found, others = named(entries, name)
  if #entries == 0 then
    return nil
  elseif #found == 0 then
    return ("%s of %s has no metric '%s'%s"):format(type_name, namespace, name, suggest(name, others))
  elseif not any_set(found, function(set)
    for _, one in ipairs(set) do
      if one.name == dimension then
        return true
      end
    end
  end) then
    return ("the metric '%s' of a %s has the dimensions %s, not '%s'"):format(name, type_name, sets_in_words(found),
      dimension)
  end
end

--- What is wrong with a metric, as text; nil when it exists. `dimensions`: name -> value (may hold references);
--- type_of(address) gives the type's name of the resource that a reference stands for.
function metric.fault(namespace, name, dimensions, type_of)
  if reference.is_deferred(namespace) or reference.is_deferred(name) or not namespace:find "^AWS/" then
    return nil
  end
  local entries = assert(models.metrics(namespace))
  if #entries == 0 then
    return nil
  end
  local found, others = named(entries, name)
  if #found == 0 then
    return ("AWS publishes no metric '%s' in %s%s"):format(name, namespace, suggest(name, others))
  elseif not any_set(found, function(set)
    return is_set(set, dimensions)
  end) then
    local names = sorted_keys(dimensions)
    return ("AWS publishes the metric '%s' of %s with the dimensions %s, not with %s"):format(name, namespace,
      sets_in_words(found), in_words(names))
  end
  local fault
  for dimension, value in pairs(dimensions) do
    reference.each(value, function(address)
      local type_name = type_of(address)
      fault = fault or type_name and fault_of_resource(namespace, name, dimension, type_name)
    end)
  end
  return fault
end

return metric
