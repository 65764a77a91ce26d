-- A declared resource: what a stack gets back from stack:resource and passes around. Indexing it with the name of an
-- attribute or property gives a reference; a misspelt one is an error with the stack's line. Used by engine/stack and
-- engine/graph.

local endpoints = require "infra.aws.endpoints"
local errors = require "infra.errors"
local reference = require "infra.engine.reference"
local resources = require "infra.resources"
local source = require "infra.engine.source"
local validate = require "infra.engine.validate"

local Resource = {}

-- Options that stack:resource takes beside the properties: name -> Lua type.
--   depends_on            resources (or addresses) that must exist first
--   protect               a plan that deletes or replaces it fails
--   retain                when it is not declared any more or replaced, it is forgotten instead of deleted
--   ignore_changes        names of properties that stay as they are at AWS, once it exists
--   ignore_drift          names of properties that others change: they stay as they are at AWS, until what they refer
--                         to is made anew
--   replace_with          resources: when one of them changes, in more than its tags, this one is made anew
--   create_before_delete  a replacement is made before the old one goes
--   renamed_from          the address it had before
--   timeouts              { create =, update =, delete = }: seconds that the action may wait for AWS
--   wait = false          what depends on it need not wait until AWS calls it ready
--   region                another region than the stack's
--   account               another account than that of the credentials: one of the stack's `accounts` (engine/accounts)
--   adopt                 take over what exists under its name
--   recoverable = false   deleted without a final snapshot or a time in which the deletion could be undone
local OPTIONS = {
  depends_on = "table", protect = "boolean", retain = "boolean", ignore_changes = "table", ignore_drift = "table",
  replace_with = "table", create_before_delete = "boolean", renamed_from = "string", timeouts = "table",
  wait = "boolean", region = "string", account = "string", adopt = "boolean", recoverable = "boolean",
}
local TIMEOUTS = { create = "number", update = "number", delete = "number" }

-- Prefix: what cluster.Endpoint gives, on the way to the attribute "Endpoint.Address".
local Proxy, Prefix = {}, {}

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
  name = tostring(name)
  for attribute in pairs(schema.attributes) do -- also where CloudFormation lists the whole: a text cannot hold it
    if attribute:sub(1, #name + 1) == name .. "." then
      return setmetatable({ proxy = proxy, name = name }, Prefix)
    end
  end
  if schema.attributes[name] or schema.properties[name] then
    return reference.new(resource.address, name)
  end
  errors.raise {
    code = "UnknownAttribute", source = source.here(), resource = resource.address,
    message = ("%s has no attribute '%s'%s"):format(resource.type.name, name,
      validate.nearest(name, schema.attributes, schema.properties)),
  }
end

function Prefix.__index(prefix, member)
  return rawget(prefix, "proxy")[("%s.%s"):format(rawget(prefix, "name"), member)]
end

function Proxy.__newindex(proxy, name)
  errors.raise { code = "ReadOnly", source = source.here(), resource = rawget(proxy, Proxy).address,
    message = ("cannot set '%s': properties are given when the resource is declared"):format(tostring(name)) }
end

function Proxy.__tostring(proxy)
  local resource = rawget(proxy, Proxy)
  return resource.type.name .. " " .. resource.address
end

--- A copy of `value` with references in place of resources, which mean their Ref. Calls report(message) for what is no
--- value.
function Resource.references(value, report)
  local resource = Resource.of(value)
  if resource then
    return resource.proxy.Ref
  elseif type(value) ~= "table" or reference.is_secret(value) then
    return value
  elseif getmetatable(value) == Prefix then
    local name, proxy = rawget(value, "name"), rawget(value, "proxy")
    report(("%s of %s is a group of attributes: name one of them"):format(name, Resource.of(proxy).address))
    return nil
  end
  return reference.map(value, function(item)
    return Resource.references(item, report)
  end)
end

-- Checks a table of options against { name = Lua type }.
local function check_names(what, options, kinds, report)
  for name, value in pairs(options) do
    if not kinds[name] then
      report(("there is no %s '%s'%s"):format(what, tostring(name), validate.nearest(name, kinds)))
    elseif type(value) ~= kinds[name] then
      report(("%s '%s' must be a %s"):format(what, name, kinds[name]))
    end
  end
end

local function check_options(options, schema, accounts, report)
  check_names("resource option", options, OPTIONS, report)
  if type(options.account) == "string" and not accounts[options.account] then
    report(("the stack names no role for account %s%s"):format(options.account,
      validate.nearest(options.account, accounts)))
  end
  if type(options.timeouts) == "table" then
    check_names("timeout", options.timeouts, TIMEOUTS, report)
  end
  for _, option in ipairs { "ignore_changes", "ignore_drift" } do
    for _, name in ipairs(type(options[option]) == "table" and options[option] or {}) do
      if not schema.properties[name] then
        report(("%s: there is no property '%s'%s"):format(option, tostring(name),
          validate.nearest(name, schema.properties)))
      end
    end
  end
end

-- Where the resource is: some kinds have one place for everybody, whatever the stack says.
local function region_of(spec, properties, region)
  local home = spec.region
  if type(home) == "function" then
    home = home(properties)
  end
  return home and endpoints.partition(region).id == "aws" and home or region
end

--- Declares a resource. fields = { address, name, layer, region, accounts (the stack's, see engine/accounts),
--- type_name, properties, options, type_of = function(address) -> name of the type of what is declared there }. Returns
--- the proxy and the internal resource; faults go to report(error).
function Resource.declare(fields, report)
  local here = source.here()
  local function fault(message)
    report(errors.new { code = "BadResource", source = here, resource = fields.address, message = message })
  end
  local resource_type, err = resources.type(fields.type_name)
  if not resource_type then
    err.source, err.resource = here, fields.address
    return errors.raise(err)
  end
  local options = fields.options or {}
  check_options(options, resource_type.schema, fields.accounts, fault)
  local properties = Resource.references(fields.properties or {}, fault)
  if type(properties) ~= "table" then
    fault "the properties must be a table"
    properties = {}
  end
  local region = region_of(resource_type.spec, properties, options.region or fields.region)
  local facts = { region = region, type_of = fields.type_of }
  local doubts = validate.properties(resource_type, properties, fault, facts)
  local resource = {
    address = fields.address, name = fields.name, layer = fields.layer, type = resource_type, properties = properties,
    options = options, region = region, account = options.account, source = here, doubts = doubts,
  }
  resource.proxy = setmetatable({ [Proxy] = resource }, Proxy)
  return resource.proxy, resource
end

return Resource
