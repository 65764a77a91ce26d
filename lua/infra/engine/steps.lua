-- What one step of an apply does: create, update, delete or forget one resource, with the state's row of it written at
-- every point from which a later run must be able to go on. Used by engine/apply, whose `run` table is passed along:
-- { context, store, emit, seconds_of, lookup, warnings }.

local errors = require "infra.errors"
local crypto = require "host.crypto"
local json = require "host.json"
local handler = require "infra.handler"
local Operation = require "infra.handler.operation"
local read = require "infra.handler.read"
local reference = require "infra.engine.reference"
local refresh = require "infra.engine.refresh"
local resources = require "infra.resources"

local steps = {}

--- The resource type of what `change` is about.
function steps.type_of(change)
  return change.resource and change.resource.type or assert(resources.type(change.type))
end

local function operation(run, change, action, row)
  local resource_type = steps.type_of(change)
  local options = change.resource and change.resource.options or {}
  return Operation.new {
    context = run.context, address = change.address, region = row.region, token = row.token, action = action,
    source = row.source, spec = resource_type.spec, schema = resource_type.schema, adopt = options.adopt,
    expected_seconds = run.seconds_of(change, action), timeout = (options.timeouts or {})[action],
    report = function(text)
      run.emit { kind = "progress", address = change.address, type = change.type, action = action, text = text }
    end,
  }
end

local function sorted(set)
  local list = {}
  for item in pairs(set) do
    list[#list + 1] = item
  end
  table.sort(list)
  return list
end

-- The part of a resource's options that must be known when it is no longer declared.
local function recorded_options(resource)
  return { protect = resource.options.protect, retain = resource.options.retain }
end

local function recorded_attributes(resource_type, values)
  local attributes = {}
  for name in pairs(resource_type.schema.attributes) do
    attributes[name] = values[name]
  end
  for _, name in ipairs(resource_type.spec.identity) do
    attributes[name] = values[name]
  end
  return attributes
end

-- What the row says of a resource that is as declared.
local function describe(run, change, row, values)
  local resource = change.resource
  row.attributes = recorded_attributes(resource.type, values)
  row.properties = reference.seal(change.desired, run.context.digest_key)
  row.dependencies, row.options, row.source = sorted(resource.dependencies), recorded_options(resource), resource.source
  return row
end

local function new_row(run, change, desired)
  local resource = change.resource
  return {
    address = change.address, token = crypto.hex(run.context.runtime.random(16)), type = change.type,
    status = "creating", region = resource.region, account = run.context.account,
    properties = reference.seal(desired, run.context.digest_key), attributes = {},
    dependencies = sorted(resource.dependencies), options = recorded_options(resource), source = resource.source,
  }
end

-- Writes what became of a resource and waits until it is durable: nothing that depends on it starts before.
local function record(run, change, row, values)
  local spec = change.resource.type.spec
  local warning = spec.warn and spec.warn(values, change.desired)
  if warning then
    table.insert(run.warnings, warning)
  end
  row.status = "ready"
  run.store:put_resource(describe(run, change, row, values))
  change.row, change.live, change.finished = row, { values = values }, true
  return run.store:sync()
end

local function complete_attributes(run, op, change, values)
  local known = refresh.known(change.row)
  for name, value in pairs(values) do
    known[name] = value
  end
  local missing = false
  for name in pairs(change.resource.referenced or {}) do
    missing = missing or known[name] == nil
  end
  if missing then -- the answer of the create did not say everything that others refer to
    local live, err = read.live(op, known, {})
    if err then
      return nil, err
    end
    for name, value in pairs(live and live.values or {}) do
      known[name] = value
    end
  end
  local ok, err = read.attributes(op, known, change.resource.referenced)
  return ok and known, err
end

local function create(run, change)
  if change.row and change.row.status == "ready" and change.action == "create" then
    run.store:delete_resource(change.row) -- it disappeared behind our back
  end
  local row = change.row
  if not (row and row.status == "creating" and not row.identity) then
    row = new_row(run, change, change.desired)
  end
  local op = operation(run, change, "create", row)
  run.store:put_resource(row)
  local identity, values = handler.create(op, change.desired, function(identity, known)
    row.identity, row.attributes = identity, recorded_attributes(change.resource.type, known)
    run.store:put_resource(row)
    run.store:sync()
  end)
  if not identity then
    if not row.identity and not values.unknown_outcome and values.code ~= "Stopped" then
      run.store:delete_resource(row) -- AWS refused: there is nothing to remember
    end
    return nil, values
  end
  change.row = row
  local known, err = complete_attributes(run, op, change, values)
  if not known then
    return nil, err
  end
  return record(run, change, row, known)
end

local function update(run, change)
  local row, changed = change.row, {}
  for _, difference in ipairs(change.differences) do
    changed[difference.name] = true
  end
  local op = operation(run, change, "update", row)
  local known = refresh.known(row)
  local desired = {}
  for name, value in pairs(change.resource.type.spec.defaults or {}) do
    if changed[name] then -- a property that is not declared any more goes back to AWS's default
      desired[name] = value
    end
  end
  for name, value in pairs(change.desired) do
    desired[name] = value
  end
  local identity, values = handler.update(op, desired, change.live, known, changed)
  if not identity then
    return nil, values
  end
  for name, value in pairs(values) do
    known[name] = value
  end
  row.identity = identity
  local complete, err = complete_attributes(run, op, change, known)
  if not complete then
    return nil, err
  end
  return record(run, change, row, complete)
end

--- Creates or updates what `change` is about. Returns true, or nil and an error.
function steps.make(run, change)
  change.desired = reference.resolve(change.resource.properties, run.lookup)
  local missing = reference.find_unknown(change.desired)
  if missing then
    return errors.fail { code = "NoValue", resource = change.address, source = change.resource.source,
      message = ("%s has no value for '%s'"):format(missing.address, missing.attribute) }
  end
  if change.action == "update" then
    return update(run, change)
  elseif change.action == "replace" and change.create_first then
    change.old_row = change.row
    change.old_row.status = "replaced"
    run.store:put_resource(change.old_row)
    change.row = nil
  elseif change.action == "replace" then
    change.row = nil
  end
  return create(run, change)
end

--- Keeps the record of a resource with nothing to do up to date: it may have moved, or have other options, dependencies
--- or attributes to remember.
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
    describe(run, change, row, change.live.values)
  end
  if row.moved_from or contents() ~= before then
    run.store:put_resource(row)
  end
end

--- Deletes the recorded resource (of a replacement: the old one).
function steps.delete(run, change)
  local row = change.old_row or change.row
  if row.status ~= "replaced" then
    row.status = "deleting"
  end
  run.store:put_resource(row)
  local known = refresh.known(row)
  if row.identity then
    local ok, err = handler.delete(operation(run, change, "delete", row), known)
    if not ok then
      return nil, err
    end
  end
  run.store:delete_resource(row)
  return run.store:sync()
end

--- Removes the record only.
function steps.forget(run, change)
  run.store:delete_resource(change.row)
  return run.store:sync()
end

return steps
