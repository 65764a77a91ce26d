-- Compiles CloudFormation's resource types and CloudWatch's metrics from the npm package @aws-cdk/aws-service-spec into
-- rows. That package is a database too: "resource": { "entities": [ { "$id": "7", ... } ] } and relations between
-- entities, "usesType": { "forward": { "7": [ { "$id": "8" } ] } }.

local additions = require "infra.models.additions"
local documentation = require "infra.models.documentation"
local files = require "infra.models.files"
local json = require "host.json"
local set_of = require "infra.set_of"

local service_spec = {}

local SECTIONS <const> = { "properties", "attributes" }

local Spec = {}
Spec.__index = Spec

local function open(path)
  local content, err = files.json(path)
  if not content then
    return nil, err
  end
  local spec = setmetatable({ schema = content.schema, entities = {} }, Spec)
  for _, collection in pairs(content.schema) do
    for _, entity in ipairs(collection.entities or {}) do
      spec.entities[entity["$id"]] = entity
    end
  end
  return spec
end

function Spec:all(kind)
  return self.schema[kind].entities
end

-- The entities that a relation leads to from `entity`.
function Spec:related(relation, entity)
  local found = {}
  for i, target in ipairs(self.schema[relation].forward[entity["$id"]] or {}) do
    found[i] = self.entities[target["$id"]]
  end
  return found
end

-- -- types ------------------------------------------------------------------------------------------------------------

-- A type of the spec as T of infra.models: nearly the same, with the definition's name for its $id.
local function convert_type(spec, given)
  local types
  if given.types then
    types = json.array()
    for i, member in ipairs(given.types) do
      types[i] = convert_type(spec, member)
    end
  end
  return {
    type = given.type,
    element = given.element and convert_type(spec, given.element),
    reference = given.reference and spec.entities[given.reference["$ref"]].name,
    types = types,
    allowed_values = given.allowedValues,
  }
end

local function convert_references(given)
  local references = json.array()
  for i, reference in ipairs(given) do
    references[i] = { type = reference.cloudFormationType, property = reference.propertyName }
  end
  return references
end

local function convert_members(spec, given)
  local members = {}
  for name, member in pairs(given) do
    members[name] = {
      type = convert_type(spec, member.type),
      documentation = member.documentation,
      required = member.required or nil,
      replacement = member.causesReplacement ~= "no" and member.causesReplacement or nil,
      default = member.defaultValue and json.decode(member.defaultValue), -- JSON text in the spec
      references = member.relationshipRefs and convert_references(member.relationshipRefs),
      deprecated = member.deprecated and true,
      scrutiny = member.scrutinizable ~= "None" and member.scrutinizable or nil,
    }
  end
  return json.object(members)
end

local function convert_resource(spec, resource)
  local tags = resource.tagInformation or {}
  return {
    documentation = resource.documentation,
    properties = convert_members(spec, resource.properties),
    attributes = convert_members(spec, resource.attributes),
    primary_identifier = resource.primaryIdentifier,
    ref_identifier = resource.cfnRefIdentifier or resource.primaryIdentifier,
    tag_property = tags.tagPropertyName,
    tag_form = tags.variant,
    arn_template = resource.arnTemplate,
    stateful = resource.isStateful,
    scrutiny = resource.scrutinizable,
    additional_replacement = resource.additionalReplacementProperties,
  }
end

local function compile_types(spec, writer)
  for _, resource in ipairs(spec:all "resource") do
    local name = resource.cloudFormationType
    documentation.put(writer, "type", name, "", convert_resource(spec, resource), SECTIONS)
    for _, definition in ipairs(spec:related("usesType", resource)) do
      documentation.put(writer, "definition", name, definition.name, {
        documentation = definition.documentation,
        properties = convert_members(spec, definition.properties),
      }, SECTIONS)
    end
  end
end

-- -- metrics ----------------------------------------------------------------------------------------------------------

-- A metric with its dimension sets; with `kept`, a set of dimensionSet entities, only those.
local function convert_metric(spec, metric, kept)
  local dimensions = json.array()
  for _, dimension_set in ipairs(spec:related("usesDimensionSet", metric)) do
    if not kept or kept[dimension_set] then
      dimensions[#dimensions + 1] = dimension_set.dimensions
    end
  end
  return {
    namespace = metric.namespace,
    name = metric.name,
    statistic = metric.statistic,
    dimensions = dimensions,
  }
end

-- Calls add(owner, metric) for each owner of each metric in infra.models.additions.
local function add_missing(add)
  for _, addition in ipairs(additions) do
    local owners = { addition.namespace, addition.type:match "^AWS::%w+", addition.type }
    for _, statistic in ipairs { "Average", "Sum" } do
      for _, name in ipairs(addition.metrics[statistic] or {}) do
        for _, owner in ipairs(owners) do
          add(owner, {
            namespace = addition.namespace,
            name = name,
            statistic = statistic,
            dimensions = addition.dimensions,
          })
        end
      end
    end
  end
end

-- Lists of metrics by owner: a CloudWatch namespace, a CloudFormation service or a resource type.
local function collect_metrics(spec)
  local owners = {}
  local function add(owner, metric)
    owners[owner] = owners[owner] or json.array()
    table.insert(owners[owner], metric)
  end
  for _, metric in ipairs(spec:all "metric") do
    add(metric.namespace, convert_metric(spec, metric))
  end
  for _, service in ipairs(spec:all "service") do
    for _, metric in ipairs(spec:related("serviceHasMetric", service)) do
      add(service.cloudFormationNamespace, convert_metric(spec, metric))
    end
  end
  for _, resource in ipairs(spec:all "resource") do
    local kept = set_of(spec:related("resourceHasDimensionSet", resource))
    for _, metric in ipairs(spec:related("resourceHasMetric", resource)) do
      add(resource.cloudFormationType, convert_metric(spec, metric, kept))
    end
  end
  add_missing(add)
  return owners
end

--- Adds every resource type and metric of the unpacked npm package in `directory` to the writer -> true | nil, err.
function service_spec.compile(writer, directory)
  local package, spec, err
  package, err = files.json(directory .. "/package.json")
  if package then
    spec, err = open(directory .. "/db.json.gz")
  end
  if not spec then
    return nil, err
  end
  compile_types(spec, writer)
  for owner, metrics in pairs(collect_metrics(spec)) do
    writer:put("metrics", owner, "", metrics)
  end
  writer:put("vocabulary", "resources", "", {
    source = "aws-service-spec " .. package.version,
    counts = { types = #spec:all "resource", metrics = #spec:all "metric" },
  })
  return true
end

return service_spec
