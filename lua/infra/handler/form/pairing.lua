-- Which member of an API's structure is which of CloudFormation's: the models of both side by side, as a tree of
-- nodes. A node has
--   tag       "scalar" (with `only`, the member, when the API has it as the only one of a structure), "list" (with
--             `wrapped` when the API has { Quantity, Items }), "map", "structure", or "opaque": alike on both sides
--   kind      CloudFormation's type, as infra.models has it
--   shape     the API's, as infra.aws.protocols.shapes has it
--   element   the node of a list's or a map's items
-- a list also is_set, a scalar also is_lower; a structure also
--   definition   CloudFormation's
--   members   name -> { target = path in the API's structure, node, default = CloudFormation's, required = the API
--             insists on it }: what both know
--   fill      name -> what a member that is not set means
--   switch    true when the API says with `Enabled` what CloudFormation says by the structure's being there
--   counted   true when the API wants the number of `Items` beside them
--
-- Used by handler/form only, whose head describes the `rules`.

local contains = require "infra.contains"
local models = require "infra.models"
local path = require "infra.handler.path"
local shapes = require "infra.aws.protocols.shapes"

local pairing = {}

local Node = {}

local SCALARS = { string = true, integer = true, number = true, boolean = true, ["date-time"] = true }

-- The shape at a path below a structure, or nil. Lists on the way are stepped into, one at the end is not.
local function shape_at(shape, target)
  for name in target:gmatch "[^%.%[%]]+" do
    while shape and shape.type == "list" do
      shape = shape:element()
    end
    shape = shape and shape.type == "structure" and shape:member(name) or nil
  end
  return shape
end

-- Where the member `name` of CloudFormation's definition stands in the API's structure: path and shape, or nil.
local function place(rules, definition, shape, name)
  for _, text in ipairs(rules.names and rules.names[definition.name] or {}) do
    local field, target = path.field(text)
    if field == name then
      return target, shape_at(shape, target)
    end
  end
  if shape:member(name) then
    return name, shape:member(name)
  end
  for _, member in ipairs(shape:members()) do
    if member.name:lower() == name:lower() then
      return member.name, member.shape
    end
  end
end

local function members_of(node)
  local members, schema, rules = {}, node.schema, node.rules
  for name, property in pairs(node.definition.properties) do
    local target, shape = place(rules, node.definition, node.shape, name)
    if shape then
      members[name] = {
        target = target, default = property.default, required = contains(node.shape.traits.required, target),
        node = pairing.node(schema, rules, property.type, shape, node.definition.name .. "." .. name),
      }
    end
  end
  return members
end

-- Structures contain themselves, so members are looked at when they are first asked for.
function Node.__index(node, name)
  if name == "members" and rawget(node, "definition") then
    node.members = members_of(node)
    return node.members
  end
end

--- The node of a type and a shape. `where`: "Definition.Member", or the property's name, as the rules name it.
function pairing.node(schema, rules, kind, shape, where)
  local node = setmetatable({ tag = "opaque", kind = kind, shape = shape, schema = schema, rules = rules }, Node)
  local definition = kind.type == "ref" and schema:definition(kind.reference)
  local items = shape.type == "structure" and shape:member "Items"
  if kind.type == "array" and (items or shape.type == "list") then
    node.tag, node.wrapped = "list", items and true
    node.is_set = contains(rules.sets, where) or node.wrapped and not contains(rules.ordered, where)
    node.element = pairing.node(schema, rules, kind.element, (items or shape):element(), where)
  elseif kind.type == "map" and shape.type == "map" then
    node.tag, node.element = "map", pairing.node(schema, rules, kind.element, shape:value(), where)
  elseif definition and shape.type == "structure" then
    local enabled = shape:member "Enabled"
    node.tag, node.definition, node.fill = "structure", definition, rules.fill and rules.fill[definition.name] or {}
    node.switch = enabled and enabled.type == "boolean" and not definition.properties.Enabled
    node.counted = items and shape:member "Quantity" and true
  elseif SCALARS[kind.type] then
    node.tag, node.is_lower = "scalar", contains(rules.lower, where)
    node.only = shape.type == "structure" and shape:members()[1] or nil
  end
  return node
end

-- The API's shape of a property, by the first call of the type that sends it, or nil.
local function property_shape(spec, service, name)
  local calls = { spec.create }
  for _, facet in ipairs(spec.facets or {}) do
    calls[#calls + 1] = type(facet.write) == "table" and facet.write or nil
  end
  for _, call in ipairs(calls) do
    for _, text in ipairs(call.send or {}) do
      local field, target = path.field(text)
      if field == name then
        return shape_at(shapes.of(service, assert(service:operation(call[1])).input), target)
      end
    end
  end
end

--- The nodes of a type's properties that its calls send: name -> node.
function pairing.properties(spec, schema)
  local service, nodes = assert(models.service(spec.service)), {}
  for name, property in pairs(schema.properties) do
    local shape = property_shape(spec, service, name)
    nodes[name] = shape and pairing.node(schema, spec.form, property.type, shape, name)
  end
  return nodes
end

return pairing
