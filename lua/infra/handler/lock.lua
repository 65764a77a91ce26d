-- Optimistic locking: services that change a thing as a whole hand out a token with what they show, and refuse a change
-- that carries another one than the newest. A spec says where the token is (lock.value, a value that its read, create
-- and update give) and how a refusal looks (lock.stale); a call that sends the token goes through here.
--
-- A stale token means that somebody else was there. Then what they did is looked at: where it touches nothing that was
-- seen when the plan was made, the change is sent again, otherwise it is not. Used by handler/operation.

local canonical = require "infra.engine.canonical"
local diff = require "infra.engine.diff"
local errors = require "infra.errors"
local json = require "host.json"
local merged = require "infra.merged"
local observe = require "infra.handler.observe"
local path = require "infra.handler.path"
local read = require "infra.handler.read"

local lock = {}

-- Seconds for which a service may not know its own newest token everywhere.
local PATIENCE <const> = 120

--- Whether the call carries the token.
function lock.concerns(op, call)
  for _, field in ipairs(op.spec.lock and call.send or {}) do
    if path.field(field) == op.spec.lock.value then
      return true
    end
  end
  return false
end

-- The first property that is neither as it was seen nor as it shall be, or nil.
local function changed(op, seen, live)
  local function comparable(name, values)
    return canonical.property(op, name, values[name], values)
  end
  for name in pairs(op.schema.properties) do
    local before, now = comparable(name, seen.values), comparable(name, live.values)
    if before ~= nil and now ~= nil and json.encode { before } ~= json.encode { now } then
      local wanted = comparable(name, op.desired or {})
      if wanted == nil or not diff.equal(op, name, wanted, now) then
        return name
      end
    end
  end
end

-- Puts the newest token, and whatever else comes with it under a name that starts with "@", into the scope.
local function renew(op, scope, seen)
  local live, err = observe.item(op, scope)
  if not live then
    return nil, err or errors.new { code = op.spec.gone[1], message = "it no longer exists", resource = op.address }
  end
  local name = seen and not seen.written and changed(op, seen, live)
  if name then
    return errors.fail { code = "ChangedMeanwhile", resource = op.address, source = op.source,
      message = name .. " was changed by somebody else since the plan was made", hint = "make a new plan: run again" }
  end
  for key, value in pairs(live.values) do
    if key:find "^@" then
      scope[key] = value
    end
  end
  return true
end

--- Sends a call that carries the token. `seen`: the live resource that the change was decided on, nil when it does not
--- matter (deletions). Returns the output, or nil and an error.
function lock.send(op, call, scope, seen)
  local token, now = op.spec.lock.value, op.context.runtime.now
  local deadline, pause = now() + PATIENCE, 1
  scope = merged(scope)
  if seen and seen.written then -- the token was used up by a write of our own
    scope[token] = nil
  end
  while true do
    local ok, err = true, nil
    if scope[token] == nil then
      ok, err = renew(op, scope, seen)
    end
    if not ok then
      return nil, err
    end
    local output
    output, err = op:mutate(call, op:parameters(call, scope, seen), scope)
    if output and seen then
      seen.written = true
    end
    if output or not read.entry(op.spec.lock.stale, err) or now() > deadline then
      return output, err
    end
    ok, err = op:sleep(pause)
    if not ok then
      return nil, err
    end
    scope[token], pause = nil, math.min(2 * pause, 15)
  end
end

return lock
