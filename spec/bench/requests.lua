-- Requests per second over loopback: the client's whole way (validate, encode, sign, send, decode) beside libcurl
-- alone, which only sends (libcurl.c). Both send the same bytes, libcurl those of one request that was signed before,
-- to the same server in a process of its own, over connections that are kept. That server takes about as long for a
-- request as libcurl: with a processor for each, libcurl is seen at its limit, or just below it, and infra at its own.
-- Of several rounds by turns, the best of each.

local Session = require "infra.session"
local clock = require "host.clock"
local fs = require "host.fs"
local loop = require "host.loop"
local process = require "host.process"
local server = require "host.server"

local ROUNDS <const> = 3
local COUNT <const> = 6000
local SELF <const> = fs.real_path "/proc/self/exe"
local LIBCURL <const> = SELF:gsub("[^/]+$", "bench-libcurl")

local ENVIRONMENT <const> = {
  AWS_ACCESS_KEY_ID = "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  AWS_CONFIG_FILE = "/dev/null", AWS_SHARED_CREDENTIALS_FILE = "/dev/null",
}

local function free_port()
  local listener <close> = assert(server.listen { address = "127.0.0.1", port = 0 })
  return listener:port()
end

local function open_session(url)
  return assert(Session.open { region = "us-east-1", endpoint_url = url,
    environment = function(name) return ENVIRONMENT[name] end })
end

local function call(session)
  return assert(session.client:call("logs", "DescribeLogGroups", { limit = 5 }))
end

-- What a call sends to `url`: the body, and the headers as libcurl.c takes them.
local function sample(url)
  local session <close> = open_session(url)
  local sent
  function session.runtime.send(request)
    sent = request
    return { status = 200, headers = {}, body = "{}" }
  end
  session:run(call, session)
  local headers = { "Accept:" } -- which libcurl adds by itself
  for i, header in ipairs(sent.headers) do
    headers[i + 1] = header[1] .. ": " .. header[2]
  end
  return sent.body, headers
end

local function ours(url, in_flight, count)
  local session <close> = open_session(url)
  return session:run(function()
    local left, scheduler = count, session.runtime.scheduler
    local function work()
      while left > 0 do
        left = left - 1
        call(session)
      end
    end
    call(session) -- loads its model
    local started, tasks = clock.monotonic(), {}
    for i = 1, in_flight do
      tasks[i] = scheduler:spawn(work)
    end
    for _, task in ipairs(tasks) do
      task:join()
    end
    return count / (clock.monotonic() - started)
  end)
end

-- False when the server is not there.
local function libcurl(url, in_flight, count)
  local body, headers = sample(url)
  local handle = assert(process.start {
    argv = { LIBCURL, url, body, tostring(count), tostring(in_flight), table.unpack(headers) },
  })
  while true do
    for _, event in ipairs(loop.wait()) do
      if event.handle == handle then
        return event.status == 0 and count / tonumber(event.stdout)
      end
    end
  end
end

-- Seconds that the server takes: none, so that nothing but the two clients counts, and about what AWS takes at least.
local DELAYS <const> = { 0, 0.010 }

return function(say)
  for _, delay in ipairs(DELAYS) do
    local port = free_port()
    local url = "http://127.0.0.1:" .. port
    local running <const> = assert(process.start {
      argv = { SELF, "exec", "spec/bench/server.lua", tostring(port), tostring(delay) },
    })
    repeat until libcurl(url, 1, 1) -- it is there
    for _, in_flight in ipairs { 1, 10, 100 } do
      local count = delay == 0 and COUNT or math.min(COUNT, math.floor(in_flight / delay)) -- a second's worth
      local best, base = 0, 0
      for _ = 1, ROUNDS do
        best, base = math.max(best, ours(url, in_flight, count)), math.max(base, libcurl(url, in_flight, count))
      end
      say(("%d in flight, answered after %d ms, beside libcurl"):format(in_flight, delay * 1000),
        "%6.0f /s, %6.0f /s: %.2f of it", best, base, best / base)
    end
    running:cancel()
  end
end
