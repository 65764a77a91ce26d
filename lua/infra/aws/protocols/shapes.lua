-- AWS's models as everything that walks values sees them: C2J nodes with their references resolved. The codecs, the
-- validation of parameters and the simulated AWS all go through this, so what a node means is decided here, once.
--
-- A shape has
--   type     structure, list, map, string, integer, long, float, double, boolean, timestamp, blob; and two that C2J
--            says with a trait: document (any JSON value) and jsonvalue (a string that holds JSON text)
--   name     as the model names it; nil where the model inlines it, as aws-sdk's .min.json does
--   traits   C2J's traits, a reference's over its shape's. locationName is the reference's alone: on the shape it names
--            the element only where the shape is a document's root (names.lua)
--   node     the node in the model, of the reference if it is one; own, the shape's node without the reference's traits
-- and its children through the methods below. Nodes are resolved when first reached: models are recursive.

local json = require "host.json"
local merged = require "infra.merged"
local set_of = require "infra.set_of"
local sorted_keys = require "infra.sorted_keys"

local shapes = {}

local NULL <const> = json.null

local Shape = {}
Shape.__index = Shape

-- A node belongs to one service for as long as that service lives.
local resolved = setmetatable({}, { __mode = "k" })

local function type_of(traits)
  if traits.document then
    return "document"
  elseif traits.jsonvalue then
    return "jsonvalue"
  end
  return traits.type or "string" -- .min.json leaves out the most frequent one
end

local function resolve(service, node)
  local own, traits = node, node
  if node.shape then
    own = assert(service:shape(node.shape))
    traits = merged(own, node)
    traits.locationName = node.locationName
  end
  return setmetatable({
    service = service,
    type = type_of(traits),
    name = node.shape,
    traits = traits,
    node = node,
    own = own,
  }, Shape)
end

--- The shape of a C2J node (inline, or a reference {shape = "Name", ...}); nil for nil.
function shapes.of(service, node)
  if not node then
    return nil
  end
  local shape = resolved[node]
  if not shape then
    shape = resolve(service, node)
    resolved[node] = shape
  end
  return shape
end

local function sorted_members(shape)
  local members = {}
  for name, node in pairs(shape.traits.members or {}) do
    members[#members + 1] = { name = name, shape = shapes.of(shape.service, node) }
  end
  table.sort(members, function(a, b)
    return a.name < b.name
  end)
  return members
end

-- What every value of a structure asks for, found out once.
local function facts_of(shape)
  local facts = shape.facts
  if not facts then
    facts = { members = sorted_members(shape), required = {}, tokens = {}, streams_events = false }
    shape.facts = facts
    local is_required = set_of(shape.traits.required)
    for _, member in ipairs(facts.members) do
      local traits = member.shape.traits
      local addresses = traits.location == "uri" or traits.hostLabel -- not in every model among the required
      if is_required[member.name] or addresses then
        table.insert(facts.required, member.name)
      end
      if traits.idempotencyToken then
        table.insert(facts.tokens, member.name)
      end
      facts.streams_events = facts.streams_events or traits.eventstream or false
    end
  end
  return facts
end

--- A structure's members in order of their names: { { name =, shape = }, ... }. Not to be changed.
function Shape:members()
  return facts_of(self).members
end

--- The names of the members that every value must set, sorted. Not to be changed.
function Shape:required()
  return facts_of(self).required
end

--- The names of the members that take an idempotency token, sorted. Not to be changed.
function Shape:tokens()
  return facts_of(self).tokens
end

--- The names of a structure's members, sorted.
function Shape:member_names()
  local names = {}
  for i, member in ipairs(self:members()) do
    names[i] = member.name
  end
  return names
end

--- A structure's member by its name, or nil.
function Shape:member(name)
  return shapes.of(self.service, (self.traits.members or {})[name])
end

--- A list's element, a map's key and value.
function Shape:element()
  return shapes.of(self.service, self.traits.member)
end

function Shape:key()
  return shapes.of(self.service, self.traits.key)
end

function Shape:value()
  return shapes.of(self.service, self.traits.value)
end

--- Iterates over the members that `value` sets: name, shape, value. JSON's null is the same as not set.
function Shape:present(value)
  local members, last = self:members(), 0
  return function()
    for i = last + 1, #members do
      local member = members[i]
      local item = value[member.name]
      if item ~= nil and item ~= NULL then
        last = i
        return member.name, member.shape, item
      end
    end
  end
end

--- Whether a structure is, or has as a member, a stream of events.
function Shape:streams_events()
  return facts_of(self).streams_events
end

--- Iterates over a map's entries in order of their keys: key, value.
function shapes.sorted(map)
  local keys, i = sorted_keys(map), 0
  return function()
    i = i + 1
    return keys[i], map[keys[i]]
  end
end

return shapes
