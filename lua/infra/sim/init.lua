-- The simulated AWS: takes the requests that would go to AWS and answers them as AWS documents it would, in virtual
-- time. Used by `infra run --sim`, `infra sim` and the specs, in place of the runtime's `send`.
--
-- What a service does is in infra.sim.<service> ("-" becomes "_"), a table of operation name -> function(ctx, params)
-- -> output. A handler runs without waiting; states that take time are functions of ctx.now(). It gets:
--   ctx.region, ctx.account, ctx.partition ("aws")
--   ctx.service, ctx.operation, ctx.request_id
--   ctx.caller           { account, arn, user_id, access_key }
--   ctx.request          { method, path, headers = { [lower-case name] = value }, body } as it came
--   ctx.now()            AWS's clock, unix seconds
--   ctx.id(prefix)       a fresh identifier in EC2's form: "vpc-0f3..."
--   ctx.unique(length, alphabet)   a fresh string; lower-case hex when no alphabet is given
--   ctx.store            view (infra.sim.store) of this service in this account and region
--   ctx.global           view of this service in this account, for what has no region
--   ctx.sessions         view of all temporary credentials (infra.sim.auth)
--   ctx.quotas           { [name] = most } that the account has instead of the usual
--   ctx.short_page       true when a paged answer is to hold a single item
--   ctx.partial_batch    true when an operation on several items is to leave the last one undone
--   ctx:of(service, region)   view of another service or region (default: this one) in this account
--   ctx:fresh(kind, key [, view])   true when this call may not know yet of an object of ctx.store (or of `view`) that
--                        was created a moment ago: eventual consistency, see infra.sim.faults
--   ctx:fail(code, message [, status [, extra]])   throws AWS's error answer; status: by default the code's usual one
-- Handlers check everything first and change the store after: a call that fails leaves no trace.

local clock = require "host.clock"
local crypto = require "host.crypto"
local errors = require "infra.errors"

local Failure = require "infra.sim.failure"
local Faults = require "infra.sim.faults"
local Limits = require "infra.sim.limits"
local Store = require "infra.sim.store"
local auth = require "infra.sim.auth"
local endpoints = require "infra.sim.endpoints"
local wire = require "infra.sim.wire"

local Sim, Context = {}, {}
Sim.__index, Context.__index = Sim, Context

--- A simulated AWS. `options`:
---   runtime   whose clock and scheduler it lives in (infra.runtime)
---   store     an infra.sim.store; default an empty one in memory. A runtime that starts at `store.time` continues
---             where the account's last run ended; if it starts earlier, AWS's clock is ahead of the caller's.
---   seed      integer for everything random (default 1)
---   faults    options or the name of a profile (infra.sim.faults); default none
---   quotas    { [name] = most } in place of a new account's own, by the names in the service's module ("vpc" in EC2)
---   on_crash  function(call), called for the fault "crash"; default throws
---   observe   function(call) after each answered call: { service, operation, kind, params, status, code, request_id,
---             at }
function Sim.new(options)
  local runtime = assert(options.runtime, "a simulated AWS needs a runtime")
  local store = options.store or Store.open()
  local seed = options.seed or 1
  return setmetatable({
    runtime = runtime,
    store = store,
    seed = seed,
    offset = math.max(0, store.time - runtime.time()),
    faults = Faults.new(seed, options.faults),
    limits = Limits.new(),
    quotas = options.quotas or {},
    on_crash = options.on_crash or function(call)
      error(("simulated crash at %s %s"):format(call.service, call.operation), 0)
    end,
    observe = options.observe or function() end,
  }, Sim)
end

--- AWS's clock, unix seconds.
function Sim:now()
  return self.runtime.time() + self.offset
end

-- Unique in the store, and the same for the same seed and history.
local function unique(self, length, alphabet)
  alphabet = alphabet or "0123456789abcdef"
  local bytes = crypto.sha256(("%d/%d"):format(self.seed, self.store:next()))
  while #bytes < length do
    bytes = bytes .. crypto.sha256(bytes)
  end
  return (bytes:sub(1, length):gsub(".", function(byte)
    local index = byte:byte() % #alphabet + 1
    return alphabet:sub(index, index)
  end))
end

-- -- one call ---------------------------------------------------------------------------------------------------------

function Context:of(service, region)
  return self.sim.store:view(service, self.account, region or self.region)
end

function Context:fresh(kind, key, view)
  local age = (view or self.store):age(kind, key)
  return age ~= nil and self.sim.faults:unaware(age)
end

function Context:fail(...)
  Failure.raise(...)
end

local function partition_of(region)
  return region:find("^cn%-") and "aws-cn" or region:find("^us%-gov%-") and "aws-us-gov" or "aws"
end

local function new_context(self, call, request, caller)
  local store, region = self.store, request.region
  return setmetatable({
    sim = self,
    request = request,
    region = region,
    account = caller.account,
    partition = partition_of(region),
    service = call.service,
    operation = call.operation,
    request_id = call.request_id,
    caller = caller,
    quotas = self.quotas,
    short_page = call.fault == "short_page",
    partial_batch = call.fault == "partial_batch",
    store = store:view(call.service, caller.account, region),
    global = store:view(call.service, caller.account),
    sessions = store:view("sts"),
    now = function() return self:now() end,
    id = function(prefix) return prefix .. "-0" .. unique(self, 16) end,
    unique = function(length, alphabet) return unique(self, length, alphabet) end,
  }, Context)
