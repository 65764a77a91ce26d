-- A stack: what `infra.stack { ... }` returns, and what its build function works with. Evaluating a stack runs that
-- function and gives a declaration: resources with their references, outputs, and nothing that touched the network.
--
-- Used by stack files through require "infra", and by infra.project, which loads them.

local accounts = require "infra.engine.accounts"
local crypto = require "host.crypto"
local errors = require "infra.errors"
local graph = require "infra.engine.graph"
local json = require "host.json"
local merged = require "infra.merged"
local natural_key = require "infra.engine.natural_key"
local options = require "infra.options"
local reference = require "infra.engine.reference"
local Resource = require "infra.engine.resource"
local source = require "infra.engine.source"

local Definition, Stack = {}, {}
Definition.__index, Stack.__index = Definition, Stack

local FIELDS = {
  project = "string", environment = "string", region = "string", options = "table", tags = "table", build = "function",
  account = "string", accounts = "table", plugins = "table", owner = "string",
}
local REQUIRED = { "project", "environment", "region", "build" }

-- Of a generated name that was too long.
local DIGEST_LENGTH <const> = 8

--- The definition of a stack, checked. Throws with the stack file's line.
local function define(fields)
  local here = source.here()
  for name, value in pairs(fields) do
    if not FIELDS[name] or type(value) ~= FIELDS[name] then
      errors.raise { code = "BadStack", source = here, message = FIELDS[name]
        and ("stack: '%s' must be a %s"):format(name, FIELDS[name])
        or ("stack: there is no field '%s'"):format(tostring(name)) }
    end
  end
  for _, name in ipairs(REQUIRED) do
    if fields[name] == nil then
      errors.raise { code = "BadStack", source = here, message = ("stack: '%s' is required"):format(name) }
    end
  end
  local problem = accounts.problem(fields.accounts)
  if problem then
    errors.raise { code = "BadStack", source = here, message = "stack: " .. problem }
  end
  local definition = setmetatable(merged({ source = here }, fields), Definition)
  definition.name = fields.project .. "-" .. fields.environment
  return definition
end

function Definition.is(value)
  return getmetatable(value) == Definition
end

--- Runs the build function with the given option values. Returns a declaration { name, project, environment, region,
--- tags, resources = address -> resource, order, outputs = name -> { value, source } }, or nil and an error; all faults
--- found on the way are in one error.
function Definition:evaluate(given)
  local values, err = options.check(self.source .. ": stack " .. self.name, self.options or {}, given)
  if not values then
    return nil, err
  end
  local stack = setmetatable({
    name = self.name, project = self.project, environment = self.environment, region = self.region,
    -- known only after asking AWS
    account = reference.new("", "Account"), partition = reference.new("", "Partition"),
    _resources = {}, _keys = {}, _faults = {}, _outputs = {}, _scope = { owner = self },
  }, Stack)
  local ok, problem = xpcall(self.build, source.caught, stack, values)
  if not ok then
    table.insert(stack._faults, problem)
  end
  if #stack._faults > 0 then
    return nil, stack:_fault()
  end
  ok, err = graph.connect(stack._resources, stack._outputs)
  if not ok then
    return nil, err
  end
  local order, cycle = graph.order(stack._resources)
  if not order then
    return nil, graph.cycle_error(stack._resources, cycle)
  end
  return {
    name = self.name, project = self.project, environment = self.environment, region = self.region,
    required_account = self.account, options = values, resources = stack._resources, order = order,
    outputs = stack._outputs,
  }
end

function Stack:_fault()
  if #self._faults == 1 then
    return self._faults[1]
  end
  local texts = {}
  for i, fault in ipairs(self._faults) do
    texts[i] = tostring(fault)
  end
  return errors.new { code = "BadStack", message = ("%d faults in the stack\n  %s"):format(#texts,
    table.concat(texts, "\n  ")) }
end

local function stack_tags(self)
  local owner = self._scope.owner
  return merged({
    Project = self.project, Environment = self.environment, ManagedBy = "infra", Component = self._scope.layer,
    Owner = owner.owner,
  }, owner.tags)
end

-- Tags of the stack, a Name, and the resource's own, strongest last, as a map.
local function with_tags(self, resource)
  local schema = resource.type.schema
  if not (schema.tag_property and resource.type.spec.tags) then
    return
  end
  local tags = stack_tags(self)
  tags.Name = self.name .. "-" .. resource.name
  local own = resource.properties[schema.tag_property]
  for key, value in pairs(type(own) == "table" and own or {}) do
    if type(key) == "number" and type(value) == "table" then
      tags[value.Key or ""] = value.Value
    else
      tags[key] = value
    end
  end
  for key, value in pairs(tags) do
    tags[key] = reference.is_deferred(value) and value or tostring(value)
  end
  resource.properties[schema.tag_property] = tags
end

