-- --target: which part of a plan is carried out. A target is an address (network/vpc) or a layer (network); what it
-- needs comes with it, and with a deletion what needs it. Used by engine/plan.

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

local function spread(start, neighbours)
  local selected, queue = {}, {}
  for _, address in ipairs(start) do
    selected[address] = true
    queue[#queue + 1] = address
  end
  while #queue > 0 do
    for address in pairs(neighbours[table.remove(queue)] or {}) do
      if not selected[address] then
        selected[address] = true
        queue[#queue + 1] = address
      end
    end
  end
  return selected
end

--- Turns every change that is not selected into "none". Without targets everything is selected.
function selection.apply(changes, targets)
  if not targets or #targets == 0 then
    return
  end
  local needs, needed_by, start, removed = {}, {}, {}, {}
  for _, change in ipairs(changes) do
    needs[change.address] = selection.dependencies(change)
    for address in pairs(needs[change.address]) do
      needed_by[address] = needed_by[address] or {}
      needed_by[address][change.address] = true
    end
    if is_target(change.address, targets) then
      local removes = change.action == "delete" or change.action == "replace"
      table.insert(start, change.address)
      if removes then
        table.insert(removed, change.address)
      end
    end
  end
  local selected = spread(start, needs)
  for address in pairs(spread(removed, needed_by)) do
    selected[address] = true
  end
  for _, change in ipairs(changes) do
    if not selected[change.address] then
      change.action, change.reason = "none", "not among the targets"
    end
  end
end

return selection
