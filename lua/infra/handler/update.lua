-- Updating a resource of a native type in place. Used by engine/making.

local facets = require "infra.handler.facets"
local merged = require "infra.merged"
local path = require "infra.handler.path"
local read = require "infra.handler.read"
local tags = require "infra.handler.tags"
local wait = require "infra.handler.wait"

local function only_tags(op, changed)
  for name in pairs(changed) do
    if name ~= op.schema.tag_property then
      return false
    end
  end
  return next(changed) ~= nil
end

--- Updates in place. `op`: a handler/operation; `desired`: CloudFormation properties with all references resolved;
--- `live` from observe.live; `known`: identity and attributes; `changed`: set of property names. Returns identity,
--- values; or nil and an error.
return function(op, desired, live, known, changed)
  local scope = read.scope(op, merged(live.values, known))
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
    if needed and facets.applies(facet, desired) then
      local ok, err = facets.write(op, facet, scope, desired, live, changed)
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
    return identity, merged(live.values, known)
  end
  local settled, err = wait.ready(op, identity, not op.spec.state and live or nil, facets.shows(op, desired, changed))
  if not settled then
    return nil, err
  end
  return identity, settled.values
end