end

local READS = {
  "^Describe", "^Get", "^List", "^Head", "^BatchGet", "^Lookup", "^Search", "^Filter", "^Simulate", "^Test",
}

local function kind_of(operation)
  for _, pattern in ipairs(READS) do
    if operation:find(pattern) then
      return "read"
    end
  end
  return "write"
end

-- Which service and operation are meant: the first of the candidates that knows the operation, else the first of all.
local function identify(request)
  for _, service in ipairs(request.services) do
    local protocol = wire.protocol(service, request)
    local operation = wire.identify(protocol, service, request)
    if operation then
      return service, protocol, operation
    end
  end
  return request.services[1], wire.protocol(request.services[1], request), nil
end

local function module_of(service)
  local name = "infra.sim." .. service.id:gsub("%-", "_")
  local found, module = pcall(require, name)
  if not found and not tostring(module):find("module '" .. name .. "' not found", 1, true) then
    error(module, 0)
  end
  return found and module or {}
end

local function run(self, request, scope, call)
  local service, operation = call.model, call.operation_model
  local caller = { account = auth.ACCOUNT, access_key = "anonymous" }
  if not operation or operation.authtype ~= "none" then
    caller = auth.verify(request, scope, service, self.store:view("sts"), self:now())
  end
  if not operation then
    Failure.common("unknown_operation", "The action or operation requested is invalid.")
  end
  call.account = caller.account
  if call.fault == "throttle" or (self.faults.throttling and not self.limits:take(call, self:now())) then
    Failure.common("throttled", "Rate exceeded")
  elseif call.fault == "unavailable" then
    Failure.common("unavailable", "The service is unavailable. Please try again shortly.")
  elseif call.fault == "server_error" and not call.executed then
    Failure.common("internal", "An internal error has occurred.")
  end
  local handler = module_of(service)[call.operation]
  if not handler then
    Failure.common("unknown_operation", ("%s %s is not simulated"):format(service.id, call.operation))
  end
  call.params = wire.decode(call.protocol, service, operation, request)
  local output = handler(new_context(self, call, request, caller), call.params) or {}
  if call.fault == "server_error" then
    Failure.common("internal", "An internal error has occurred.")
  end
  return wire.encode(call.protocol, service, operation, output, call.request_id)
end

local function with_trace(problem)
  return Failure.is(problem) and problem or debug.traceback(tostring(problem), 2)
end

-- Carries the call out, or refuses it; returns the response. A mistake of a handler is thrown on.
local function execute(self, request, scope, call)
  self.store.time = self:now()
  call.request_id = unique(self, 32):gsub("^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)", "%1-%2-%3-%4-")
  local done, status, headers, body = xpcall(run, with_trace, self, request, scope, call)
  if not done then
    if not Failure.is(status) then
      error(status, 0)
    end
    local failure = status
    status, headers, body = wire.encode_error(call.protocol, call.model, failure, call.request_id)
    call.code = failure.code
  end
  assert(self.store:flush())
  call.status, call.at = status, self:now()
  self.observe(call)
  local response = {
    status = status,
    body = request.method == "HEAD" and "" or body,
    headers = {
      date = clock.format_utc(self:now(), "%a, %d %b %Y %H:%M:%S GMT"),
      [call.service == "s3" and "x-amz-request-id" or "x-amzn-requestid"] = call.request_id,
    },
  }
  for _, header in ipairs(headers) do
    response.headers[header[1]:lower()] = header[2]
  end
  return response
end

-- -- the way there and back -------------------------------------------------------------------------------------------

local function connection_error(message, sent)
  return errors.fail { code = "ConnectionError", message = message, sent = sent }
end

local LOST = { lost_request = true, lost_response = true }

--- Answers a request (host.http's form) after a while, inside a task of the runtime's scheduler. Returns a response, or
--- nil and the error that a real network would give.
function Sim:send(request)
  local scheduler = self.runtime.scheduler
  local parsed = endpoints.parse(request)
  local scope = auth.scope(parsed)
  if not endpoints.find(parsed, scope) then
    return connection_error("could not resolve host: " .. parsed.host, false)
  end
  local service, protocol, operation = identify(parsed)
  local call = { service = service.id, model = service, protocol = protocol, region = parsed.region }
  call.operation_model, call.operation = operation, operation and operation.name or "(unknown)"
  call.kind = kind_of(call.operation)
  local fault = self.faults:strike(call) or {}
  call.fault, call.executed = fault.fault, fault.executed

  local there = self.faults:delay(call.kind) / 2
  local back = there + (call.fault == "slow" and (fault.seconds or 60) or 0)
  if call.fault == "refused" then
    return connection_error("connection refused by " .. parsed.host, false)
  end
  scheduler:sleep(there)
  if call.fault == "crash" and fault.when == "before" then
    self.on_crash(call)
  end
  local response
  if call.fault ~= "lost_request" then
    response = execute(self, parsed, scope, call)
  end
  if call.fault == "duplicate" then
    execute(self, parsed, scope, call)
  elseif call.fault == "crash" then
    self.on_crash(call)
  end
  if request.timeout and there + back > request.timeout then
    scheduler:sleep(math.max(0, request.timeout - there))
    return errors.fail { code = "Timeout", message = "no answer from " .. parsed.host .. " in time" }
  end
  scheduler:sleep(back)
  if LOST[call.fault] then
    return connection_error("connection to " .. parsed.host .. " was reset")
  end
  return response
end

return Sim
