-- Carries out a plan: every step (engine/steps) as soon as what it waits for is done, the longest remaining chain
-- first. A failure stops what depends on it and nothing else. Used by the verbs run, apply and destroy through
-- infra.deployment.
--
-- Events (emit(event)), for reports: { kind = "start" | "progress" | "done" | "failed" | "skipped" | "stopped",
-- address, type, action }; "start" also has `expected` (seconds that it usually takes), "progress" `text` and `lasting`
-- (whether it must not be missed); "done", "failed" and "skipped" have `finished` (the number of steps that have
-- ended), `seconds`, `error` and `text` (why it was skipped); all but "progress" have `total`, the number of all steps.

local errors = require "infra.errors"
local planning = require "infra.engine.plan"
local reference = require "infra.engine.reference"
local schedule = require "infra.engine.schedule"
local steps = require "infra.engine.steps"

local apply = {}

-- What a type takes when neither history nor its spec says.
local DEFAULT_SECONDS <const> = 2

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

local function finish(run, step, ok, err)
  local change, name = step.change, action_name(step)
  run.finished = run.finished + 1
  if ok then
    run.done[name] = (run.done[name] or 0) + 1
  else
    err.resource, err.source = err.resource or change.address, err.source or (change.resource or change.row).source
    run.failures[#run.failures + 1] = err
  end
  run.store:add_history { address = change.address, type = change.type, action = name, seconds = step.seconds,
    outcome = ok and "done" or "failed", detail = ok and detail_of(step)
      or { error = err.code, message = err.message } }
  run.emit { kind = ok and "done" or "failed", address = change.address, type = change.type, action = name,
    seconds = step.seconds, error = err, finished = run.finished, total = run.total }
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
  for _, later in ipairs(schedule.following(step)) do
    skip(run, later, step.change.address)
  end
end

local start_ready

local function execute(run, step)
  local started = run.context.runtime.now()
  run.emit { kind = "start", address = step.change.address, type = step.change.type, action = action_name(step),
    expected = step.seconds, total = run.total }
  local called, ok, err = xpcall(steps[step.kind], errors.caught, run, step.change)
  if not called then
    ok, err = nil, ok
  end
  if err and (err.code == "Cancelled" or err.code == "Stopped") then
    step.state = "stopped"
    run.emit { kind = "stopped", address = step.change.address, type = step.change.type, action = action_name(step),
      total = run.total }
    return
  end
  step.seconds = run.context.runtime.now() - started
  finish(run, step, ok, err)
  step.state = ok and "done" or "failed"
  local ready = {}
  for _, later in ipairs(schedule.following(step)) do
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

function start_ready(run, ready)
  table.sort(ready, function(a, b)
    if a.path ~= b.path then
      return a.path > b.path
    end
    return a.change.address < b.change.address
  end)
  for _, step in ipairs(ready) do
    if not run.context.stopping then
      step.state = "running"
      table.insert(run.tasks, run.context.scheduler:spawn(execute, run, step))
    end
  end
end

-- Outputs of what exists. What cannot be put into a text counts as a failure.
local function resolve_outputs(run, plan)
  local outputs = {}
  local function lookup(address, attribute)
    local change = plan.by_address[address]
    if change and not planning.exists(change) then
      return reference.unknown(address, attribute)
    end
    return run.lookup(address, attribute)
  end
  for name, output in pairs(plan.declaration and plan.declaration.outputs or {}) do
    local resolved, value = pcall(reference.resolve, output.value, lookup)
    if not resolved then
      local err = errors.from(value)
      err.source = output.source
      table.insert(run.failures, err)
    elseif not reference.find_unknown(value) then
      outputs[name] = reference.has_secret(value) and reference.seal(value, run.context.digest_key) or value
    end
  end
  if plan.declaration or #(run.store:resources() or {}) == 0 then -- what a destroy leaves goes on having its outputs
    run.store:put_outputs(outputs)
  end
  return outputs
end

--- Usual seconds of `action` on what `change` is about: this stack's history, the type's spec, a guess.
function apply.durations(store)
  local known = {}
  return function(change, action)
    local key = change.type .. "\0" .. action
    if not known[key] then
      local spec = steps.type_of(change).spec
      known[key] = store:usual_seconds(change.type, action) or (spec.typical or {})[action] or DEFAULT_SECONDS
    end
    return known[key]
  end
end

-- Of what was done, what took longest although everything ran as soon as it could.
local function chain_of(planned)
  local done = {}
  for _, step in ipairs(planned) do
    step.seconds = step.state == "done" and step.seconds or 0
    done[#done + 1] = step.state == "done" and step or nil
  end
  local chain, addresses = schedule.longest_chain(done), {}
  for i, step in ipairs(chain) do
    addresses[i] = step.change.address
  end
  return { seconds = chain[1] and chain[1].path or 0, addresses = addresses }
end

--- Carries out `plan`. context as in handler/operation, with journal and digest_key; `store` writable, attached, with a
--- run begun; emit(event). Yields until everything that can be done is done. Returns
--- { outcome = "done" | "failed" | "stopped", done = counts, failures = errors, skipped, stopped = steps not done for
--- that reason, outputs, warnings = what still needs a person, chain = what took longest of what had to wait for each
--- other: { seconds, addresses } }.
function apply.run(context, plan, store, emit)
  local seconds_of = apply.durations(store)
  local planned = schedule.steps(plan, seconds_of)
  local run = {
    context = context, store = store, emit = emit, seconds_of = seconds_of, total = #planned, finished = 0, done = {},
    failures = {}, warnings = {}, skipped = 0, tasks = {}, lookup = planning.lookup(context, plan.by_address),
    by_address = plan.by_address,
  }
  store:close_abandoned()
  for _, change in ipairs(plan.changes) do
    if change.row then
      steps.keep(run, change)
    end
  end
  local ready = {}
  for _, step in ipairs(planned) do
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
    outcome = outcome, done = run.done, failures = run.failures, skipped = run.skipped,
    outputs = outputs, warnings = run.warnings, chain = chain_of(planned),
    stopped = run.total - run.finished,
  }
end

return apply
