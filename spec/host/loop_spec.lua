local clock = require "host.clock"
local http = require "host.http"
local loop = require "host.loop"
local process = require "host.process"
local program = require "spec.support.program"

describe("loop", function()
  it("waits for the time given, and no longer", function()
    for _, seconds in ipairs { 0.05, 0.001, 0, -1 } do
      local begun = clock.monotonic()
      assert.same({}, loop.wait(seconds))
      local waited = clock.monotonic() - begun
      assert.is_true(waited >= seconds)
      assert.is_true(waited < math.max(seconds, 0) + 10)
    end
  end)

  it("refuses a timeout that is no number", function()
    assert.has_error(function() loop.wait("soon") end)
    assert.has_error(function() loop.wait {} end)
    assert.same({}, loop.wait(0 / 0))
  end)

  it("returns what has completed, without waiting for more", function()
    local first = assert(process.start { argv = { "true" } })
    local second = assert(process.start { argv = { "sleep", "60" } })
    local event = loop.wait()[1]
    assert.equal(first, event.handle)
    second:cancel()
    assert.same({}, loop.wait(0))
  end)

  it("survives what withdraws while other completions are pending", function()
    local handles = {}
    for i = 1, 20 do
      handles[i] = assert(http.start { method = "GET", url = "http://127.0.0.1:1/" })
    end
    local seen, deadline = 0, clock.monotonic() + 10
    while seen < 10 and clock.monotonic() < deadline do
      for _, event in ipairs(loop.wait(1)) do
        assert.equal("ConnectionError", event.error.code)
        seen = seen + 1
      end
      for i = 2, 20, 2 do
        handles[i]:cancel()
      end
    end
    assert.is_true(seen >= 10)
    assert.same({}, loop.wait(0))
  end)

  -- In programs of their own: this one keeps its signals.
  describe("signals", function()
    local function run(script)
      local path = os.tmpname()
      local file <close> = assert(io.open(path, "w"))
      file:write('local loop = require "host.loop"\nlocal pid = require "host.process".pid()\n', script)
      file:close()
      local event = program.run { argv = { require "host.fs".real_path "/proc/self/exe", "exec", path }, timeout = 50 }
      os.remove(path)
      return event
    end

    it("are events once they are caught", function()
      local event = run [[
        loop.catch_signals()
        loop.catch_signals()
        os.execute("{ sleep 0.1; kill -INT " .. pid .. "; } &") -- while it waits, os.execute ignores SIGINT
        local first = loop.wait(5)
        os.execute("kill -TERM " .. pid .. "; kill -TERM " .. pid)
        local second = loop.wait(5)
        io.write(#first, first[1].signal, #second, second[1].signal, #loop.wait(0))
      ]]
      assert.same({ 0, "1INT1TERM0", "" }, { event.status, event.stdout, event.stderr })
    end)

    it("end the program before that", function()
      assert.equal(128 + 15, run [[os.execute("kill -TERM " .. pid) loop.wait(5)]].status)
    end)

    it("are as ever in the programs that are started", function()
      local event = run [[
        loop.catch_signals()
        local handle = require("host.process").start { argv = { "sh", "-c", "kill -TERM $$; sleep 5" } }
        io.write(loop.wait(5)[1].status)
      ]]
      assert.equal("143", event.stdout)
    end)

    it("SIGPIPE is an error instead", function()
      assert.equal("alive", run [[
        require "host.process"
        os.execute("kill -PIPE " .. pid)
        io.write("alive")
      ]].stdout)
    end)
  end)
end)
