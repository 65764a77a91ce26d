-- How infra.scheduler switches between coroutines: what makes a task ready, how one suspends, what its end means to
-- others. The fields used here are described in Scheduler.new and Task.new.

local errors = require "infra.errors"

local switch = {}

function switch.cancelled_error()
  return errors.new { code = "Cancelled", message = "cancelled" }
end

--- Queues a waiting task, to be resumed with these values. Returns false for a task that does not wait: it is ready
--- already, it runs, or it has ended.
function switch.make_ready(scheduler, task, ...)
  if not task.waiting then
    return false
  end
  task.waiting, task.waits_for = nil, nil
  task.values = select("#", ...) > 0 and table.pack(...) or nil
  scheduler.ready:push(task)
  return true
end

--- The running task; throws where nothing can wait, with the position of whoever called the scheduler.
function switch.running(scheduler)
  local task = scheduler.running
  if not task or coroutine.running() ~= task.thread then
    error("only a task can wait, and not from a coroutine of its own", 3)
  end
  return task
end

local function resumed(task, ...)
  if task.cancelling then
    task.cancelling = false
    return false
  end
  return true, ...
end

--- Suspends the running task; `waiting` and `waits_for` say how and for whom (nil: nobody), in the words of a
--- deadlock's report. Returns true and the values that it was made ready with, or false when it was cancelled: the
--- caller then undoes its registration and throws, so that no wait leaves anything behind.
function switch.pause(task, waiting, waits_for)
  task.waiting, task.waits_for = waiting, waits_for
  return resumed(task, coroutine.yield())
end

--- Turns pause's results into values or the error of a cancelled task.
function switch.woken(ok, ...)
  if not ok then
    error(switch.cancelled_error(), 0)
  end
  return ...
end

function switch.cancel_all(tasks)
  for _, task in ipairs(tasks) do
    task:cancel()
  end
end

-- A Lua error (it has a position) gets the trace of the coroutine that it ended: the trace of whoever rethrows it says
-- nothing.
local function with_trace(thread, failure)
  local positioned = type(failure) == "string" and failure:find("^[^\n]-:%d+: ")
  if positioned and not failure:find("\nstack traceback:", 1, true) then
    return debug.traceback(thread, failure)
  end
  return failure
end

--- Ends a task with what coroutine.resume returned, and tells those who joined it and its group (Scheduler:all).
function switch.finish(scheduler, task, ok, ...)
  scheduler.tasks[task.id] = nil
  task.done = true
  if ok then
    task.results = table.pack(...)
  else
    task.failure = with_trace(task.thread, (...))
    if not (errors.is(task.failure) and task.failure.code == "Cancelled") then
      scheduler.unclaimed[task.id] = task
    end
    local group = task.group
    if group and not group.failed then
      group.failed = task
      switch.cancel_all(group)
    end
  end
  for _, joiner in ipairs(task.joiners) do
    switch.make_ready(scheduler, joiner)
  end
end

local function switched_back(scheduler, task, ...)
  scheduler.running = nil
  if coroutine.status(task.thread) == "dead" then
    switch.finish(scheduler, task, ...)
  end
end

--- Lets a ready task run until it waits or ends.
function switch.to(scheduler, task)
  if task.done then -- cancelled before it began
    return
  end
  local values = task.values
  scheduler.running, task.started, task.values = task, true, nil
  if values then
    switched_back(scheduler, task, coroutine.resume(task.thread, table.unpack(values, 1, values.n)))
  else
    switched_back(scheduler, task, coroutine.resume(task.thread))
  end
end

return switch
