-- Reading one resource of a native type: its item by the type's read spec, the parts that take calls of their own, and
-- what identifies it. Used by the other files of this folder, engine/refresh and engine/steps.

local form = require "infra.handler.form"
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

--- A copy of the table `first` with what the others have, the last one winning.
function read.merged(first, ...)
  local result = {}
  for _, values in ipairs { first, ... } do
    for name, value in pairs(values) do
      result[name] = value
    end
  end
  return result
end

--- The first entry of `entries` (may be nil) that names the error: a code, or { code, message = "Lua pattern" }.
function read.entry(entries, err)
  for _, entry in ipairs(entries or {}) do
    local code, pattern = entry, nil
    if type(entry) == "table" then
      code, pattern = entry[1], entry.message
    end
    if code == err.code and (not pattern or (err.message or ""):find(pattern)) then
      return entry
    end
  end
end

-- CloudFormation types of properties that are documents: text in AWS's calls.
local TEXT_TYPES = { json = true, union = true }

-- 30 for "30", which CloudFormation takes where its schema says text.
local function as_text(value)
  local kind = type(value)
  return (kind == "number" or kind == "boolean") and tostring(math.tointeger(value) or value) or value
end

--- CloudFormation names -> values, for building parameters: what is known of the resource, then what is wanted of it.
--- "@id" is the first of the identity, for specs that many types share; "@token" the generation's nonce.
function read.scope(op, known, desired)
  local scope = read.merged(known or {})
  for name, value in pairs(desired and reference.reveal(desired) or {}) do
    local property = op.schema.properties[name]
    local kind = property and property.type.type
    if TEXT_TYPES[kind] and type(value) == "table" and not read.contains(op.spec.structures, name) then
      value = json.encode(value)
    elseif kind == "string" then
      value = as_text(value)
    end
    scope[name] = value
  end
  scope["@id"], scope["@token"] = scope[op.spec.identity[1]], op.token
  return scope
end

--- Whether the error of the call `spec` means that there is none.
function read.is_gone(op, spec, err)
  return read.entry(spec.absent, err) ~= nil or read.entry(op.spec.gone, err) ~= nil
end

-- Numbers of attributes that CloudFormation's schema calls text: ports, which others join into addresses.
local function numbers_as_text(op, values)
  for name, attribute in pairs(op.schema.attributes) do
    if attribute.type.type == "string" then
      values[name] = as_text(values[name])
    end
  end
end

--- What an entry of a `state` says of an item: by path, or by function(item, op).
function read.part(op, item, where)
  if type(where) == "function" then
    return where(item, op)
  end
  return where and path.get(item, where)
end

--- One item as { values = CloudFormation names -> values, tags, state, failure, leaving = it is being deleted, gone =
--- it is deleted although still listed }.
function read.decode(op, item, scope)
  local spec = op.spec
  local live = { values = path.extract(spec.read.map or {}, item, {}, form.decoder(op)), item = item }
  path.extract(spec.read.sometimes or {}, item, live.values, form.decoder(op))
  if spec.read.decode then
    spec.read.decode(item, live.values, scope, op)
  end
  numbers_as_text(op, live.values)
  if spec.tags and type(spec.tags.read) == "string" then
    live.tags = tags.decode(spec.tags, path.get(item, spec.tags.read))
  end
  if spec.state then
    live.state = read.part(op, item, spec.state.path)
    live.leaving, live.gone = read.contains(spec.state.leaving, live.state), read.contains(spec.state.gone, live.state)
    if read.contains(spec.state.failed, live.state) then
      local reason = read.part(op, item, spec.state.message) or ("it is in state " .. tostring(live.state))
      local explanation = (spec.state.explain or {})[reason]
      live.failure = explanation and ("%s: %s"):format(reason, explanation) or reason
    end
  end
  return live
end

-- The item itself, by the type's read spec: nil when AWS has none.
local function fetch(op, scope)
  local spec = op.spec.read
  local service = spec.service or op.spec.service
  local params = op:parameters(spec, scope)
  local item, err
  if spec.list then
    local id = type(spec.by) == "function" and spec.by(scope) or scope[spec.by or op.spec.identity[1]]
    item, err = op.context.reader:item(service, op.region, spec, id, params)
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

--- The resource that `known` identifies in whatever state it is: { values, tags, state, failure, item }; nil when AWS
--- has none, or nil and an error. Without the parts that take calls of their own.
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
        local params = op:parameters(facet.read, scope)
        local output, err = op.context.reader:single(op.spec.service, op.region, facet.read, params)
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

--- Reads the live resource that `known` identifies. `wanted`: set of property names worth a call of their own, nil for
--- all. Returns what read.decode makes of it, or nil when it does not exist, or nil and an error. One that is being
--- deleted (`leaving`) is not looked at further.
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
  if live.gone or live.leaving then
    return live.leaving and live or nil
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

return read
