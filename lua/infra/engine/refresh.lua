-- Looks at what really exists: reads every recorded resource, in batches, and settles what an interrupted run left open:
-- a create that was intended but whose outcome nobody recorded is looked for by token, natural name, tag or listing.
-- Used by engine/plan and `infra drift`. Changes nothing, neither at AWS nor in the state.

local errors = require "infra.errors"
local Operation = require "infra.handler.operation"
local read = require "infra.handler.read"
local resources = require "infra.resources"

local refresh = {}

--- The operation for reading what `row` records. `context` as in handler/operation.
function refresh.operation(context, row, resource_type)
  return Operation.new {
    context = context, address = row.address, region = row.region, token = row.token, action = "read",
    source = row.source, spec = resource_type.spec, schema = resource_type.schema, report = function() end,
  }
end

-- What identifies and describes a recorded resource, for its handler: properties, then attributes, then identity.
function refresh.known(row)
  local known = {}
  for _, values in ipairs { row.properties, row.attributes, row.identity or {} } do
    for name, value in pairs(values) do
      known[name] = value
    end
  end
  return known
end

-- Properties of which a call of its own is worth making: those declared now or last time.
local function wanted_properties(row, resource)
  local wanted = {}
  for _, properties in ipairs { row.properties, resource and resource.properties or {} } do
    for name in pairs(properties) do
      wanted[name] = true
    end
  end
  return wanted
end

local function look(context, row, resource)
  local resource_type, err = resources.type(row.type)
  if not resource_type then
    return nil, err
  end
  local op = refresh.operation(context, row, resource_type)
  if not row.identity then -- an interrupted create
    local found
    found, err = read.find(op, row.properties)
    if err or not (found and found.ours) then
      return nil, err
    end
    row.identity, row.found = found.identity, true
  end
  local known = refresh.known(row)
  local live
  live, err = read.live(op, known, wanted_properties(row, resource))
  if not live then
    return nil, err
  end
  for name, value in pairs(live.values) do
    known[name] = value
  end
  local ok
  ok, err = read.attributes(op, known, resource and resource.referenced)
  if not ok then
    return nil, err
  end
  for name in pairs(resource_type.schema.attributes) do
    if live.values[name] == nil then
      live.values[name] = known[name]
    end
  end
  return live
end

--- Reads all `rows` concurrently. `declared`: address -> resource, or empty. Returns { row = live or false }, or nil and
--- an error: a plan needs to know everything, so one unreadable resource stops it.
function refresh.all(context, rows, declared)
  local jobs, live_by_row = {}, {}
  for i, row in ipairs(rows) do
    jobs[i] = function()
      local live, err = look(context, row, declared[row.address])
      if err then
        err.resource, err.source = err.resource or row.address, err.source or row.source
        return err
      end
      live_by_row[row] = live or false
    end
  end
  local problems = {}
  for _, err in pairs(context.scheduler:all(jobs)) do
    problems[#problems + 1] = err
  end
  if #problems > 0 then
    return nil, #problems == 1 and problems[1] or errors.new {
      code = problems[1].code, message = ("%d resources could not be read; the first: %s"):format(#problems,
        tostring(problems[1])),
    }
  end
  return live_by_row
end

return refresh
