-- The simulated AWS over HTTP, for any client on this machine. Used by `infra sim` and, for the form of a request, by
-- the specs.
--
-- A client really waits, so the time of this world is that of the wall, `speed` times as fast: what takes AWS eight
-- minutes takes eight seconds at speed 60, and the time that a call takes shrinks as well. Clients sign by their own
-- clocks all the same, and those are checked against the wall's.

local Scheduler = require "infra.scheduler"
local Sim = require "infra.sim"
local clock = require "host.clock"
local errors = require "infra.errors"
local host_server = require "host.server"
local loop = require "host.loop"
local merged = require "infra.merged"

local Server = {}
Server.__index = Server

-- As much of infra.runtime as a simulated AWS needs.
local function world(speed)
  local began = clock.wall()
  return {
    scheduler = Scheduler.new {
      now = function() return clock.monotonic() * speed end,
      wait = function(seconds) return loop.wait(seconds and seconds / speed) end,
    },
    time = function() return began + (clock.wall() - began) * speed end,
  }
end

--- host.http's request, as infra.sim takes it, from host.server's; nil when that names no host or no path.
function Server.request(received)
  local host = received.headers.host or ""
  if not host:find "^[%w.:_%[%]-]+$" or received.path:sub(1, 1) ~= "/" then
    return nil
  end
  local headers = {}
  for name, value in pairs(received.headers) do
    headers[#headers + 1] = { name, value }
  end
  return {
    method = received.method,
    url = ("http://%s%s%s"):format(host, received.path, received.query ~= "" and "?" .. received.query or ""),
    headers = headers,
    body = received.body,
    arrived = true,
  }
end

-- Answers one request; what AWS would not answer drops the connection. A mistake of the simulator ends only this call.
local function answer(self, received)
  local request = Server.request(received)
  if not request then
    received.respond(400)
    return
  end
  local done, response = pcall(self.sim.send, self.sim, request)
  if done and response then
    received.respond(response.status, response.headers, response.body)
  elseif done then
    received.respond()
  elseif errors.from(response).code ~= "Cancelled" then
    self.report(errors.from(response))
    received.respond(500)
  end
end

--- Listens on 127.0.0.1. Returns a server { url, scheduler }, or nil and an error. options, besides those of infra.sim
--- without the runtime:
---   port     default any free one
---   speed    seconds that pass there in one second (default 1)
---   report   function(err), called for mistakes of the simulator
function Server.open(options)
  local listener, err = host_server.listen { address = "127.0.0.1", port = options.port }
  if not listener then
    err.hint = "name another port, or none for any that is free"
    return nil, err
  end
  local runtime = world(options.speed or 1)
  return setmetatable({
    listener = listener,
    scheduler = runtime.scheduler,
    report = options.report,
    sim = Sim.new(merged({ runtime = runtime, callers_time = clock.wall }, options)),
    url = "http://127.0.0.1:" .. listener:port(),
  }, Server)
end

--- Serves until it is cancelled, as a task of the server's `scheduler`.
function Server:serve()
  while true do
    self.scheduler:spawn(answer, self, self.scheduler:await(self.listener).request)
  end
end

--- Serves until it is interrupted, which throws the error "Cancelled".
function Server:run()
  loop.catch_signals()
  self.scheduler:run(self.serve, self)
end

--- Drops what is under way. May be called twice; serves `local server <close>`.
function Server:close()
  self.listener:close()
end

Server.__close = Server.close

return Server
