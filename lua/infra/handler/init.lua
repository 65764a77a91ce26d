-- What can be done with a resource of a native type: read, find, create, update, delete. The spec of the type (see
-- handler/schema for its vocabulary, resources/*.lua for the specs) says with which calls; this file says in which
-- order, and what happens when AWS answers something else than "done".
--
-- Every function here runs inside a task, yields, and takes an Operation (handler/operation). `desired` is a table of
-- CloudFormation properties with all references resolved; `known` a table of identity and attributes. Used by
-- engine/refresh, engine/apply and engine/recover.

local canonical = require "infra.engine.canonical"
local diff = require "infra.engine.diff"
local errors = require "infra.errors"
local find = require "infra.handler.find"
local path = require "infra.handler.path"
local read = require "infra.handler.read"
local tags = require "infra.handler.tags"
local wait = require "infra.handler.wait"

local handler = {}

-- The call that makes it: the spec's own, or the one that a property asks for instead (a restore).
local function create_call(op, desired)
  local create = op.spec.create
  for _, call in ipairs(create.instead or {}) do
    if desired[call.when] ~= nil then
      return setmetatable(call, { __index = create })
    end
  end
  return create
end

local function send_create(op, desired)
  local create = create_call(op, desired)
  local scope = read.scope(op, nil, desired)
  if create.look_first or op.adopt then
    local found, err = find.before_create(op, desired)
    if found or err then
      return found, err
    end
  end
  if create.before then
    local ok, err = create.before(op, scope)
    if not ok then
      return nil, err
    end
  end
  local uncertain = op.resumed -- whether what is in the way may be the work of an earlier request
  for _ = 1, 3 do
    local output, err = op:send(tags.on_create(op, create, desired), scope)
    if output then
      local item = create.result and path.get(output, create.result) or output
      local live = read.decode(op, item, scope)
      path.extract(create.map or {}, output, live.values)
      return { identity = read.identity(op, read.merged(scope, live.values)), live = live, output = output }
    end
    local lost = err.unknown_outcome
    uncertain = uncertain or lost
    err.unknown_outcome = uncertain
    if not (uncertain or read.entry(create.exists, err)) then
      return nil, err
    elseif not (lost and (create.token or create.idempotent)) then -- else the same request is safe
      op.report("looking for what the create may have made")
      local found, problem = find.after_create(op, desired, err)
      if problem then
        problem.unknown_outcome = problem.unknown_outcome or uncertain
        return nil, problem
      elseif found and found ~= true then
        return found
      elseif not (found or lost) then
        return nil, err
      end
    end
  end
  return errors.fail { code = "NoAnswer", resource = op.address, unknown_outcome = true,
    message = "three creates in a row got no answer", hint = "run again: it looks for what they may have made" }
end

-- The call with only those of the facet's properties that change: what it is sent, it takes for an order.
local function partial(call, facet, changed)
  local reduced = setmetatable({ call[1], send = {} }, { __index = call })
  for _, field in ipairs(call.send) do
    local name = path.field(field)
    if changed[name] or not read.contains(facet.properties, name) then
      table.insert(reduced.send, field)
    end
  end
  return reduced
end

-- Whether the property is live as desired; nil when `live` does not tell.
local function agrees(op, name, desired, live)
  local wanted = canonical.property(op, name, desired[name], desired)
  local actual = canonical.property(op, name, live.values[name], live.values)
  if wanted ~= nil and actual ~= nil then
    return diff.equal(op, name, wanted, actual)
  end
end

-- Whether what is live has the values that were just written, as far as one description tells.
local function shows(op, desired, changed)
  return function(live)
    for name in pairs(changed) do
      if agrees(op, name, desired, live) == false then
        return false
      end
    end
    return true
  end
end

-- A map in which what is live and not wanted any more is "".
local function erasing(wanted, live)
  local result = read.merged(wanted or {})
  for name in pairs(live or {}) do
    result[name] = result[name] or ""
  end
  return result
end

-- Writes the facet. `changed`: set of names of properties. Returns what its call answered (true for functions), or nil
-- and an error.
local function write_facet(op, facet, known, desired, live, changed)
  local scope = read.scope(op, facet.whole and read.identity(op, known) or known, desired)
  local present = false
  for _, name in ipairs(facet.properties) do
    if desired[name] ~= nil then
      present = true
    else
      scope[name] = nil -- what is not wanted any more is not sent because it is still known
    end
  end
  for _, name in ipairs(facet.erase or {}) do
    scope[name] = erasing(scope[name], live.values[name])
  end
  local write = not present and facet.clear or facet.write
  local output, err
  if type(write) == "function" then
    output, err = write(op, scope, live, desired)
  else
    local call = facet.partial and partial(write, facet, changed) or write
    output, err = op:send(call.tagged and tags.on_create(op, call, desired) or call, scope, live)
  end
  if output and type(write) == "table" and write.settle then
    local settled
    settled, err = wait.settle(op, write, output, scope)
    output = settled and output
  end
  if output and facet.wait then
    local settled
    settled, err = wait.ready(op, read.identity(op, scope), nil, shows(op, desired, changed))
    output = settled and output
  end
  return output, err
end

-- Whether the facet is the one for the value wanted now (some facets exist once per value, to fix their order).
local function facet_applies(facet, desired)
  return facet.value == nil or desired[facet.properties[1]] == facet.value
end

-- A failure after which nobody knows whether something was made: the next run looks for it.
local function uncertain(err)
  err.unknown_outcome = true
  return nil, err
end

--- Creates the resource and waits until others may use it. `created(identity, values)` is called, and must have made
--- the identity durable when it returns true, before anything else happens. Returns identity, values, and true when it
--- was found instead, made by a request whose answer was lost, or adopted: then it need not be as desired yet. Or nil
--- and an error, with unknown_outcome when something may have been made.
function handler.create(op, desired, created)
  if op.spec.create.run then -- a plug-in's own function
    local values, err = op.spec.create.run(op, read.scope(op, nil, desired))
    if not values then
      return nil, err
    end
    local identity = read.identity(op, values) or {}
    local ok
    ok, err = created(identity, values)
    return ok and identity, ok and values or err
  end
  local result, err = send_create(op, desired)
  if not result then
    return nil, err
  elseif not result.identity then
    return uncertain(errors.new { code = "NoIdentity", resource = op.address, service = op.spec.service,
      operation = op.spec.create[1], message = "the answer does not say what was created" })
  end
  local ok
  ok, err = created(result.identity, result.live.values)
  if not ok then
    return nil, err
  elseif not result.output then
    return result.identity, result.live.values, true
  end
  ok, err = wait.settle(op, op.spec.create, result.output)
  if not ok then
    return nil, err
  end
  return handler.finish(op, desired, result.identity, result.live)
end

--- Completes what a create call has just made: waits, writes the facets that differ from AWS's defaults. Returns
--- identity, values; or nil and an error.
function handler.finish(op, desired, identity, live)
  local known, err = wait.ready(op, identity, live)
  if not known then
    return nil, err
  end
  local create, in_create = create_call(op, desired), {}
  for _, field in ipairs(create.send or {}) do
    in_create[path.field(field)] = true
  end
  for _, name in ipairs(create.covers or {}) do
    in_create[name] = true
  end
  for _, facet in ipairs(op.spec.facets or {}) do
    local missing = {}
    for _, name in ipairs(facet.properties) do
      local default = (op.spec.defaults or {})[name]
      missing[name] = desired[name] ~= nil and not in_create[name] and desired[name] ~= default or nil
    end
    if next(missing) and facet_applies(facet, desired) then
      local ok
      ok, err = write_facet(op, facet, known.values, desired, known, missing)
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

local function only_tags(op, changed)
  for name in pairs(changed) do
    if name ~= op.schema.tag_property then
      return false
    end
  end
  return next(changed) ~= nil
end

--- Updates in place. `changed`: set of property names; `live` from handler.read. Returns identity, values or nil, err.
function handler.update(op, desired, live, known, changed)
  local scope = read.scope(op, read.merged(live.values, known))
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
      local ok, err = write_facet(op, facet, scope, desired, live, changed)
      if not ok then
        return nil, err
      end
      if type(ok) == "table" and type(facet.write) == "table" and facet.write.map then
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
  for _, name in ipairs(op.spec.identity) do
    if changed[name] then -- it is known by another name now
      known[name] = desired[name]
    end
  end
  local identity = read.identity(op, known) or read.identity(op, scope)
  if only_tags(op, changed) then -- nothing to wait for
    return identity, read.merged(live.values, known)
  end
  local settled, err = wait.ready(op, identity, not op.spec.state and live or nil, shows(op, desired, changed))
  if not settled then
    return nil, err
  end
  return identity, settled.values
end

-- Whether an earlier deletion is under way, or done. Of what is new, that AWS does not list it says nothing.
local function is_leaving(op, known)
  local live, err = read.item(op, known)
  if err then
    return nil, err
  elseif live then
    return live.leaving or live.gone or false
  end
  return not op.unknown_for
end

-- Sends the deletion once. Returns true when AWS has begun it or knows of nothing, or nil and an error.
local function send_delete(op, known, scope)
  local delete = op.spec.delete
  if delete.wait then
    local leaving, err = is_leaving(op, known)
    if leaving or err then
      return leaving, err
    end
  end
  if delete.before then
    local ok, err = delete.before(op, scope)
    if not ok then
      return nil, err
    elseif type(ok) == "table" then -- it was changed, and is like this now
      scope = read.merged(scope, ok.values)
    end
  end
  local output, err = op:send(delete, scope)
  return output ~= nil or read.is_gone(op, delete, err), err
end

--- Deletes the resource that `known` identifies and waits until it is gone. Succeeds when there is none.
function handler.delete(op, known)
  local delete = op.spec.delete
  if delete.run then
    return delete.run(op, known)
  end
  local done, err
  for _ = 1, 3 do -- the same request is safe, and so is what prepares it
    done, err = send_delete(op, known, read.scope(op, known))
    if done or not (err.unknown_outcome or read.entry(delete.again, err)) then
      break
    end
  end
  if not done then
    return nil, err
  elseif delete.wait then
    return wait.gone(op, known)
  end
  return true
end

return handler
