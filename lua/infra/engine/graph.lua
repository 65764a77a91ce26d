-- Dependencies between declared resources: who must exist before whom. Used by engine/stack (errors), plan and apply.

local errors = require "infra.errors"
local reference = require "infra.engine.reference"
local Resource = require "infra.engine.resource"
local sorted_keys = require "infra.sorted_keys"

local graph = {}

local function dependency(resources, resource, wanted)
  local found = Resource.of(wanted) or resources[wanted]
  if not found then
    return errors.fail { code = "UnknownResource", source = resource.source, resource = resource.address,
      message = ("depends_on names '%s', which the stack does not declare"):format(tostring(wanted)) }
  end
  return found
end

-- Notes what `value` refers to: attributes that cost a call are read only when something needs them. Calls
-- found(address) for each resource. Returns true, or nil and an error.
local function note_references(resources, value, source, found)
  local missing
  reference.each(value, function(address, attribute)
    local target = resources[address]
    if target then
      target.referenced[attribute] = true
      found(address)
    elseif address ~= "" then -- the account is no resource
      missing = missing or address
    end
  end)
  if missing then
    return errors.fail { code = "UnknownResource", source = source,
      message = ("this refers to '%s', which the stack does not declare"):format(missing) }
  end
  return true
end

--- Fills resource.dependencies ({ address = true }) of every resource in `resources` (address -> internal resource):
--- references anywhere in the properties, and depends_on; and resource.referenced ({ attribute = true }), also by
--- `outputs` (name -> { value }). Returns true, or nil and an error.
function graph.connect(resources, outputs)
  for _, resource in pairs(resources) do
    resource.dependencies, resource.referenced = {}, {}
  end
  for _, output in pairs(outputs) do
    local ok, err = note_references(resources, output.value, output.source, function() end)
    if not ok then
      return nil, err
    end
  end
  for _, resource in pairs(resources) do
    local ok, problem = note_references(resources, resource.properties, resource.source, function(address)
      resource.dependencies[address] = true
    end)
    if not ok then
      return nil, problem
    end
    resource.replace_with = {}
    for option, set in pairs { depends_on = resource.dependencies, replace_with = resource.replace_with } do
      local list = resource.options[option] or {}
      for _, wanted in ipairs(Resource.of(list) and { list } or list) do
        local found, err = dependency(resources, resource, wanted)
        if not found then
          return nil, err
        end
        resource.dependencies[found.address], set[found.address] = true, true
      end
    end
  end
  return true
end

--- The end of `trail`, what a search went through, from where its last item was met before.
function graph.cycle_of(trail)
  local first = #trail - 1
  while trail[first] ~= trail[#trail] do
    first = first - 1
  end
  return table.move(trail, first, #trail, 1, {})
end

--- Addresses of `nodes` (address -> { dependencies = set }) so that each comes after its dependencies; names of one
--- rank in order of name. Dependencies outside `nodes` are ignored. Returns an array, or nil and the addresses of a
--- cycle: each depends on the next one, and the first is also the last.
function graph.order(nodes)
  local ordered, mark, trail = {}, {}, {}
  local function visit(address)
    if mark[address] == "done" or not nodes[address] then
      return true
    end
    trail[#trail + 1] = address
    if mark[address] == "open" then
      return false
    end
    mark[address] = "open"
    for _, other in ipairs(sorted_keys(nodes[address].dependencies)) do
      if not visit(other) then
        return false
      end
    end
    trail[#trail] = nil
    mark[address] = "done"
    ordered[#ordered + 1] = address
    return true
  end
  for _, address in ipairs(sorted_keys(nodes)) do
    if not visit(address) then
      return nil, graph.cycle_of(trail)
    end
  end
  return ordered
end

--- The error for a cycle of declared resources.
function graph.cycle_error(resources, cycle)
  return errors.new { code = "Cycle", source = resources[cycle[1]].source, message = "each of these needs the next: "
    .. table.concat(cycle, " -> ") }
end

return graph
