-- Waiting for AWS: until a new resource can be used, until a deleted one is gone. Polls are aimed at the duration that
-- the type is known to take (learnt, or the spec's `typical`): one look at once, then few until it is about due, then
-- closely. Looks of the same kind in the same turn share one call (handler/reader). Used by handler/init.

local errors = require "infra.errors"
local read = require "infra.handler.read"

local wait = {}

-- Seconds between two looks.
local MIN_PAUSE, MAX_PAUSE = 1, 15

-- Parts of the expected duration at which it is worth a look although it is early; then every CLOSE of it.
local MILESTONES = { 0.25, 0.5, 0.75, 0.97 }
local CLOSE <const> = 0.02

--- Seconds until the next look, `elapsed` seconds after the start of something that usually takes `expected`.
function wait.pause(elapsed, expected)
  for _, part in ipairs(MILESTONES) do
    local seconds = part * expected - elapsed
    if seconds > MIN_PAUSE / 2 then
      return math.max(MIN_PAUSE, seconds)
    end
  end
  return math.max(MIN_PAUSE, math.min(expected * CLOSE, MAX_PAUSE))
end

local function poll(op, known, expected, limit, look)
  local now = op.context.runtime.now
  local started = now()
  while true do
    local result, err = look(read.item(op, known))
    if result ~= nil or err then
      return result, err
    end
    local elapsed = now() - started
    if elapsed > limit then
      return errors.fail { code = "WaitTimeout", resource = op.address, source = op.source,
        message = ("not done after %d s"):format(limit), hint = "run again: it continues where this stopped" }
    end
    local ok, stopped = op:sleep(wait.pause(elapsed, expected))
    if not ok then
      return nil, stopped
    end
  end
end

local function is_ready(op, live)
  return live and (not op.spec.state or read.contains(op.spec.state.ready, live.state))
end

--- Waits until the resource is ready. `live` is what is already known of it (the create's answer). Returns the live
--- resource with `values` completed by `known`; or nil and an error when AWS says it failed or the time is over.
function wait.ready(op, known, live)
  local function complete(ready)
    for name, value in pairs(known) do
      ready.values[name] = value
    end
    return ready
  end
  if is_ready(op, live) then
    return complete(live)
  end
  local state = op.spec.state
  if not state then
    return complete { values = {} }
  end
  op.report("waiting until it is " .. state.ready[1])
  return poll(op, known, op.expected_seconds, op.timeout or state.limit, function(found, err)
    if err then
      return nil, err
    elseif found and found.failure then
      return errors.fail { code = "Failed", resource = op.address, source = op.source, service = op.spec.service,
        message = found.failure, hint = "correct the cause and run again: the failed one is replaced" }
    end
    -- Right after a create it may not be listed yet.
    return is_ready(op, found) and complete(found) or nil
  end)
end

--- Waits until the resource is gone.
function wait.gone(op, known)
  op.report("waiting until it is gone")
  return poll(op, known, op.expected_seconds, op.timeout or (op.spec.state or {}).delete_limit or 1800, function(found, err)
    if err then
      return nil, err
    end
    local gone = not found or read.contains((op.spec.state or {}).gone, found.state)
    return gone or nil
  end)
end

return wait
