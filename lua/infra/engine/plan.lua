-- The plan: declared against recorded against live, and what has to be done about it. A plan is data; engine/apply does
-- it, report/* show it, engine/saved_plan writes it to a file.
--
--   plan = {
--     changes = { change, ... } in order of address, also those with nothing to do,
--     by_address = { address -> change },  obsolete = { change, ... } for replaced generations that still exist,
--     stack, counts = { create =, update =, replace =, delete =, forget =, none = },
--   }
--   change = {
--     address, type, action = create | update | replace | delete | forget | none,
--     resource (declared), row (recorded), live, differences = { { name, before, after, replaces } },
--     desired = properties resolved as far as known, reason = text or nil, create_first = boolean,
--   }

local diff = require "infra.engine.diff"
local errors = require "infra.errors"
local reference = require "infra.engine.reference"
local refresh = require "infra.engine.refresh"
local selection = require "infra.engine.selection"

local plan = {}

--- Reads the rows of a state: current = address -> row, obsolete = rows of replaced generations.
local function by_generation(rows)
  local current, obsolete = {}, {}
  for _, row in ipairs(rows) do
    if row.status == "replaced" then
      obsolete[#obsolete + 1] = row
    else
      current[row.address] = row
    end
  end
  return current, obsolete
end

-- Rows of resources that were renamed in the stack move to their new address.
local function rename(declaration, current)
  for _, address in ipairs(declaration.order) do
    local old = declaration.resources[address].options.renamed_from
    if old and not current[address] and current[old] and not declaration.resources[old] then
      local row = current[old]
      row.moved_from, row.address = old, address
      current[address], current[old] = row, nil
    end
  end
end

--- The value of `attribute` of what `change` is about, as far as it is known while planning or applying. `values`:
--- attributes of the existing resource.
local function attribute_of(change, attribute)
  local replaced = not change.finished and (change.action == "create" or change.action == "replace")
  if change.desired and change.desired[attribute] ~= nil then
    return change.desired[attribute]
  elseif replaced then
    return reference.unknown(change.address, attribute)
  end
  for _, values in ipairs { change.live and change.live.values or {}, change.row.attributes, change.row.identity or {} } do
    if values[attribute] ~= nil then
      return values[attribute]
    end
  end
  return reference.unknown(change.address, attribute)
end

--- A function for reference.resolve that looks up in `by_address` and the account's facts.
function plan.lookup(context, by_address)
  return function(address, attribute)
    if address == "" then
      return ({ Account = context.account, Partition = context.partition })[attribute]
    end
    return attribute_of(by_address[address], attribute)
  end
end

local function any(list, test)
  for _, item in ipairs(list) do
    if test(item) then
      return true
    end
  end
  return false
end

local function is_replacing(difference)
  return difference.replaces
end

-- What to do about one declared resource.
local function decide(context, resource, row, live, lookup)
  local desired = reference.resolve(resource.properties, lookup)
  local change = {
    address = resource.address, type = resource.type.name, resource = resource, row = row, live = live or nil,
    desired = desired, differences = {}, create_first = resource.options.create_before_delete,
  }
  if not row or not live then
    change.action = "create"
    if row and row.identity then
      change.reason = "it no longer exists"
    end
    return change
  end
  change.differences = diff.changes(resource.type, desired, row, live, context.digest_key,
    resource.options.ignore_changes)
  if live.failure then
    change.action, change.reason = "replace", live.failure
  elseif row.status == "deleting" then
    change.action, change.reason = "replace", "its deletion was interrupted"
  elseif row.type ~= resource.type.name or row.region ~= resource.region then
    change.action, change.reason = "replace", row.type ~= resource.type.name and "its type changed" or "its region changed"
  elseif any(change.differences, is_replacing) then
    change.action = "replace"
  elseif #change.differences > 0 then
    change.action = "update"
  else
    change.action = "none"
  end
  if row.status == "creating" and change.action == "none" then
    change.action, change.reason = "update", "its creation was interrupted"
  end
  return change
end

local function removal(row, live)
  local forget = row.options.retain or live == false
  return {
    address = row.address, type = row.type, row = row, live = live or nil, differences = {},
    action = forget and "forget" or "delete",
    reason = row.options.retain and "retained" or live == false and "it no longer exists" or nil,
  }
end

local function check_protection(changes)
  for _, change in ipairs(changes) do
    local options = change.resource and change.resource.options or change.row and change.row.options or {}
    if options.protect and (change.action == "delete" or change.action == "replace") then
      return errors.fail {
        code = "Protected", resource = change.address, source = change.resource and change.resource.source or
          change.row.source, message = ("it is protected and this would %s it"):format(change.action),
        hint = "remove protect = true from its options first (a run records that), or leave it as it is",
      }
    end
  end
  return true
end

local function count(changes, obsolete)
  local counts = { create = 0, update = 0, replace = 0, delete = #obsolete, forget = 0, none = 0 }
  for _, change in ipairs(changes) do
    counts[change.action] = counts[change.action] + 1
  end
  return counts
end

local function order_by_address(changes)
  table.sort(changes, function(a, b)
    return a.address < b.address
  end)
  return changes
end

--- Makes the plan. `declaration` from stack:evaluate, or nil to destroy everything recorded. options: targets = list of
--- addresses or layers. Yields. Returns a plan, or nil and an error.
function plan.make(context, declaration, store, options)
  local rows, err = store:resources()
  if not rows then
    return nil, err
  end
  local current, obsolete_rows = by_generation(rows)
  local declared = declaration and declaration.resources or {}
  if declaration then
    rename(declaration, current)
  end
  local live_by_row
  live_by_row, err = refresh.all(context, rows, declared)
  if not live_by_row then
    return nil, err
  end
  local changes, by_address = {}, {}
  local lookup = plan.lookup(context, by_address)
  local function add(change)
    changes[#changes + 1] = change
    by_address[change.address] = change
  end
  for _, address in ipairs(declaration and declaration.order or {}) do
    local row = current[address]
    add(decide(context, declared[address], row, row and live_by_row[row], lookup))
  end
  for address, row in pairs(current) do
    if not declared[address] then
      add(removal(row, live_by_row[row]))
    end
  end
  local obsolete = {}
  for i, row in ipairs(obsolete_rows) do
    obsolete[i] = removal(row, live_by_row[row])
    obsolete[i].reason = obsolete[i].reason or "it was replaced"
  end
  selection.apply(changes, options.targets)
  local ok
  ok, err = check_protection(changes)
  if not ok then
    return nil, err
  end
  order_by_address(changes)
  order_by_address(obsolete)
  return {
    changes = changes, by_address = by_address, obsolete = obsolete, stack = declaration and declaration.name,
    declaration = declaration, counts = count(changes, obsolete), serial = store:serial(),
  }
end

--- True when applying the plan would do anything.
function plan.has_changes(made)
  local counts = made.counts
  return counts.create + counts.update + counts.replace + counts.delete + counts.forget > 0
end

return plan
