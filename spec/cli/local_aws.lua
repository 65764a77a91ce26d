-- The simulated AWS over loopback, for specs of what happens on a real network: a verb runs against it as a program of
-- its own, and the spec decides how each call is answered.
--
--   local aws <close> = local_aws()
--   local ended = aws:run({ "run", path, "--yes" }, function(call)
--     if call.operation == "CreateTopic" then call.respond(400, headers, body) return true end  -- else AWS answers
--   end)
--
-- call = { operation, respond(status, headers, body), answer() = as the simulated AWS, execute() = the same, but the
-- answer is lost, interrupt(fn) = Ctrl-C to the program, and fn() when that has been delivered }.

local Scheduler = require "infra.scheduler"
local Server = require "infra.sim.server"
local Sim = require "infra.sim"
local clock = require "host.clock"
local fs = require "host.fs"
local infra = require "spec.cli.infra"
local loop = require "host.loop"
local process = require "host.process"
local server = require "host.server"

local PATIENCE <const> = 20 -- seconds for a verb

local LocalAws = {}
LocalAws.__index = LocalAws

local function operation_of(request)
  return (request.headers["x-amz-target"] or ""):match "%.(%w+)$" or request.body:match "Action=(%w+)"
end

-- A world for the simulated AWS in which waiting takes no time. Unlike infra.runtime's it leaves the loop alone: what
-- comes meanwhile is for LocalAws.run.
local function world()
  local started, elapsed = clock.wall(), 0
  local function now()
    return elapsed
  end
  return {
    scheduler = Scheduler.new { now = now, wait = function(seconds)
      elapsed = elapsed + seconds
      return {}
    end },
    now = now,
    time = function() return started + elapsed end,
  }
end

local function execute(self, request)
  local response = self.sim.runtime.scheduler:run(function()
    return assert(self.sim:send(Server.request(request)))
  end)
  response.headers["content-length"] = nil
  return response.status, response.headers, response.body
end

--- Runs a verb against this AWS until it has ended, as spec/cli/infra does; `on_call` as above. options: access_key,
--- environment = further variables.
function LocalAws:run(arguments, on_call, options)
  local pid_file = os.tmpname()
  options = options or {}
  local environment = { AWS_ENDPOINT_URL = "http://127.0.0.1:" .. self.listener:port(),
    AWS_ACCESS_KEY_ID = options.access_key or "SIMULATED", AWS_SECRET_ACCESS_KEY = "simulated" }
  for name, value in pairs(options.environment or {}) do
    environment[name] = value
  end
  local handle = assert(process.start {
    argv = { "sh", "-c", 'echo $$ >"$0" && exec "$@"', pid_file, fs.real_path "/proc/self/exe",
      table.unpack(arguments) },
    environment = infra.environment(environment),
    timeout = PATIENCE,
  })
  local delivered = {} -- by handle of kill(1)
  local function interrupt(fn)
    local pid = fs.read(pid_file):match "%d+"
    -- The program is given time to see it: two signals at the same time are one.
    local kill = assert(process.start { argv = { "sh", "-c", "kill -INT " .. pid .. " && sleep 0.2" } })
    delivered[kill] = fn
  end
  while true do
    for _, event in ipairs(loop.wait(PATIENCE)) do
      local request = event.handle == self.listener and event.request
      if request then
        local call = { operation = operation_of(request), respond = request.respond, interrupt = interrupt }
        function call.execute()
          return execute(self, request)
        end
        function call.answer()
          request.respond(call.execute())
        end
        if not (on_call and on_call(call)) then
          call.answer()
        end
      elseif delivered[event.handle] then
        local fn = delivered[event.handle]
        delivered[event.handle] = nil
        fn()
      elseif event.handle == handle then
        assert(fs.remove(pid_file))
        for kill in pairs(delivered) do
          kill:cancel()
        end
        assert(not event.error, "it did not end in time")
        return event
      end
    end
  end
end

function LocalAws:close()
  self.listener:close()
end
LocalAws.__close = LocalAws.close

--- An empty account.
return function()
  return setmetatable({
    listener = assert(server.listen { address = "127.0.0.1", port = 0 }),
    sim = Sim.new { runtime = world() },
  }, LocalAws)
end
