-- The plan: declared against recorded against live, and what has to be done about it. A plan is data; engine/apply does
-- it, report/* show it, engine/saved_plan writes it to a file.
--
--   plan = {
--     changes = { change, ... } in order of address, also those with nothing to do,
--     by_address = { address -> change },  obsolete = { change, ... } for replaced generations that still exist,
--     stack, counts = { create =, update =, replace =, delete =, forget =, none = }, serial (of the state),
--   }
--   change = {
--     address, type, action = create | update | replace | delete | forget | none,
--     resource (declared), row (recorded), live, differences = { { name, before, after, replaces } },
--     desired = properties resolved as far as known, reason = text or nil,
--     ineffective = names of properties that the stack says and that only a new one would have,
--     create_first = true, false, or nil while nothing tells,
--     circumstances (engine/circumstances), again = true when everything declared is to be written once more,
--   }

local crypto = require "host.crypto"
local circumstances = require "infra.engine.circumstances"
local decision = require "infra.engine.decision"
local errors = require "infra.errors"
local reference = require "infra.engine.reference"
local refresh = require "infra.engine.refresh"
local renames = require "infra.engine.renames"
local schedule = require "infra.engine.schedule"
local selection = require "infra.engine.selection"

local plan = {}

-- Divides the rows of a state, oldest first: current = address -> row, obsolete = rows of replaced generations.
local function by_generation(rows)
  local current, obsolete = {}, {}
  for _, row in ipairs(rows) do
    if row.status == "replaced" then
      obsolete[#obsolete + 1] = row
    else
      obsolete[#obsolete + 1] = current[row.address] -- no run leaves two; if one did, none may be lost
      current[row.address] = row
    end
  end
  return current, obsolete
end

-- Actions after which an attribute has another value than now.
local MAKES_NEW = { create = true, replace = true }

--- Whether what `change` is about exists: it did, and is not made anew, or it has been made by now.
function plan.exists(change)
  return change.row ~= nil and (change.finished or not MAKES_NEW[change.action])
end

-- The value of `attribute` of what `change` is about, as far as it is known while planning or applying.
local function attribute_of(change, attribute)
  if change.desired and change.desired[attribute] ~= nil then
    return change.desired[attribute]
  end
  for _, values in ipairs(plan.exists(change) and { change.live and change.live.values or {}, change.row.attributes,
    change.row.identity or {} } or {}) do
    if values[attribute] ~= nil then
      return values[attribute]
    end
  end
  return reference.unknown(change.address, attribute)
end

--- A function for reference.resolve that looks up in `by_address` and the account's facts.
function plan.lookup(context, by_address)
  local facts = { Account = context.account, Partition = context.partition }
  return function(address, attribute)
    if address == "" then
      return facts[attribute]
    end
    local change = by_address[address]
    local circumstance = circumstances.attribute(change, attribute, plan.exists(change), context.digest_key)
    return circumstance or attribute_of(change, attribute)
  end
end

local function count(changes, obsolete)
  local counts = { create = 0, update = 0, replace = 0, delete = 0, forget = 0, none = 0 }
  for _, list in ipairs { changes, obsolete } do
    for _, change in ipairs(list) do
      counts[change.action] = counts[change.action] + 1
    end
  end
  return counts
end

local function by_address(a, b)
  return a.address < b.address
end

-- All changes, each decided after those it refers to. Returns changes, address -> change.
local function decide(context, declaration, current, live_by_row)
  local changes, found = {}, {}
  local lookup = plan.lookup(context, found)
  local function add(change)
    changes[#changes + 1] = change
    found[change.address] = change
  end
  for _, address in ipairs(declaration and declaration.order or {}) do
    local row = current[address]
    local live = row and live_by_row[row]
    local change = decision.declared(declaration.resources[address], row, live, lookup, context.digest_key)
    add(change)
  end
  for address, row in pairs(current) do
    if not found[address] then
      add(decision.removal(row, live_by_row[row]))
    end
  end
  table.sort(changes, by_address)
  return changes, found
end

local function remove_replaced(rows, live_by_row)
  local changes = {}
  for i, row in ipairs(rows) do
    changes[i] = decision.removal(row, live_by_row[row])
    changes[i].reason = changes[i].reason or "it was replaced"
  end
  table.sort(changes, by_address)
  return changes
end

-- Adds the removal of what was made twice.
local function remove_twins(context, rows, changes)
  for _, row in ipairs(rows) do
    for _, identity in ipairs(row.twins or {}) do
      local twin = {
        address = row.address, type = row.type, region = row.region, account = row.account, source = row.source,
        token = crypto.hex(context.runtime.random(16)), status = "replaced", identity = identity, properties = {},
        attributes = {}, dependencies = {}, options = {},
      }
      local change = decision.removal(twin, { values = {} })
      change.reason = "AWS made two of one request"
      table.insert(changes, change)
    end
  end
end

local function check(context, changes)
  local refused = renames.unsaid(changes, context.account)
  for _, change in ipairs(changes) do
    local _, err = decision.check(change)
    refused[#refused + 1] = err
  end
  if #refused > 1 then
    return errors.fail { code = refused[1].code,
      message = ("%d changes are refused%s"):format(#refused, errors.list(refused)) }
  end
  return #refused == 0, refused[1]
end

--- Makes the plan. `declaration` from stack:evaluate, or nil to destroy everything recorded. options: targets = list of
--- addresses or layers. Yields. Returns a plan, or nil and an error.
function plan.make(context, declaration, store, options)
  local rows, err = store:resources()
  if not rows then
    return nil, err
  end
  local current, obsolete = by_generation(rows)
  if declaration then
    local ok
    ok, err = renames.follow(declaration, rows, current)
    if not ok then
      return nil, err
    end
  end
  local live_by_row
  live_by_row, err = refresh.all(context, rows, declaration and declaration.resources or {})
  if not live_by_row then
    return nil, err
  end
  local decided, changes, found = pcall(decide, context, declaration, current, live_by_row)
  if not decided then
    return nil, errors.from(changes)
  end
  local made = {
    changes = changes, by_address = found, obsolete = remove_replaced(obsolete, live_by_row),
    stack = declaration and declaration.name, declaration = declaration, serial = store:serial(),
  }
  remove_twins(context, rows, made.obsolete)
  local ok
  ok, err = selection.apply(made, options.targets)
  if not ok then
    return nil, err
  end
  schedule.arrange(made)
  ok, err = check(context, made.changes)
  if not ok then
    return nil, err
  end
  made.counts = count(made.changes, made.obsolete)
  return made
end

--- True when applying the plan would do anything.
function plan.has_changes(made)
  local counts = made.counts
  return counts.create + counts.update + counts.replace + counts.delete + counts.forget > 0
end

return plan
