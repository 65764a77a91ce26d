-- What can be done with a resource of a native type: read, find, create, update, delete. The spec of the type (see
-- handler/schema for its vocabulary, resources/*.lua for the specs) says with which calls; this file says in which
-- order, and what happens when AWS answers something else than "done".
--
-- Every function here runs inside a task, yields, and takes an Operation (handler/operation). `desired` is a table of
-- CloudFormation properties with all references resolved; `known` a table of identity and attributes. Used by
-- engine/refresh, engine/apply and engine/recover.

local errors = require "infra.errors"
local path = require "infra.handler.path"
local read = require "infra.handler.read"
local tags = require "infra.handler.tags"
local wait = require "infra.handler.wait"

local handler = {}

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
    local found, find_error = read.find(op, desired)
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
  local found, err = read.find(op, desired)
  if found and not op.adopt and (found.live.tags or {})[tags.OWNER] ~= op.token then
    return nil, exists_error(op, { code = "AlreadyExists", message = "it exists already" })
  end
  return found, err
end

local function send_create(op, desired)
  local create = op.spec.create
  local scope = read.scope(op, nil, desired)
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
      local live = read.decode(op, item, scope)
      path.extract(create.map or {}, output, live.values)
      for name, value in pairs(live.values) do
        scope[name] = value
      end
      return { identity = read.identity(op, scope), live = live }
    elseif not (err.unknown_outcome or read.contains(create.exists, err.code)) then
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
  local scope = read.scope(op, known, desired)
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
    local values, err = op.spec.create.run(op, read.scope(op, nil, desired))
    if not values then
      return nil, err
    end
    local identity = read.identity(op, values) or {}
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
  local merged = {}
  for _, source in ipairs { live.values, known } do
    for name, value in pairs(source) do
      merged[name] = value
    end
  end
  local scope = read.scope(op, merged)
  if op.spec.update then
    local ok, err = op.spec.update(op, read.scope(op, known, desired), live, changed)
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
  local identity = read.identity(op, known) or read.identity(op, scope)
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
  local scope = read.scope(op, known)
  if delete.before then
    local ok, err = delete.before(op, scope)
    if not ok then
      return nil, err
    end
  end
  local output, err = op:send(delete, scope)
  if not output then
    if read.is_gone(op, delete, err) then
      return true
    end
    return nil, err
  end
  if delete.wait then
    return wait.gone(op, known)
  end
  return true
end

return handler
