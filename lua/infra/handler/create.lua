-- Creating a resource of a native type. Its spec (see handler/schema for the vocabulary, resources/*.lua for the specs)
-- says with which calls; this file says in which order, and what happens when AWS answers something else than "done".
-- Runs inside a task and yields. Used by engine/making.

local errors = require "infra.errors"
local facets = require "infra.handler.facets"
local find = require "infra.handler.find"
local merged = require "infra.merged"
local path = require "infra.handler.path"
local read = require "infra.handler.read"
local set_of = require "infra.set_of"
local tags = require "infra.handler.tags"
local wait = require "infra.handler.wait"

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
  local last
  for _ = 1, 3 do
    local output, err = op:send(tags.on_create(op, create, desired), scope)
    if output then
      local item = create.result and path.get(output, create.result) or output
      local live = read.decode(op, item, scope)
      path.extract(create.map or {}, output, live.values)
      return { identity = read.identity(op, merged(scope, live.values)), live = live, output = output }
    end
    local lost = err.unknown_outcome
    last = err
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
  return errors.fail { code = "NoAnswer", resource = op.address, unknown_outcome = true, service = last.service,
    operation = last.operation, request_id = last.request_id,
    message = ("it is not known what became of three creates in a row; the last: %s: %s"):format(last.code,
    last.message),
    hint = "run again: it looks for what they may have made" }
end

-- A failure after which nobody knows whether something was made: the next run looks for it.
local function uncertain(err)
  err.unknown_outcome = true
  return nil, err
end

-- Completes what a create call has just made: waits, writes the facets that differ from AWS's defaults. Returns
-- identity, values; or nil and an error.
local function finish(op, desired, identity, live)
  local known, err = wait.ready(op, identity, live)
  if not known then
    return nil, err
  end
  local create = create_call(op, desired)
  local in_create = set_of(create.covers)
  for _, field in ipairs(create.send or {}) do
    in_create[path.field(field)] = true
  end
  for _, facet in ipairs(op.spec.facets or {}) do
    local missing = {}
    for _, name in ipairs(facet.properties) do
      local default = (op.spec.defaults or {})[name]
      missing[name] = desired[name] ~= nil and not in_create[name] and desired[name] ~= default or nil
    end
    if next(missing) and facets.applies(facet, desired) then
      local ok
      ok, err = facets.write(op, facet, known.values, desired, known, missing)
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

--- Creates the resource and waits until others may use it. `op`: a handler/operation; `desired`: CloudFormation
--- properties with all references resolved. `created(identity, values)` is called, and must have made
--- the identity durable when it returns true, before anything else happens. Returns identity, values, and true when it
--- was found instead, made by a request whose answer was lost, or adopted: then it need not be as desired yet. Or nil
--- and an error, with unknown_outcome when something may have been made.
return function(op, desired, created)
  if op.spec.create.run then -- a plug-in's own function
    local values, err = op.spec.create.run(op, read.scope(op, nil, desired))
    if not values then
      return nil, err
    end
    local identity = read.identity(op, values)
    if not identity then
      return uncertain(errors.new { code = "NoIdentity", resource = op.address, source = op.source,
        message = "create.run of its type does not return " .. table.concat(op.spec.identity, " and ") })
    end
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
  return finish(op, desired, result.identity, result.live)
end
