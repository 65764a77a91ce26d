-- Resource types and metrics as outlines (infra.models.outline), for people. Used by `infra models` and the REPL.

local models = require "infra.models"
local resources = require "infra.resources"

local describe_types = {}

local COLLECTIONS <const> = { array = "list of ", map = "map of " }
local NO_HANDLER <const> = "no native handler: only a plug-in can bring it into a stack"
local REPLACEMENTS <const> = { yes = "update replaces", maybe = "update can replace" }

-- CloudFormation's documentation is Markdown, with a space between any mark-up and the punctuation after it.
local function plain(markdown)
  return markdown and (markdown:gsub("%[([^%]]*)%]%([^)]*%)", "%1"):gsub(" ([.,;:])%f[%s%z]", "%1"))
end

local function type_in_words(T)
  if T.element then
    return COLLECTIONS[T.type] .. type_in_words(T.element)
  elseif T.types then
    local types = {}
    for i, member in ipairs(T.types) do
      types[i] = type_in_words(member)
    end
    return table.concat(types, " or ")
  end
  return T.reference or T.type
end

local function notes_of(property)
  local notes = {}
  notes[#notes + 1] = property.required and "required" or nil
  notes[#notes + 1] = REPLACEMENTS[property.replacement]
  notes[#notes + 1] = property.deprecated and "deprecated"
  if property.default ~= nil then
    notes[#notes + 1] = "default " .. tostring(property.default)
  end
  for _, reference in ipairs(property.references or {}) do
    notes[#notes + 1] = ("%s of %s"):format(reference.property, reference.type)
  end
  notes[#notes + 1] = property.type.allowed_values and table.concat(property.type.allowed_values, " | ")
  return notes
end

-- The definition inside the lists and maps of a T; nil when there is none.
local function inner_definition(resource_type, T)
  while T.element do
    T = T.element
  end
  return T.reference and resource_type:definition(T.reference)
end

-- `owner` is the type or the definition of it that the properties belong to.
local function members_of(resource_type, owner, properties)
  local members = {}
  for name, property in pairs(properties) do
    local inner = inner_definition(resource_type, property.type)
    members[#members + 1] = {
      name = name,
      required = property.required,
      type = type_in_words(property.type),
      notes = notes_of(property),
      text = plain(owner:documentation(name)),
      members = inner and function()
        return members_of(resource_type, inner, inner.properties)
      end,
    }
  end
  return members
end

-- "{ApiId, Stage}"
local function set_in_words(dimensions)
  local names = {}
  for i, dimension in ipairs(dimensions) do
    names[i] = dimension.value and dimension.name .. "=" .. dimension.value or dimension.name
  end
  return "{" .. table.concat(names, ", ") .. "}"
end

local function metric_members(metrics)
  local members = {}
  for i, metric in ipairs(metrics) do
    local notes = {}
    for j, dimensions in ipairs(metric.dimensions) do
      notes[j] = set_in_words(dimensions)
    end
    members[i] = { name = metric.name, type = metric.statistic, notes = notes }
  end
  return members
end

--- The outline of metrics, as models.metrics lists them; `title` says whose they are.
function describe_types.metrics(title, metrics)
  return { title = title, facts = {}, sections = { { name = "metrics", members = metric_members(metrics) } } }
end

-- A type that is not AWS's has its texts in the schema itself.
local function described(schema)
  return setmetatable({
    documentation = function(_, name)
      local member = name and (schema.properties[name] or schema.attributes[name]) or schema
      return member.documentation
    end,
    metrics = function()
      return {}
    end,
  }, { __index = schema })
end

--- The type called `name`, AWS's or another that is known here, for describe_types.type -> type | nil, err.
function describe_types.find(name)
  local found = models.type(name)
  if found then
    return found
  end
  local other, err = resources.type(name)
  return other and described(other.schema), err
end

--- The outline of a resource type.
function describe_types.type(resource_type)
  local function listed(format, names)
    return names and format:format(table.concat(names, " and "))
  end
  local facts = {}
  facts[#facts + 1] = listed("identified by %s", resource_type.primary_identifier)
  facts[#facts + 1] = listed("Ref gives %s", resource_type.ref_identifier)
  facts[#facts + 1] = resource_type.tag_property and "tags in " .. resource_type.tag_property
  facts[#facts + 1] = resource_type.stateful and "holds data"
  facts[#facts + 1] = resource_type.arn_template
  facts[#facts + 1] = not resources.type(resource_type.name) and NO_HANDLER or nil
  return {
    title = resource_type.name,
    text = plain(resource_type:documentation()),
    facts = facts,
    sections = {
      { name = "properties", members = members_of(resource_type, resource_type, resource_type.properties) },
      { name = "attributes", members = members_of(resource_type, resource_type, resource_type.attributes) },
      { name = "metrics", members = metric_members(resource_type:metrics()) },
    },
  }
end

return describe_types
