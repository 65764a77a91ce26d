-- A declared resource: what a stack gets back from stack:resource and passes around. Indexing it with the name of an
-- attribute or property gives a reference; a misspelt one is an error with the stack's line. Used by engine/stack.

local errors = require "infra.errors"
local reference = require "infra.engine.reference"
local resources = require "infra.resources"
local source = require "infra.engine.source"
local validate = require "infra.engine.validate"

local Resource = {}

-- Options that stack:resource takes beside the properties: name -> Lua type.
local OPTIONS = {
  depends_on = "table", protect = "boolean", retain = "boolean", ignore_changes = "table",
  create_before_delete = "boolean", renamed_from = "string", timeouts = "table", wait = "boolean", region = "string",
  account = "string", adopt = "boolean",
}

local Proxy = {}

-- CloudFormation's !Ref: what the schema names, else the primary identifier.
local function ref_attribute(schema)
  local identifier = schema.ref_identifier or schema.primary_identifier or {}
  return identifier[1]
end

--- The internal resource behind what a stack holds, or nil when `value` is something else.
function Resource.of(value)
  return getmetatable(value) == Proxy and rawget(value, Proxy) or nil
end

function Proxy.__index(proxy, name)
  local resource = rawget(proxy, Proxy)
  local schema = resource.type.schema
  if name == "Ref" then
    name = ref_attribute(schema)
  end
  if schema.attributes[name] or schema.properties[name] then
    return reference.new(resource.address, name)
  end
  for attribute in pairs(schema.attributes) do -- cluster.Endpoint, on the way to the attribute "Endpoint.Address"
    if attribute:sub(1, #name + 1) == name .. "." then
      return setmetatable({}, { __index = function(_, member)
        return proxy[name .. "." .. member]
      end })
    end
  end
  errors.raise {
    code = "UnknownAttribute", source = source.here(), resource = resource.address,
    message = ("%s has no attribute '%s'%s"):format(resource.type.name, name,
      validate.nearest(name, schema.attributes, schema.properties)),
  }
end

function Proxy.__newindex(proxy, name)
  errors.raise { code = "ReadOnly", source = source.here(), resource = rawget(proxy, Proxy).address,
    message = ("cannot set '%s': properties are given when the resource is declared"):format(tostring(name)) }
end

function Proxy.__tostring(proxy)
  local resource = rawget(proxy, Proxy)
  return resource.type.name .. " " .. resource.address
end

-- Properties may contain resources themselves: they mean their Ref.
local function with_references(value)
  local resource = Resource.of(value)
  if resource then
    return resource.proxy.Ref
  elseif type(value) ~= "table" or reference.is_secret(value) then
    return value
  end
  return reference.map(value, with_references)
end

local function check_options(options, report)
  for name, value in pairs(options) do
    if not OPTIONS[name] then
      report(name, ("there is no resource option '%s'%s"):format(tostring(name), validate.nearest(name, OPTIONS)))
    elseif type(value) ~= OPTIONS[name] then
      report(name, ("option '%s' must be a %s"):format(name, OPTIONS[name]))
    end
  end
end

--- Declares a resource. fields = { address, name, layer, region, account, type_name, properties, options }.
--- Returns the proxy and the internal resource; faults go to report(error).
function Resource.declare(fields, report)
  local here = source.here()
  local function fault(_, message)
    report(errors.new { code = "BadResource", source = here, resource = fields.address, message = message })
  end
  local resource_type, err = resources.type(fields.type_name)
  if not resource_type then
    err.source, err.resource = here, fields.address
    return errors.raise(err)
  end
  local options = fields.options or {}
  check_options(options, fault)
  local properties = with_references(fields.properties or {})
  validate.properties(resource_type, properties, function(where, message)
    fault(where, message:find(where, 1, true) and message or ("%s: %s %s"):format(resource_type.name, where, message))
  end)
  local resource = {
    address = fields.address, name = fields.name, layer = fields.layer, type = resource_type, properties = properties,
    options = options, region = options.region or fields.region, account = options.account or fields.account,
    source = here,
  }
  resource.proxy = setmetatable({ [Proxy] = resource }, Proxy)
  return resource.proxy, resource
end

return Resource