-- At most `limit` characters; what is cut off lives on in a digest, so that different texts stay different.
local function shortened(text, limit)
  if #text <= limit then
    return text
  end
  local digest = crypto.hex(crypto.sha256(text)):sub(1, DIGEST_LENGTH)
  return text:sub(1, limit - DIGEST_LENGTH - 1) .. "-" .. digest
end

-- The natural key of a type that needs one, when the stack does not give it; and as AWS will store it.
local function with_name(self, resource)
  local name = resource.type.spec.name
  if not name then
    return
  end
  local text = resource.properties[name.property]
  if text == nil then
    text = shortened(self.name .. "-" .. resource.name, name.limit)
    text = name.lower and text:lower() or text
    resource.filled = name.property
  end
  if name.folded and type(text) == "string" and not reference.is_reference(text) then
    text = text:lower()
  end
  resource.properties[name.property] = text
end

-- Notes a fault when a resource has the natural key of another: AWS would refuse it in the middle of a run.
local function claim_key(self, resource)
  local key = natural_key.of(resource.type, resource.account or "", resource.region, resource.properties)
  local other = key and self._keys[key]
  if other then
    table.insert(self._faults, errors.new { code = "SameName", source = resource.source, resource = resource.address,
      message = ("%s: the same as of %s, declared at %s"):format(
        table.concat(natural_key.properties(resource.type), " and "), other.address, other.source),
      hint = "give one of the two another name" })
  end
  if key then
    self._keys[key] = resource
  end
end

local function check_self(self, method)
  if getmetatable(self) ~= Stack then
    errors.raise { code = "BadCall", source = source.here(),
      message = ("write stack:%s(...), with a colon"):format(method) }
  end
end

--- Declares a resource: its CloudFormation type, a name that is unique within the layer, its properties, and options
--- (see engine/resource). Returns the resource; index it for references.
function Stack:resource(type_name, name, properties, resource_options)
  check_self(self, "resource")
  local layer = self._scope.layer
  if type(name) ~= "string" or not name:find "^%w[%w_.-]*$" then
    errors.raise { code = "BadName", source = source.here(), message = ("a resource is called by letters, digits, '-', "
      .. "'_' and '.', not %s"):format(type(name) == "string" and ("%q"):format(name) or "by a " .. type(name)) }
  end
  local address = layer and layer .. "/" .. name or name
  local proxy, resource = Resource.declare({
    address = address, name = name, layer = layer, region = self.region, type_name = type_name,
    accounts = self._scope.owner.accounts or {},
    properties = properties, options = resource_options,
    type_of = function(declared)
      return self._resources[declared] and self._resources[declared].type.name
    end,
  }, function(fault)
    table.insert(self._faults, fault)
  end)
  local other = self._resources[address]
  if other then
    errors.raise { code = "DuplicateName", source = resource.source, resource = address,
      message = ("there is already a resource of this name, declared at %s"):format(other.source) }
  end
  with_name(self, resource)
  claim_key(self, resource)
  with_tags(self, resource)
  self._resources[address] = resource
  return proxy
end

--- Builds a layer (lua/infra/layers/NAME.lua, a plug-in's, or a table of the same form) with the given options. Returns
--- what the layer returns: its resources by name.
function Stack:layer(name, given, layer)
  check_self(self, "layer")
  if layer and type(layer.build) ~= "function" then
    errors.raise { code = "BadLayer", source = source.here(),
      message = ("layer %s: the third argument is a layer's table, { options =, build = }"):format(name) }
  elseif not layer then
    local found, module = pcall(require, "infra.layers." .. name)
    if not found then
      local missing = tostring(module):find("module 'infra.layers." .. name .. "' not found", 1, true)
      errors.raise { code = "UnknownLayer", source = source.here(), message = missing
        and ("there is no layer '%s'"):format(name) or source.fault(tostring(module)).message }
    end
    layer = module
  end
  local values, err = options.check(source.here() .. ": layer " .. name, layer.options or {}, given)
  if not values then
    return errors.raise(err)
  end
  local outer = self._scope
  self._scope = { owner = outer.owner, layer = outer.layer and outer.layer .. "/" .. name or name }
  local result = layer.build(self, values)
  self._scope = outer
  return result
end

--- A value that the run prints at its end and `infra output` shows: anything that JSON can carry.
function Stack:output(name, value)
  check_self(self, "output")
  local here = source.here()
  if type(name) ~= "string" or name == "" then
    errors.raise { code = "BadName", source = here, message = "the name of an output must be a text" }
  elseif self._outputs[name] then
    errors.raise { code = "DuplicateName", source = here, message = ("there is already an output '%s'"):format(name) }
  end
  local function refuse(message)
    errors.raise { code = "BadValue", source = here, message = ("output '%s': %s"):format(name, message) }
  end
  value = Resource.references(value, refuse)
  local carried, problem = pcall(json.encode, reference.seal(value, ""))
  if not carried then
    refuse(problem)
  end
  self._outputs[name] = { source = here, value = value }
end

return { define = define, is = Definition.is }
