-- The operation (handler/operation) with which a step of an apply acts on its resource. Used by engine/steps and
-- engine/making.

local Operation = require "infra.handler.operation"
local accounts = require "infra.engine.accounts"
local reference = require "infra.engine.reference"
local refresh = require "infra.engine.refresh"
local resources = require "infra.resources"

-- Seconds for which AWS may not know the resource everywhere, or nil.
local function unknown_for(run, action, row)
  if action ~= "delete" then
    return row.status == "creating" and refresh.LOOKS_FOR or nil
  end
  local age = run.context.runtime.time() - (row.updated_at or 0)
  return age < refresh.APPEARS and refresh.APPEARS - age or nil
end

--- The operation for `action` on what `row` records. run, change as in engine/steps.
return function(run, change, action, row)
  local resource_type = assert(resources.type(row.type))
  local options = action == "delete" and row.options or change.resource.options
  return Operation.new {
    context = assert(accounts.context(run.context, row.account)), -- what is declared has a role, all else has been read
    address = change.address, region = row.region, token = row.token, action = action, source = row.source,
    spec = resource_type.spec, schema = resource_type.schema, desired = change.desired,
    adopt = options.adopt, recoverable = row.options.recoverable, wait = options.wait,
    timeout = (options.timeouts or {})[action],
    unknown_for = unknown_for(run, action, row), secrets = reference.secrets(change.desired),
    expected_seconds = run.seconds_of(change, action),
    report = function(text, lasting)
      run.emit { kind = "progress", address = change.address, type = change.type, action = action, text = text,
        lasting = lasting }
    end,
  }
end
