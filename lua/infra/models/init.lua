-- AWS's two vocabularies, for everything that needs to know what AWS can do: its calls (the C2J models of all services)
-- and its resource types (CloudFormation's). They are compiled at build time into the binary (infra.models.build);
-- `infra models update` puts newer calls beside it, which then come first. INFRA_MODELS names a file to use instead of
-- what is in the binary. Databases are opened at the first question, and only the rows that a question needs are read.
-- Every function fails (nil, err) when they cannot be opened. The tables returned are shared: do not change them.
--
-- A service: { id, api_version, metadata (C2J's), :operation(name), :operations(), :shape(name), :waiters(),
-- :documentation(kind, name) } (infra.models.service).
--
-- An operation is C2J's with `name`, `http` = { method, requestUri, responseCode } and `paginator` = { input_token,
-- output_token, result_key, limit_key, more_results }, the last only when it has pages; `input` and `output` are nodes
-- or nil. A node is C2J's too: a shape ({ type = "structure", members = { Name = node } }, { type = "list", member =
-- node }, { type = "map", key = node, value = node }, { type = "integer" }, ...; without a type it is a string) or a
-- reference to one ({ shape = "Tag" }, for service:shape). Traits beside `shape` (locationName, ...) win over the
-- shape's own.
--
-- A type: { name = "AWS::EC2::VPC",
--   properties = { [name] = { type = T, required = bool, replacement = "yes" | "maybe" | nil, default,
--     references = { { type = "AWS::EC2::IPAMPool", property = "IpamPoolId" } }, deprecated = bool,
--     scrutiny = "InlineResourcePolicy" | "InlineIdentityPolicies" | "ManagedPolicies" | "IngressRules" | ... } },
--   attributes = { [name] = { type = T } },
--   primary_identifier = { "VpcId" }  Cloud Control's; nil for a type that Cloud Control does not know
--   ref_identifier = { "VpcId" }      what CloudFormation's Ref returns
--   tag_property = "Tags", tag_form = "standard" | "map" | "asg",
--   arn_template = "arn:${Partition}:ec2:${Region}:${Account}:vpc/${VpcId}",
--   stateful = bool                   data is lost with it
--   scrutiny                          of what kind of policy the type is, as in "ResourcePolicyResource"
--   additional_replacement = { { "Tags", "*", "Key" } }  paths that replace it beyond what definitions say
--   :definition(name), :documentation([property]), :metrics() } (infra.models.type)
-- where T = { type = "string" | "integer" | "number" | "boolean" | "json" | "date-time" | "tag" | "null",
-- allowed_values = { ... } or nil } or { type = "array" | "map", element = T }, { type = "union", types = { T, ... } },
-- { type = "ref", reference = name }, for type:definition.

local database = require "infra.models.database"
local errors = require "infra.errors"
local fs = require "host.fs"
local process = require "host.process"
local resource_type = require "infra.models.type"
local service = require "infra.models.service"

local models = {}

local opened -- { calls = { database, ... the first one wins }, resources = database }, from the first question on
local known_services, known_types = {}, {}

--- Where `infra models update` puts newer models of the calls.
function models.updated_path()
  local data = process.environment "XDG_DATA_HOME"
  if not data or data == "" then
    data = fs.home() .. "/.local/share"
  end
  return data .. "/infra/models.db"
end

local function open()
  if opened then
    return opened
  end
  local resources, err = database.open(process.environment "INFRA_MODELS")
  if not resources then
    return nil, err
  end
  local calls = { resources }
  if fs.stat(models.updated_path()) then
    local updated
    updated, err = database.open(models.updated_path())
    if not updated then
      return nil, err
    end
    table.insert(calls, 1, updated)
  end
  opened = { calls = calls, resources = resources }
  return opened
end

-- answer(databases, ...) as a function of ... that opens the databases first.
local function question(answer)
  return function(...)
    local databases, err = open()
    if not databases then
      return nil, err
    end
    return answer(databases, ...)
  end
end

--- The ids of the services that go by a name that is not an id: an endpoint prefix, a signing name, AWS's or aws-sdk's
--- own name. Several services can share one ("elasticloadbalancing": elb, elbv2) -> ids, sorted.
models.services_named = question(function(databases, name)
  for _, calls in ipairs(databases.calls) do
    local ids = calls:names("alias", name)
    if #ids > 0 then
      return ids
    end
  end
  return {}
end)

-- The service whose id is `id`, from the first database that has it.
local function find_service(databases, id)
  for _, calls in ipairs(databases.calls) do
    local found = service.open(calls, id)
    if found then
      return found
    end
  end
end

--- A service by its id, the AWS command line's name for it ("ec2", "logs", "stepfunctions"), or by any other name that
--- no other service shares -> service | nil, err.
models.service = question(function(databases, name)
  local found = known_services[name] or find_service(databases, name)
  if not found then
    local ids = models.services_named(name)
    if #ids ~= 1 then
      return errors.fail {
        code = "UnknownService",
        message = ("there is no AWS service called %s"):format(name),
        hint = #ids > 1 and "that name is shared by " .. table.concat(ids, ", ") or nil,
      }
    end
    found = models.service(ids[1])
  end
  known_services[name] = found
  return found
end)

--- All services, sorted by id: { { id, api_version, name = "Amazon Elastic Compute Cloud", protocol }, ... }.
models.services = question(function(databases)
  local services, seen = {}, {}
  for _, calls in ipairs(databases.calls) do
    for _, id in ipairs(calls:owners "service") do
      if not seen[id] then
        seen[id] = true
        local row = calls:get("service", id)
        services[#services + 1] = {
          id = id,
          api_version = row.api_version,
          name = row.metadata.serviceFullName,
          protocol = row.metadata.protocol,
        }
      end
    end
  end
  table.sort(services, function(a, b)
    return a.id < b.id
  end)
  return services
end)

--- A resource type by CloudFormation's name -> type | nil, err.
models.type = question(function(databases, name)
  local found = known_types[name] or resource_type.open(databases.resources, name)
  if not found then
    return errors.fail { code = "UnknownType", message = ("there is no resource type called %s"):format(name) }
  end
  known_types[name] = found
  return found
end)

--- The names of all resource types, sorted.
models.types = question(function(databases)
  return databases.resources:owners "type"
end)

--- CloudWatch's metrics of a namespace ("AWS/Lambda"), a CloudFormation service ("AWS::Lambda") or a resource type:
---   { { namespace, name, statistic (the one that says most), dimensions = { { { name, value }, ... }, ... } }, ... }
--- `dimensions` lists the sets of dimensions that the metric is published under; a dimension has a value when that is
--- always the same. A name can come more than once, with other sets. Empty where AWS publishes no list.
models.metrics = question(function(databases, owner)
  return databases.resources:get("metrics", owner) or {}
end)

--- Which models these are: { calls = { source = "aws-sdk 2.1693.0", counts = { services, operations } },
--- resources = { source = "aws-service-spec 0.1.92", counts = { types, metrics } } }.
models.vocabularies = question(function(databases)
  return {
    calls = databases.calls[1]:get("vocabulary", "calls"),
    resources = databases.resources:get("vocabulary", "resources"),
  }
end)

return models
