-- One thread, many coroutines. Tasks run until they wait: for a moment in time, for a handle of a host primitive (an
-- HTTP request, a process, a server), for each other, or to be woken. Used by the runtime (infra.runtime), and through
-- it by everything that talks to AWS.
--
-- The scheduler knows neither clock nor I/O: it is given `now` and `wait`, and so runs in real or in virtual time. It
-- does the same for the same input: whoever became ready first runs first, and nothing follows the order of a table.

local errors = require "infra.errors"
local Semaphore = require "infra.scheduler.semaphore"
local Task = require "infra.scheduler.task"
local queues = require "infra.scheduler.queues"
local switch = require "infra.scheduler.switch"

local Scheduler = {}
Scheduler.__index = Scheduler

--- A scheduler. `options.now()` returns monotonic seconds. `options.wait(timeout)` waits until something happened, at
--- most `timeout` seconds (nil: without limit), and returns an array of events: { handle = userdata, ... } for await,
--- { signal = "INT" } for on_signal.
function Scheduler.new(options)
  return setmetatable({
    now = assert(options.now, "a scheduler needs now"),
    wait = assert(options.wait, "a scheduler needs wait"),
    order = 0, -- counts tasks and timers
    tasks = {}, -- id -> every task that has not ended
    unclaimed = {}, -- id -> failed tasks that nobody has joined
    running = nil, -- the running task
    main = nil, -- the task of Scheduler:run
    ready = queues.fifo(),
    timers = queues.timers(),
    awaiting = {}, -- handle -> the task that waits for its next event
    inbox = setmetatable({}, { __mode = "k" }), -- handle -> events that came before somebody waited for them
    turn_end = {},
    signal = {},
  }, Scheduler)
end

-- -- the loop ---------------------------------------------------------------------------------------------------------

