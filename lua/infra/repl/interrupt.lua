-- Ctrl-C for statements that never wait. A statement that waits for AWS is a task like any other, and the scheduler
-- cancels it; one that only computes would not let the scheduler look. Used by infra.repl.

local errors = require "infra.errors"
local loop = require "host.loop"

local interrupt = {}

-- Virtual machine instructions between two looks: some milliseconds.
local INSTRUCTIONS <const> = 1000000

-- A function that throws when a signal has come. What else it finds is left for the next wait of `scheduler`.
local function watch(scheduler)
  local wait, early = scheduler.wait, {}

  function scheduler.wait(timeout)
    local events = early
    if #events == 0 then
      return wait(timeout)
    end
    early = {}
    return events
  end

  return function()
    local signalled = false
    for _, event in ipairs(loop.wait(0)) do
      signalled = signalled or event.signal ~= nil
      if not event.signal then
        early[#early + 1] = event
      end
    end
    if signalled then
      error(errors.new { code = "Cancelled", message = "cancelled" }, 0)
    end
  end
end

--- A function(fn, ...) for the tasks of `scheduler`: xpcall with errors.caught as its handler, and stopped by Ctrl-C.
function interrupt.caller(scheduler)
  local look = watch(scheduler)
  return function(fn, ...)
    debug.sethook(look, "", INSTRUCTIONS)
    local results = table.pack(xpcall(fn, errors.caught, ...))
    debug.sethook()
    return table.unpack(results, 1, results.n)
  end
end

return interrupt
