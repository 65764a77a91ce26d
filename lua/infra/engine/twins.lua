-- Where neither a name nor a token prevents it, a request that the network delivers twice makes two of a thing. Both
-- carry the ownership tag of the one that is recorded, so the second is found by it, and deleted. Used by engine/plan.

local find = require "infra.handler.find"
local read = require "infra.handler.read"
local refresh = require "infra.engine.refresh"
local resources = require "infra.resources"
local tags = require "infra.handler.tags"

local twins = {}

-- The recorded ones of types of which there may be two, by type and region.
local function groups_of(rows)
  local groups, by_name = {}, {}
  for _, row in ipairs(rows) do
    local resource_type = row.identity and resources.type(row.type)
    if resource_type and find.owner_filter(resource_type.spec) then
      local name = row.type .. " " .. row.region
      if not by_name[name] then
        by_name[name] = { type = resource_type, region = row.region, rows = {} }
        groups[#groups + 1] = by_name[name]
      end
      by_name[name].rows[row.token] = row
    end
  end
  return groups
end

local function is_same(a, b)
  for name, value in pairs(a) do
    if b[name] ~= value then
      return false
    end
  end
  return true
end

--- What exists beside the recorded resources: an array of { row = the recorded one, identity }, or nil and an error.
--- One call for every type and region. Yields.
function twins.find(context, rows)
  local found = {}
  local ok, problem = refresh.each(context, groups_of(rows), function(group)
    local op = refresh.operation(context, { region = group.region, address = "" }, group.type)
    local tokens = {}
    for token in pairs(group.rows) do
      tokens[#tokens + 1] = token
    end
    local items, err = find.tagged(op, tokens)
    for _, item in ipairs(items or {}) do
      local live = read.decode(op, item, {})
      local row, identity = group.rows[live.tags[tags.OWNER]], read.identity(op, live.values)
      if row and not (live.gone or live.leaving or is_same(row.identity, identity)) then
        found[#found + 1] = { row = row, identity = identity }
      end
    end
    return err
  end)
  return ok and found, problem
end

return twins
