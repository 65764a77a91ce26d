-- What differs between what is declared, what was recorded and what is live. Used by engine/decision, engine/making,
-- handler/* and `infra drift`.

local canonical = require "infra.engine.canonical"
local contains = require "infra.contains"
local dynamic = require "infra.handler.dynamic"
local json = require "host.json"
local reference = require "infra.engine.reference"

local diff = {}

-- Types whose values are equal only when nothing is added: maps, whose keys are the user's own (tags, environment
-- variables), and documents, also those in a text that is taken apart to be compared.
local EXACT = { map = true, json = true, union = true, tag = true, string = true }

local UNKNOWN = {} -- the type of what the schema says nothing about

-- The type of what a value of type `kind` has at `key`. What is inside a document is a document.
local function type_inside(schema, kind, key)
  if kind.type == "array" or kind.type == "map" then
    return kind.element
  elseif kind.type ~= "ref" then
    return kind
  end
  local definition = kind.reference and schema:definition(kind.reference)
  local property = definition and definition.properties[key]
  return property and property.type or UNKNOWN
end

-- Whether `live` has everything that `wanted`, of type `kind`, says. AWS adds members to structures that nobody set; in
-- lists, and to what is the user's own, nothing may be added.
local function covers(schema, kind, wanted, live)
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
    if item ~= json.null and not covers(schema, type_inside(schema, kind, key), item, live[key]) then
      return false
    end
  end
  if EXACT[kind.type] and not is_list then
    for key in pairs(live) do
      if wanted[key] == nil then
        return false
      end
    end
  end
  return true
end

local TAGS = { type = "tag" }

local function type_of(resource_type, name)
  local schema = resource_type.schema
  local property = schema.properties[name]
  return name == schema.tag_property and TAGS or property and property.type or UNKNOWN
end

--- Whether `live` is as `wanted`, two comparable values (engine/canonical) of one property.
function diff.equal(resource_type, name, wanted, live)
  local accepts = (resource_type.spec.accepts or {})[name]
  if accepts and type(wanted) == "string" and type(live) == "string" and not reference.is_deferred(wanted) then
    return accepts(wanted, live)
  end
  return covers(resource_type.schema, type_of(resource_type, name), wanted, live)
end

local equal = diff.equal

--- Whether changing the property means making another resource.
function diff.replaces(resource_type, name, before, after)
  local property = resource_type.schema.properties[name]
  if name == resource_type.schema.tag_property then
    return false
  elseif not resource_type.updatable[name]
    or property.replacement == "yes" and not contains(resource_type.spec.in_place, name) then
    return true
  elseif resource_type.spec.replaces then
    return resource_type.spec.replaces(name, before, after)
  end
  return false
end

-- Names of what is compared: declared now, or declared last time.
local function names_of(resource_type, desired, recorded)
  local names, seen = {}, {}
  for _, values in ipairs { desired, recorded } do
    for name in pairs(values) do
      if not seen[name] and resource_type.schema.properties[name] then -- older schemas may have had others
        seen[name] = true
        names[#names + 1] = name
      end
    end
  end
  table.sort(names)
  return names
end

local function default_of(resource_type, name)
  return canonical.property(resource_type, name, (resource_type.spec.defaults or {})[name])
end

-- The live value in comparable form. What cannot be read (secrets, parts nobody returns) is what was recorded, if it
-- was surely sent: with the create call, or by a run that got to its end.
local function live_value(resource_type, name, live, recorded, finished)
  if name == resource_type.schema.tag_property then
    return canonical.property(resource_type, name, live.tags or {})
  elseif live.values[name] ~= nil then
    return canonical.property(resource_type, name, live.values[name], live.values)
  elseif not resource_type.readable[name] and (finished or not resource_type.updatable[name]) then
    return canonical.property(resource_type, name, recorded[name], recorded)
  end
  return default_of(resource_type, name)
end

-- Whether a property that is not declared any more can go back from `before` to what it is when nobody sets it.
local function is_resettable(resource_type, name, before)
  local spec = resource_type.spec
  if contains(spec.sticky, name) then
    return false
  elseif contains(spec.anew, name) then
    return true
  end
  for _, facet in ipairs(spec.facets or {}) do
    if contains(facet.properties, name) and (facet.clear or facet.whole or type(facet.write) == "function") then
      return true
    end
  end
  return spec.update ~= nil or resource_type.updatable[name] and spec.replaces ~= nil and spec.replaces(name, before)
end

-- `live` with digests where `template` has them: so secrets can be compared, and are not shown. What a dynamic
-- reference stands for is neither shown nor known; only another reference differs from it.
local function sealed_like(template, live, key)
  if reference.is_digest(template) then
    return type(live) == "string" and reference.seal(reference.secret(live), key) or live
  elseif dynamic.is(template) then
    return type(live) == "string" and not dynamic.is(live) and template or live
  elseif type(template) ~= "table" or type(live) ~= "table" or reference.is_deferred(template) then
    return live
  end
  local copy = {}
  for name, item in pairs(live) do
    copy[name] = sealed_like(template[name], item, key)
  end
  return json.is_array(live) and json.array(copy) or copy
end

-- `live` with the digests of `recorded` where AWS does not return the secret.
local function completed(recorded, live)
  if reference.is_digest(recorded) then
    return live == nil and recorded or live
  elseif type(recorded) ~= "table" or type(live) ~= "table" then
    return live
  end
  local copy = reference.map(live, function(item) return item end)
  for name, item in pairs(recorded) do
    copy[name] = completed(item, live[name])
  end
  return copy
end

-- What of a live value the stack has a say in: what it declares (`wanted`) or declared before (`recorded`). The other
-- members of structures are AWS's own.
local function part_of(schema, kind, live, wanted, recorded)
  if EXACT[kind.type] or type(live) ~= "table" or type(wanted) ~= "table" or reference.is_deferred(wanted) then
    return live
  end
  local is_list = json.is_array(live) or #live > 0
  if is_list and #live ~= #wanted then
    return live
  end
  local copy = {}
  for name, item in pairs(live) do
    local before = type(recorded) == "table" and recorded[name] or nil
    if wanted[name] ~= nil or before ~= nil then
      copy[name] = part_of(schema, type_inside(schema, kind, name), item, wanted[name], before)
    end
  end
  return is_list and json.array(copy) or copy
end

-- How `name` is and shall be: before, after (comparable) and whether that is the same. `sealed`: the declared
-- properties with digests for secrets.
local function compare(resource_type, name, sealed, row, live, key)
  local finished = row.status == "ready"
  local recorded = canonical.property(resource_type, name, row.properties[name], row.properties)
  local after = canonical.property(resource_type, name, sealed[name], sealed)
  local before = live_value(resource_type, name, live, row.properties, finished)
  if finished then
    before = completed(recorded, before)
  end
  before = sealed_like(after, sealed_like(recorded, before, key), key)
  if after == nil then
    after = default_of(resource_type, name)
  end
  if after == nil then
    return before, nil, before == nil or not is_resettable(resource_type, name, before)
  end
  local same = equal(resource_type, name, after, before)
  if same and sealed[name] ~= nil and recorded ~= nil and finished then
    -- A member that was declared and is not any more does not show against the live structure.
    same = equal(resource_type, name, recorded, after) or not equal(resource_type, name, recorded, before)
  end
  before = part_of(resource_type.schema, type_of(resource_type, name), before, after, recorded)
  return before, after, same
end

--- The changes that make the live resource what is declared: array of { name, before, after, replaces }. `desired`:
--- resolved properties; `row`: the state's row; `live` from handler/read; `key` for digests of secrets.
function diff.changes(resource_type, desired, row, live, key)
  local changes = {}
  local sealed = reference.seal(desired, key)
  for _, name in ipairs(names_of(resource_type, desired, row.properties)) do
    local before, after, same = compare(resource_type, name, sealed, row, live, key)
    if not same then
      changes[#changes + 1] = { name = name, before = before, after = after,
        replaces = diff.replaces(resource_type, name, before, after) }
    end
  end
  return changes
end

--- What changed behind the stack's back: array of { name, recorded, live }. `key` for digests of secrets.
function diff.drift(resource_type, row, live, key)
  local changes = {}
  for _, name in ipairs(names_of(resource_type, row.properties, {})) do
    local recorded = canonical.property(resource_type, name, row.properties[name], row.properties)
    local actual = completed(recorded, live_value(resource_type, name, live, row.properties, true))
    actual = sealed_like(recorded, actual, key)
    if not equal(resource_type, name, recorded, actual) then
      actual = part_of(resource_type.schema, type_of(resource_type, name), actual, recorded)
      changes[#changes + 1] = { name = name, recorded = recorded, live = actual }
    end
  end
  return changes
end

return diff
