-- What differs between what is declared, what was recorded and what is live. Used by engine/plan and `infra drift`.

local canonical = require "infra.engine.canonical"
local json = require "host.json"
local reference = require "infra.engine.reference"

local diff = {}

-- Whether `live` has everything that `wanted` says. AWS adds members to structures that nobody set; in lists, and where
-- `exact` (a user's own maps), nothing may be added.
local function covers(wanted, live, exact)
  if reference.is_deferred(wanted) then
    return false
  elseif type(wanted) ~= "table" or type(live) ~= "table" then
    return wanted == live
  end
  local is_list = json.is_array(wanted) or #wanted > 0 or #live > 0
  if is_list and #wanted ~= #live then
    return false
  end
  for key, item in pairs(wanted) do
    if item ~= json.null and not covers(item, live[key], exact) then
      return false
    end
  end
  if exact and not is_list then
    for key in pairs(live) do
      if wanted[key] == nil then
        return false
      end
    end
  end
  return true
end

-- Maps whose keys are the user's (tags, environment variables) and documents are equal only when nothing is added.
local function is_exact(resource_type, name)
  local property = resource_type.schema.properties[name]
  local kind = property and property.type.type
  return name == resource_type.schema.tag_property or kind == "map" or kind == "json" or kind == "union"
end

local function equal(resource_type, name, wanted, live)
  return covers(wanted, live, is_exact(resource_type, name))
end

local function contains(list, wanted)
  for _, value in ipairs(list or {}) do
    if value == wanted then
      return true
    end
  end
  return false
end

--- Whether changing the property means making another resource.
function diff.replaces(resource_type, name, before, after)
  local property = resource_type.schema.properties[name]
  if name == resource_type.schema.tag_property then
    return false
  elseif property.replacement == "yes" or not resource_type.updatable[name] then
    return true
  elseif resource_type.spec.replaces then
    return resource_type.spec.replaces(name, before, after)
  end
  return false
end

-- Names of what is compared: declared now, or declared last time.
local function names_of(desired, recorded)
  local names, seen = {}, {}
  for _, values in ipairs { desired, recorded } do
    for name in pairs(values) do
      if not seen[name] then
        seen[name] = true
        names[#names + 1] = name
      end
    end
  end
  table.sort(names)
  return names
end

-- The live value in comparable form; for what cannot be read (secrets, parts nobody returns), the recorded one.
local function live_value(resource_type, name, live, recorded, finished)
  if name == resource_type.schema.tag_property then
    return canonical.property(resource_type, name, live.tags or {})
  elseif live.values[name] ~= nil then
    return canonical.property(resource_type, name, live.values[name])
  end
  local unreadable = not resource_type.readable[name]
  return unreadable and finished and canonical.property(resource_type, name, recorded[name])
    or canonical.property(resource_type, name, (resource_type.spec.defaults or {})[name])
end

--- The changes that make the live resource what is declared: array of { name, before, after, replaces }. `desired`:
--- resolved properties; `row`: the state's row; `live` from handler.read; `key` for digests of secrets; `ignored`:
--- property names that are not compared.
function diff.changes(resource_type, desired, row, live, key, ignored)
  local changes = {}
  local sealed = reference.seal(desired, key)
  local finished = row.status == "ready"
  for _, name in ipairs(names_of(desired, row.properties)) do
    local before, after = live_value(resource_type, name, live, row.properties, finished), nil
    if reference.has_secret(desired[name]) then -- compared by digest with what was recorded
      before = finished and row.properties[name] or nil
      after = sealed[name]
    else
      after = canonical.property(resource_type, name, desired[name])
    end
    if after == nil then -- not declared any more: back to AWS's default, if there is one
      after = canonical.property(resource_type, name, (resource_type.spec.defaults or {})[name])
    end
    local same = after ~= nil and equal(resource_type, name, after, before) or after == nil and before == nil
    if same and desired[name] ~= nil and finished and row.properties[name] ~= nil then
      -- A member that was declared and is not any more does not show against the live structure.
      local recorded = canonical.property(resource_type, name, row.properties[name])
      same = reference.has_secret(desired[name]) or equal(resource_type, name, recorded, after)
        or not equal(resource_type, name, recorded, before)
    end
    if not same and not contains(ignored, name) then
      changes[#changes + 1] = { name = name, before = before, after = after,
        replaces = diff.replaces(resource_type, name, before, after) }
    end
  end
  return changes
end

-- `live` with digests where `recorded` has them: so secrets can be compared, and are not shown.
local function sealed_like(recorded, live, key)
  if type(recorded) ~= "table" then
    return live
  elseif recorded["infra:digest"] and type(live) == "string" then
    return reference.seal(reference.secret(live), key)
  elseif type(live) ~= "table" then
    return live
  end
  local copy = {}
  for name, item in pairs(live) do
    copy[name] = sealed_like(recorded[name], item, key)
  end
  return json.is_array(live) and json.array(copy) or copy
end

--- What changed behind the stack's back: array of { name, recorded, live }. `key` for digests of secrets.
function diff.drift(resource_type, row, live, key)
  local changes = {}
  for _, name in ipairs(names_of(row.properties, {})) do
    local recorded = canonical.property(resource_type, name, row.properties[name])
    local actual = sealed_like(recorded, live_value(resource_type, name, live, row.properties, true), key)
    if not equal(resource_type, name, recorded, actual) then
      changes[#changes + 1] = { name = name, recorded = recorded, live = actual }
    end
  end
  return changes
end

return diff
