local fs = require "host.fs"
local loop = require "host.loop"
local process = require "host.process"
local temporary = require "spec.support.temporary"
local program = require "spec.support.program"

local function shell(script, options)
  options = options or {}
  options.argv = { "sh", "-c", script }
  return program.run(options)
end

describe("host.process", function()
  describe("this process", function()
    it("reads and changes its environment", function()
      process.set_environment("INFRA_SPEC", "a=b")
      assert.equal("a=b", process.environment "INFRA_SPEC")
      assert.equal("a=b", os.getenv "INFRA_SPEC")
      process.set_environment("INFRA_SPEC", nil)
      assert.is_nil(process.environment "INFRA_SPEC")
      for _, name in ipairs { "", "a=b" } do
        assert.has_error(function()
          process.set_environment(name, "x")
        end)
      end
    end)

    it("knows who it is", function()
      assert.equal(tostring(process.pid()), io.open("/proc/self/stat"):read("a"):match "^%d+")
      assert.matches("%S", process.hostname())
    end)
  end)

  describe("start", function()
    it("returns what a program writes and how it ends", function()
      local event = shell "echo out; echo err >&2; exit 3"
      assert.same({ 3, "out\n", "err\n" }, { event.status, event.stdout, event.stderr })
      assert.is_nil(event.error)
    end)

    it("passes arguments untouched", function()
      local arguments = { "a b", "", "$HOME", "*", "'\"\\" }
      local event = program.run { argv = { "printf", "%s\n", table.unpack(arguments) } }
      assert.equal(table.concat(arguments, "\n") .. "\n", event.stdout)
    end)

    it("reports a program that cannot be started", function()
      local handle, err = process.start { argv = { "/no/such/program" } }
      assert.is_nil(handle)
      assert.equal("ENOENT", err.code)
      assert.equal("/no/such/program: No such file or directory", err.message)
      assert.equal("EACCES", select(2, process.start { argv = { "/" } }).code)
    end)

    it("writes and reads more than a pipe holds, at the same time", function()
      local bytes = ("0123456789\0\n"):rep(300000)
      local event = program.run { argv = { "cat" }, stdin = bytes }
      assert.equal(0, event.status)
      assert.is_true(event.stdout == bytes)
    end)

    it("gives an empty standard input by default", function()
      assert.equal("", program.run({ argv = { "cat" } }).stdout)
    end)

    it("survives a program that does not read its input", function()
      assert.equal(7, shell("exit 7", { stdin = ("x"):rep(1000000) }).status)
      assert.equal("done\n", shell("exec <&-; sleep 0.05; echo done", { stdin = ("x"):rep(1000000) }).stdout)
    end)

    it("adds to the environment and removes from it", function()
      process.set_environment("INFRA_SPEC_KEPT", "kept")
      process.set_environment("INFRA_SPEC_REMOVED", "removed")
      local event = shell("echo $INFRA_SPEC_KEPT-$INFRA_SPEC_REMOVED-$INFRA_SPEC_ADDED", {
        environment = { INFRA_SPEC_REMOVED = false, INFRA_SPEC_ADDED = "a=b" },
      })
      assert.equal("kept--a=b\n", event.stdout)
      assert.equal("removed", process.environment "INFRA_SPEC_REMOVED")
      process.set_environment("INFRA_SPEC_KEPT", nil)
      process.set_environment("INFRA_SPEC_REMOVED", nil)
    end)

    it("tells a signal as a shell does", function()
      assert.equal(128 + 15, shell("kill -TERM $$").status)
    end)

    it("starts programs with signals as they come, apart from the terminal", function()
      assert.equal(128 + 13, shell("kill -PIPE $$").status)
      assert.not_equal(0, shell(": </dev/tty").status)
    end)

    it("waits for what a program has left writing", function()
      assert.equal("late\n", shell("(sleep 0.1; echo late) &").stdout)
    end)

    it("does not wait for what a program has left running without its output", function()
      local directory, remove = temporary()
      local left = ("cd %s; mkfifo pipe; cat pipe >/dev/null 2>&1 &"):format(directory)
      assert.equal(0, shell(left).status)
      local event = shell(("echo >%s/pipe"):format(directory), { timeout = 50 }) -- waits for whoever reads
      assert.is_nil(event.error)
      remove()
    end)

    it("learns how a program ended also where its own parent ignores that", function()
      local directory, remove = temporary()
      assert(fs.write(directory .. "/script.lua", [[
        local loop, process = require "host.loop", require "host.process"
        assert(process.start { argv = { "sh", "-c", "exit 3" } })
        print(loop.wait(20)[1].status)
      ]]))
      local event = program.run {
        argv = { "env", "--ignore-signal=CHLD", fs.real_path "/proc/self/exe", "exec", directory .. "/script.lua" },
        timeout = 50,
      }
      assert.equal("3\n", event.stdout)
      remove()
    end)

    it("runs many programs at once", function()
      local directory, remove = temporary()
      local handles, seen = {}, 0
      local command = "cd %s; : >%d; until [ $(ls | wc -l) = 8 ]; do sleep 0.01; done; echo %d" -- waits for the others
      for i = 1, 8 do
        handles[assert(process.start { argv = { "sh", "-c", command:format(directory, i, i) }, timeout = 50 })]
          = i .. "\n"
      end
      while seen < 8 do
        for _, event in ipairs(loop.wait(5)) do
          assert.equal(handles[event.handle], event.stdout)
          seen = seen + 1
        end
      end
      remove()
    end)

    it("kills a program and what it started when time is up", function()
      local event = shell("echo early; sleep 3600 & echo $!; wait", { timeout = 1 })
      assert.equal(128 + 9, event.status)
      assert.equal("ETIMEDOUT", event.error.code)
      assert.matches("^early\n", event.stdout)
    end)

    it("counts time also for what a program has left writing", function()
      local event = shell("sleep 5 &", { timeout = 1 })
      assert.equal(0, event.status)
      assert.equal("ETIMEDOUT", event.error.code)
    end)

    it("checks its arguments", function()
      for _, options in ipairs {
        {}, { argv = {} }, { argv = "sh" }, { argv = { 1 } }, { argv = { "a\0b" } }, { argv = { "sh" }, timeout = -1 },
        { argv = { "sh" }, timeout = 0 / 0 }, { argv = { "sh" }, stdin = {} },
        { argv = { "sh" }, environment = { "x" } }, { argv = { "sh" }, environment = { A = "a\0b" } },
      } do
        assert.has_error(function()
          process.start(options)
        end)
      end
    end)

    it("leaves no descriptors open", function()
      local function count()
        collectgarbage()
        return #fs.list "/proc/self/fd"
      end
      local before = count()
      for _ = 1, 10 do
        shell "true"
        process.start { argv = { "/no/such/program" } }
      end
      assert.equal(before, count())
    end)
  end)

  describe("cancel", function()
    it("kills the program and withdraws its event", function()
      local handle = assert(process.start { argv = { "sh", "-c", "sleep 60 & wait" } })
      handle:cancel()
      handle:cancel()
      local ended = assert(process.start { argv = { "true" } })
      repeat
        local events = loop.wait(5)
        for _, event in ipairs(events) do
          assert.equal(ended, event.handle)
        end
      until #events > 0
    end)

    it("does nothing after the end", function()
      local handle = assert(process.start { argv = { "true" } })
      program.finish(handle)
      handle:cancel()
      assert.same({}, loop.wait(0))
    end)
  end)
end)
