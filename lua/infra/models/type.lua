-- One resource type as infra.models.type returns it, its definitions and their documentation; rows are read when they
-- are first asked for and then kept.

local documentation = require "infra.models.documentation"

local resource_type = {}

local Type = {}
Type.__index = Type

local Definition = {}
Definition.__index = Definition

local function texts(self)
  if not self.texts then
    self.texts = self.database:get(documentation.kind(self.kind), self.owner, self.key) or {}
  end
  return self.texts
end

local function load(database, kind, owner, key, class)
  local found = database:get(kind, owner, key)
  if not found then
    return
  end
  found.database, found.kind, found.owner, found.key = database, kind, owner, key
  return setmetatable(found, class)
end

--- The type `name` of an open database; nil when it has none of that name.
function resource_type.open(database, name)
  local found = load(database, "type", name, "", Type)
  if found then
    found.name, found.definitions = name, {}
  end
  return found
end

--- A type definition that a T of this type refers to: { name, properties, :documentation(property) }; nil when there is
--- none of that name.
function Type:definition(name)
  local found = self.definitions[name]
  if not found then
    found = load(self.database, "definition", self.name, name, Definition)
    if found then
      found.name = name
      self.definitions[name] = found
    end
  end
  return found
end

--- What AWS says of a property, or else of an attribute of that name; without a name, of the type. Markdown | nil.
function Type:documentation(name)
  local found = texts(self)
  if not name then
    return found.description
  end
  return found.properties and found.properties[name] or found.attributes and found.attributes[name]
end

Definition.documentation = Type.documentation

--- The CloudWatch metrics of such a resource: { { namespace, name, statistic, dimensions }, ... }, as in infra.models,
--- with the sets of dimensions that single out one resource of this type.
function Type:metrics()
  return self.database:get("metrics", self.name) or {}
end

return resource_type
