-- Lets a number of tasks in at a time, in the order in which they came; from Scheduler:semaphore.

local queues = require "infra.scheduler.queues"
local switch = require "infra.scheduler.switch"

local Semaphore = {}
Semaphore.__index = Semaphore

function Semaphore.new(scheduler, count)
  return setmetatable({ scheduler = scheduler, count = count, free = count, queue = queues.fifo() }, Semaphore)
end

--- Waits for its turn and returns the semaphore, whose __close releases: `local _ <close> = semaphore:acquire()`.
function Semaphore:acquire()
  local task = switch.running(self.scheduler)
  if self.free > 0 then
    self.free = self.free - 1
    return self
  end
  local place = { task = task }
  self.queue:push(place)
  if not switch.pause(task, "waiting for a semaphore") then
    if place.task then
      place.task = nil
    else -- let in, and cancelled before it ran
      self:release()
    end
    error(switch.cancelled_error(), 0)
  end
  return self
end

--- Lets the next one in.
function Semaphore:release()
  local place = self.queue:pop()
  while place do
    if place.task and switch.make_ready(self.scheduler, place.task) then
      place.task = nil
      return
    end
    place = self.queue:pop()
  end
  assert(self.free < self.count, "released more often than acquired")
  self.free = self.free + 1
end
Semaphore.__close = Semaphore.release

return Semaphore