-- In the order of their birth.
local function sorted(tasks)
  local list = {}
  for _, task in pairs(tasks) do
    list[#list + 1] = task
  end
  table.sort(list, function(a, b) return a.id < b.id end)
  return list
end

local function run_ready(self)
  repeat
    local task = self.ready:pop()
    while task do
      switch.to(self, task)
      task = self.ready:pop()
    end
    for _, fn in ipairs(self.turn_end) do
      fn()
    end
  until not self.ready:peek()
end

local function deadlock_error(self)
  local stuck = {}
  for i, task in ipairs(sorted(self.tasks)) do
    local whom = task.waits_for and " " .. tostring(task.waits_for) or ""
    stuck[i] = ("%s (%s%s)"):format(task, task.waiting, whom)
  end
  return errors.new { code = "Deadlock", message = "nothing can wake " .. table.concat(stuck, ", ") }
end

local function dispatch(self, event)
  if event.signal then
    if #self.signal == 0 then
      self.main:cancel()
    end
    for _, fn in ipairs(self.signal) do
      fn(event.signal)
    end
    return
  end
  local handle = event.handle
  local task = self.awaiting[handle]
  if task then
    self.awaiting[handle] = nil
    switch.make_ready(self, task, event)
  else
    self.inbox[handle] = self.inbox[handle] or queues.fifo()
    self.inbox[handle]:push(event)
  end
end

local function wait_for_events(self)
  local timer = self.timers:peek()
  if not timer and not next(self.awaiting) then
    error(deadlock_error(self), 0)
  end
  for _, event in ipairs(self.wait(timer and math.max(0, timer.at - self.now()))) do
    dispatch(self, event)
  end
  local now = self.now()
  timer = self.timers:peek()
  while timer and timer.at <= now do
    switch.make_ready(self, self.timers:pop().task)
    timer = self.timers:peek()
  end
end

local function run_until(self, done)
  run_ready(self)
  while not done() do
    wait_for_events(self)
    run_ready(self)
  end
end

--- Runs fn(...) as the main task until it ends, and returns its results or throws its error. Tasks that are left then
--- are cancelled and brought to their end. When main itself succeeded, the failure of a task that nobody joined is
--- thrown: no failure goes unseen. Not reentrant.
function Scheduler:run(fn, ...)
  assert(not self.main, "this scheduler runs already")
  local main = self:spawn(fn, ...)
  self.main, main.name = main, "main"
  local ran, problem = pcall(run_until, self, function() return main.done end)
  switch.cancel_all(sorted(self.tasks))
  local drained, stuck = pcall(run_until, self, function() return not next(self.tasks) end)
  for id, task in pairs(self.tasks) do -- those that being cancelled did not end
    coroutine.close(task.thread)
    self.tasks[id] = nil
  end
  self.unclaimed[main.id] = nil
  local unclaimed = sorted(self.unclaimed)[1]
  self.unclaimed, self.main = {}, nil
  if not ran then
    error(problem, 0)
  elseif not main.results then
    error(main.failure, 0)
  elseif not drained then
    error(stuck, 0)
  elseif unclaimed then
    error(unclaimed.failure, 0)
  end
  return table.unpack(main.results, 1, main.results.n)
end

-- Both lists are replaced, never changed: a function may register or remove while the list is being walked.
local function register(self, list_name, fn)
  local list = table.move(self[list_name], 1, #self[list_name], 1, {})
  list[#list + 1] = fn
  self[list_name] = list
  return function()
    local rest = {}
    for _, other in ipairs(self[list_name]) do
      if other ~= fn then
        rest[#rest + 1] = other
      end
    end
    self[list_name] = rest
  end
end

--- Calls fn() whenever no task is ready, before waiting: the moment for work that gathers what many tasks asked for.
--- What it wakes runs before anything waits. fn cannot wait itself; its failure ends the run. Returns a function that
--- removes it.
function Scheduler:at_turn_end(fn)
  return register(self, "turn_end", fn)
end

--- Calls fn(name) for every signal ("INT", "TERM"); without any such function a signal cancels the main task. fn cannot
--- wait. Returns a function that removes it.
function Scheduler:on_signal(fn)
  return register(self, "signal", fn)
end

-- -- tasks ------------------------------------------------------------------------------------------------------------

--- Starts fn(...) as a task; it begins to run when the running task waits. `task.name` may be set, for deadlock
--- reports.
function Scheduler:spawn(fn, ...)
  self.order = self.order + 1
  local task = Task.new(self, self.order, fn)
  self.tasks[task.id] = task
  switch.make_ready(self, task, ...)
  return task
end

--- The running task, or nil outside of tasks.
function Scheduler:current()
  return self.running
end

-- -- waiting ----------------------------------------------------------------------------------------------------------

--- Waits until somebody calls wake(task, ...) with this task, and returns those values.
function Scheduler:suspend()
  return switch.woken(switch.pause(switch.running(self), "suspended"))
end

--- Wakes a task from suspend. Returns false when it is not suspended (any more).
function Scheduler:wake(task, ...)
  return task.waiting == "suspended" and switch.make_ready(self, task, ...)
end

--- Waits for `seconds`; 0 lets everybody run who can.
function Scheduler:sleep(seconds)
  local task = switch.running(self)
  self.order = self.order + 1
  local timer = { at = self.now() + math.max(0, seconds), order = self.order, task = task }
  self.timers:push(timer)
  if not switch.pause(task, "asleep") then
    timer.task = nil
    error(switch.cancelled_error(), 0)
  end
end

--- Waits for the next event of a host handle and returns it. Cancelling the task cancels the handle, if it can be.
function Scheduler:await(handle)
  local task = switch.running(self)
  local early = self.inbox[handle] and self.inbox[handle]:pop()
  if early then
    return early
  end
  assert(not self.awaiting[handle], "another task awaits this handle")
  self.awaiting[handle] = task
  local ok, event = switch.pause(task, "awaiting", handle)
  if not ok then
    self.awaiting[handle] = nil
    if handle.cancel then
      handle:cancel()
    end
    error(switch.cancelled_error(), 0)
  end
  return event
end

--- Runs all functions at the same time. Returns two arrays, of their first and of their second results (values and
--- errors, where they return nil, err); both may have holes. When one throws, the others are cancelled, and once they
--- have ended that failure is thrown.
function Scheduler:all(functions)
  local group, values, errs, ok = {}, {}, {}, true
  switch.running(self)
  for i, fn in ipairs(functions) do
    group[i] = self:spawn(fn)
    group[i].group = group
  end
  for _, task in ipairs(group) do
    while not task.done do
      if not task:wait() then
        ok = false
        switch.cancel_all(group)
      end
    end
  end
  for i, task in ipairs(group) do
    self.unclaimed[task.id] = nil
    if task.results then
      values[i], errs[i] = task.results[1], task.results[2]
    end
  end
  switch.woken(ok)
  if group.failed then
    error(group.failed.failure, 0)
  end
  return values, errs
end

--- A semaphore that lets `count` tasks in at a time (infra.scheduler.semaphore).
function Scheduler:semaphore(count)
  return Semaphore.new(self, count)
end

return Scheduler
