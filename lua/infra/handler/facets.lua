-- Facets: the parts of a resource that calls of their own write (see handler/schema). Used by handler/create and
-- handler/update.

local canonical = require "infra.engine.canonical"
local contains = require "infra.contains"
local diff = require "infra.engine.diff"
local merged = require "infra.merged"
local path = require "infra.handler.path"
local read = require "infra.handler.read"
local tags = require "infra.handler.tags"
local wait = require "infra.handler.wait"

local facets = {}

-- The call with only those of the facet's properties that change: what it is sent, it takes for an order.
local function partial(call, facet, changed)
  local reduced = setmetatable({ call[1], send = {} }, { __index = call })
  for _, field in ipairs(call.send) do
    local name = path.field(field)
    if changed[name] or not contains(facet.properties, name) then
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

--- A function(live) -> boolean: whether what is live has the values that were just written (`changed`: set of names),
--- as far as one description tells.
function facets.shows(op, desired, changed)
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
  local result = merged(wanted or {})
  for name in pairs(live or {}) do
    result[name] = result[name] or ""
  end
  return result
end

--- Writes the facet. `changed`: set of names of properties. Returns what its call answered (true for functions), or nil
--- and an error.
function facets.write(op, facet, known, desired, live, changed)
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
    settled, err = wait.ready(op, read.identity(op, scope), nil, facets.shows(op, desired, changed))
    output = settled and output
  end
  return output, err
end

--- Whether the facet is the one for the value wanted now (some facets exist once per value, to fix their order).
function facets.applies(facet, desired)
  return facet.value == nil or desired[facet.properties[1]] == facet.value
end

return facets
