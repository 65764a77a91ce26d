-- Looks at what really exists: reads every recorded resource, in batches, and settles what an interrupted run left
-- open: a create that was intended but whose outcome nobody recorded is looked for by natural name, tag or listing.
-- Used by engine/plan, engine/steps, engine/making and `infra drift`. Changes nothing, neither at AWS nor in the state.

local accounts = require "infra.engine.accounts"
local errors = require "infra.errors"
local merged = require "infra.merged"
local observe = require "infra.handler.observe"
local Operation = require "infra.handler.operation"
local find = require "infra.handler.find"
local read = require "infra.handler.read"
local resources = require "infra.resources"

local refresh = {}

--- Seconds for which AWS may not show what was just made.
refresh.APPEARS = 20

--- Seconds for which the step that made something goes on looking for it.
refresh.LOOKS_FOR = 120

-- Seconds between two looks at it.
local PAUSE <const> = 2

-- Of these, nothing need be there any more.
local GOING = { deleting = true, replaced = true }

-- The operation for reading what `row` records, or nil and an error.
local function read_operation(context, row, resource_type)
  local where, err = accounts.context(context, row.account)
  return where and Operation.new {
    context = where, address = row.address, region = row.region, token = row.token, action = "read",
    source = row.source, spec = resource_type.spec, schema = resource_type.schema, report = function() end,
  }, err
end

--- What identifies and describes a recorded resource, for its handler: properties, then attributes, then identity.
function refresh.known(row)
  return merged(row.properties, row.attributes, row.identity or {})
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

-- Repeats look() while it finds nothing of what AWS may not show yet, being made or changed at `since` (unix seconds;
-- a clock that was put back, or another machine's, may have written a time to come).
local function patiently(context, since, look)
  local time = context.runtime.time
  local deadline = math.min(since, time()) + refresh.APPEARS
  while true do
    local found, err = look()
    if found or err or time() >= deadline then
      return found, err
    end
    context.scheduler:sleep(PAUSE)
  end
end

-- What became of a create whose outcome nobody recorded: fills in row.identity if it is ours. Returns true when it is,
-- or nil and an error.
local function resolve_create(context, row, op)
  if not row.intended_at then -- no request for it has left, or a run after that one has looked for it already
    return nil
  end
  local found, err = patiently(context, row.intended_at, function()
    return find.one(op, row.properties)
  end)
  if err or not (found and found.ours) then
    return nil, err
  end
  row.identity, row.found, row.updated_at = found.identity, true, context.runtime.time()
  return true
end

-- The identities of what AWS made beside it, of the same request.
local function twins_of(op)
  local identities = {}
  for _, item in ipairs(op.twins or {}) do
    local live = read.decode(op, item, {})
    if not (live.gone or live.leaving) then
      identities[#identities + 1] = read.identity(op, live.values)
    end
  end
  return identities
end

--- What really exists of what `row` records, see observe.live; also the attributes that others refer to in `resource`
--- (its declaration, or nil), and in row.twins the identities of what was made twice. Returns nil when there is
--- nothing, or nil and an error. Yields.
function refresh.one(context, row, resource)
  local resource_type, err = resources.type(row.type)
  if not resource_type then
    return nil, err
  end
  local op
  op, err = read_operation(context, row, resource_type)
  if not op then
    return nil, err
  end
  if not row.identity then
    local resolved
    resolved, err = resolve_create(context, row, op)
    if not resolved then
      return nil, err
    end
  end
  local known = refresh.known(row)
  local live
  live, err = patiently(context, GOING[row.status] and 0 or row.updated_at or context.runtime.time(), function()
    return observe.live(op, known, wanted_properties(row, resource))
  end)
  row.twins = twins_of(op)
  if not live or live.leaving then
    return live, err
  end
  known = merged(known, live.values)
  local ok
  ok, err = observe.attributes(op, known, resource and resource.referenced)
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

-- Calls fn(item) for every item at the same time. fn returns nil, or an error. Returns true, or nil and one error.
function refresh.each(context, items, fn)
  local jobs, problems = {}, {}
  for i, item in ipairs(items) do
    jobs[i] = function()
      local problem = fn(item) -- which yields: the others may have added theirs meanwhile
      problems[#problems + 1] = problem
    end
  end
  context.scheduler:all(jobs)
  if #problems == 0 then
    return true
  end
  return nil, #problems == 1 and problems[1] or errors.new {
    code = problems[1].code, message = ("%d resources could not be read; the first: %s"):format(#problems,
      tostring(problems[1])),
  }
end

--- Reads all `rows` concurrently. `declared`: address -> resource, or empty. Returns { row = live or false }, or nil
--- and an error: a plan needs to know everything, so one unreadable resource stops it.
function refresh.all(context, rows, declared)
  local live_by_row = {}
  local ok, problem = refresh.each(context, rows, function(row)
    local called, live, err = xpcall(refresh.one, errors.caught, context, row, declared[row.address])
    if not called then -- a mistake in a handler, maybe a plug-in's
      live, err = nil, live
    end
    if err then
      err.resource, err.source = err.resource or row.address, err.source or row.source
      return err
    end
    live_by_row[row] = live or false
  end)
  return ok and live_by_row, problem
end

return refresh
