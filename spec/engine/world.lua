-- A project of its own on a simulated AWS in memory, for specs of the engine: declarations are planned and applied on
-- it by one "process" after the other, which may crash at any request or commit.
--
--   local world = World.new()                       -- in a spec file: after_each(function() world:close() end)
--   local declaration = World.declare(function(stack) stack:resource(...) end)
--   local run = world:apply(declaration, { faults = ..., crash_commit = 3 })

local json = require "host.json"
local luassert = require "luassert"
local merged = require "infra.merged"

local Journal = require "infra.engine.journal"
local Reader = require "infra.handler.reader"
local Session = require "infra.session"
local SimStore = require "infra.sim.store"
local Store = require "infra.state.store"
local apply = require "infra.engine.apply"
local errors = require "infra.errors"
local lease = require "infra.state.lease"
local planning = require "infra.engine.plan"
local stack = require "infra.engine.stack"
local temporary = require "spec.support.temporary"

local World = {}
World.__index = World

World.ACCOUNT = "123456789012"

-- Seconds for which requests of a crashed process are still on their way.
local IN_FLIGHT <const> = 10

--- An empty account and an empty state. options: quotas (of the simulated AWS).
function World.new(options)
  local directory, remove = temporary()
  return setmetatable({
    aws = SimStore.open(), path = directory .. "/state.db", remove = remove, processes = 0,
    quotas = options and options.quotas,
  }, World)
end

function World:close()
  self.remove()
end

--- A declaration: the stack "demo-test" with what build(stack, options) declares. `fields` are further fields of the
--- definition. Throws the stack's faults.
function World.declare(build, fields, given)
  local definition = merged({ project = "demo", environment = "test", region = "us-east-1", build = build }, fields)
  local declaration, err = stack.define(definition):evaluate(given)
  if not declaration then
    error(err, 0)
  end
  return declaration
end

-- -- a process --------------------------------------------------------------------------------------------------------

-- From now on nothing of the process reaches the disk or AWS, and the task that got here never goes on.
local function die(process)
  process.died_at = process.session.runtime.now()
  process.store.db:close()
  function process.store.commit()
    return errors.fail { code = "Dead", message = "this process crashed" }
  end
  process.session.runtime.scheduler:suspend()
end

-- The loop of a dead process ends: at once, or when its requests have arrived.
local function watch_for_death(process, options)
  local runtime = process.session.runtime
  local patience = options.in_flight and IN_FLIGHT or 0
  runtime.scheduler:at_turn_end(function()
    if process.died_at and runtime.now() >= process.died_at + patience then
      error("crash", 0)
    end
  end)
end

-- Crashes before or after the n-th commit: options.crash_commit = n, options.when.
local function watch_commits(process, options)
  local commit, count = process.store.commit, 0
  function process.store.commit(store)
    if #store.queue == 0 then
      return true
    end
    count = count + 1
    local last = count == options.crash_commit
    local ok, err = true, nil
    if not last or options.when == "after" then
      ok, err = commit(store)
    end
    if last then
      process.died_at = process.session.runtime.now()
      store.db:close()
      function store.commit()
        return errors.fail { code = "Dead", message = "this process crashed" }
      end
      return store.commit()
    end
    process.commits = count
    return ok, err
  end
end

