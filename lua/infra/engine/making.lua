-- Making one resource what its change declares: created, updated, or completed where an earlier run stopped, with the
-- state's row written at every point from which a later run must be able to go on. Used by engine/steps.

local circumstances = require "infra.engine.circumstances"
local create_resource = require "infra.handler.create"
local decision = require "infra.engine.decision"
local diff = require "infra.engine.diff"
local errors = require "infra.errors"
local merged = require "infra.merged"
local observe = require "infra.handler.observe"
local operation = require "infra.engine.step_operation"
local record = require "infra.engine.record"
local reference = require "infra.engine.reference"
local refresh = require "infra.engine.refresh"
local update_resource = require "infra.handler.update"
local wait = require "infra.handler.wait"

-- Writes that the resource is as declared, and waits until that is durable: nothing that depends on it starts before.
local function finish(run, change, row, values)
  local resource_type = change.resource.type
  record.warn(run, change, values)
  row.status = "ready"
  row.attributes = record.attributes(resource_type, values, change.desired)
  run.store:put_resource(record.declare(run.context, change, row))
  run.context.journal:settle(row.token)
  change.row, change.live, change.finished = row, { values = values }, true
  return run.store:sync()
end

local function lacks(values, wanted)
  for name in pairs(wanted or {}) do
    if values[name] == nil then
      return true
    end
  end
  return false
end

-- Adds what the answers so far did not say and others refer to. Returns all that is known, or nil and an error.
local function complete(op, change, row, values)
  local known, wanted = merged(refresh.known(row), values), change.resource.referenced
  if lacks(known, wanted) then
    local live, err = wait.shown(op, refresh.LOOKS_FOR, function()
      return observe.live(op, known, {})
    end)
    if err then
      return nil, err
    end
    known = merged(known, live and live.values)
  end
  local ok, err = observe.attributes(op, known, wanted)
  return ok and known, err
end

local function update(run, change, row, changed)
  local op = operation(run, change, "update", row)
  local desired = {}
  for name, value in pairs(change.resource.type.spec.defaults or {}) do
    if changed[name] then -- a property that is not declared any more goes back to AWS's default
      desired[name] = value
    end
  end
  desired = merged(desired, change.desired)
  local known = refresh.known(row)
  local identity, values = update_resource(op, desired, change.live, known, changed)
  if not identity then
    return nil, values
  end
  row.identity = identity
  local complete_values, err = complete(op, change, row, merged(known, change.desired, values))
  if not complete_values then
    return nil, err
  end
  return finish(run, change, row, complete_values)
end

local function names_of(differences)
  local names = {}
  for _, difference in ipairs(differences) do
    names[difference.name] = true
  end
  return names
end

-- Everything declared that can be written once more.
local function declared_names(change)
  local names = {}
  for name in pairs(change.desired) do
    names[name] = change.resource.type.updatable[name]
  end
  return names
end

-- Makes what exists and was not finished what is declared. `found`: it may be somebody else's work.
local function complete_existing(run, change, row, found)
  local resource = change.resource
  local ready, err = wait.ready(operation(run, change, "create", row), row.identity)
  if not ready then
    return nil, err
  end
  change.live, err = refresh.one(run.context, row, resource)
  if not change.live then
    return nil, err or errors.new { code = "Gone", message = "what was there a moment ago is gone", hint = "run again" }
  end
  change.differences = diff.changes(resource.type, change.desired, row, change.live, run.context.digest_key)
  for _, difference in ipairs(change.differences) do
    if difference.replaces and found then
      run.store:delete_resource(row)
      return errors.fail { code = "CannotAdopt", message = ("what exists differs in %s, which only a new one can have")
        :format(difference.name), hint = "declare it as it is, or delete it" }
    end
  end
  local changed = names_of(change.differences)
  local tag_property = resource.type.schema.tag_property
  if resource.type.spec.tags and tag_property then
    changed[tag_property] = true -- whose it is
  end
  return update(run, change, row, changed)
end

-- AWS refused: there is nothing to remember. But a create that may have happened is remembered.
local function refused(run, change, row, err)
  if not row.identity and not err.unknown_outcome and err.code ~= "Stopped" then
    run.store:delete_resource(row)
    if change.old_row then -- it is still the one in use
      change.old_row.status = "ready"
      run.store:put_resource(change.old_row)
    end
  end
  return nil, err
end

-- The row for what is about to be created, and whether it is that of an interrupted create. What else is recorded is
-- gone.
local function begin(run, change)
  local row = change.row
  local interrupted = row and row.status == "creating" and not row.identity and row.type == change.type
    and row.region == change.resource.region
  if row and not interrupted then
    run.store:delete_resource(row)
  end
  row = interrupted and record.declare(run.context, change, row) or record.new(run.context, change)
  run.store:put_resource(row)
  return row, interrupted
end

local function create(run, change)
  local row, resumed = begin(run, change)
  local op = operation(run, change, "create", row)
  op.resumed = resumed
  local identity, values, found = create_resource(op, change.desired, function(identity, known)
    row.identity, row.attributes = identity, record.attributes(change.resource.type, known, change.desired)
    run.store:put_resource(row)
    run.context.journal:settle(row.token)
    return run.store:sync()
  end)
  if not identity then
    return refused(run, change, row, values)
  elseif found then
    return complete_existing(run, change, row, true)
  end
  local known, err = complete(op, change, row, values)
  if not known then
    return nil, err
  end
  return finish(run, change, row, known)
end

--- Creates or updates what `change` is about. Returns true, or nil and an error.
return function(run, change)
  change.desired = decision.desired(change.resource, change.action == "update" and change.live or nil, run.lookup,
    change.row)
  change.circumstances = circumstances.of(change.resource, run.lookup)
  local missing = reference.find_unknown(change.desired)
  if missing then
    return errors.fail { code = "NoValue", resource = change.address, source = change.resource.source,
      message = ("%s has no value for '%s'"):format(missing.address, missing.attribute) }
  elseif change.action == "update" and change.row.status == "creating" then
    return complete_existing(run, change, change.row)
  elseif change.action == "update" then
    return update(run, change, change.row, change.again and declared_names(change) or names_of(change.differences))
  elseif change.action == "replace" then
    if change.create_first then
      change.old_row, change.old_live = change.row, change.live
      change.old_row.status = "replaced"
      run.store:put_resource(change.old_row)
    end
    change.row = nil
  end
  return create(run, change)
end
