-- SERVICE OPERATION [JSON | NAME=VALUE ...] on the command line: the call that it means. Used by the verbs aws and
-- presign; models finds services and operations with it.

local errors = require "infra.errors"
local sorted_keys = require "infra.sorted_keys"

local call = {}

--- Adds the service, the operation and its parameters to an argparse command.
function call.arguments(command)
  command:argument("service", "The service, as the AWS CLI calls it."):argname "SERVICE"
  command:argument("operation", "The operation: DescribeVpcs or describe-vpcs."):argname "OPERATION"
  command:argument("parameters", "A JSON object, or NAME=VALUE: NAME may be a path (Filters.1.Name), VALUE JSON, " ..
    "or @FILE where bytes are wanted."):argname "PARAMETER":args "*"
end

local function usage_error(message, ...)
  return errors.new { code = "Usage", message = message:format(...) }
end

--- The service called `name` (infra.models), or nil and an error that names the nearest.
function call.find_service(name)
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

-- Which of the sorted `names` of operations or waiters is meant: "describe-db-clusters" and "DescribeDBClusters" alike.
local function find_name(service, kind, names, name)
  local function plain(text)
    return text:gsub("[-_]", ""):lower()
  end
  for _, known in ipairs(names) do
    if plain(known) == plain(name) then
      return known
    end
  end
  return nil, usage_error("%s has no %s %s%s", service.id, kind, name,
    require "infra.suggest"((name:gsub("[-_]", "")), names))
end

--- The operation of `service` that is meant by `name`, or nil and an error that names the nearest.
function call.find_operation(service, name)
  local found, err = find_name(service, "operation", service:operations(), name)
  return found and service:operation(found), err
end

-- What is to be done: { operation, waiter = name | nil, parameters }, or nil and an error. The words of
-- `wait WAITER PARAMETER...` are one further to the right.
local function find_action(service, options)
  local parameters = options.parameters
  if options.operation ~= "wait" then
    local operation, err = call.find_operation(service, options.operation)
    return operation and { operation = operation, parameters = parameters }, err
  end
  local names = sorted_keys(service:waiters())
  if #parameters == 0 then
    return nil, usage_error("wait needs the name of a waiter; %s has %s", service.id,
      #names > 0 and table.concat(names, ", ") or "none")
  end
  local waiter, err = find_name(service, "waiter", names, parameters[1])
  return waiter and {
    operation = assert(service:operation(service:waiters()[waiter].operation)),
    waiter = waiter,
    parameters = table.move(parameters, 2, #parameters, 1, {}),
  }, err
end

-- NAME=@FILE, where bytes are wanted: what becomes the body is sent from its file; true, or nil and an error.
local function read_file(found, input, name, file)
  local fs = require "host.fs"
  if name == input.traits.payload then
    found.body_from = { path = file }
    return true
  end
  local bytes, err = fs.read(file)
  found.params[name] = bytes
  return bytes and true, err
end

-- Adds one argument to what was `found` so far: true, or nil and an error.
local function read_parameter(found, input, argument)
  local json = require "host.json"
  local json_form = require "infra.aws.json_form"
  local path, text = argument:match "^([%w_.-]+)=(.*)$"
  local member = path and input:member(path)
  if member and member.type == "blob" and text:sub(1, 1) == "@" then -- base64 has no @
    return read_file(found, input, path, text:sub(2))
  elseif path then
    return json_form.put(input, found.params, path, text)
  end
  local given, err = json.decode(argument)
  if type(given) ~= "table" or json.is_array(given) then
    return nil, usage_error("%q is neither NAME=VALUE nor a JSON object%s", argument, err and ": " .. err.message or "")
  end
  given, err = json_form.from_json(input, given)
  for name, value in pairs(given or {}) do
    found.params[name] = value
  end
  return given and true, err
end

--- The call that parsed options mean: { service, operation (models), waiter = name | nil, input (shape), params,
--- body_from = { path } | nil }, or nil and an error.
function call.read(options)
  local shapes = require "infra.aws.protocols.shapes"
  local service, err = call.find_service(options.service)
  if not service then
    return nil, err
  end
  local found
  found, err = find_action(service, options)
  if not found then
    return nil, err
  end
  found.service, found.params = service, {}
  local input = shapes.of(service, found.operation.input or { type = "structure", members = {} })
  for _, argument in ipairs(found.parameters) do
    local ok, problem = read_parameter(found, input, argument)
    if not ok then
      return nil, problem
    end
  end
  return found
end

return call

