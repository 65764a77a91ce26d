-- Carries out a plan: every step as soon as what it waits for is done, the longest remaining chain first. A failure
-- stops what depends on it and nothing else. Used by the verbs run, apply and destroy through infra.session.
--
-- Events (emit(event)), for reports: { kind = "start" | "progress" | "done" | "failed" | "skipped", address, type,
-- action, seconds, text, error, total, finished }.

local errors = require "infra.errors"
local handler = require "infra.handler"
local crypto = require "host.crypto"
local Operation = require "infra.handler.operation"
local planning = require "infra.engine.plan"
local reference = require "infra.engine.reference"
local refresh = require "infra.engine.refresh"
local resources = require "infra.resources"
local schedule = require "infra.engine.schedule"

local apply = {}

-- What a type takes when neither history nor its spec says.
local DEFAULT_SECONDS <const> = 2

local function type_of(change)
  return change.resource and change.resource.type or assert(resources.type(change.type))
end

local function operation(run, change, action, row)
  local resource_type = type_of(change)
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
  row.status, row.attributes = "ready", recorded_attributes(type_of(change), values)
  row.dependencies, row.options = sorted(change.resource.dependencies), recorded_options(change.resource)
  row.source, row.properties = change.resource.source, reference.seal(change.desired, run.context.digest_key)
  run.store:put_resource(row)
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
    local live, err = handler.read(op, known, {})
    if err then
      return nil, err
    end
    for name, value in pairs(live and live.values or {}) do
      known[name] = value
    end
  end
  local ok, err = handler.attributes(op, known, change.resource.referenced)
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

local function make(run, change)
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

local function delete(run, change)
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

local function forget(run, change)
  run.store:delete_resource(change.row)
  return run.store:sync()
end

local ACTIONS = { make = make, delete = delete, forget = forget }

-- What a step is called for people and in the history.
local function action_name(step)
  if step.kind == "make" then
    return step.change.action == "replace" and "create" or step.change.action
  end
  return step.kind
end

local function detail_of(step)
  local names = {}
  for i, difference in ipairs(step.change.differences) do
    names[i] = difference.name
  end
  return { changed = names, reason = step.change.reason }
end

