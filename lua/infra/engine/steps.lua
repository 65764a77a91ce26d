-- What one step of an apply does: make, delete or forget one resource, with the state's row of it written at every
-- point from which a later run must be able to go on. Used by engine/apply, whose `run` table is passed along:
-- { context, store, emit, seconds_of, lookup, by_address, warnings }.

local delete_resource = require "infra.handler.delete"
local json = require "host.json"
local merged = require "infra.merged"
local operation = require "infra.engine.step_operation"
local record = require "infra.engine.record"
local refresh = require "infra.engine.refresh"
local resources = require "infra.resources"

local steps = {}

--- The resource type of what `change` is about.
function steps.type_of(change)
  return change.resource and change.resource.type or assert(resources.type(change.type))
end

--- Creates or updates what `change` is about. Returns true, or nil and an error.
steps.make = require "infra.engine.making"

--- Keeps the record of a resource up to date before anything is done about it: it may have been found, it may have
--- moved, or have other options, dependencies or attributes to remember.
function steps.keep(run, change)
  local row = change.row
  if row.moved_from then
    run.store:delete_resource { address = row.moved_from, token = row.token }
    run.store:add_history { address = row.address, type = row.type, action = "move", outcome = "done", seconds = 0,
      detail = { from = row.moved_from } }
  end
  local function contents()
    return json.encode { row.attributes, row.properties, json.array(row.dependencies), row.options, row.source }
  end
  local before = contents()
  if change.action == "none" and change.resource and not change.reason then
    row.attributes = record.attributes(change.resource.type, change.live.values, change.desired)
    record.declare(run.context, change, row)
    record.warn(run, change, change.live.values)
  end
  if row.moved_from or row.follows or row.found or contents() ~= before then
    run.store:put_resource(row)
  end
end

-- Whether what took the place of the old generation is the same thing: publishing a version that is published already,
-- say, gives the one that there is.
local function is_same_thing(run, row)
  local successor = run.by_address[row.address]
  local current = successor and successor.row
  return current and current ~= row and current.identity and row.identity and current.region == row.region
    and json.encode(current.identity) == json.encode(row.identity)
end

--- Deletes the recorded resource (of a replacement: the old one). Returns true, or nil and an error.
function steps.delete(run, change)
  local row, live = change.old_row or change.row, change.old_live or change.live
  if row.status ~= "replaced" then
    row.status = "deleting"
  end
  run.store:put_resource(row)
  if row.identity and not is_same_thing(run, row) then
    -- What is live may have another identifier than what was recorded.
    local known = merged(refresh.known(row), live and live.values or {})
    local ok, err = delete_resource(operation(run, change, "delete", row), known)
    if not ok then
      return nil, err
    end
  end
  run.store:delete_resource(row)
  run.context.journal:settle(row.token)
  return run.store:sync()
end

--- Removes the record only (of a replacement: the old one's). Returns true, or nil and an error.
function steps.forget(run, change)
  run.store:delete_resource(change.old_row or change.row)
  return run.store:sync()
end

return steps
