-- --target: which part of a plan is carried out. A target is an address (network/vpc) or a layer (network). What is
-- made or changed brings along what it needs, what is deleted or replaced what needs it. Used by engine/plan and
-- engine/schedule.

local errors = require "infra.errors"
local set_of = require "infra.set_of"
local suggest = require "infra.suggest"

local selection = {}

-- The addresses in the plan that a target means, as { address = true }.
local function meant_by(plan, target)
  local set = {}
  for _, changes in ipairs { plan.changes, plan.obsolete } do
    for _, change in ipairs(changes) do
      local address = change.address
      if address == target or address:sub(1, #target + 1) == target .. "/" then
        set[address] = true
      end
    end
  end
  return set
end

-- A misspelt target must not look like a plan with nothing to do.
local function unknown(plan, target)
  local names, seen = {}, {}
  for address in pairs(plan.by_address) do
    for _, name in ipairs { address, address:match "^(.*)/" } do
      names[#names + 1], seen[name] = not seen[name] and name or nil, true
    end
  end
  table.sort(names)
  return errors.fail { code = "Usage", message = ("--target %s: there is no such resource or layer%s"):format(target,
    suggest(target, names)), hint = "a target is an address, such as network/vpc, or a layer, such as network" }
end

--- Addresses that `change` needs, as { address = true }.
function selection.dependencies(change)
  if change.resource then
    return change.resource.dependencies
  end
  return set_of(change.row.dependencies)
end

-- Who needs whom, now or as recorded: { address = { address that needs it = true } }.
local function dependents_of(plan)
  local needed_by = {}
  local function add(address, change)
    needed_by[address] = needed_by[address] or {}
    needed_by[address][change.address] = true
  end
  for _, changes in ipairs { plan.changes, plan.obsolete } do
    for _, change in ipairs(changes) do
      for address in pairs(selection.dependencies(change)) do
        add(address, change)
      end
      for _, address in ipairs(change.row and change.row.dependencies or {}) do
        add(address, change)
      end
    end
  end
  return needed_by
end

local REMOVES = { delete = true, replace = true }
local LEAVES = { delete = true, forget = true } -- what goes does not need what it was made of

-- Addresses of everything that has to be done for the targets; or nil and an error.
local function selected_by(plan, targets)
  local needed_by, has_obsolete, selected, queue = dependents_of(plan), {}, {}, {}
  local function select(addresses)
    for address in pairs(addresses or {}) do
      if not selected[address] then
        selected[address] = true
        queue[#queue + 1] = address
      end
    end
  end
  for _, change in ipairs(plan.obsolete) do
    has_obsolete[change.address] = true
  end
  for _, target in ipairs(targets) do
    local meant = meant_by(plan, target)
    if not next(meant) then
      return unknown(plan, target)
    end
    select(meant)
  end
  while #queue > 0 do
    local address = table.remove(queue)
    local change = plan.by_address[address]
    if change and not LEAVES[change.action] then
      select(selection.dependencies(change))
    end
    if has_obsolete[address] or change and REMOVES[change.action] then
      select(needed_by[address])
    end
  end
  return selected
end

--- Turns every change that is not selected into "none", and leaves out replaced generations that are not. Without
--- targets everything is selected. Returns true, or nil and an error: a target that means nothing.
function selection.apply(plan, targets)
  if not targets or #targets == 0 then
    return true
  end
  local selected, err = selected_by(plan, targets)
  if not selected then
    return nil, err
  end
  local obsolete = {}
  for _, change in ipairs(plan.changes) do
    if not selected[change.address] then
      change.action, change.reason = "none", "not among the targets"
      change.desired, change.differences = nil, {}
    end
  end
  for _, change in ipairs(plan.obsolete) do
    if selected[change.address] then
      obsolete[#obsolete + 1] = change
    end
  end
  plan.obsolete = obsolete
  return true
end

return selection
