-- CloudFormation's structures <-> the API's. Both are described by models and differ in regular ways. What follows
-- from the models (handler/form/pairing) is derived:
--
--   a list is { Quantity, Items }, without order (CloudFront), or a list of structures with a single member (Route 53)
--   names differ in case (Arn and ARN); numbers are texts, or the other way round
--   a structure's Enabled that CloudFormation lacks says that the structure is there (CloudFront's Logging)
--   a required member that is not set takes the default of CloudFormation's schema
--
-- and a handler spec says the rest, in the names of CloudFormation's definitions:
--
--   form = {
--     names = { CacheBehavior = { "CachedMethods=AllowedMethods.CachedMethods" } },   fields, see handler/path
--     fill = { Origin = { ConnectionAttempts = 3 } },   what a member that is not set means: sent, and compared with
--     ordered = { "DistributionConfig.CacheBehaviors" }, sets = { "HealthCheckConfig.Regions" },
--     lower = { "SingleHeader.Name" },                  texts whose case means nothing: sent in lower case
--     complete = true,                                  lists and switches that are not set are sent as empty and off
--   }
--
-- A member without a counterpart in the API is a fault of the stack (Form:check), not dropped. Used by
-- handler/operation and handler/read (encode, decode), engine/canonical and engine/validate.

local convert = require "infra.handler.form.convert"
local encode = require "infra.handler.form.encode"
local json = require "host.json"
local pairing = require "infra.handler.form.pairing"
local path = require "infra.handler.path"
local reference = require "infra.engine.reference"
local shapes = require "infra.aws.protocols.shapes"

local form = {}

local Form = {}
Form.__index = Form

local known = setmetatable({}, { __mode = "k" }) -- spec -> Form

--- The form of a type's properties, or nil when its spec has none: then they are sent as they are.
function form.of(spec, schema)
  if spec.form and not known[spec] then
    known[spec] = setmetatable({ spec = spec, nodes = pairing.properties(spec, schema) }, Form)
  end
  return known[spec]
end

--- The change that path.build makes on the way to AWS, and path.extract on the way back, for the type of `op`:
--- functions (name, value) -> value, or nil where nothing changes.
function form.encoder(op)
  local self = form.of(op.spec, op.schema)
  return self and function(name, value)
    return self:encode(name, value)
  end
end

function form.decoder(op)
  local self = form.of(op.spec, op.schema)
  return self and function(name, value)
    return self:decode(name, value)
  end
end

-- A method (name, value) -> change(node, value) for a property; the value itself where no call says how the API has it.
local function by_node(change)
  return function(self, name, value)
    local node = self.nodes[name]
    if node then
      return change(node, value)
    end
    return value
  end
end

--- The API's form of a property's value.
Form.encode = by_node(encode)

-- -- from the API -----------------------------------------------------------------------------------------------------

local DECODE = {}
DECODE.map = convert.map(DECODE)

function DECODE.scalar(node, value)
  return convert.scalar(node.kind.type, node.only and value[node.only.name] or value)
end

function DECODE.list(node, value)
  return convert.items(DECODE, node, node.wrapped and (value.Items or {}) or value)
end

function DECODE.structure(node, value)
  local result = {}
  for name, member in pairs(node.members) do
    local item = path.get(value, member.target)
    if item ~= nil and not (member.node.switch and item.Enabled == false) then
      result[name] = convert.value(DECODE, member.node, item)
    end
  end
  return result
end

--- CloudFormation's form of what the API says of a property.
Form.decode = by_node(function(node, value)
  return convert.value(DECODE, node, value)
end)

-- -- comparing and checking -------------------------------------------------------------------------------------------

-- What an item of a set is known by: where it is a structure, by what the API requires of it, for AWS adds the rest.
local function sort_key(node, item)
  if type(item) ~= "table" or reference.is_deferred(item) then
    return tostring(item)
  end
  local parts = {}
  for name, member in pairs(node.members or {}) do
    if member.required and member.node.tag == "scalar" and item[name] ~= nil then
      parts[name] = tostring(item[name])
    end
  end
  return json.encode(next(parts) and parts or item)
end

local CANONICAL = {}
CANONICAL.map = convert.map(CANONICAL)

function CANONICAL.scalar(node, value)
  return node.is_lower and type(value) == "string" and value:lower() or value
end

function CANONICAL.list(node, value)
  local items = convert.items(CANONICAL, node, value)
  if node.is_set then
    table.sort(items, function(a, b)
      return sort_key(node.element, a) < sort_key(node.element, b)
    end)
  end
  return items
end

function CANONICAL.structure(node, value)
  local result = convert.filled(node, value)
  for name, item in pairs(result) do
    result[name] = node.members[name] and convert.value(CANONICAL, node.members[name].node, item) or item
  end
  return result
end

--- Comparable: with what AWS fills in, lists that have no order sorted, texts without case in lower case.
Form.canonical = by_node(function(node, value)
  return convert.value(CANONICAL, node, value)
end)

local function check(node, where, value, report)
  if type(value) ~= "table" or reference.is_deferred(value) then
    return
  elseif node.element then
    for key, item in pairs(value) do
      check(node.element, ("%s[%s]"):format(where, key), item, report)
    end
  elseif node.definition then
    for name, item in shapes.sorted(value) do
      if node.members[name] then
        check(node.members[name].node, where .. "." .. name, item, report)
      elseif node.definition.properties[name] then
        report(where, ("cannot set '%s': it is not in the models of the service's calls"):format(name))
      end
    end
  end
end

--- Calls report(where, message) for each member of a property's value that the API has no place for.
function Form:check(name, value, report)
  if self.nodes[name] then
    check(self.nodes[name], name, value, report)
  end
end

return form
