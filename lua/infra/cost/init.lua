-- The monthly cost of a set of resources, from the figures in cost/prices. Used by `infra cost` and by
-- `infra plan --cost`.

local prices = require "infra.cost.prices"

local cost = {}

local function by_type(resources)
  local result = {}
  for _, resource in ipairs(resources) do
    result[resource.type] = result[resource.type] or {}
    table.insert(result[resource.type], resource)
  end
  return result
end

--- Estimates a month. resources: array of { type = name, properties }; usage: assumptions that differ from
--- prices.usage, or nil. Returns { lines = { { service, item, quantity, unit, price, free, amount } }, total,
--- services = { { service, amount } } }, in US dollars. What costs nothing by itself has no line.
function cost.estimate(resources, usage)
  local assumed = setmetatable(usage or {}, { __index = prices.usage })
  local groups, lines, services, index, total = by_type(resources), {}, {}, {}, 0
  for _, entry in ipairs(prices.items) do
    local type_name, service, item, unit, price, quantity_of = table.unpack(entry)
    local group = groups[type_name]
    if group then
      local quantity = 0
      for _, resource in ipairs(group) do
        quantity = quantity + quantity_of(resource.properties, assumed, #group)
      end
      local amount = math.max(0, quantity - (entry.free or 0)) * price
      lines[#lines + 1] = { service = service, item = item, quantity = quantity, unit = unit, price = price,
        free = entry.free, amount = amount }
      if not index[service] then
        index[service] = { service = service, amount = 0 }
        services[#services + 1] = index[service]
      end
      index[service].amount = index[service].amount + amount
      total = total + amount
    end
  end
  return { lines = lines, services = services, total = total }
end

-- What a change of a plan is about, as it is now; nil when it does not exist.
local function present(change)
  return change.live and { type = change.row.type, properties = change.row.properties } or nil
end

-- The same when the plan is carried out. What is forgotten is not the stack's any more.
local function planned(change)
  if change.action == "none" then
    return present(change)
  end
  return change.desired and { type = change.type, properties = change.desired } or nil
end

--- The resources of a stack before and after a plan (engine/plan), two lists for estimate.
function cost.planned(plan)
  local before, after = {}, {}
  for _, changes in ipairs { plan.changes, plan.obsolete } do
    for _, change in ipairs(changes) do
      before[#before + 1] = present(change)
      after[#after + 1] = planned(change)
    end
  end
  return before, after
end

--- The resources of a declaration, for estimate.
function cost.declared(declaration)
  local resources = {}
  for i, address in ipairs(declaration.order) do
    local resource = declaration.resources[address]
    resources[i] = { type = resource.type.name, properties = resource.properties }
  end
  return resources
end

return cost
