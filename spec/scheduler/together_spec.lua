-- What several tasks of infra.scheduler do with each other.
local errors = require "infra.errors"
local runtime = require "infra.runtime"

describe("scheduler", function()
  local world, scheduler, log

  before_each(function()
    world = runtime.simulated()
    scheduler, log = world.scheduler, {}
  end)

  local function note(text)
    log[#log + 1] = text
  end

  local function code_of(fn, ...)
    local ok, err = pcall(fn, ...)
    assert.is_false(ok)
    return errors.is(err) and err.code or err
  end

  describe("at_turn_end", function()
    it("runs when nobody is ready, and before any waiting what it woke", function()
      local asked = {}
      scheduler:at_turn_end(function()
        if #asked > 0 then
          note(("batch of %d at %d"):format(#asked, world.now()))
          for _, task in ipairs(asked) do
            scheduler:wake(task, "answer")
          end
          asked = {}
        end
      end)
      scheduler:run(function()
        for i = 1, 3 do
          scheduler:spawn(function()
            asked[#asked + 1] = scheduler:current()
            note(i .. " " .. scheduler:suspend())
            scheduler:sleep(1)
            asked[#asked + 1] = scheduler:current()
            scheduler:suspend()
          end)
        end
        scheduler:sleep(2)
      end)
      assert.same({ "batch of 3 at 0", "1 answer", "2 answer", "3 answer", "batch of 3 at 1" }, log)
    end)

    it("can be removed, also while it runs", function()
      local remove
      remove = scheduler:at_turn_end(function()
        note "a"
        remove()
      end)
      scheduler:at_turn_end(function() note "b" end)
      scheduler:run(function() scheduler:sleep(1) end)
      assert.same({ "a", "b", "b" }, { table.unpack(log, 1, 3) })
    end)

    it("a failure ends the run, and main is cancelled", function()
      local main_saw
      local remove = scheduler:at_turn_end(function() error("disk full", 0) end)
      assert.has_error(function()
        scheduler:run(function() main_saw = code_of(scheduler.sleep, scheduler, 9) end)
      end, "disk full")
      remove()
      assert.equal("Cancelled", main_saw)
      assert.equal(1, scheduler:run(function() return 1 end))
    end)
  end)

  describe("all", function()
    it("runs at the same time and returns first and second results", function()
      scheduler:run(function()
        local values, errs = scheduler:all {
          function() scheduler:sleep(2) return "a" end,
          function() scheduler:sleep(1) return nil, "err" end,
          function() return false end,
        }
        assert.same({ "a", nil, false }, values)
        assert.same({ nil, "err" }, errs)
        assert.equal(2, world.now())
        assert.same({}, (scheduler:all {}))
      end)
    end)

    it("when one throws, cancels the others at once and waits for their end", function()
      scheduler:run(function()
        local ok, err = pcall(scheduler.all, scheduler, {
          function()
            local _ <close> = setmetatable({}, { __close = function() note "closed" end })
            pcall(scheduler.sleep, scheduler, 100)
            scheduler:sleep(1)
          end,
          function()
            scheduler:sleep(1)
            error("broken", 0)
          end,
          function() error("too late to matter", 0) end,
        })
        assert.is_false(ok)
        assert.equal("too late to matter", err)
        assert.same({ "closed" }, log)
        assert.equal(1, world.now())
      end)
    end)

    it("is cancelled with its caller", function()
      scheduler:run(function()
        local task = scheduler:spawn(function()
          scheduler:all { function()
            note(code_of(scheduler.sleep, scheduler, 100))
          end }
        end)
        scheduler:sleep(1)
        task:cancel()
        assert.equal("Cancelled", code_of(task.join, task))
      end)
      assert.same({ "Cancelled" }, log)
    end)
  end)

  describe("semaphore", function()
    it("lets in so many, in order", function()
      local inside, most = 0, 0
      scheduler:run(function()
        local semaphore = scheduler:semaphore(2)
        local functions = {}
        for i = 1, 6 do
          functions[i] = function()
            local _ <close> = semaphore:acquire()
            inside, most = inside + 1, math.max(most, inside + 1)
            note(i)
            scheduler:sleep(7 - i)
            inside = inside - 1
          end
        end
        scheduler:all(functions)
        assert.has_error(function() semaphore:release() end)
      end)
      assert.equal(2, most)
      assert.same({ 1, 2, 3, 4, 5, 6 }, log)
    end)

    it("loses no place to a cancelled task, whether it waited or was let in", function()
      scheduler:run(function()
        local semaphore = scheduler:semaphore(1)
        semaphore:acquire()
        local waiting = scheduler:spawn(semaphore.acquire, semaphore)
        local let_in = scheduler:spawn(semaphore.acquire, semaphore)
        local last = scheduler:spawn(function() return semaphore:acquire() end)
        scheduler:sleep(0)
        waiting:cancel()
        semaphore:release()
        let_in:cancel()
        assert.equal(semaphore, last:join())
      end)
    end)
  end)

  describe("deadlock", function()
    it("names everybody who is stuck, and for what", function()
      local ok, err = pcall(scheduler.run, scheduler, function()
        local task = scheduler:spawn(function() scheduler:suspend() end)
        task.name = "reader"
        task:join()
      end)
      assert.is_false(ok)
      assert.equal("Deadlock", err.code)
      assert.equal("nothing can wake main (joining reader), reader (suspended)", err.message)
    end)

    it("a caught one is thrown by run all the same", function()
      assert.equal("Deadlock", code_of(scheduler.run, scheduler, function()
        pcall(scheduler.suspend, scheduler)
      end))
    end)
  end)
end)
