-- The simulated AWS: takes the requests that would go to AWS and answers them as AWS documents it would, in virtual
-- time. Used by infra.session (in place of the runtime's `send`), `infra sim` and the specs. How a service is written
-- is said in infra.sim.context.

local clock = require "host.clock"
local customizations = require "infra.aws.customizations"
local errors = require "infra.errors"

local Context = require "infra.sim.context"
local Failure = require "infra.sim.failure"
local Faults = require "infra.sim.faults"
local Limits = require "infra.sim.limits"
local Store = require "infra.sim.store"
local auth = require "infra.sim.auth"
local endpoints = require "infra.sim.endpoints"
local files = require "infra.sim.files"
local tag_index = require "infra.sim.tag_index"
local wire = require "infra.sim.wire"

local Sim = {}
Sim.__index = Sim

--- A simulated AWS. `options`:
---   runtime   whose clock and scheduler it lives in (infra.runtime)
---   store     an infra.sim.store; default an empty one in memory. A runtime that starts at `store.time` continues
---             where the account's last run ended; if it starts earlier, AWS's clock is ahead of the caller's.
---   seed      integer for everything random (default 1)
---   faults    options or the name of a profile (infra.sim.faults); default none
---   quotas    { [name] = most } in place of a new account's own, by the names in the service's module ("vpc" in EC2)
---   on_crash  function(call), called for the fault "crash"; default throws
---   callers_time  function() -> unix seconds by which callers sign, where that is not AWS's clock (infra.sim.server)
---   observe   function(call) after each answered call: { service, operation, kind, params, status, code, request_id,
---             at }
function Sim.new(options)
  local runtime = assert(options.runtime, "a simulated AWS needs a runtime")
  local store = options.store or Store.open()
  local seed = options.seed or 1
  local self = setmetatable({
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
  self.callers_time = options.callers_time or function() return self:now() end
  return self
end

--- AWS's clock, unix seconds.
function Sim:now()
  return self.runtime.time() + self.offset
end

-- -- one call ---------------------------------------------------------------------------------------------------------

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
  local name = "infra.sim." .. service:gsub("%-", "_")
  local found, module = pcall(require, name)
  if not found and not tostring(module):find("module '" .. name .. "' not found", 1, true) then
    error(module, 0)
  end
  return found and module or {}
end

local function run(self, request, scope, call)
  local service, operation = call.model, call.operation_model
  local caller = { account = auth.ACCOUNT, access_key = "anonymous" }
  if not operation or not customizations.is_unsigned(service, operation) then
    caller = auth.verify(request, scope, service, self.store:view("sts"), self.callers_time())
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
  local handler = module_of(service.id)[call.operation]
  if not handler then
    Failure.common("unknown_operation", ("%s %s is not simulated"):format(service.id, call.operation))
  end
  call.params = wire.decode(call.protocol, service, operation, request)
  local output = handler(Context.new(self, call, request, caller), call.params) or {}
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
  call.request_id = Context.uuid(self)
  local done, status, headers, body = xpcall(run, with_trace, self, request, scope, call)
  if not done then
    if not Failure.is(status) then
      error(status, 0)
    end
    local failure = status
    status, headers, body = wire.encode_error(call.protocol, call.model, failure, call.request_id)
    call.code = failure.code
  end
  tag_index.update(self.store, module_of)
  assert(self.store:flush())
  call.status, call.at = status, self:now()
  self.observe(call)
  local response = {
    status = status,
    body = request.method == "HEAD" and "" or body,
    headers = {
      date = clock.format_utc(self.callers_time(), "%a, %d %b %Y %H:%M:%S GMT"),
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

-- What a request is about to do: { service, operation, kind, region, ... the rest is infra.sim's own }.
local function call_of(request)
  local service, protocol, operation = identify(request)
  local name = operation and operation.name or "(unknown)"
  return {
    service = service.id, operation = name, kind = kind_of(name), region = request.region,
    model = service, operation_model = operation, protocol = protocol,
  }
end

--- Answers a request after a while, inside a task of the runtime's scheduler. The request is of host.http's form;
--- `arrived` in it: its host is this one, whatever it is called. Returns a response, or nil and the error that a real
--- network would give.
function Sim:send(request)
  local scheduler = self.runtime.scheduler
  local readable, err = files.read(request)
  if not readable then
    return nil, err
  end
  local parsed = endpoints.parse(readable)
  local scope = auth.scope(parsed)
  if not endpoints.find(parsed, scope) then
    if parsed.host:find "%.amazonaws%.com" then
      return errors.fail { code = "NotSimulated", message = parsed.host .. " is not simulated",
        hint = "an emulator may have it: --endpoint-url" }
    end
    return connection_error("could not resolve host: " .. parsed.host, false)
  end
  local call = call_of(parsed)
  local fault = self.faults:strike(call) or {}
  call.fault, call.executed = fault.fault, fault.executed
  if call.fault == "refused" then
    return connection_error("connection refused by " .. parsed.host, false)
  end

  local there = self.faults:delay(call.kind) / 2
  local back = there + (call.fault == "slow" and (fault.seconds or 60) or 0)
  scheduler:sleep(there)
  if call.fault == "crash" and fault.when == "before" then
    self.on_crash(call)
  end
  local response = call.fault ~= "lost_request" and execute(self, parsed, scope, call)
  if call.fault == "duplicate" then
    execute(self, parsed, scope, call)
  elseif call.fault == "crash" and fault.when ~= "before" then
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
  return files.deliver(request, response)
end

return Sim
