-- `infra sim` for specs, as a program of its own on a free port.
--
--   local simulator <close> = start_simulator("--speed", "60")      -- further arguments
--   simulator.line                what it printed
--   simulator.environment         for its clients, as that line says (process.start)
--   simulator:interrupt()         Ctrl-C; returns the event of its end { status, stderr }

local clock = require "host.clock"
local fs = require "host.fs"
local infra = require "spec.cli.infra"
local loop = require "host.loop"
local process = require "host.process"
local program = require "spec.support.program"
local temporary = require "spec.support.temporary"

local PATIENCE <const> = 60 -- seconds for it to start

local Simulator = {}
Simulator.__index = Simulator

local function first_line(handle, path)
  local deadline = clock.monotonic() + PATIENCE
  repeat
    for _, event in ipairs(loop.wait(0.01)) do
      assert(event.handle ~= handle, event.stderr)
    end
    local line = (fs.read(path) or ""):match "^[^\n]*\n"
    if line then
      return line
    end
  until clock.monotonic() > deadline
  error "infra sim does not say where it is"
end

function Simulator:interrupt()
  local pid = fs.read(self.directory .. "/pid"):match "%d+"
  local kill = assert(process.start { argv = { "kill", "-INT", pid } })
  local ended = program.finish(self.handle)
  kill:cancel()
  return ended
end

function Simulator:close()
  self.handle:cancel()
  self.remove()
end
Simulator.__close = Simulator.close

return function(...)
  local directory, remove = temporary()
  local handle = assert(process.start {
    argv = { "sh", "-c", 'echo $$ >"$0/pid" && exec "$@" >"$0/line"', directory, fs.real_path "/proc/self/exe", "sim",
      ... },
    environment = infra.environment(),
  })
  local line = first_line(handle, directory .. "/line")
  local variables = { AWS_EC2_METADATA_DISABLED = "true" }
  for name, value in line:gmatch "([%u_]+)=(%S+)" do
    variables[name] = value
  end
  return setmetatable({
    handle = handle, directory = directory, remove = remove, line = line, environment = infra.environment(variables),
  }, Simulator)
end
