-- A stack together with the AWS it lives on and the state that remembers it: what the verbs run, plan, apply, destroy
-- and drift, and the REPL work with.
--
--   local deployment <close> = Deployment.open { path = "stacks/staging.lua", ... }
--   deployment:run(function() local plan, err = deployment:plan {} ... end)

local errors = require "infra.errors"
local fs = require "host.fs"
local process = require "host.process"
local Journal = require "infra.engine.journal"
local apply = require "infra.engine.apply"
local diff = require "infra.engine.diff"
local lease = require "infra.state.lease"
local planning = require "infra.engine.plan"
local project = require "infra.project"
local record = require "infra.engine.record"
local redact = require "infra.aws.redact"
local Reader = require "infra.handler.reader"
local refresh = require "infra.engine.refresh"
local resources = require "infra.resources"
local Session = require "infra.session"
local Store = require "infra.state.store"

local Deployment = {}
Deployment.__index = Deployment

-- How many requests may be under way at once, unless --parallel says otherwise. Waits take no place.
local PARALLEL <const> = 32

local function open_session(options, definition, directory)
  local session_options = {
    sim = options.sim, profile = options.profile, region = options.region or definition.region,
    endpoint_url = options.endpoint_url, trace = options.trace,
  }
  if options.sim then
    local ok, err = fs.mkdir(directory .. "/sim")
    if not ok then
      return nil, err
    end
    session_options.sim_store, err = require("infra.sim.store").open { path = directory .. "/sim/aws.db" }
    if not session_options.sim_store then
      return nil, err
    end
    -- Names and tokens must differ from those of earlier runs on the same simulated account.
    session_options.seed = options.seed or string.unpack("<i8", require("host.crypto").random(8))
  end
  return Session.open(session_options)
end

-- A runtime whose `send` lets `count` requests through at a time; the others wait in the order of their coming.
local function limit_requests(runtime, count)
  local places = runtime.scheduler:semaphore(count)
  local send = runtime.send
  local place = setmetatable({}, { __close = function()
    places:release()
  end })
  function runtime.send(request)
    places:acquire()
    local _ <close> = place -- also when the task is cancelled meanwhile
    return send(request)
  end
end

