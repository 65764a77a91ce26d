-- Waits until AWS's resources are in some state, as the model's waiters define it ("InstanceRunning"): which operation
-- to call, what in its answer means done, failed, or not yet. The method `wait` of infra.aws.client.

local contains = require "infra.contains"
local errors = require "infra.errors"
local jmespath = require "infra.aws.jmespath"
local models = require "infra.models"

local waiters = {}

-- The model's delay is made for what takes minutes. Looks begin at this part of it, and get as rare as the model says.
local FIRST_PAUSE <const> = 1 / 8
local GROWTH <const> = 1.5

-- A list of values, of which there has to be one at least.
local function each_is(value, expected)
  for _, item in ipairs(type(value) == "table" and value or {}) do
    if item ~= expected then
      return false
    end
  end
  return type(value) == "table" and #value > 0
end

local function any_is(value, expected)
  return contains(type(value) == "table" and value or {}, expected)
end

-- matcher -> whether an answer fits the acceptor: fits(acceptor, answer); answer = { output, err, status }.
local function path_matcher(compare)
  return function(acceptor, answer)
    return answer.output ~= nil and compare(acceptor.find(answer.output), acceptor.expected)
  end
end

local MATCHERS = {
  path = path_matcher(rawequal),
  pathAll = path_matcher(each_is),
  pathAny = path_matcher(any_is),
  status = function(acceptor, answer)
    return answer.status == acceptor.expected
  end,
  error = function(acceptor, answer) -- a code, or whether there is an error at all
    local expected = acceptor.expected
    if type(expected) == "boolean" then
      return (answer.err ~= nil) == expected
    end
    return answer.err ~= nil and answer.err.code == expected
  end,
}

-- A waiter's acceptors, their expressions ready to be used; or nil and an error.
local function prepared(acceptors)
  local result = {}
  for i, acceptor in ipairs(acceptors) do
    local fits = MATCHERS[acceptor.matcher]
    if not fits then
      return errors.fail { code = "Unsupported", message = "unknown matcher " .. acceptor.matcher }
    end
    local find, err
    if acceptor.argument then
      find, err = jmespath.compile(acceptor.argument)
    end
    if err then
      return nil, err
    end
    result[i] = { state = acceptor.state, expected = acceptor.expected, argument = acceptor.argument,
      fits = fits, find = find }
  end
  return result
end

-- The first acceptor that an answer fits.
local function accepted(acceptors, answer)
  for _, acceptor in ipairs(acceptors) do
    if acceptor:fits(answer) then
      return acceptor
    end
  end
end

local function describe(acceptor)
  local subject = acceptor.argument and acceptor.argument .. " is" or "the answer is"
  return ("%s %s"):format(subject, tostring(acceptor.expected))
end

-- The waiter ready to run: { name, service, operation, delay, limit (seconds), acceptors }; or nil and an error.
local function prepare(service_id, name)
  local service, err = models.service(service_id)
  if not service then
    return nil, err
  end
  local waiter = service:waiters()[name]
  if not waiter then
    return errors.fail { code = "UnknownWaiter", message = ("%s has no waiter %s"):format(service.id, name) }
  end
  local acceptors
  acceptors, err = prepared(waiter.acceptors)
  return acceptors and {
    name = name,
    service = service.id,
    operation = assert(service:operation(waiter.operation)),
    delay = waiter.delay,
    limit = waiter.delay * waiter.maxAttempts,
    acceptors = acceptors,
  }, err
end

local function fail(waiter, code, message)
  return errors.fail { code = code, service = waiter.service, operation = waiter.name, message = message }
end

-- Looks once: the output that shows success; or nil, and an error if waiting is over.
local function look(client, waiter, params, options)
  local output, err = client:call(waiter.service, waiter.operation.name, params, options)
  local status = output and (waiter.operation.http.responseCode or 200) or err and err.status
  local found = accepted(waiter.acceptors, { output = output, err = err, status = status })
  if not found then
    return nil, err and not err.retryable and err or nil
  elseif found.state == "failure" then
    return fail(waiter, "WaitFailed", describe(found))
  end
  return found.state == "success" and (output or {}) or nil
end

--- Waits until the waiter's state is reached: the output that showed it (empty when an error did), or nil and an error:
--- code "WaitFailed" when it cannot be reached any more, "WaitTimeout" when it takes longer than the model's delay
--- times its maxAttempts, or what AWS said. `params` and `options` are those of Client:call.
function waiters.wait(client, service_id, name, params, options)
  local waiter, err = prepare(service_id, name)
  if not waiter then
    return nil, err
  end
  local now = client.runtime.now
  local pause, deadline = waiter.delay * FIRST_PAUSE, now() + waiter.limit
  while true do
    local output, problem = look(client, waiter, params, options)
    if output or problem then
      return output, problem
    elseif now() >= deadline then
      return fail(waiter, "WaitTimeout", ("not reached within %d s"):format(waiter.limit))
    end
    client.runtime.scheduler:sleep(math.min(pause, deadline - now()))
    pause = math.min(pause * GROWTH, waiter.delay)
  end
end

return waiters
