-- Deleting a resource of a native type. Used by engine/steps.

local merged = require "infra.merged"
local observe = require "infra.handler.observe"
local read = require "infra.handler.read"
local wait = require "infra.handler.wait"

-- Whether an earlier deletion is under way, or done. Of what is new, that AWS does not list it says nothing.
local function is_leaving(op, known)
  local live, err = observe.item(op, known)
  if err then
    return nil, err
  elseif live then
    return live.leaving or live.gone or false
  end
  return not op.unknown_for
end

-- Sends the deletion once. Returns true when AWS has begun it or knows of nothing, or nil and an error.
local function send_delete(op, known, scope)
  local delete = op.spec.delete
  if delete.wait then
    local leaving, err = is_leaving(op, known)
    if leaving or err then
      return leaving, err
    end
  end
  if delete.before then
    local ok, err = delete.before(op, scope)
    if not ok then
      return nil, err
    elseif type(ok) == "table" then -- it was changed, and is like this now
      scope = merged(scope, ok.values)
    end
  end
  local output, err = op:send(delete, scope)
  return output ~= nil or read.is_gone(op, delete, err), err
end

--- Deletes the resource that `known` identifies and waits until it is gone. Succeeds when there is none.
return function(op, known)
  local delete = op.spec.delete
  if delete.run then
    return delete.run(op, known)
  end
  local done, err
  for _ = 1, 3 do -- the same request is safe, and so is what prepares it
    done, err = send_delete(op, known, read.scope(op, known))
    if done or not (err.unknown_outcome or read.entry(delete.again, err)) then
      break
    end
  end
  if not done then
    return nil, err
  elseif delete.wait then
    return wait.gone(op, known)
  end
  return true
end
