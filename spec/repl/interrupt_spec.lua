local clock = require "host.clock"
local interrupt = require "infra.repl.interrupt"
local loop = require "host.loop"
local process = require "host.process"
local runtime = require "infra.runtime"

describe("infra.repl.interrupt", function()
  local function busy(seconds)
    local deadline = clock.monotonic() + seconds
    while clock.monotonic() < deadline do -- luacheck: ignore
    end
  end

  it("calls like xpcall", function()
    local scheduler = runtime.real().scheduler
    local call = interrupt.caller(scheduler)
    assert.same({ true, 1, nil, 3, n = 4 }, table.pack(scheduler:run(call, function(...)
      return ...
    end, 1, nil, 3)))
    local ok, err = scheduler:run(call, error, "oh")
    assert.is_false(ok)
    assert.equal("oh", err.message)
    assert.truthy(err.traceback)
  end)

  it("stops what only computes", function()
    loop.catch_signals()
    local scheduler = runtime.real().scheduler
    local ok, err = scheduler:run(interrupt.caller(scheduler), function()
      local killer = assert(process.start { argv = { "sh", "-c", "kill -INT $PPID" } })
      repeat
        busy(10)
      until killer == nil
    end)
    assert.is_false(ok)
    assert.equal("Cancelled", err.code)
  end)

  it("loses nothing that completes meanwhile", function()
    local scheduler = runtime.real().scheduler
    local ok, status = scheduler:run(interrupt.caller(scheduler), function()
      local handle = assert(process.start { argv = { "sh", "-c", "exit 7" } })
      busy(0.3)
      return scheduler:await(handle).status
    end)
    assert.is_true(ok)
    assert.equal(7, status)
  end)
end)
