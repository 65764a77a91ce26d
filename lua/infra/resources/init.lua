-- All resource types by name: the schema (AWS's own, a plug-in's, or this tool's) and the native handler. Used by the
-- engine, which knows no type by itself.

local errors = require "infra.errors"
local merged = require "infra.merged"
local models = require "infra.models"
local schema = require "infra.handler.schema"
local set_of = require "infra.set_of"
local sorted_keys = require "infra.sorted_keys"
local suggest = require "infra.suggest"

local resources = {}

-- The middle part of a type's name -> the file with its handlers. One file per service; this tool's own types of AWS's
-- services have files of their own.
local FILES = {
  ApiGateway = "apigateway", ApiGatewayV2 = "apigatewayv2", Backup = "backup", CertificateManager = "acm",
  CloudFront = "cloudfront", CloudWatch = "cloudwatch", CodeBuild = "codebuild", CodeConnections = "codeconnections",
  CodePipeline = "codepipeline", EC2 = "ec2", ECR = "ecr", ElastiCache = "elasticache", Events = "events",
  HostedZone = "hosted_zone", IAM = "iam", ["Infra::CloudFront"] = "cloudfront_origin_switch",
  ["Infra::ECR"] = "ecr_image", KMS = "kms", Lambda = "lambda", Logs = "logs", RDS = "rds", Route53 = "route53",
  S3 = "s3", SecretsManager = "secretsmanager", SNS = "sns", SSM = "ssm", Value = "value", WAFv2 = "wafv2",
}

local added = {} -- types of plug-ins: name -> { schema, spec }
local loaded = {} -- name -> type, as resources.type returns it

local function file_of(name)
  local vendor, service = name:match("^(%w+)::(%w+)")
  local own = vendor == "Infra" and FILES["Infra::" .. service]
  return own or (vendor == "AWS" or vendor == "Infra") and FILES[service] or nil
end

-- The files' handler spec of a type, if any; and all that its file has.
local function native_spec(name)
  local file = file_of(name)
  local specs = file and require("infra.resources." .. file)
  return specs and specs[name], specs
end

--- Whether this version manages the type called `name` by itself, without a plug-in.
function resources.is_native(name)
  return native_spec(name) ~= nil
end

--- Adds a type: `definition` = { properties, attributes, primary_identifier, tag_property }, in the form of
--- infra.models' types, or one of these; `spec` a handler spec. Throws when either is malformed: it is the plug-in's
--- mistake.
function resources.add(name, definition, spec)
  assert(schema.check(name, spec))
  local known = setmetatable({ name = name }, { __index = definition })
  known.attributes = definition.attributes or {}
  known.definition = definition.definition or function()
    return nil
  end
  added[name] = { schema = known, spec = spec }
  loaded[name] = nil
end

-- The schema with what the API has beyond it.
local function extended(definition, more)
  return setmetatable({ properties = merged(definition.properties, more) }, { __index = definition })
end

local function complete(name, definition, spec)
  definition = spec.extends and extended(definition, spec.extends) or definition
  return {
    name = name, schema = definition, spec = spec,
    supported = schema.supported(spec), updatable = schema.updatable(spec), readable = schema.readable(spec),
  }
end

--- The type called `name`: { name, schema, spec, supported, updatable, readable }; or nil and an error.
function resources.type(name)
  if loaded[name] then
    return loaded[name]
  end
  local found
  if added[name] then
    found = complete(name, added[name].schema, added[name].spec)
  else
    local spec, specs = native_spec(name)
    if specs and specs.register then
      specs.register(resources)
      return resources.type(name)
    end
    local definition, err = models.type(name)
    if not definition then
      err.message = err.message .. suggest(name, resources.names())
      return nil, err
    end
    if not spec then
      return errors.fail { code = "NoHandler", message = ("%s exists, but this version cannot manage it: it has no " ..
        "native handler"):format(name), hint = "make it with `infra aws`, or give it a handler in a plug-in" }
    end
    assert(schema.check(name, spec))
    found = complete(name, definition, spec)
  end
  loaded[name] = found
  return found
end

--- Names of all types with a native handler, sorted.
function resources.native()
  local all = {}
  for _, file in pairs(FILES) do
    local specs = require("infra.resources." .. file)
    if specs.register then
      specs.register(resources)
    else
      all = merged(all, specs)
    end
  end
  return sorted_keys(merged(all, added))
end

--- Names of all types, AWS's without a native handler among them, sorted.
function resources.names()
  return sorted_keys(merged(set_of(models.types()), set_of(resources.native())))
end

return resources