local function finish(run, step, ok, err, seconds)
  local change, name = step.change, action_name(step)
  run.finished = run.finished + 1
  if ok then
    run.done[name] = (run.done[name] or 0) + 1
  else
    err.resource, err.source = err.resource or change.address, err.source or (change.resource or change.row).source
    run.failures[#run.failures + 1] = err
  end
  run.store:add_history { address = change.address, type = change.type, action = name, seconds = seconds,
    outcome = ok and "done" or "failed", detail = ok and detail_of(step) or { error = err.code, message = err.message } }
  run.emit { kind = ok and "done" or "failed", address = change.address, type = change.type, action = name,
    seconds = seconds, error = err, finished = run.finished, total = run.total }
end

local function skip(run, step, cause)
  if step.state then
    return
  end
  step.state = "skipped"
  run.finished = run.finished + 1
  run.skipped = run.skipped + 1
  run.emit { kind = "skipped", address = step.change.address, type = step.change.type, action = action_name(step),
    text = "needs " .. cause, finished = run.finished, total = run.total }
  for later in pairs(step.before) do
    skip(run, later, step.change.address)
  end
end

local start_ready

local function execute(run, step)
  local started = run.context.runtime.now()
  run.emit { kind = "start", address = step.change.address, type = step.change.type, action = action_name(step) }
  local called, ok, err = xpcall(ACTIONS[step.kind], errors.caught, run, step.change)
  if not called then
    ok, err = nil, ok
  end
  if err and (err.code == "Cancelled" or err.code == "Stopped") then
    step.state = "stopped"
    run.stopped = run.stopped + 1
    run.finished = run.finished + 1
    run.emit { kind = "stopped", address = step.change.address, type = step.change.type, action = action_name(step) }
    return
  end
  finish(run, step, ok, err, run.context.runtime.now() - started)
  step.state = ok and "done" or "failed"
  local ready = {}
  for later in pairs(step.before) do
    if not ok then
      skip(run, later, step.change.address)
    elseif not later.state then
      later.open = later.open - 1
      if later.open == 0 then
        ready[#ready + 1] = later
      end
    end
  end
  start_ready(run, ready)
end

function start_ready(run, steps)
  table.sort(steps, function(a, b)
    if a.path ~= b.path then
      return a.path > b.path
    end
    return a.change.address < b.change.address
  end)
  for _, step in ipairs(steps) do
    if run.context.stopping then
      run.stopped = run.stopped + 1
    else
      step.state = "running"
      table.insert(run.tasks, run.context.scheduler:spawn(execute, run, step))
    end
  end
end

-- Resources with nothing to do may still have moved, or have new options or dependencies to remember.
local function record_unchanged(run, plan)
  for _, change in ipairs(plan.changes) do
    local row = change.row
    if row and row.moved_from then
      run.store:delete_resource { address = row.moved_from, token = row.token }
      run.store:put_resource(row)
      run.store:add_history { address = row.address, type = row.type, action = "move", outcome = "done", seconds = 0,
        detail = { from = row.moved_from } }
    end
    if change.action == "none" and change.resource and row and change.reason == nil then
      row.options, row.source = recorded_options(change.resource), change.resource.source
      row.dependencies = sorted(change.resource.dependencies)
      row.properties = reference.seal(change.desired, run.context.digest_key)
      row.attributes = recorded_attributes(change.resource.type, change.live.values)
      run.store:put_resource(row)
    end
  end
end

local function resolve_outputs(run, plan)
  local outputs = {}
  for name, output in pairs(plan.declaration and plan.declaration.outputs or {}) do
    local value = reference.resolve(output.value, run.lookup)
    if not reference.find_unknown(value) then
      outputs[name] = reference.has_secret(value) and reference.seal(value, run.context.digest_key) or value
    end
  end
  run.store:put_outputs(outputs)
  return outputs
end

--- Usual seconds of `action` on what `change` is about: this stack's history, the type's spec, a guess.
function apply.durations(store)
  local known = {}
  return function(change, action)
    local key = change.type .. "\0" .. action
    if not known[key] then
      local spec = type_of(change).spec
      known[key] = store:usual_seconds(change.type, action) or (spec.typical or {})[action] or DEFAULT_SECONDS
    end
    return known[key]
  end
end

--- Carries out `plan`. context as in handler/operation, with journal and digest_key; `store` writable, attached, with a
--- run begun; emit(event). Yields until everything that can be done is done. Returns
--- { outcome = "done" | "failed" | "stopped", done = counts, failures = errors, skipped, stopped, outputs, warnings = what
--- still needs a person, longest = seconds of the longest chain }.
function apply.run(context, plan, store, emit)
  local seconds_of = apply.durations(store)
  local steps, longest = schedule.steps(plan, seconds_of)
  local run = {
    context = context, store = store, emit = emit, seconds_of = seconds_of, total = #steps, finished = 0, done = {},
    failures = {}, warnings = {}, skipped = 0, stopped = 0, tasks = {}, lookup = planning.lookup(context, plan.by_address),
  }
  store:close_abandoned()
  record_unchanged(run, plan)
  local ready = {}
  for _, step in ipairs(steps) do
    if step.open == 0 then
      ready[#ready + 1] = step
    end
  end
  start_ready(run, ready)
  local joined = 0
  while joined < #run.tasks do
    joined = joined + 1
    run.tasks[joined]:join()
  end
  local outputs = resolve_outputs(run, plan)
  local outcome = context.stopping and "stopped" or #run.failures > 0 and "failed" or "done"
  return {
    outcome = outcome, done = run.done, failures = run.failures, skipped = run.skipped, stopped = run.stopped,
    outputs = outputs, warnings = run.warnings, longest = longest,
  }
end

return apply
