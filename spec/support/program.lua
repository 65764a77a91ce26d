-- Programs in specs: `program.finish(handle)` waits for the event of a started one, `program.run(options)` starts it
-- too (process.start's options). Other events that come meanwhile are dropped.
local clock = require "host.clock"
local loop = require "host.loop"
local process = require "host.process"

local program = {}

local PATIENCE <const> = 60

function program.finish(handle)
  local deadline = clock.monotonic() + PATIENCE
  while clock.monotonic() < deadline do
    for _, event in ipairs(loop.wait(deadline - clock.monotonic())) do
      if event.handle == handle then
        return event
      end
    end
  end
  handle:cancel()
  error("the program did not end within a minute", 2)
end

function program.run(options)
  return program.finish(assert(process.start(options)))
end

return program
