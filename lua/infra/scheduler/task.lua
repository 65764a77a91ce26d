-- A coroutine under infra.scheduler, as Scheduler:spawn returns it.

local switch = require "infra.scheduler.switch"

local Task = {}
Task.__index = Task

function Task.new(scheduler, id, fn)
  return setmetatable({
    scheduler = scheduler,
    id = id,
    fn = fn,
    thread = coroutine.create(fn),
    name = nil, -- for deadlock reports; anybody may set it
    group = nil, -- the tasks of one Scheduler:all: the first failure cancels the others, group.failed is that task
    joiners = {},
    waiting = "to begin", -- how; nil while it is ready, runs, or has ended
    waits_for = nil, -- the task or handle that it waits for, if it is one
    values = nil, -- what it is resumed with, packed
    started = false,
    cancelling = false, -- it was cancelled and gets to know when it is resumed
    done = false, -- then either results (packed) or failure is set
  }, Task)
end

function Task:__tostring()
  local info = debug.getinfo(self.fn, "S")
  return self.name or ("%s:%d"):format(info.short_src, info.linedefined)
end

--- Waits until this task ends, and leaves its result alone. Returns false when the running task was cancelled
--- meanwhile.
function Task:wait()
  local joiner = switch.running(self.scheduler)
  assert(joiner ~= self, "a task cannot join itself")
  table.insert(self.joiners, joiner)
  if switch.pause(joiner, "joining", self) then
    return true
  end
  for i = #self.joiners, 1, -1 do
    if self.joiners[i] == joiner then
      table.remove(self.joiners, i)
    end
  end
  return false
end

--- Waits until the task ends, and returns its results or throws its error.
function Task:join()
  if not self.done then
    switch.woken(self:wait())
  end
  self.scheduler.unclaimed[self.id] = nil
  if not self.results then
    error(self.failure, 0)
  end
  return table.unpack(self.results, 1, self.results.n)
end

--- Throws an error with code "Cancelled" from wherever the task waits (at once, when it cancels itself). It may catch
--- that and wait again, to put things in order. A task that has ended stays as it is.
function Task:cancel()
  local scheduler = self.scheduler
  if self.done then
    return
  elseif scheduler.running == self then
    error(switch.cancelled_error(), 0)
  elseif not self.started then
    switch.finish(scheduler, self, false, switch.cancelled_error())
  else
    self.cancelling = true
    switch.make_ready(scheduler, self)
  end
end

return Task
