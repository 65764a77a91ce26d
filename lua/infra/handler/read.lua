-- Reading one resource of a native type: its item by the type's read spec, the parts that take calls of their own, what
-- identifies it, and the search for one whose create got no answer. Used by handler/init, handler/wait and
-- engine/refresh.

local json = require "host.json"
local path = require "infra.handler.path"
local reference = require "infra.engine.reference"
local tags = require "infra.handler.tags"

local read = {}

--- Whether the list (may be nil) has `wanted`.
function read.contains(list, wanted)
  for _, value in ipairs(list or {}) do
    if value == wanted then
      return true
    end
  end
  return false
end

-- CloudFormation types of properties that are documents: text in AWS's calls.
local TEXT_TYPES = { json = true, union = true }

--- CloudFormation names -> values, for building parameters: what is known of the resource, then what is wanted of it.
--- "@id" is the first of the identity, for specs that many types share.
function read.scope(op, known, desired)
  local scope = {}
  for name, value in pairs(known or {}) do
    scope[name] = value
  end
  for name, value in pairs(desired and reference.reveal(desired) or {}) do
    local property = op.schema.properties[name]
    local as_text = property and TEXT_TYPES[property.type.type] and type(value) == "table"
      and not read.contains(op.spec.structures, name)
    scope[name] = as_text and json.encode(value) or value
  end
  scope["@id"] = scope[op.spec.identity[1]]
  return scope
end

--- Whether the error of the call `spec` means that there is none.
function read.is_gone(op, spec, err)
  return read.contains(spec.absent, err.code) or read.contains(op.spec.gone, err.code)
end

--- One item as { values = CloudFormation names -> values, tags, state, failure }.
function read.decode(op, item, scope)
  local spec = op.spec
  local live = { values = path.extract(spec.read.map or {}, item), item = item }
  if spec.read.decode then
    spec.read.decode(item, live.values, scope, op)
  end
  if spec.tags and type(spec.tags.read) == "string" then
    live.tags = tags.decode(spec.tags, path.get(item, spec.tags.read))
  end
  if spec.state then
    live.state = path.get(item, spec.state.path)
    if read.contains(spec.state.failed, live.state) then
      live.failure = path.get(item, spec.state.message or "") or ("it is in state " .. tostring(live.state))
    end
  end
  return live
end

-- The item itself, by the type's read spec: nil when AWS has none.
local function fetch(op, scope)
  local spec = op.spec.read
  local service = spec.service or op.spec.service
  local item, err
  if spec.list then
    item, err = op.context.reader:item(service, op.region, spec, scope[spec.by or op.spec.identity[1]])
  else
    item, err = op.context.reader:single(service, op.region, spec, path.build(spec.send, scope))
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

--- The resource that `known` identifies in whatever state it is: { values, tags, state, failure, item }; nil when AWS has
--- none, or nil and an error. Without the parts that take calls of their own.
function read.item(op, known)
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

-- Adds what calls of its own tell: facets among `wanted` (names of properties), tags where they are not in the item.
local function read_parts(op, live, scope, wanted)
  local jobs = {}
  for _, facet in ipairs(op.spec.facets or {}) do
    if facet.read and is_wanted(facet, wanted) then
      jobs[#jobs + 1] = function()
        local params = path.build(facet.read.send or {}, scope, {})
        for member, value in pairs(facet.read.with or {}) do
          path.set(params, member, value)
        end
        local output, err = op.context.reader:single(op.spec.service, op.region, facet.read, params)
        if not output and not read.is_gone(op, facet.read, err) then
          return err
        elseif output then
          path.extract(facet.read.map or {}, output, live.values)
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
  return live
end

--- Reads the live resource that `known` identifies. `wanted`: set of property names worth a call of their own, nil for
--- all. Returns { values, tags, state, failure }, or nil when it does not exist (also while it is being deleted), or
--- nil and an error.
function read.live(op, known, wanted)
  local scope = read.scope(op, known)
  if op.spec.observe then -- nothing at AWS: the plug-in's own function
    return op.spec.observe(op, scope)
  end
  local item, err = fetch(op, scope)
  if not item then
    return nil, err
  end
  local live = read.decode(op, item, scope)
  local state = op.spec.state
  if state and (read.contains(state.gone, live.state) or read.contains(state.leaving, live.state)) then
    return nil
  end
  for name, value in pairs(live.values) do
    if scope[name] == nil then
      scope[name] = value
    end
  end
  return read_parts(op, live, scope, wanted)
end

-- An ARN that AWS does not return but that follows from a template: "arn:${Partition}:s3:::${BucketName}".
local function arn_of(op, values)
  local context = op.context
  local known = { Partition = context.partition, Region = op.region, Account = context.account }
  local complete = true
  local text = op.schema.arn_template:gsub("%${(%w+)}", function(name)
    local value = known[name] or values[name]
    complete = complete and value ~= nil
    return value and tostring(value) or ""
  end)
  return complete and text or nil
end

--- Completes `values` by attributes that something refers to (`wanted`: set of names) and that cost a call or follow
--- from others. Returns true, or nil and an error.
function read.attributes(op, values, wanted)
  for name in pairs(wanted or {}) do
    local spec = op.spec.attributes and op.spec.attributes[name]
    if values[name] == nil and name == "Arn" and op.schema.arn_template then
      values.Arn = arn_of(op, values)
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

--- { identity names -> values } out of a scope; nil when one is missing.
function read.identity(op, values)
  local identity = {}
  for _, name in ipairs(op.spec.identity) do
    if values[name] == nil then
      return nil
    end
    identity[name] = values[name]
  end
  return identity
end

--- Looks for a resource that this stack may have created without learning of it, or that is in the way of a create.
--- Returns { identity, live, ours = carries this generation's ownership tag }, or nil, or nil and an error.
function read.find(op, desired)
  local scope = read.scope(op, nil, desired)
  local spec = op.spec
  if spec.observe then
    return nil
  end
  for name, value in pairs(spec.derive and spec.derive(scope, op) or {}) do
    scope[name] = value
  end
  local items, err = {}, nil
  if type(spec.find) == "function" then
    local item
    item, err = spec.find(op, scope)
    items = { item }
  elseif spec.find then
    local filters = {}
    for filter, property in pairs(spec.find) do
      local value = property == true and op.token or scope[property]
      filters[#filters + 1] = { Name = filter, Values = { value } }
    end
    local output
    local member = spec.read.filter_member or "Filters"
    output, err = op.context.client:all(spec.service, spec.read[1], { [member] = filters }, { region = op.region })
    items = output and path.get(output, spec.read.list) or {}
  elseif read.identity(op, scope) then
    local item
    item, err = fetch(op, scope)
    items = { item }
  end
  if err then
    return nil, err
  end
  for _, item in ipairs(items) do
    local live = read.decode(op, item, scope)
    local state = spec.state
    if not (state and (read.contains(state.gone, live.state) or read.contains(state.leaving, live.state))) then
      for name, value in pairs(live.values) do
        scope[name] = value
      end
      if spec.tags and not live.tags then
        live.tags, err = tags.read(op, scope)
        if err then
          return nil, err
        end
      end
      local owner = live.tags and live.tags[tags.OWNER]
      -- Where tags follow the create in a call of their own, the create may have been the last thing that happened.
      local ours = not spec.tags or owner == op.token or owner == nil and not spec.tags.create
      return { identity = read.identity(op, scope), live = live, ours = ours }
    end
  end
  return nil
end

return read
