-- What becomes of others, and is a reason to make a resource anew, or a property of it, although nothing else asks for
-- it:
--
--   spec.within     the property that names what contains it: when that is made anew, this goes with it; with
--                   spec.within_by, only when that attribute of what it names becomes another
--   replace_with    its option: when what is declared of one of these changes, in more than its tags
--   ignore_drift    its option: properties that others change at AWS, which are written when what they refer to is made
--                   anew
--
-- What they were is kept in the resource's record, so that nothing is missed when a run is interrupted between the one
-- and the other. Used by engine/decision, engine/plan (attributes for lookup) and engine/making.

local crypto = require "host.crypto"
local json = require "host.json"
local reference = require "infra.engine.reference"

local circumstances = {}

-- Attributes that lookup(address, attribute) knows of every resource, Unknown while they are going to change: which
-- generation there is, and a digest of what is declared of it.
local GENERATION <const>, DIGEST <const> = "@generation", "@digest"

-- Whether what is declared of a resource is about to change, in more than its tags.
local function is_changing(change)
  local tag_property = change.resource.type.schema.tag_property
  for _, difference in ipairs(change.action ~= "none" and change.differences or {}) do
    if difference.name ~= tag_property then
      return true
    end
  end
  return false
end

-- Without what is left to others. `key`: for digests of secrets.
local function digest_of(change, key)
  local declared, options = reference.seal(change.desired, key), change.resource.options
  for _, ignored in ipairs { options.ignore_changes or {}, options.ignore_drift or {} } do
    for _, name in ipairs(ignored) do
      declared[name] = nil
    end
  end
  declared[change.resource.type.schema.tag_property or ""] = nil
  return crypto.hex(crypto.sha256(json.encode(json.object(declared))))
end

--- The value of such an attribute of what `change` is about, nil for other attributes. `exists`: see engine/plan; `key`
--- for digests of secrets.
function circumstances.attribute(change, attribute, exists, key)
  if attribute == GENERATION then
    return exists and change.row.token or reference.unknown(change.address, attribute)
  elseif attribute == DIGEST then
    local known = exists and (change.finished or not is_changing(change))
    return known and digest_of(change, key) or reference.unknown(change.address, attribute)
  end
end

-- Calls visit(address, attribute, property) for each of a resource's, property being the one that refers there.
local function each(resource, visit)
  local spec = resource.type.spec
  local names = { spec.within, table.unpack(resource.options.ignore_drift or {}) }
  for _, name in pairs(names) do
    reference.each(resource.properties[name], function(address)
      if address ~= "" then
        visit(address, name == spec.within and spec.within_by or GENERATION, name)
      end
    end)
  end
  for address in pairs(resource.replace_with) do
    visit(address, DIGEST)
  end
end

--- The circumstances of a resource as they are now, for its record: { address .. attribute = value }.
function circumstances.of(resource, lookup)
  local found = {}
  each(resource, function(address, attribute)
    local value = lookup(address, attribute)
    found[address .. attribute] = not reference.is_unknown(value) and value or nil
  end)
  return found
end

-- Whether it is another one than when the row was written.
local function has_changed(row, lookup, address, attribute)
  local now, recorded = lookup(address, attribute), (row.options.circumstances or {})[address .. attribute]
  return reference.is_unknown(now) or recorded ~= nil and recorded ~= now
end

--- Why the resource of `row` is to be made anew because of others, or nil; and true when what contains it goes first.
function circumstances.reason(resource, row, lookup)
  local reason, contained
  each(resource, function(address, attribute, name)
    if has_changed(row, lookup, address, attribute) then
      if attribute == DIGEST then
        reason = reason or address .. " changes"
      elseif name == resource.type.spec.within then
        reason, contained = ("it goes with %s, which is made anew"):format(address), true
      end
    end
  end)
  return reason, contained
end

--- { property = true } for those that refer to what was made anew since the row was written.
function circumstances.anew(resource, row, lookup)
  local names = {}
  each(resource, function(address, attribute, name)
    if name and has_changed(row, lookup, address, attribute) then
      names[name] = true
    end
  end)
  return names
end

return circumstances
