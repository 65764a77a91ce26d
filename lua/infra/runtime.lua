-- Everything that comes from outside the program, in one table: the scheduler with its clock, the time of day,
-- randomness and the network. The engine and the AWS client get it handed in, and so run alike in the real world and in
-- a simulated one.
--
--   runtime = {
--     scheduler  an infra.scheduler
--     now()      monotonic seconds
--     time()     unix seconds
--     random(n)  n random bytes
--     send(request) -> response { status, headers = { lower_name = value }, body } | nil, err
--                yields; `request` is what host.http's start takes. err.code is "ConnectionError", "Timeout", ... and
--                err.sent is false when the request surely never left.
--   }

local Scheduler = require "infra.scheduler"
local loop = require "host.loop"
local random = require "infra.random"

local runtime = {}

--- The real world.
function runtime.real()
  local clock = require "host.clock"
  local http = require "host.http"
  local scheduler = Scheduler.new { now = clock.monotonic, wait = loop.wait }

  local function send(request)
    local handle, err = http.start(request)
    if not handle then
      return nil, err
    end
    local event = scheduler:await(handle)
    return event.response, event.error
  end

  return {
    scheduler = scheduler,
    now = clock.monotonic,
    time = clock.wall,
    random = require("host.crypto").random,
    send = send,
  }
end

--- A world in which time passes only while every task waits, and then at once: to the next timer. `options` may have
---   time    unix seconds at the start (default 2024-01-01)
---   seed    integer; equal seeds give equal random bytes (default 1)
---   send    function(request) -> response | nil, err; it may also be set later, as the field `send`
--- What the host reports (signals, the end of a process) arrives in this world too.
function runtime.simulated(options)
  options = options or {}
  local elapsed = 0.0
  local start = options.time or 1704067200
  local next_integer = random.integers(options.seed or 1)

  local function now()
    return elapsed
  end

  local function wait(timeout)
    if not timeout then
      return loop.wait()
    end
    elapsed = elapsed + timeout
    return loop.wait(0)
  end

  local function bytes(count)
    local words = {}
    for i = 1, (count + 7) // 8 do
      words[i] = string.pack("<i8", next_integer())
    end
    return table.concat(words):sub(1, count)
  end

  return {
    scheduler = Scheduler.new { now = now, wait = wait },
    now = now,
    time = function() return start + elapsed end,
    random = bytes,
    send = options.send or function() error("this simulated world has no network", 2) end,
  }
end

return runtime
