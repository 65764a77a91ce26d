-- An AWS error answer on its way up: thrown by the simulator's handlers and decoders, caught and encoded by infra.sim.

local Failure = {}
Failure.__index = Failure

function Failure.__tostring(failure)
  return failure.code .. ": " .. failure.message
end

--- Throws an answer with AWS's code and message. `status`: HTTP status, nil for the one usual for the code. `extra`:
--- further members of the error answer. `headers`: array of { name, value } that it has besides the usual ones.
function Failure.raise(code, message, status, extra, headers)
  error(setmetatable({
    code = code, message = message, status = status, extra = extra, headers = headers,
  }, Failure), 0)
end

--- A service's own function(ctx, code, message, ...), which throws an answer; what follows the message is
--- string.format's. `statuses`: { [code] = HTTP status }, nil for the ones usual for the codes.
function Failure.thrower(statuses)
  return function(_, code, message, ...)
    Failure.raise(code, message:format(...), statuses and statuses[code])
  end
end

--- Throws an answer that each protocol has its own code for: see infra.sim.wire.errors.
function Failure.common(kind, message)
  error(setmetatable({ kind = kind, message = message }, Failure), 0)
end

function Failure.is(value)
  return getmetatable(value) == Failure
end

return Failure
