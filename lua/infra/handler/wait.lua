-- Waiting for AWS: until a new resource can be used, until a deleted one is gone. Polls are aimed at the duration that
-- the type is known to take (learnt, or the spec's `typical`): one look at once, then few until it is about due, then
-- closely. Looks of the same kind in the same turn share one call (handler/reader). Used by the other files of
-- this folder, engine/making and the functions in handler specs.

local contains = require "infra.contains"
local errors = require "infra.errors"
local observe = require "infra.handler.observe"
local path = require "infra.handler.path"
local read = require "infra.handler.read"

local wait = {}

-- Seconds between two looks.
local MIN_PAUSE, MAX_PAUSE = 1, 15
local SHOWN_PAUSE <const> = 2

-- Parts of the expected duration at which it is worth a look although it is early; then every CLOSE of it: AWS is as
-- often early as late.
local MILESTONES = { 0.25, 0.5, 0.75 }
local CLOSE <const> = 0.03

-- What is overdue is looked at every so much of the time by which it is.
local OVERDUE <const> = 0.1

--- Seconds until the next look, `elapsed` seconds after the start of something that usually takes `expected`.
function wait.pause(elapsed, expected)
  for _, part in ipairs(MILESTONES) do
    local seconds = part * expected - elapsed
    if seconds > MIN_PAUSE / 2 then
      return math.max(MIN_PAUSE, seconds)
    end
  end
  local seconds = math.max(expected * CLOSE, (elapsed - expected) * OVERDUE)
  return math.max(MIN_PAUSE, math.min(seconds, MAX_PAUSE))
end

--- Calls look() until it returns something else than nil, and returns that; or nil and an error when there is one, or
--- nothing after `limit` seconds. `expected`: what it usually takes.
local function poll(op, expected, limit, look)
  local now = op.context.runtime.now
  local started = now()
  while true do
    local result, err = look()
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

--- Repeats look() while it finds nothing, for `seconds` at most: AWS may not show yet what was just made. Returns what
--- it found, nil for nothing; or nil and an error.
function wait.shown(op, seconds, look)
  local now = op.context.runtime.now
  local deadline = now() + seconds
  while true do
    local found, err = look()
    if found or err or now() >= deadline then
      return found, err
    end
    local ok, stopped = op:sleep(SHOWN_PAUSE)
    if not ok then
      return nil, stopped
    end
  end
end

-- Whether a structure has anything in it, however deep.
local function has_content(value)
  if type(value) ~= "table" then
    return value ~= nil
  end
  for _, item in pairs(value) do
    if has_content(item) then
      return true
    end
  end
  return false
end

local function is_ready(op, live)
  local state = op.spec.state
  return live and (not state or contains(state.ready, live.state)
    and not (state.pending and has_content(path.get(live.item, state.pending))))
end

wait.poll = poll

local function failed(op, message)
  return errors.fail { code = "Failed", resource = op.address, source = op.source, service = op.spec.service,
    message = message, hint = op.action == "create" and
    "correct the cause and run again: the failed one is replaced" or "correct the cause and run again" }
end

--- Waits until the resource is ready. `live` is what is already known of it (the create's answer). After a change
--- shows(live) tells whether it can be seen: until then a state that says "ready" may be the one from before it.
--- `so_far` is a text about how it stands meanwhile, for who watches, or nil.
--- Returns the live resource with `values` completed by `known`; or nil and an error when AWS says it failed or the
--- time is over.
function wait.ready(op, known, live, shows, so_far)
  local function complete(ready)
    for name, value in pairs(known) do
      ready.values[name] = value
    end
    return ready
  end
  local state = op.spec.state
  if is_ready(op, live) and not (state and state.steady) then
    return complete(live)
  elseif not state or op.wait == false then
    return complete(live or { values = {} })
  end
  if state.prepare then
    local ok, err = state.prepare(op, known)
    if not ok then
      return nil, err
    end
  end
  op.report((so_far and so_far .. "; " or "") .. "waiting until it is " .. state.ready[1])
  local now = op.context.runtime.now
  local believed_at = now() + (shows and state.flip or 0)
  local steady, looks = nil, 0
  return poll(op, op.expected_seconds, op.timeout or state.limit, function()
    local found, err = observe.item(op, known)
    if err then
      return nil, err
    elseif found and found.failure and now() >= believed_at then
      return failed(op, found.failure)
    end
    -- Right after a create it may not be listed yet.
    local ready = is_ready(op, found) and (now() >= believed_at or shows(found))
    if state.steady then
      local before = steady
      steady, looks = found and path.get(found.item, state.steady), looks + 1
      ready = ready and looks > 1 and steady == before
    end
    return ready and complete(found) or nil
  end)
end

--- Waits until what a call has set off is done everywhere, where its spec has `settle` and its answer `output` says
--- that it is not. `scope`: what the call was made of. Returns true, or nil and an error.
function wait.settle(op, call, output, scope)
  local settle = call.settle
  if not settle or contains(settle.ready, path.get(output, settle.state)) then
    return true
  end
  local params = op:parameters(settle, scope or {})
  if settle.id then
    local field, source = path.field(settle.id)
    params[field] = path.get(output, source)
  end
  op.report("waiting until it is " .. settle.ready[1])
  return poll(op, settle.typical, op.timeout or settle.limit, function()
    local now, err = op.context.reader:single(settle.service or op.spec.service, op.region, settle, params)
    if not now then
      return nil, not read.entry(settle.absent, err) and err or nil -- it may not be known everywhere yet
    end
    local state = path.get(now, settle.state)
    if contains(settle.failed, state) then
      return failed(op, path.get(now, settle.message or "") or ("it is in state " .. state))
    end
    return contains(settle.ready, state) or nil
  end)
end

--- Waits until the resource is gone.
function wait.gone(op, known)
  op.report("waiting until it is gone")
  local limit = op.timeout or (op.spec.state or {}).delete_limit or 1800
  return poll(op, op.expected_seconds, limit, function()
    local found, err = observe.item(op, known)
    if err then
      return nil, err
    end
    return not found or found.gone or nil
  end)
end

return wait
