-- From a plan to steps in the right order: what must be done before what, and what is worth starting first. Used by
-- engine/plan, which needs to know the order of replacements, and engine/apply.
--
--   step = { kind = "make" | "delete" | "forget", change, before = { step that waits for this one = why }, open =
--            number of steps it waits for, seconds = how long it usually takes, path = seconds from its start to the
--            end of the
--            longest chain that hangs on it }
--
-- "make" covers create, update and the new half of a replacement. A replacement deletes first unless create_first is
-- set, or something that stays has to move over to the new one before the old one may go.

local graph = require "infra.engine.graph"
local reference = require "infra.engine.reference"
local selection = require "infra.engine.selection"

local schedule = {}

local function after(step, earlier, why)
  if not earlier or earlier == step then
    return
  elseif not earlier.before[step] then
    step.open = step.open + 1
  end
  if earlier.before[step] == nil or earlier.before[step] == "better" then
    earlier.before[step] = why
  end
end

-- What stays uses the old one until it refers to the new one: AWS refuses to delete that, or breaks the user.
local function keep_for_users(plan)
  for _, change in ipairs(plan.changes) do
    local stays = (change.action == "update" or change.action == "none") and change.resource
    reference.each(stays and stays.properties, function(address)
      local used = plan.by_address[address]
      if used and used.action == "replace" and used.create_first == nil then
        used.create_first = true
      end
    end)
  end
end

-- What must be made before its dependents are deleted forces the same on what it depends on: otherwise the old one
-- would have to go while something still holds on to it.
local function spread_create_first(plan)
  local function spread(change)
    for address in pairs(selection.dependencies(change)) do
      local needed = plan.by_address[address]
      if needed and needed.action == "replace" and not needed.create_first then
        needed.create_first = true
        spread(needed)
      end
    end
  end
  for _, change in ipairs(plan.changes) do
    if change.action == "replace" and change.create_first then
      spread(change)
    end
  end
end

-- address -> changes whose recorded resources depended on it.
local function recorded_dependents(plan)
  local dependents = {}
  for _, changes in ipairs { plan.changes, plan.obsolete } do
    for _, change in ipairs(changes) do
      for _, address in ipairs(change.row and change.row.dependencies or {}) do
        dependents[address] = dependents[address] or {}
        table.insert(dependents[address], change)
      end
    end
  end
  return dependents
end

local MAKES = { create = true, update = true, replace = true }
local REMOVES = { delete = true, replace = true, forget = true }

-- What a change does to the recorded resource.
local function removal_kind(change)
  local retained = change.action == "replace" and change.resource.options.retain
  return (change.action == "forget" or retained) and "forget" or "delete"
end

