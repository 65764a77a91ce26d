-- What one step of an apply does: create, update, delete or forget one resource, with the state's row of it written at
-- every point from which a later run must be able to go on. Used by engine/apply, whose `run` table is passed along:
-- { context, store, emit, seconds_of, lookup, by_address, warnings }.

local Operation = require "infra.handler.operation"
local circumstances = require "infra.engine.circumstances"
local decision = require "infra.engine.decision"
local diff = require "infra.engine.diff"
local errors = require "infra.errors"
local handler = require "infra.handler"
local json = require "host.json"
local read = require "infra.handler.read"
local record = require "infra.engine.record"
local reference = require "infra.engine.reference"
local refresh = require "infra.engine.refresh"
local resources = require "infra.resources"
local wait = require "infra.handler.wait"

local steps = {}

-- Seconds for which what was just created may not be listed yet.
local APPEARS <const> = 120

--- The resource type of what `change` is about.
function steps.type_of(change)
  return change.resource and change.resource.type or assert(resources.type(change.type))
end

-- Seconds for which AWS may not know the resource everywhere, or nil.
local function unknown_for(run, action, row)
  if action ~= "delete" then
    return row.status == "creating" and APPEARS or nil
  end
  local age = run.context.runtime.time() - (row.updated_at or 0)
  return age < refresh.APPEARS and refresh.APPEARS - age or nil
end

local function operation(run, change, action, row)
  local resource_type = assert(resources.type(row.type))
  local options = action == "delete" and row.options or change.resource.options
  return Operation.new {
    context = run.context, address = change.address, region = row.region, token = row.token, action = action,
    source = row.source, spec = resource_type.spec, schema = resource_type.schema, desired = change.desired,
    adopt = options.adopt, recoverable = row.options.recoverable, wait = options.wait,
    timeout = (options.timeouts or {})[action],
    unknown_for = unknown_for(run, action, row), secrets = reference.secrets(change.desired),
    expected_seconds = run.seconds_of(change, action),
    report = function(text)
      run.emit { kind = "progress", address = change.address, type = change.type, action = action, text = text }
    end,
  }
end

-- -- create and update ------------------------------------------------------------------------------------------------

-- Notes what a person still has to do about the resource: said at the end of every run until it is done.
local function warn(run, change, values)
  local say = change.resource.type.spec.warn
  table.insert(run.warnings, say and say(values, change.desired))
end

-- Writes that the resource is as declared, and waits until that is durable: nothing that depends on it starts before.
local function finish(run, change, row, values)
  local resource_type = change.resource.type
  warn(run, change, values)
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
local function complete(run, op, change, row, values)
  local known, wanted = read.merged(refresh.known(row), values), change.resource.referenced
  local now = run.context.runtime.now
  local deadline = now() + APPEARS
  local live, err
  while lacks(known, wanted) and not live do
    live, err = read.live(op, known, {})
    if err then
      return nil, err
    elseif not live then
      if now() >= deadline then
        break
      end
      local ok, stopped = op:sleep(2)
      if not ok then
        return nil, stopped
      end
    end
  end
  known = read.merged(known, live and live.values or {})
  local ok
  ok, err = read.attributes(op, known, wanted)
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
  desired = read.merged(desired, change.desired)
  local known = refresh.known(row)
  local identity, values = handler.update(op, desired, change.live, known, changed)
  if not identity then
    return nil, values
  end
  row.identity = identity
  local complete_values, err = complete(run, op, change, row, read.merged(known, values))
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
  local identity, values, found = handler.create(op, change.desired, function(identity, known)
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
  local known, err = complete(run, op, change, row, values)
  if not known then
    return nil, err
  end
  return finish(run, change, row, known)
end

--- Creates or updates what `change` is about. Returns true, or nil and an error.
function steps.make(run, change)
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

--- Keeps the record of a resource up to date before anything is done about it: it may have been found, it may have
--- moved, or have other options, dependencies or attributes to remember.
function steps.keep(run, change)
  local row = change.row
  if row.moved_from then
    run.store:delete_resource { address = row.moved_from, token = row.token }
    run.store:add_history { address = row.address, type = row.type, action = "move", outcome = "done", seconds = 0,
      detail = { from = row.moved_from } }
  end
  local function contents()
    return json.encode { row.attributes, row.properties, json.array(row.dependencies), row.options, row.source }
  end
  local before = contents()
  if change.action == "none" and change.resource and not change.reason then
    row.attributes = record.attributes(change.resource.type, change.live.values, change.desired)
    record.declare(run.context, change, row)
    warn(run, change, change.live.values)
  end
  if row.moved_from or row.found or contents() ~= before then
    run.store:put_resource(row)
  end
end

-- -- delete and forget ------------------------------------------------------------------------------------------------

-- Whether what took the place of the old generation is the same thing: publishing a version that is published already,
-- say, gives the one that there is.
local function is_same_thing(run, row)
  local successor = run.by_address[row.address]
  local current = successor and successor.row
  return current and current ~= row and current.identity and row.identity and current.region == row.region
    and json.encode(current.identity) == json.encode(row.identity)
end

--- Deletes the recorded resource (of a replacement: the old one). Returns true, or nil and an error.
function steps.delete(run, change)
  local row, live = change.old_row or change.row, change.old_live or change.live
  if row.status ~= "replaced" then
    row.status = "deleting"
  end
  run.store:put_resource(row)
  if row.identity and not is_same_thing(run, row) then
    -- What is live may have another identifier than what was recorded.
    local known = read.merged(refresh.known(row), live and live.values or {})
    local ok, err = handler.delete(operation(run, change, "delete", row), known)
    if not ok then
      return nil, err
    end
  end
  run.store:delete_resource(row)
  run.context.journal:settle(row.token)
  return run.store:sync()
end

--- Removes the record only (of a replacement: the old one's). Returns true, or nil and an error.
function steps.forget(run, change)
  run.store:delete_resource(change.old_row or change.row)
  return run.store:sync()
end

return steps
