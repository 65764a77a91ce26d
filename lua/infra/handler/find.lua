-- The search for a resource whose create got no answer, or that is in the way of a create. Used by handler/create and
-- engine/refresh.

local canonical = require "infra.engine.canonical"
local diff = require "infra.engine.diff"
local errors = require "infra.errors"
local json = require "host.json"
local listing = require "infra.handler.listing"
local merged = require "infra.merged"
local observe = require "infra.handler.observe"
local path = require "infra.handler.path"
local read = require "infra.handler.read"
local tags = require "infra.handler.tags"
local wait = require "infra.handler.wait"

local find = {}

-- Seconds for which a new object may not be listed yet, unless the spec says otherwise.
local APPEARS <const> = 15

-- All items that these filters let through, { name = values }; or nil and an error.
local function filtered(op, filters)
  local spec, list = op.spec, json.array {}
  for name, values in pairs(filters) do
    list[#list + 1] = { Name = name, Values = values }
  end
  local params = { [spec.read.filter_member or "Filters"] = list }
  local output, err = op.context.client:all(spec.service, spec.read[1], params, { region = op.region })
  return output and (path.get(output, spec.read.list) or {}), err
end

-- The items that it may be: by the spec's own way, or by the natural key.
local function candidates(op, scope)
  local spec = op.spec
  if type(spec.find) == "table" and spec.find[1] then
    return listing.candidates(op, scope)
  elseif type(spec.find) == "function" then
    local item, err = spec.find(op, scope)
    return { item }, err
  elseif spec.find then
    local filters = {}
    for name, property in pairs(spec.find) do
      filters[name] = { property == true and op.token or scope[property] }
    end
    local items, err = filtered(op, filters)
    return items or {}, err
  elseif read.identity(op, scope) then
    local live, err = observe.item(op, scope)
    return { live and live.item }, err
  end
  return {}
end

local function owner_of(live)
  return live.tags and live.tags[tags.OWNER]
end

-- Whether what exists is what this create would have made: by the ownership tag, or, where there is none, by the
-- properties that tell.
local function is_ours(op, live, wanted)
  local spec = op.spec
  local owner = owner_of(live)
  if owner or spec.tags and spec.tags.create then
    return owner == op.token
  end
  if op.adopt and type(spec.find) == "table" and spec.find.adopt then -- not what the create would have told it by
    return false
  end
  -- Where tags follow the create in a call of their own, the create may have been the last thing that happened.
  for _, name in ipairs(spec.same or {}) do
    local before = canonical.property(op, name, live.values[name], live.values)
    local after = canonical.property(op, name, wanted[name], wanted)
    if after ~= nil and not diff.equal(op, name, after, before) then
      return false
    end
  end
  return true
end

--- Looks for a resource that this stack may have created without learning of it, or that is in the way of a create.
--- Returns { identity, live, ours, leaving = true while it is being deleted }, or nil, or nil and an error.
function find.one(op, desired)
  local spec = op.spec
  if spec.observe then
    return nil
  end
  local wanted = read.scope(op, nil, desired)
  wanted = merged(wanted, spec.derive and spec.derive(wanted, op))
  local items, err = candidates(op, wanted)
  if err then
    return nil, err
  end
  local leaving, foreign, count = nil, nil, 0
  for _, item in ipairs(items) do
    local live = read.decode(op, item, wanted)
    local scope = merged(wanted, live.values)
    if live.leaving then
      leaving = { identity = read.identity(op, scope), live = live, leaving = true }
    elseif not live.gone then
      if spec.tags and not live.tags then
        live.tags, err = tags.read(op, scope)
        if err then
          return nil, err
        end
      end
      local found = { identity = read.identity(op, scope), live = live, ours = is_ours(op, live, wanted) }
      if found.ours then
        return found
      end
      foreign, count = foreign or found, count + 1
    end
  end
  if op.adopt and count > 1 then
    return errors.fail { code = "SeveralCandidates", resource = op.address, source = op.source,
      message = ("it cannot be told which of %d existing ones is to be taken over"):format(count) }
  end
  local in_the_way = op.adopt or not (type(spec.find) == "table" and spec.find.shared)
  return in_the_way and foreign or leaving
end

local function exists_error(op, err)
  return errors.new {
    code = "AlreadyExists", resource = op.address, source = op.source, service = err.service, operation = err.operation,
    message = err.message, hint = "it exists and does not belong to this stack: give this one another name, delete " ..
      "the other, or take it over with { adopt = true } in the resource's options",
  }
end

--- After a create whose answer was lost (err.unknown_outcome), or which AWS refused because the thing exists. Returns
--- what find.one found if it may be taken; true when one of this name was still being deleted and is gone now; nil when
--- there is none; nil and an error when it is somebody else's or cannot be looked for.
function find.after_create(op, desired, err)
  local clock = op.context.runtime.now
  local deadline, pause = clock() + (op.spec.create.appears or APPEARS), 5
  while true do
    local found, problem = find.one(op, desired)
    if problem then
      return nil, problem
    elseif found and found.leaving then
      return wait.gone(op, found.identity)
    elseif found and (found.ours or op.adopt) then
      return found
    elseif found then
      return nil, exists_error(op, err)
    elseif clock() >= deadline then
      return nil
    end
    local ok, stopped = op:sleep(pause)
    if not ok then
      return nil, stopped
    end
    pause = pause * 2
  end
end

--- Before a create that AWS accepts although the thing exists, which would take it over unseen. Returns what may be
--- taken, nil when there is none, or nil and an error.
function find.before_create(op, desired)
  local found, err = find.one(op, desired)
  if not found or found.leaving then
    return nil, err
  elseif not op.adopt and not (op.spec.tags and owner_of(found.live) == op.token
      or not op.spec.tags and found.ours) then
    return nil, exists_error(op, { code = "AlreadyExists", message = "it exists already" })
  end
  return found
end

return find
