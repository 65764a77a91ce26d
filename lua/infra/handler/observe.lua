-- Looking at one resource of a native type: its item by the type's read spec, the parts and the tags that take calls of
-- their own. handler/read has the words for what is seen. Used by the other files of this folder, engine/refresh,
-- engine/making and the functions in handler specs.

local arn = require "infra.handler.arn"
local form = require "infra.handler.form"
local path = require "infra.handler.path"
local read = require "infra.handler.read"
local tags = require "infra.handler.tags"
local twins = require "infra.handler.twins"

local observe = {}

-- The item itself as the read spec `spec` finds it: nil when it finds none.
local function fetch_by(op, spec, scope)
  local service = spec.service or op.spec.service
  local params = op:parameters(spec, scope)
  local item, err
  if spec.list then
    local id = type(spec.by) == "function" and spec.by(scope) or scope[spec.by or op.spec.identity[1]]
    if op.action == "read" then
      item, err, op.twins = twins.item(op, service, id, params)
    end
    if not (item or err) then
      item, err = op.context.reader:item(service, op.region, spec, id, params)
    end
  else
    item, err = op.context.reader:single(service, op.region, spec, params)
    if not item and read.is_gone(op, spec, err) then
      return nil
    end
    item = item and spec.item and path.get(item, spec.item) or item
  end
  if item and spec.pick then
    item = spec.pick(item, scope)
  end
  return item, err
end

-- The item itself: nil when AWS has none.
local function fetch(op, scope)
  local spec = op.spec.read
  local item, err
  if spec.first and scope[spec.first.by] then
    item, err = fetch_by(op, spec.first, scope)
  end
  if not (item or err) then
    item, err = fetch_by(op, spec, scope)
  end
  return item, err
end

--- The resource that `known` identifies in whatever state it is: { values, tags, state, failure, item }; nil when AWS
--- has none, or nil and an error. Without the parts that take calls of their own.
function observe.item(op, known)
  local scope = read.scope(op, known)
  local item, err = fetch(op, scope)
  if not item then
    return nil, err
  end
  return read.decode(op, item, scope)
end

local function is_wanted(facet, wanted)
  for _, name in ipairs(facet.properties) do
    if not wanted or wanted[name] then
      return true
    end
  end
  return false
end

-- What the read of a facet answers; one that can be shared, { items = those with its key }.
local function fetch_facet(op, spec, scope)
  local reader, service, params = op.context.reader, op.spec.service, op:parameters(spec, scope)
  if not spec.list then
    return reader:single(service, op.region, spec, params)
  end
  local items, err = reader:items(service, op.region, spec, scope[spec.by], params)
  return items and { items = items }, err
end

-- Adds what calls of its own tell: facets among `wanted` (names of properties), tags that nothing has told yet.
-- `early`: what some facets have answered already (nil when none has).
local function read_parts(op, live, scope, wanted, early)
  local jobs = {}
  for _, facet in ipairs(op.spec.facets or {}) do
    if facet.read and is_wanted(facet, wanted) then
      jobs[#jobs + 1] = function()
        local told = early and early[facet] or { fetch_facet(op, facet.read, scope) }
        local output, err = told[1], told[2]
        if not output and not read.is_gone(op, facet.read, err) then
          return err
        elseif output then
          path.extract(facet.read.map or {}, output, live.values, form.decoder(op))
          if facet.read.decode then
            facet.read.decode(output, live.values, scope, op)
          end
        end
      end
    end
  end
  if op.spec.tags and op.schema.tag_property and not live.tags then
    jobs[#jobs + 1] = function()
      local found, err = tags.read(op, scope)
      live.tags = found
      return err
    end
  end
  local results = #jobs > 0 and op.context.scheduler:all(jobs) or {}
  for i = 1, #jobs do
    if results[i] then
      return nil, results[i]
    end
  end
  if op.spec.read.complete then
    op.spec.read.complete(live.values)
  end
  return live
end

-- The item, an error, its tags where the tagging API has them, and what the facets that share their calls answer:
-- { facet = { output, err } }. All asked for at the same time, so that the resources read in one turn share the calls.
local function fetch_together(op, scope, known, wanted)
  if op.action ~= "read" then
    return fetch(op, scope)
  end
  local jobs, indexed, early = { function() return fetch(op, scope) end }, nil, {}
  if tags.are_indexed(op) then
    jobs[2] = function() indexed = tags.indexed(op, scope, known) end
  end
  for _, facet in ipairs(op.spec.facets or {}) do
    local spec = facet.read
    if spec and spec.list and scope[spec.by] and is_wanted(facet, wanted) then
      jobs[#jobs + 1] = function() early[facet] = { fetch_facet(op, spec, scope) } end
    end
  end
  local items, problems = op.context.scheduler:all(jobs)
  return items[1], problems[1], indexed, early
end

--- Reads the live resource that `known` identifies. `wanted`: set of property names worth a call of their own, nil for
--- all. Returns what read.decode makes of it, or nil when it does not exist, or nil and an error. One that is being
--- deleted (`leaving`) is not looked at further. Items that AWS made beside it, of the same request, are in op.twins.
function observe.live(op, known, wanted)
  local scope = read.scope(op, known)
  if op.spec.observe then -- nothing at AWS: the plug-in's own function
    return op.spec.observe(op, scope)
  end
  local item, err, indexed, early = fetch_together(op, scope, known, wanted)
  if not item then
    return nil, err
  end
  local live = read.decode(op, item, scope)
  if live.gone or live.leaving then
    return live.leaving and live or nil
  end
  live.tags = live.tags or indexed
  for name, value in pairs(live.values) do
    if scope[name] == nil then
      scope[name] = value
    end
  end
  return read_parts(op, live, scope, wanted, early)
end

--- Completes `values` by attributes that something refers to (`wanted`: set of names) and that cost a call or follow
--- from others. Returns true, or nil and an error.
function observe.attributes(op, values, wanted)
  for name in pairs(wanted or {}) do
    local spec = op.spec.attributes and op.spec.attributes[name]
    if values[name] == nil and name == "Arn" and op.schema.arn_template then
      values.Arn = arn.expand(op, op.schema.arn_template, values)
    elseif values[name] == nil and spec then
      local filters = {}
      for filter, value in pairs(spec.filters) do
        filters[#filters + 1] = { Name = filter, Values = type(value) == "table" and value or { values[value] } }
      end
      local output, err = op:get(spec, { Filters = filters })
      if not output then
        return nil, err
      end
      values[name] = path.get(output, spec.path)
    end
  end
  return true
end

return observe
