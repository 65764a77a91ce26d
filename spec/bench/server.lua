-- infra exec spec/bench/server.lua PORT SECONDS: answers every request after that time with an empty JSON object, until
-- it is killed. Both sides of requests.lua talk to it.

local clock = require "host.clock"
local loop = require "host.loop"
local server = require "host.server"

local HEADERS <const> = { ["content-type"] = "application/x-amz-json-1.1" }

local listener <close> = assert(server.listen { address = "127.0.0.1", port = math.tointeger(arg[1]) })
local delay = tonumber(arg[2])
local due, first, last = {}, 1, 0 -- { respond, at }, in order of time
while true do
  for _, event in ipairs(loop.wait(due[first] and math.max(0, due[first].at - clock.monotonic()) or nil)) do
    if event.handle == listener then
      last = last + 1
      due[last] = { respond = event.request.respond, at = clock.monotonic() + delay }
    end
  end
  local now = clock.monotonic()
  while due[first] and due[first].at <= now do
    due[first].respond(200, HEADERS, "{}")
    due[first], first = nil, first + 1
  end
end
