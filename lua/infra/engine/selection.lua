-- --target: which part of a plan is carried out. A target is an address (network/vpc) or a layer (network). What is
-- made or changed brings along what it needs, what is deleted or replaced what needs it. Used by engine/plan.

local selection = {}

local function is_target(address, targets)
  for _, target in ipairs(targets) do
    if address == target or address:sub(1, #target + 1) == target .. "/" then
      return true
    end
  end
  return false
end

--- Addresses that `change` needs, as { address = true }.
function selection.dependencies(change)
  if change.resource then
    return change.resource.dependencies
  end
  local set = {}
  for _, address in ipairs(change.row.dependencies) do
    set[address] = true
  end
  return set
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

-- Addresses of everything that has to be done for the targets.
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
  for _, changes in ipairs { plan.changes, plan.obsolete } do
    for _, change in ipairs(changes) do
      if is_target(change.address, targets) then
        select { [change.address] = true }
      end
    end
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
--- targets everything is selected.
function selection.apply(plan, targets)
  if not targets or #targets == 0 then
    return
  end
  local selected, obsolete = selected_by(plan, targets), {}
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
end

return selection