--- A process that holds the state: { session, store, context, calls = all that AWS answered }. options: faults,
--- in_flight = true when requests of a crashed process still arrive, crash_commit, when, observe(call, process).
function World:process(declaration, options)
  self.processes = self.processes + 1
  local session = assert(Session.open {
    sim = true, sim_store = self.aws, seed = self.processes, faults = options.faults, region = declaration.region,
  })
  local process = { session = session, calls = {}, commits = 0 }
  session.sim.quotas = self.quotas or session.sim.quotas
  function session.sim.on_crash()
    die(process)
  end
  function session.sim.observe(call)
    process.calls[#process.calls + 1] = call
    if options.observe then
      options.observe(call, process)
    end
  end
  local send = session.runtime.send
  function session.runtime.send(request)
    if process.died_at then
      session.runtime.scheduler:suspend()
    end
    if options.sent then
      options.sent(request, process)
    end
    return send(request)
  end
  local err
  process.store, err = Store.open(self.path, { stack = declaration.name, runtime = session.runtime })
  if not process.store then
    error(err, 0)
  end
  assert(lease.acquire(process.store, "spec"))
  watch_commits(process, options)
  process.store:attach(session.runtime.scheduler)
  watch_for_death(process, options)
  process.context = {
    client = session.client, scheduler = session.runtime.scheduler, runtime = session.runtime, sleeping = {},
    reader = Reader.new(session.client, session.runtime.scheduler), journal = Journal.new(process.store),
    digest_key = process.store.digest_key, account = World.ACCOUNT, partition = "aws",
  }
  return process
end

local function finish(process)
  if not process.died_at then
    lease.release(process.store)
    process.store:close()
  end
  process.session:close()
end

--- Runs fn(process) as the main task of a new process. Returns the process, then fn's results; process.crashed says
--- that it did not get to its end.
function World:with_process(declaration, options, fn)
  local process = self:process(declaration, options)
  local results = table.pack(pcall(process.session.run, process.session, fn, process))
  finish(process)
  process.crashed = process.died_at ~= nil
  if not results[1] and not process.crashed then
    error(results[2], 0)
  end
  return process, table.unpack(results, 2, results.n)
end

--- Plans and applies. options: as for `process`; targets, destroy; event(event, process) as engine/apply's emit;
--- lenient = true when it is no mistake that the run's end cannot be written. Returns a run { plan, result (of
--- engine/apply), err (of the plan), calls, events, crashed, commits }.
function World:apply(declaration, options)
  options = options or {}
  local run = { events = {} }
  local process = self:with_process(declaration, options, function(process)
    local context, store = process.context, process.store
    run.plan, run.err = planning.make(context, not options.destroy and declaration or nil, store,
      { targets = options.targets })
    if not run.plan then
      return
    end
    assert(store:begin_run { command = "run", actor = "spec", version = "0" })
    run.result = apply.run(context, run.plan, store, function(event)
      run.events[#run.events + 1] = event
      if options.event then
        options.event(event, process)
      end
    end)
    run.ended, run.end_error = store:end_run(run.result.outcome, {})
    assert(run.ended or options.lenient, run.end_error)
  end)
  run.calls, run.crashed, run.commits = process.calls, process.crashed, process.commits
  run.seconds = process.session.runtime.now()
  return run
end

--- Applies and expects that everything was done.
function World:run(declaration, options)
  local run = self:apply(declaration, options)
  if run.err then
    error(run.err, 0)
  elseif #run.result.failures > 0 then
    error(run.result.failures[1], 0)
  end
  return run
end

--- Deletes everything that is recorded.
function World:destroy(declaration, options)
  return self:run(declaration, merged({ destroy = true }, options))
end

--- The plan only: returns it, or nil and an error; and the process.
function World:plan(declaration, options)
  options = options or {}
  local process, plan, err = self:with_process(declaration, options, function(process)
    return planning.make(process.context, not options.destroy and declaration or nil, process.store, options)
  end)
  return plan, err, process
end

--- { address = action } of what a plan would do, without "none".
function World.actions(plan)
  local actions = {}
  for _, change in ipairs(plan.changes) do
    if change.action ~= "none" then
      actions[change.address] = change.action
    end
  end
  return actions
end

--- What a plan would do, as `actions` has it.
function World:planned(declaration, options)
  return World.actions(assert(self:plan(declaration, options)))
end

--- Expects a plan that has nothing to do.
function World:unchanged(declaration, options)
  luassert.same({}, self:planned(declaration, options))
end

--- Applies. Returns the first failure, nil when everything was done; and the run.
function World:failure(declaration, options)
  local run = self:apply(declaration, options)
  return run.result.failures[1], run
end

--- Another project in the same account.
function World:neighbour()
  local other = World.new()
  other.aws, other.processes = self.aws, 100
  return other
end

--- Calls AWS as somebody else would: fn(call) with call(service, operation, params) -> output | nil, err.
function World:as_other(fn)
  self.processes = self.processes + 1
  local session = assert(Session.open { sim = true, sim_store = self.aws, seed = -self.processes,
    region = "us-east-1" })
  local result = session:run(fn, function(service, operation, params)
    return session.client:call(service, operation, params)
  end, session)
  session:close()
  return result
end

--- One such call, which must succeed. Returns its output.
function World:call(service, operation, params)
  return self:as_other(function(call)
    return assert(call(service, operation, params))
  end)
end

-- -- looking at what there is -----------------------------------------------------------------------------------------

--- The rows of the state.
function World:rows()
  local store = assert(Store.open(self.path, { readonly = true }))
  local rows = assert(store:resources())
  store:close()
  return rows
end

--- Runs fn(store) on the state, opened read-only.
function World:with_state(fn)
  local store = assert(Store.open(self.path, { readonly = true }))
  local result = fn(store)
  store:close()
  return result
end

--- The intents of which no answer is recorded.
function World:open_intents()
  return self:with_state(function(store)
    return store.db:all "SELECT * FROM intent WHERE closed_at IS NULL"
  end)
end

-- What the simulated AWS keeps besides what somebody created.
local MEMORIES = { token = true, grave = true, tags = true, resource = true }

-- Texts that differ from account to account although the same was made.
local function normal_text(text)
  return (text:gsub("(%a)%-0%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x", "%1"):gsub("%x%x%x%x%x%x%x%x%-%x[%x-]+", "uuid")
    :gsub("%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x", "nonce")
    :gsub("A[NR][PO]A%w+", "unique"):gsub("198%.1[89]%.%d+%.%d+", "public"):gsub("10%.%d+%.%d+%.%d+\"", "private\""))
end

-- Members that tell when and how often, not what.
local WHEN = {
  Version = true, DefaultVersionId = true, next_version = true, versions = true, CreateDate = true, UpdateDate = true,
  CreationDate = true, creationTime = true, CreateTime = true, available_at = true, born = true, MacAddress = true,
}

local function normal(value)
  if type(value) == "string" then
    return normal_text(value)
  elseif type(value) ~= "table" then
    return value
  end
  local copy = {}
  for key, item in pairs(value) do
    if not WHEN[key] then
      copy[type(key) == "string" and normal_text(key) or key] = normal(item)
    end
  end
  return json.is_array(value) and json.array(copy) or copy
end

-- Subscriptions that nobody has confirmed outlive their topic; rules of deleted groups are of no use to anybody.
local function is_leftover(self, kept, object)
  if kept.kind == "security-group-rule" then
    local groups = self.aws.tables[kept.scope .. "\0security-group"]
    return not groups.objects[object.GroupId]
  end
  return kept.kind == "subscription" and not object.confirmed
end

--- Everything that exists at AWS, as a sorted array of texts without identifiers and times: equal for accounts in which
--- the same was made.
function World:census()
  local found = {}
  for _, kept in pairs(self.aws.tables) do
    if not MEMORIES[kept.kind] then
      for _, object in pairs(kept.objects) do
        if not (object.gone_at or object.deleted_at or is_leftover(self, kept, object)) then
          found[#found + 1] = normal_text(kept.scope .. " " .. kept.kind) .. " " .. json.encode(normal(object))
        end
      end
    end
  end
  table.sort(found)
  return found
end

return World
