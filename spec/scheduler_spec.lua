local Scheduler = require "infra.scheduler"
local errors = require "infra.errors"

describe("scheduler", function()
  local scheduler, clock, pending_events, log

  -- Virtual time; events are delivered before any time passes.
  before_each(function()
    clock, pending_events, log = 0, {}, {}
    scheduler = Scheduler.new {
      now = function() return clock end,
      wait = function(timeout)
        local events = pending_events
        pending_events = {}
        if #events == 0 then
          clock = clock + assert(timeout, "waits for ever")
        end
        return events
      end,
    }
  end)

  local function note(text)
    log[#log + 1] = text
  end

  local function code_of(fn, ...)
    local ok, err = pcall(fn, ...)
    assert.is_false(ok)
    return errors.is(err) and err.code or err
  end

  describe("run", function()
    it("passes arguments and returns all results, nils among them", function()
      local results = table.pack(scheduler:run(function(...) return ..., nil end, 1, nil, 3))
      assert.same({ 1, nil, n = 2 }, results)
      assert.equal(0, select("#", scheduler:run(function() end)))
    end)

    it("throws what main throws, as it was", function()
      local err = errors.new { code = "X", message = "x" }
      local _, thrown = pcall(scheduler.run, scheduler, function() error(err) end)
      assert.equal(err, thrown)
      assert.has_error(function() scheduler:run(error, "plain", 0) end, "plain")
    end)

    it("adds the coroutine's trace to a Lua error", function()
      local function culprit() return nil .. "" end
      local _, message = pcall(scheduler.run, scheduler, function() culprit() return 1 end)
      assert.matches("attempt to concatenate", message)
      assert.matches("stack traceback:.*culprit", message)
    end)

    it("can be called again after a failure, but not from inside", function()
      assert.has_error(function() scheduler:run(error, "once", 0) end, "once")
      assert.equal(7, scheduler:run(function() return 7 end))
      assert.has_error(function() scheduler:run(function() scheduler:run(print) end) end)
    end)

    it("cancels and finishes the tasks that main leaves behind", function()
      scheduler:run(function()
        scheduler:spawn(function()
          local ok, err = pcall(scheduler.sleep, scheduler, 100)
          assert(not ok and err.code == "Cancelled")
          scheduler:sleep(1)
          note "cleaned up"
        end)
        scheduler:sleep(0)
      end)
      assert.same({ "cleaned up" }, log)
      assert.equal(1, clock)
    end)

    it("closes a task that does not end when it is cancelled, and says so", function()
      local _, err = pcall(scheduler.run, scheduler, function()
        scheduler:spawn(function()
          local _ <close> = setmetatable({}, { __close = function() note "closed" end })
          pcall(scheduler.suspend, scheduler)
          scheduler:suspend()
        end)
        scheduler:sleep(0)
      end)
      assert.equal("Deadlock", err.code)
      assert.same({ "closed" }, log)
      assert.equal(1, scheduler:run(function() return 1 end))
    end)

    it("throws the failure of a task that nobody joined", function()
      assert.has_error(function()
        scheduler:run(function()
          scheduler:spawn(error, "unseen", 0)
          scheduler:sleep(1)
        end)
      end, "unseen")
    end)
  end)

  describe("tasks", function()
    it("begin when the spawner waits, in order", function()
      scheduler:run(function()
        for i = 1, 3 do
          scheduler:spawn(note, i)
        end
        note "spawned"
        scheduler:sleep(0)
      end)
      assert.same({ "spawned", 1, 2, 3 }, log)
    end)

    it("join returns the results, before and after the end, to any number", function()
      scheduler:run(function()
        local task = scheduler:spawn(function()
          scheduler:sleep(1)
          return 1, nil, 3
        end)
        local other = scheduler:spawn(function() return table.pack(task:join()) end)
        assert.same({ 1, nil, 3, n = 3 }, table.pack(task:join()))
        assert.same({ 1, nil, 3, n = 3 }, other:join())
        assert.same({ 1, nil, 3, n = 3 }, table.pack(task:join()))
      end)
    end)

    it("join throws the task's error, and then nobody else sees it", function()
      scheduler:run(function()
        local task = scheduler:spawn(error, "late", 0)
        scheduler:sleep(1)
        assert.has_error(function() task:join() end, "late")
      end)
    end)

    it("cannot join themselves", function()
      assert.has_error(function()
        scheduler:run(function() scheduler:current():join() end)
      end)
    end)

    it("current is the running task", function()
      assert.is_nil(scheduler:current())
      scheduler:run(function()
        local task
        task = scheduler:spawn(function() assert(scheduler:current() == task) end)
        task:join()
      end)
      assert.is_nil(scheduler:current())
    end)

    it("waiting outside of a task, or from a coroutine of one's own, throws", function()
      assert.has_error(function() scheduler:sleep(1) end)
      assert.has_error(function() scheduler:suspend() end)
      scheduler:run(function()
        local ok, message = coroutine.resume(coroutine.create(function() scheduler:sleep(1) end))
        assert.is_false(ok)
        assert.matches("coroutine of its own", message)
      end)
    end)
  end)

  describe("cancel", function()
    it("throws from the wait; what was caught may wait again", function()
      scheduler:run(function()
        local task = scheduler:spawn(function()
          assert(code_of(scheduler.sleep, scheduler, 50) == "Cancelled")
          scheduler:sleep(2)
          return "tidied"
        end)
        scheduler:sleep(1)
        task:cancel()
        assert.equal("tidied", task:join())
        assert.equal(3, clock)
      end)
    end)

    it("ends a task that did not begin without running it", function()
      scheduler:run(function()
        local task = scheduler:spawn(note, "never")
        task:cancel()
        assert.equal("Cancelled", code_of(task.join, task))
      end)
      assert.same({}, log)
    end)

    it("leaves an ended task alone, and ends the running one at once", function()
      scheduler:run(function()
        local task = scheduler:spawn(function() return 5 end)
        task:join()
        task:cancel()
        assert.equal(5, task:join())
        local own = scheduler:spawn(function()
          scheduler:current():cancel()
          note "not reached"
        end)
        assert.equal("Cancelled", code_of(own.join, own))
      end)
      assert.same({}, log)
    end)

    it("reaches a task that was woken but did not run yet", function()
      scheduler:run(function()
        local task = scheduler:spawn(function() return code_of(scheduler.suspend, scheduler) end)
        scheduler:sleep(0)
        assert.is_true(scheduler:wake(task, "value"))
        task:cancel()
        assert.equal("Cancelled", task:join())
      end)
    end)

    it("of a joiner leaves the joined task running", function()
      scheduler:run(function()
        local worker = scheduler:spawn(function()
          scheduler:sleep(5)
          return "done"
        end)
        local joiner = scheduler:spawn(function()
          assert(code_of(worker.join, worker) == "Cancelled")
          scheduler:sleep(10)
          return clock
        end)
        scheduler:sleep(1)
        joiner:cancel()
        assert.equal("done", worker:join())
        assert.equal(11, joiner:join())
      end)
    end)
  end)

  describe("sleep", function()
    it("wakes in order of time, equal times in order of call", function()
      scheduler:run(function()
        for i, seconds in ipairs { 3, 1, 2, 1, 0, -4, 3 } do
          scheduler:spawn(function()
            scheduler:sleep(seconds)
            note(i)
          end)
        end
        scheduler:sleep(4)
      end)
      assert.same({ 5, 6, 2, 4, 3, 1, 7 }, log)
    end)

    it("keeps order with many timers, some of them cancelled", function()
      local last, count = -1, 0
      scheduler:run(function()
        local tasks = {}
        for i = 1, 5000 do
          tasks[i] = scheduler:spawn(function()
            scheduler:sleep((i * 7919) % 1000)
            assert(clock >= last)
            last, count = clock, count + 1
          end)
        end
        scheduler:sleep(0)
        for i = 1, 5000, 2 do
          tasks[i]:cancel()
        end
        scheduler:sleep(1001)
      end)
      assert.equal(2500, count)
    end)
  end)

  describe("suspend and wake", function()
    it("passes values", function()
      scheduler:run(function()
        local task = scheduler:spawn(function() return scheduler:suspend() end)
        scheduler:sleep(0)
        assert.is_true(scheduler:wake(task, nil, 2))
        assert.is_false(scheduler:wake(task, "too late"))
        assert.same({ nil, 2, n = 2 }, table.pack(task:join()))
        assert.is_false(scheduler:wake(task))
      end)
    end)

    it("wake does not disturb other waits", function()
      scheduler:run(function()
        local task = scheduler:spawn(function() scheduler:sleep(3) end)
        scheduler:sleep(1)
        assert.is_false(scheduler:wake(task))
        task:join()
        assert.equal(3, clock)
      end)
    end)
  end)

  describe("await", function()
    it("returns the handle's events, those that came early too, in order", function()
      local handle = {}
      scheduler:run(function()
        pending_events = { { handle = handle, n = 1 }, { handle = handle, n = 2 } }
        assert.equal(1, scheduler:await(handle).n)
        pending_events = { { handle = handle, n = 3 } }
        assert.equal(2, scheduler:await(handle).n)
        assert.equal(3, scheduler:await(handle).n)
      end)
    end)

    it("cancelling the task cancels the handle", function()
      local handle = { cancel = function() note "handle cancelled" end }
      scheduler:run(function()
        local task = scheduler:spawn(scheduler.await, scheduler, handle)
        scheduler:sleep(1)
        task:cancel()
        assert.equal("Cancelled", code_of(task.join, task))
      end)
      assert.same({ "handle cancelled" }, log)
    end)

    it("is for one task at a time", function()
      local handle = {}
      scheduler:run(function()
        local first = scheduler:spawn(scheduler.await, scheduler, handle)
        scheduler:sleep(0)
        assert.has_error(function() scheduler:await(handle) end)
        first:cancel()
      end)
    end)
  end)

  describe("signals", function()
    it("cancel main when nobody asked for them", function()
      pending_events = { { signal = "INT" } }
      assert.equal("Cancelled", code_of(scheduler.run, scheduler, function() scheduler:sleep(5) end))
      assert.equal(0, clock)
    end)

    it("go to on_signal", function()
      pending_events = { { signal = "TERM" } }
      local remove = scheduler:on_signal(note)
      scheduler:run(function() scheduler:sleep(5) end)
      assert.same({ "TERM" }, log)
      assert.equal(5, clock)
      remove()
    end)
  end)
end)
