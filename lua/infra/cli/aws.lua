-- `infra aws SERVICE OPERATION [JSON | NAME=VALUE ...]`: any call of any AWS service, its result as JSON.

local connection = require "infra.cli.connection"
local errors = require "infra.errors"

local aws = {
  name = "aws",
  summary = "Call any operation of any AWS service",
  description = "Calls an operation of an AWS service and prints what it returns as JSON. Binary data is base64, " ..
    "times are ISO 8601.",
  epilog = [[
Examples:
   infra aws sts get-caller-identity
   infra aws ec2 DescribeVpcs Filters.1.Name=tag:Project Filters.1.Values=demo
   infra aws logs CreateLogGroup logGroupName=/demo tags='{"Project": "demo"}'
   infra aws ssm PutParameter '{"Name": "/demo", "Value": "1", "Type": "String"}' --sim]],
}

function aws.arguments(command)
  command:argument("service", "The service, as the AWS CLI calls it."):argname "SERVICE"
  command:argument("operation", "The operation: DescribeVpcs or describe-vpcs."):argname "OPERATION"
  command:argument("parameters", "A JSON object, or NAME=VALUE: NAME may be a path (Filters.1.Name), VALUE JSON.")
    :argname "PARAMETER":args "*"
  command:flag("--all", "Fetch all pages and print them as one result.")
  connection.arguments(command)
end

local function usage_error(message, ...)
  return errors.new { code = "Usage", message = message:format(...) }
end

local function find_service(name)
  local models = require "infra.models"
  local service, err = models.service(name)
  if service or err.code ~= "UnknownService" then
    return service, err
  end
  local ids = {}
  for i, known in ipairs(assert(models.services())) do
    ids[i] = known.id
  end
  return nil, usage_error("%s%s%s", err.message, require "infra.suggest"(name, ids),
    err.hint and "; " .. err.hint or "")
end

-- "describe-db-clusters" and "DescribeDBClusters" alike.
local function find_operation(service, name)
  local function plain(text)
    return text:gsub("[-_]", ""):lower()
  end
  local names = service:operations()
  for _, known in ipairs(names) do
    if plain(known) == plain(name) then
      return service:operation(known)
    end
  end
  return nil, usage_error("%s has no operation %s%s", service.id, name,
    require "infra.suggest"((name:gsub("[-_]", "")), names))
end

-- Adds one argument to `params`: true, or nil and an error.
local function read_parameter(input, params, argument)
  local json = require "host.json"
  local json_form = require "infra.aws.json_form"
  local path, text = argument:match "^([%w_.-]+)=(.*)$"
  if path then
    return json_form.put(input, params, path, text)
  end
  local given, err = json.decode(argument)
  if type(given) ~= "table" or json.is_array(given) then
    return nil, usage_error("%q is neither NAME=VALUE nor a JSON object%s", argument, err and ": " .. err.message or "")
  end
  given, err = json_form.from_json(input, given)
  for name, value in pairs(given or {}) do
    params[name] = value
  end
  return given and true, err
end

function aws.run(options, context)
  local json = require "host.json"
  local json_form = require "infra.aws.json_form"
  local shapes = require "infra.aws.protocols.shapes"
  local service, operation, err
  service, err = find_service(options.service)
  if not service then
    return nil, err
  end
  operation, err = find_operation(service, options.operation)
  if not operation then
    return nil, err
  end
  local nothing = { type = "structure", members = {} }
  local params, input = {}, shapes.of(service, operation.input or nothing)
  for _, argument in ipairs(options.parameters) do
    local ok, problem = read_parameter(input, params, argument)
    if not ok then
      return nil, problem
    end
  end
  local session <close>, refused = connection.open(options, context)
  if not session then
    return nil, refused
  end
  local method = options.all and session.client.all or session.client.call
  local output
  output, err = session:run(method, session.client, service.id, operation.name, params)
  if not output then
    return nil, err
  end
  local shown = json_form.to_json(shapes.of(service, operation.output or nothing), output)
  context.out(json.encode(shown, { indent = true }) .. "\n")
end

return aws
