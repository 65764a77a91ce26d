-- What to do about one resource: declared against recorded against live. Used by engine/plan, and by engine/making for
-- what the resource shall be once everything it needs is known.
--
-- A decision is a change of a plan, see engine/plan for its fields.

local canonical = require "infra.engine.canonical"
local circumstances = require "infra.engine.circumstances"
local diff = require "infra.engine.diff"
local errors = require "infra.errors"
local natural_key = require "infra.engine.natural_key"
local reference = require "infra.engine.reference"
local tags = require "infra.handler.tags"

local decision = {}

-- The live value of a property, as it would be declared; nil when nothing tells.
local function live_property(resource_type, live, name)
  if name == resource_type.schema.tag_property then
    return tags.visible(live.tags)
  end
  return canonical.property(resource_type, name, live.values[name])
end

--- The properties that `resource` shall have, with references resolved by lookup(address, attribute). Those in its
--- options ignore_changes and ignore_drift are what they are in `live` (nil: there is none yet), the latter unless they
--- refer to what was made anew since `row` was written. A name that the stack leaves out stays what it is too, also
--- under renamed_from. What nobody can read stays what was recorded in `row`. Also returns the names of those where the
--- stack says something else by now, which has no effect. Throws when a reference cannot be resolved.
function decision.desired(resource, live, lookup, row)
  local resolved, desired = pcall(reference.resolve, resource.properties, lookup)
  if not resolved then
    local err = errors.from(desired)
    err.resource, err.source = resource.address, resource.source
    errors.raise(err)
  end
  local ineffective = {}
  local function keep(name)
    local value = live_property(resource.type, live, name)
    if value == nil and not resource.type.readable[name] then
      value = row.properties[name]
      local declared = desired[name]
      local is_told = declared ~= nil and not reference.has_secret(declared)
      ineffective[#ineffective + 1] = is_told and not diff.equal(resource.type, name, declared, value) and name or nil
    end
    desired[name] = value
  end
  for _, name in ipairs(live and resource.options.ignore_changes or {}) do
    keep(name)
  end
  if live and resource.filled then
    keep(resource.filled)
  end
  local anew = live and circumstances.anew(resource, row, lookup) or {}
  for _, name in ipairs(live and resource.options.ignore_drift or {}) do
    if not anew[name] then
      keep(name)
    end
  end
  return desired, ineffective
end

local function is_replacing(difference)
  return difference.replaces
end

local function any(list, test)
  for _, item in ipairs(list) do
    if test(item) then
      return true
    end
  end
  return false
end

-- Why what exists cannot become what is declared, whatever its properties; or nil.
local function reason_to_replace(resource, row, live, lookup)
  if row.type ~= resource.type.name then
    return "its type changed"
  elseif row.region ~= resource.region then
    return "its region changed"
  elseif row.account ~= (resource.account or lookup("", "Account")) then
    return "its account changed"
  elseif row.status == "deleting" then
    return "its deletion was interrupted"
  elseif row.status ~= "ready" then -- one that was in use may have become what a person can repair
    return live.failure
  end
end

-- Whether the new one of a replacement would have the name of the old one.
local function is_same_name(change)
  local names = natural_key.properties(change.resource.type)
  for _, name in ipairs(names) do
    local before, after = change.row.properties[name], change.desired[name]
    if before == nil or not diff.equal(change.resource.type, name, after, before) then
      return false
    end
  end
  return #names > 0 and change.row.type == change.type and change.row.region == change.resource.region
end

--- What to do about a declared resource. `row`: what is recorded of it, or nil; `live`: what exists (handler/read),
--- false or nil when nothing does; `lookup` as for reference.resolve; `key` for digests of secrets.
function decision.declared(resource, row, live, lookup, key)
  local exists = row and live and not live.leaving
  local change = {
    address = resource.address, type = resource.type.name, resource = resource, row = row,
    live = exists and live or nil,
    differences = {}, create_first = resource.options.create_before_delete,
  }
  if change.create_first == nil then
    change.create_first = resource.type.spec.create_first
  end
  local reason, contained = exists and reason_to_replace(resource, row, live, lookup), false
  if exists and not reason then
    reason, contained = circumstances.reason(resource, row, lookup)
  end
  if contained then
    change.create_first = false
  end
  local same_type = exists and row.type == resource.type.name
  change.desired, change.ineffective = decision.desired(resource, same_type and live or nil, lookup, row)
  change.circumstances = circumstances.of(resource, lookup)
  if same_type then
    change.differences = diff.changes(resource.type, change.desired, row, live, key)
  end
  if not exists then
    change.action = "create"
    change.reason = row and row.identity and (live and "it is being deleted" or "it no longer exists") or nil
  elseif reason then
    change.action, change.reason = "replace", reason
  elseif any(change.differences, is_replacing) then
    change.action = "replace"
  elseif #change.differences > 0 then
    change.action = "update"
  elseif row.status == "creating" then
    change.action, change.reason = "update", "its creation was interrupted"
  elseif live.failure and resource.type.spec.state.again then
    change.action, change.reason, change.again = "update", live.failure, true
  else
    change.action = "none"
  end
  if change.action == "replace" then -- a new one is as declared
    change.desired = decision.desired(resource, nil, lookup)
    if change.create_first == nil and not resource.type.spec.held and is_same_name(change) then
      change.create_first = false
    end
  end
  return change
end

--- What to do about what is recorded and not declared any more, or replaced.
function decision.removal(row, live)
  local forget = row.options.retain or not live
  return {
    address = row.address, type = row.type, row = row, live = live or nil, differences = {},
    action = forget and "forget" or "delete",
    reason = row.options.retain and "retained" or not live and "it no longer exists"
      or live.leaving and "it is being deleted" or nil,
  }
end

-- "replace it: TopicName changes": what is done to a resource, and of a replacement why.
local function doing(change)
  local causes = { change.action == "replace" and change.reason or nil }
  for _, difference in ipairs(change.action == "replace" and change.differences or {}) do
    causes[#causes + 1] = difference.replaces and difference.name .. " changes" or nil
  end
  return ("%s it%s"):format(change.action, #causes > 0 and ": " .. table.concat(causes, ", ") or "")
end

-- Whether what exists is protected: as declared, unless that is about a thing of another type or says nothing; else as
-- recorded.
local function is_protected(resource, row)
  local declared = resource and resource.options.protect
  if declared == false or (declared and resource.type.name == row.type) then
    return declared
  end
  return row.options.protect
end

--- Checks a change against what its options say: nothing protected is deleted, and what is made before the old one goes
--- has another name. Returns true, or nil and an error.
function decision.check(change)
  local resource, row = change.resource, change.row
  local options = resource and resource.options or row and row.options or {}
  local removes = change.action == "delete" or change.action == "replace"
  if removes and is_protected(resource, row) then
    return errors.fail { code = "Protected", resource = change.address, source = (resource or row).source,
      message = "it is protected and this would " .. doing(change),
      hint = resource and "leave it as it is, or let it happen with protect = false in its options"
        or "leave it as it is, or declare it with protect = false and run that first" }
  elseif change.action == "replace" and resource.type.spec.irreplaceable and options.protect == nil then
    return errors.fail { code = "Protected", resource = change.address, source = resource.source,
      message = ("this would %s; %s"):format(doing(change), resource.type.spec.irreplaceable),
      hint = "leave it as it is, or let it happen with protect = false in its options" }
  elseif change.action == "replace" and change.create_first and is_same_name(change) then
    return errors.fail { code = "SameName", resource = change.address, source = resource.source,
      message = "the new one must be created before the old one is deleted, and both would have the same name",
      hint = options.create_before_delete and "give the new one another name, or remove create_before_delete"
        or "give the new one another name; what uses the old one has to move over before that can go" }
  end
  return true
end

return decision
