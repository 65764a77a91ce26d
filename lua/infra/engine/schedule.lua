-- From a plan to steps in the right order: what must be done before what, and what is worth starting first. Used by
-- engine/apply.
--
--   step = { kind = "make" | "delete" | "forget", change, before = { steps that wait for this one }, open = number of
--            steps it waits for, path = seconds from its start to the end of the longest chain that hangs on it }
--
-- "make" covers create, update and the new half of a replacement. A replacement deletes first unless create_first is
-- set; then what depends on it moves over before the old one goes.

local selection = require "infra.engine.selection"

local schedule = {}

local function new_step(steps, kind, change, seconds)
  local step = { kind = kind, change = change, before = {}, open = 0, seconds = seconds }
  steps[#steps + 1] = step
  return step
end

local function after(step, earlier)
  if earlier and earlier ~= step and not earlier.before[step] then
    earlier.before[step] = true
    step.open = step.open + 1
  end
end

-- What must be made before its dependents are deleted forces the same on what it depends on: otherwise the old one would
-- have to go while something still holds on to it.
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
local DELETES = { delete = true, replace = true }

local function make_steps(plan, seconds_of)
  local steps, make, delete = {}, {}, {}
  for _, change in ipairs(plan.changes) do
    if MAKES[change.action] then
      make[change] = new_step(steps, "make", change, seconds_of(change, change.action == "update" and "update" or "create"))
    end
    if DELETES[change.action] then
      delete[change] = new_step(steps, "delete", change, change.row.identity and seconds_of(change, "delete") or 0)
    end
    if change.action == "forget" then
      new_step(steps, "forget", change, 0)
    end
  end
  for _, change in ipairs(plan.obsolete) do
    local kind = change.action == "forget" and "forget" or "delete"
    delete[change] = new_step(steps, kind, change, kind == "delete" and seconds_of(change, "delete") or 0)
  end
  return steps, make, delete
end

-- Longest path to the end, for every step; the steps' graph has no cycle because the resources' has none.
local function measure(steps)
  local function path_of(step)
    if not step.path then
      local longest = 0
      for later in pairs(step.before) do
        longest = math.max(longest, path_of(later))
      end
      step.path = step.seconds + longest
    end
    return step.path
  end
  local longest = 0
  for _, step in ipairs(steps) do
    longest = math.max(longest, path_of(step))
  end
  return longest
end

--- The steps of a plan. seconds_of(change, action) tells how long something usually takes. Returns an array of steps and
--- the seconds of the longest chain among them.
function schedule.steps(plan, seconds_of)
  spread_create_first(plan)
  local steps, make, delete = make_steps(plan, seconds_of)
  local dependents = recorded_dependents(plan)
  for change, step in pairs(make) do
    for address in pairs(change.resource.dependencies) do
      after(step, make[plan.by_address[address]])
    end
    if change.action == "replace" and not change.create_first then
      after(step, delete[change])
    end
  end
  for change, step in pairs(delete) do
    local replaced_first = change.action == "replace" and not change.create_first
    if change.action == "replace" and change.create_first or change.row.status == "replaced" then
      after(step, make[plan.by_address[change.address]])
    end
    for _, dependent in ipairs(dependents[change.address] or {}) do
      after(step, delete[dependent])
      if not replaced_first then -- it moves over to the new one, or lets go, first
        after(step, make[dependent])
      end
    end
  end
  return steps, measure(steps)
end

return schedule