-- The steps without their order: steps, change -> its step that makes, change -> its step that removes.
local function make_steps(plan)
  local steps, make, remove = {}, {}, {}
  local function add(index, kind, change)
    index[change] = { kind = kind, change = change, before = {}, open = 0 }
    steps[#steps + 1] = index[change]
  end
  for _, change in ipairs(plan.changes) do
    if MAKES[change.action] then
      add(make, "make", change)
    end
    if REMOVES[change.action] then
      add(remove, removal_kind(change), change)
    end
  end
  for _, change in ipairs(plan.obsolete) do
    add(remove, removal_kind(change), change)
  end
  return steps, make, remove
end

-- What is deleted to be made anew stays until everything that the new one needs is there: that may fail, or take long.
local function wait_with_removal(plan, change, make, remove)
  for address in pairs(change.resource.dependencies) do
    local needed = plan.by_address[address]
    if needed.action ~= "replace" or needed.create_first then
      after(remove[change], make[needed], "better")
    end
  end
end

local function connect(plan, make, remove)
  local dependents = recorded_dependents(plan)
  for change, step in pairs(make) do
    for address in pairs(change.resource.dependencies) do
      after(step, make[plan.by_address[address]], "need")
    end
    if change.action == "replace" and not change.create_first then
      after(step, remove[change], "replacement")
      wait_with_removal(plan, change, make, remove)
    end
  end
  for change, step in pairs(remove) do
    local goes_first = change.action == "replace" and not change.create_first
    if change.action == "replace" and change.create_first or change.row.status == "replaced" then
      after(step, make[plan.by_address[change.address]], "need")
    end
    for _, dependent in ipairs(dependents[change.address] or {}) do
      after(step, remove[dependent], "recorded")
      if not goes_first then -- it moves over to the new one first, unless it has let go with its own removal
        after(step, make[dependent], remove[dependent] and "better" or "need")
      end
    end
  end
end

--- The steps that wait for `step`, always in the same order.
function schedule.following(step)
  local list = {}
  for later in pairs(step.before) do
    list[#list + 1] = later
  end
  table.sort(list, function(a, b)
    return a.change.address == b.change.address and a.kind < b.kind or a.change.address < b.change.address
  end)
  return list
end

-- Steps each of which waits for the one before it, the first for the last; or nil.
local function find_cycle(steps)
  local mark, trail = {}, {}
  local function visit(step)
    trail[#trail + 1] = step
    if mark[step] == "open" then
      return true
    end
    mark[step] = "open"
    for _, later in ipairs(schedule.following(step)) do
      if mark[later] ~= "done" and visit(later) then
        return true
      end
    end
    mark[step] = "done"
    trail[#trail] = nil
  end
  for _, step in ipairs(steps) do
    if not mark[step] and visit(step) then
      return graph.cycle_of(trail)
    end
  end
end

-- The first two steps of the cycle of which the second waits for the first because of `why`.
local function find_edge(cycle, why)
  for i = 1, #cycle - 1 do
    if cycle[i].before[cycle[i + 1]] == why then
      return cycle[i], cycle[i + 1]
    end
  end
end

-- Takes one of the reasons for the cycle away: first what would only be better. Then a resource that would have to go
-- before what holds on to it can let go is made anew first; returns true: there are other steps now. Else what was
-- recorded at different times is contradictory, and AWS decides.
local function break_cycle(cycle)
  local earlier, later = find_edge(cycle, "better")
  if not earlier then
    local _, replacement = find_edge(cycle, "replacement")
    if replacement then
      replacement.change.create_first = true
      return true
    end
    earlier, later = find_edge(cycle, "recorded")
  end
  earlier.before[later] = nil
  later.open = later.open - 1
  return false
end

--- The steps of a plan in their order. Decides which replacements are made before the old one goes
--- (change.create_first). Returns an array of steps.
function schedule.arrange(plan)
  local steps, changed
  keep_for_users(plan)
  repeat
    changed = false
    spread_create_first(plan)
    local make, remove
    steps, make, remove = make_steps(plan)
    connect(plan, make, remove)
    local cycle = find_cycle(steps)
    while cycle and not changed do
      changed = break_cycle(cycle)
      cycle = find_cycle(steps)
    end
  until not changed
  return steps
end

-- What a step does, in the words of durations.
local function action_of(step)
  if step.kind == "make" then
    return step.change.action == "update" and "update" or "create"
  end
  return step.kind
end

--- The longest chain of steps that wait for each other, by their `seconds`: an array of steps; its seconds are the
--- first one's `path`. Sets `path` of every step, the seconds from its start to the end of the longest chain that hangs
--- on it.
function schedule.longest_chain(steps)
  local following_of, measured = {}, {}
  local function path_of(step)
    if not measured[step] then
      local longest = 0
      for _, later in ipairs(schedule.following(step)) do
        if path_of(later) > longest then
          longest, following_of[step] = later.path, later
        end
      end
      step.path, measured[step] = step.seconds + longest, true
    end
    return step.path
  end
  local first
  for _, step in ipairs(steps) do
    if path_of(step) > (first and first.path or 0) then
      first = step
    end
  end
  local chain, step = {}, first
  while step do
    chain[#chain + 1], step = step, following_of[step]
  end
  return chain
end

--- The steps of a plan, an array. seconds_of(change, action) tells how long something usually takes.
function schedule.steps(plan, seconds_of)
  local steps = schedule.arrange(plan)
  for _, step in ipairs(steps) do
    local nothing = step.kind == "forget" or step.kind == "delete" and not step.change.row.identity
    step.seconds = nothing and 0 or seconds_of(step.change, action_of(step))
  end
  schedule.longest_chain(steps)
  return steps
end

return schedule
