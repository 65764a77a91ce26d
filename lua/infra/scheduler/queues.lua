-- The two orders in which infra.scheduler keeps things: first come first served (Fifo), and by time (Timers).

local queues = {}

local Fifo = {}
Fifo.__index = Fifo

local Timers = {}
Timers.__index = Timers

function queues.fifo()
  return setmetatable({ first = 1, last = 0 }, Fifo)
end

function Fifo:push(value)
  self.last = self.last + 1
  self[self.last] = value
end

--- The oldest value, left in place; nil when there is none.
function Fifo:peek()
  return self[self.first]
end

--- Takes the oldest value; nil when there is none.
function Fifo:pop()
  local value = self[self.first]
  if value ~= nil then
    self[self.first] = nil
    self.first = self.first + 1
    if self.first > self.last then -- empty: it begins again, in the same place
      self.first, self.last = 1, 0
    end
  end
  return value
end

--- Timers are { at = seconds, order = integer, task = task } in a binary heap; equal times keep the order of `order`.
--- One whose task was taken away (timer.task = nil) is skipped.
function queues.timers()
  return setmetatable({}, Timers)
end

local function earlier(a, b)
  return a.at < b.at or a.at == b.at and a.order < b.order
end

function Timers:push(timer)
  local i = #self + 1
  while i > 1 and earlier(timer, self[i // 2]) do
    self[i] = self[i // 2]
    i = i // 2
  end
  self[i] = timer
end

--- Takes the earliest timer.
function Timers:pop()
  local top, last = self[1], table.remove(self)
  local size, i = #self, 1
  if size == 0 then
    return top
  end
  while 2 * i <= size do
    local child = 2 * i
    if child < size and earlier(self[child + 1], self[child]) then
      child = child + 1
    end
    if not earlier(self[child], last) then
      break
    end
    self[i] = self[child]
    i = child
  end
  self[i] = last
  return top
end

--- The earliest timer that still has a task, left in place; nil when there is none.
function Timers:peek()
  while self[1] and not self[1].task do
    self:pop()
  end
  return self[1]
end

return queues