--- Opens a deployment. options: path (of the stack file), set (option values), sim, state (path of the database),
--- writable = takes the lease; recorded_only = what the stack declares does not matter, so it is not evaluated; command
--- (for the run's record), profile, region, endpoint_url, parallel, trace, version.
--- Evaluates the stack first: faults in it cost no call. Returns a deployment, or nil and an error.
function Deployment.open(options)
  local definition, err = project.load(options.path)
  if not definition then
    return nil, err
  end
  local declaration
  if not options.recorded_only then
    declaration, err = project.declare(definition, options.set)
    if not declaration then
      return nil, err
    end
  end
  local self = setmetatable({ options = options, definition = definition, declaration = declaration }, Deployment)
  self.session, err = open_session(options, definition, project.state_directory(options.path))
  if not self.session then
    return nil, err
  end
  self.scheduler = self.session.runtime.scheduler
  limit_requests(self.session.runtime, options.parallel or PARALLEL)
  self.store, err = Store.open(options.state or project.state_path(options.path, definition.name, options.sim), {
    readonly = not options.writable, stack = definition.name, runtime = self.session.runtime,
    aws = options.sim and "the simulated AWS" or "AWS",
  })
  if not self.store then
    self:close()
    return nil, err
  end
  if options.writable then
    local ok
    ok, err = self:become_writer()
    if not ok then
      self:close()
      return nil, err
    end
  end
  self.context = {
    client = self.session.client, scheduler = self.scheduler, runtime = self.session.runtime, sleeping = {},
    reader = Reader.new(self.session.client, self.scheduler), journal = options.writable and Journal.new(self.store),
    digest_key = self.store.digest_key or "", roles = definition.accounts,
    client_for = function(role) return self.session:client_for(role) end,
  }
  if options.trace then
    redact.recognise(self.context.digest_key, record.digests(self.store:resources() or {}))
  end
  return self
end

-- Who does it, for the record.
local function actor()
  return ("%s@%s"):format(os.getenv "USER" or os.getenv "LOGNAME" or "unknown", process.hostname())
end

function Deployment:become_writer()
  local ok, err = lease.acquire(self.store, "infra " .. self.options.command)
  if not ok then
    return nil, err
  end
  self.store:attach(self.scheduler)
  return true
end

--- Runs fn as the main task and returns its results; see infra.interruptible.
Deployment.run = require "infra.interruptible"

-- Which account this is, once per run. A stack that names its account is not applied to another.
local function identify(self)
  local context = self.context
  if context.account then
    return true
  end
  local identity, err = self.session:identity()
  if not identity then
    return nil, err
  end
  context.account = identity.Account
  context.partition = identity.Arn:match("^arn:([^:]+)") or "aws"
  local wanted = self.definition.account
  if wanted and wanted ~= identity.Account then
    return errors.fail { code = "WrongAccount", source = self.definition.source,
      message = ("the stack is for account %s, these credentials are for %s"):format(wanted, identity.Account),
      hint = "choose another profile with --profile or AWS_PROFILE" }
  end
  return true
end

--- Makes a plan. options: destroy, targets. Yields. Returns a plan (engine/plan), or nil and an error.
function Deployment:plan(options)
  assert(self.declaration or options.destroy, "what is not evaluated can only be destroyed")
  local ok, err = identify(self)
  if not ok then
    return nil, err
  end
  local plan
  plan, err = planning.make(self.context, not options.destroy and self.declaration or nil, self.store, options)
  if not plan then
    return nil, err
  end
  plan.stack = self.definition.name
  return plan
end

-- How one recorded resource is found.
local function inspect(self, row, live)
  local entry = { address = row.address, type = row.type, changes = {} }
  if row.status ~= "ready" then
    entry.status = "unfinished"
  elseif not live then
    entry.status = "gone"
  else
    entry.changes = diff.drift(assert(resources.type(row.type)), row, live, self.context.digest_key)
    entry.status = #entry.changes == 0 and "same" or row.intended_at and "unfinished" or "changed"
  end
  return entry
end

--- Compares what is recorded with what exists. Yields. Returns an array, in order of address, of { address, type,
--- status = "same" | "changed" | "gone" | "unfinished" (by its run), changes = array of { name, recorded,
--- live } }; or nil and an error.
function Deployment:drift()
  local ok, err = identify(self)
  if not ok then
    return nil, err
  end
  local rows, live_by_row
  rows, err = self.store:resources()
  if rows then
    live_by_row, err = refresh.all(self.context, rows, {})
  end
  if not live_by_row then
    return nil, err
  end
  local entries = {}
  for i, row in ipairs(rows) do
    entries[i] = inspect(self, row, live_by_row[row])
  end
  return entries
end

--- Applies a plan; emit(event) as in engine/apply. Yields. Returns the result of engine/apply, or nil and an error.
function Deployment:apply(plan, emit)
  local store = self.store
  local run, err = store:begin_run { command = self.options.command, actor = actor(), version = self.options.version }
  if not run then
    return nil, err
  end
  self.applying = true
  local result = apply.run(self.context, plan, store, emit)
  self.applying = false
  local ok
  ok, err = store:end_run(result.outcome, { done = result.done, failed = #result.failures, skipped = result.skipped })
  if not ok then
    return nil, err
  end
  result.run = run
  return result
end

function Deployment:close()
  if self.store then
    if self.store.db and self.options.writable then
      lease.release(self.store)
    end
    self.store:close()
  end
  if self.session then
    self.session:close()
  end
end
Deployment.__close = Deployment.close

return Deployment
