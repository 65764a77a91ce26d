-- Changes that can share a call: those of one turn of the loop that differ only in the list at call.batch are sent as
-- one, with their lists joined. AWS does such a call as a whole or not at all; when it refuses it, each change is sent
-- alone, so that what is wrong with one is not the others' failure. Used by handler/operation.

local errors = require "infra.errors"
local json = require "host.json"
local path = require "infra.handler.path"

local batch = {}

-- The most items in one call; Route 53 takes a thousand, of which some count twice.
local MAX_ITEMS <const> = 100

-- Lets the others go when the task that sends for them ends in whatever way.
local function release(scheduler, group)
  return setmetatable({}, { __close = function()
    local output, err = group.output, group.err
    if not output and not err then
      err = errors.new { code = "Cancelled", message = "the call that was shared was not made" }
    end
    for _, task in ipairs(group.tasks) do
      scheduler:wake(task, output, err)
    end
  end })
end

-- What a call is but for its list, as text.
local function key_of(op, call, params)
  path.set(params, call.batch, nil)
  return table.concat({ call.service or op.spec.service, op.region, call[1], json.encode(params) }, "\0")
end

-- Waits for what else comes in this turn, and sends it all.
local function lead(context, key, group, send)
  context.batches[key] = group
  local _ <close> = release(context.scheduler, group)
  context.scheduler:sleep(0)
  if context.batches[key] == group then
    context.batches[key] = nil
  end
  group.output, group.err = send(group.items)
  return group.output, group.err
end

--- Makes the call with `params`, together with others where there are any. transmit(params) makes it: both return the
--- output, or nil and an error.
function batch.send(op, call, params, transmit)
  local context, list = op.context, path.get(params, call.batch)
  local key = key_of(op, call, params)
  local function send(items)
    path.set(params, call.batch, items)
    return transmit(params)
  end
  context.batches = context.batches or {}
  local group, output, err = context.batches[key]
  local joins = group and #group.items + #list <= MAX_ITEMS
  if not joins then
    group = { items = json.array {}, tasks = {} }
  end
  table.move(list, 1, #list, #group.items + 1, group.items)
  if joins then
    table.insert(group.tasks, context.scheduler:current())
    output, err = context.scheduler:suspend()
  else
    output, err = lead(context, key, group, send)
  end
  if err and not err.unknown_outcome and err.code ~= "Cancelled" and #group.tasks > 0 then
    return send(list)
  end
  return output, err
end

return batch
