-- What can be done with a resource of a native type: read, find, create, update, delete. The spec of the type (see
-- handler/schema for its vocabulary, resources/*.lua for the specs) says with which calls; this file says in which
-- order, and what happens when AWS answers something else than "done".
--
-- Every function here runs inside a task, yields, and takes an Operation (handler/operation). `desired` is a table of
-- CloudFormation properties with all references resolved; `known` a table of identity and attributes. Used by
-- engine/refresh, engine/apply and engine/recover.

local errors = require "infra.errors"
local json = require "host.json"
local path = require "infra.handler.path"
local reference = require "infra.engine.reference"
local tags = require "infra.handler.tags"
local wait = require "infra.handler.wait"

local handler = {}

local function any(list, wanted)
  for _, value in ipairs(list or {}) do
    if value == wanted then
      return true
    end
  end
  return false
end

-- CloudFormation types of properties that are documents: text in AWS's calls.
local TEXT_TYPES = { json = true, union = true }

-- CloudFormation names -> values, for building parameters: what is known of the resource, then what is wanted of it.
-- "@id" is the first of the identity, for specs that many types share.
local function scope_of(op, known, desired)
  local scope = {}
  for name, value in pairs(known or {}) do
    scope[name] = value
  end
  for name, value in pairs(desired and reference.reveal(desired) or {}) do
    local property = op.schema.properties[name]
    local as_text = property and TEXT_TYPES[property.type.type] and type(value) == "table"
      and not any(op.spec.structures, name)
    scope[name] = as_text and json.encode(value) or value
  end
  scope["@id"] = scope[op.spec.identity[1]]
  return scope
end

local function is_gone(op, spec, err)
  return any(spec.absent, err.code) or any(op.spec.gone, err.code)
end

-- One item as { values = CloudFormation names -> values, tags, state, failure }.
local function decode(op, item, scope)
  local read, spec = op.spec.read, op.spec
  local live = { values = path.extract(read.map or {}, item), item = item }
  if read.decode then
    read.decode(item, live.values, scope, op)
  end
  if spec.tags and type(spec.tags.read) == "string" then
    live.tags = tags.decode(spec.tags, path.get(item, spec.tags.read))
  end
  if spec.state then
    live.state = path.get(item, spec.state.path)
    if any(spec.state.failed, live.state) then
      live.failure = path.get(item, spec.state.message or "") or ("it is in state " .. tostring(live.state))
    end
  end
  return live
end

-- The item itself, by the type's read spec: nil when AWS has none.
local function fetch(op, scope)
  local read = op.spec.read
  local service = read.service or op.spec.service
  if not (read.list or read.ids) then
    local output, err = op.context.reader:single(service, op.region, read, path.build(read.send, scope))
    if not output then
      return nil, not is_gone(op, read, err) and err or nil
    end
    local item = read.item and path.get(output, read.item) or output
    return read.pick and read.pick(item, scope) or item
  end
  local item, err = op.context.reader:item(service, op.region, read, scope[read.by or op.spec.identity[1]])
  if item and read.pick then
    item = read.pick(item, scope)
  end
  return item, err
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
        if not output and not is_gone(op, facet.read, err) then
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
function handler.read(op, known, wanted)
  local scope = scope_of(op, known)
  if op.spec.observe then -- nothing at AWS: the plug-in's own function
    return op.spec.observe(op, scope)
  end
  local item, err = fetch(op, scope)
  if not item then
    return nil, err
  end
  local live = decode(op, item, scope)
  local state = op.spec.state
  if state and (any(state.gone, live.state) or any(state.leaving, live.state)) then
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
function handler.attributes(op, values, wanted)
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

-- { identity names -> values } out of a scope; nil when one is missing.
local function identity_of(op, values)
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
function handler.find(op, desired)
  local scope = scope_of(op, nil, desired)
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
    output, err = op.context.client:all(spec.service, spec.read[1], { [spec.read.filter_member or "Filters"] = filters },
      { region = op.region })
    items = output and path.get(output, spec.read.list) or {}
  elseif identity_of(op, scope) then
    local item
    item, err = fetch(op, scope)
    items = { item }
  end
  if err then
    return nil, err
  end
  for _, item in ipairs(items) do
    local live = decode(op, item, scope)
    local state = spec.state
    if not (state and (any(state.gone, live.state) or any(state.leaving, live.state))) then
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
      return { identity = identity_of(op, scope), live = live, ours = ours }
    end
  end
  return nil
end

local function exists_error(op, err)
  return errors.new {
    code = "AlreadyExists", resource = op.address, source = op.source, service = err.service, operation = err.operation,
    message = err.message, hint = "it exists and does not belong to this stack: give this one another name, delete " ..
      "the other, or take it over with { adopt = true } in the resource's options",
  }
end

-- A create whose answer was lost, or which AWS refused because the thing exists: is it ours?
local function resolve_create(op, desired, err)
  for attempt = 1, err.unknown_outcome and 3 or 1 do -- a new object may take a while to be listed
    local found, find_error = handler.find(op, desired)
    if find_error then
      return nil, find_error
    elseif found and (found.ours or op.adopt) then
      return found
    elseif found then
      return nil, exists_error(op, err)
    end
    if attempt < 3 and err.unknown_outcome then
      local ok, stopped = op:sleep(5 * attempt)
      if not ok then
        return nil, stopped
      end
    end
  end
  return nil
end

-- A create that AWS accepts although the thing exists would take it over unseen: look first.
local function look_first(op, desired)
  local found, err = handler.find(op, desired)
  if found and not op.adopt and (found.live.tags or {})[tags.OWNER] ~= op.token then
    return nil, exists_error(op, { code = "AlreadyExists", message = "it exists already" })
  end
  return found, err
end

local function send_create(op, desired)
  local create = op.spec.create
  local scope = scope_of(op, nil, desired)
  if create.look_first then
    local found, err = look_first(op, desired)
    if found or err then
      return found, err
    end
  end
  for _ = 1, 3 do
    local output, err = op:send(tags.on_create(op, create, desired), scope)
    if output then
      local item = create.result and path.get(output, create.result) or output
      local live = decode(op, item, scope)
      path.extract(create.map or {}, output, live.values)
      for name, value in pairs(live.values) do
        scope[name] = value
      end
      return { identity = identity_of(op, scope), live = live }
    elseif not (err.unknown_outcome or any(create.exists, err.code)) then
      return nil, err
    elseif not (err.unknown_outcome and (create.token or create.idempotent)) then -- else the same request is safe
      op.report("looking for what the create may have made")
      local found, find_error = resolve_create(op, desired, err)
      if found or find_error then
        return found, find_error
      elseif not err.unknown_outcome then
        return nil, err
      end
    end
  end
  return errors.fail { code = "NoAnswer", resource = op.address, message = "three creates in a row got no answer" }
end

local function write_facet(op, facet, known, desired, live)
  local scope = scope_of(op, known, desired)
  local present = desired[facet.properties[1]] ~= nil
  for _, name in ipairs(facet.properties) do
    present = present or desired[name] ~= nil
  end
  local write = not present and facet.clear or facet.write
  if type(write) == "function" then
    return write(op, scope, live or { values = {} }, desired)
  end
  return op:send(write, scope)
end

-- Whether the facet is the one for the value wanted now (some facets exist once per value, to fix their order).
local function facet_applies(facet, desired)
  return facet.value == nil or desired[facet.properties[1]] == facet.value
end

--- Creates the resource and waits until others may use it. `created(identity, values)` is called, and must have made
--- the identity durable when it returns, before anything else happens. Returns identity, values; or nil and an error.
function handler.create(op, desired, created)
  if op.spec.create.run then -- a plug-in's own function
    local values, err = op.spec.create.run(op, scope_of(op, nil, desired))
    if not values then
      return nil, err
    end
    local identity = identity_of(op, values) or {}
    created(identity, values)
    return identity, values
  end
  local result, err = send_create(op, desired)
  if not result then
    return nil, err
  end
  if not result.identity then
    return errors.fail { code = "NoIdentity", resource = op.address, service = op.spec.service,
      operation = op.spec.create[1], message = "the answer does not say what was created" }
  end
  created(result.identity, result.live.values)
  return handler.finish(op, desired, result.identity, result.live)
end

--- Completes a resource whose identity is known but whose create may have been interrupted: waits, writes the facets
--- that differ from AWS's defaults. Returns identity, values; or nil and an error.
function handler.finish(op, desired, identity, live)
  local known, err = wait.ready(op, identity, live)
  if not known then
    return nil, err
  end
  local in_create = {}
  for _, field in ipairs(op.spec.create.send or {}) do
    in_create[path.field(field)] = true
  end
  for _, name in ipairs(op.spec.create.covers or {}) do
    in_create[name] = true
  end
  for _, facet in ipairs(op.spec.facets or {}) do
    local needed = false
    for _, name in ipairs(facet.properties) do
      local default = (op.spec.defaults or {})[name]
      needed = needed or (desired[name] ~= nil and not in_create[name] and desired[name] ~= default)
    end
    if needed and facet_applies(facet, desired) then
      local ok
      ok, err = write_facet(op, facet, known.values, desired, known)
      if not ok then
        return nil, err
      end
    end
  end
  if op.spec.tags and not op.spec.tags.create then
    local ok
    ok, err = tags.change(op, known.values, {}, tags.desired(op, desired))
    if not ok then
      return nil, err
    end
  end
  return identity, known.values
end

--- Updates in place. `changed`: set of property names; `live` from handler.read. Returns identity, values or nil, err.
function handler.update(op, desired, live, known, changed)
  local scope = {}
  for _, source in ipairs { live.values, known } do
    for name, value in pairs(source) do
      scope[name] = value
    end
  end
  if op.spec.update then
    local ok, err = op.spec.update(op, scope_of(op, known, desired), live, changed)
    if not ok then
      return nil, err
    end
  end
  for _, facet in ipairs(op.spec.facets or {}) do
    local needed = false
    for _, name in ipairs(facet.properties) do
      needed = needed or changed[name]
    end
    if needed and facet_applies(facet, desired) then
      local ok, err = write_facet(op, facet, scope, desired, live)
      if not ok then
        return nil, err
      end
      if type(ok) == "table" and facet.write and facet.write.map then
        path.extract(facet.write.map, ok, known)
      end
    end
  end
  if op.spec.tags and changed[op.schema.tag_property] then
    local ok, err = tags.change(op, scope, live.tags, tags.desired(op, desired))
    if not ok then
      return nil, err
    end
  end
  local identity = identity_of(op, known) or identity_of(op, scope)
  local settled, err = wait.ready(op, identity, op.spec.state and nil or live)
  if not settled then
    return nil, err
  end
  return identity, settled.values
end

--- Deletes the resource that `known` identifies and waits until it is gone. Succeeds when there is none.
function handler.delete(op, known)
  local delete = op.spec.delete
  if delete.run then
    return delete.run(op, known)
  end
  local scope = scope_of(op, known)
  if delete.before then
    local ok, err = delete.before(op, scope)
    if not ok then
      return nil, err
    end
  end
  local output, err = op:send(delete, scope)
  if not output then
    if is_gone(op, delete, err) then
      return true
    end
    return nil, err
  end
  if delete.wait then
    return wait.gone(op, known)
  end
  return true
end

-- wait needs to read raw items, including those that are leaving.
wait.fetch = function(op, known)
  local scope = scope_of(op, known)
  local item, err = fetch(op, scope)
  if not item then
    return nil, err
  end
  return decode(op, item, scope)
end

return handler
