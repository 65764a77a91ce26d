-- Plans made by hand, for specs of what works on them: plans.make { address = change }, where a change is
--   { action, needs = { addresses }, needed = { addresses, as recorded; default needs }, create_first, options,
--     obsolete = true when there is a replaced generation as well }

local set_of = require "infra.set_of"

local plans = {}

local RECORDED = { update = true, replace = true, delete = true, forget = true, none = true }

local function row(address, fields, status)
  return { address = address, type = "Test::Type", status = status, identity = { Id = address },
    dependencies = fields.needed or fields.needs or {}, options = fields.options or {} }
end

function plans.make(changes)
  local plan = { changes = {}, by_address = {}, obsolete = {} }
  for address, fields in pairs(changes) do
    local change = { address = address, type = "Test::Type", action = fields[1], differences = {}, desired = {},
      create_first = fields.create_first }
    if fields[1] ~= "delete" and fields[1] ~= "forget" then
      change.resource = { address = address, dependencies = set_of(fields.needs), options = fields.options or {} }
    end
    if RECORDED[fields[1]] then
      change.row = row(address, fields, "ready")
    end
    plan.by_address[address] = change
    table.insert(plan.changes, change)
    if fields.obsolete then
      table.insert(plan.obsolete, { address = address, type = "Test::Type", action = "delete", differences = {},
        row = row(address, fields, "replaced") })
    end
  end
  table.sort(plan.changes, function(a, b) return a.address < b.address end)
  return plan
end

--- A plan of `size` resources and random changes, needs before needed; `random` as math.random.
function plans.random(random, size)
  local actions = { "create", "update", "replace", "delete", "forget", "none" }
  local changes = {}
  local function some(upto)
    local list = {}
    for i = 1, upto do
      if random() < 0.25 then
        list[#list + 1] = ("r%02d"):format(i)
      end
    end
    return list
  end
  for i = 1, size do
    local address = ("r%02d"):format(i)
    changes[address] = {
      actions[random(#actions)], needs = some(i - 1), needed = some(random() < 0.3 and size or i - 1),
      create_first = random() < 0.3, obsolete = random() < 0.1, options = { retain = random() < 0.1 },
    }
  end
  for _, change in pairs(changes) do -- what is declared needs what is declared
    for i = #change.needs, 1, -1 do
      local action = changes[change.needs[i]][1]
      if action == "delete" or action == "forget" then
        table.remove(change.needs, i)
      end
    end
  end
  return plans.make(changes)
end

return plans
