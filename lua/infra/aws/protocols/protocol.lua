-- What all protocols do alike, around what is particular to each:
--
--   write(service, operation, input, params) -> request      all but what is added here
--   read(service, operation, output, response) -> value      throws typed errors
--   fault                                                    how a failure looks, see faults.lua
--
-- `input` and `output` are shapes of structures; an operation without input has one without members. `params` fit it.
-- The outcome, { encode, decode, decode_error }, is what every file of a protocol returns.

local body_traits = require "infra.aws.protocols.body_traits"
local errors = require "infra.errors"
local faults = require "infra.aws.protocols.faults"
local idempotency = require "infra.aws.protocols.idempotency"
local params_check = require "infra.aws.protocols.params"
local shapes = require "infra.aws.protocols.shapes"

local protocol = {}

local NOTHING = shapes.of(nil, { type = "structure", members = {} })

--- Passes on what a parser returned, or throws its error as the typed one that decoding ends with.
function protocol.parsed(tree, err)
  if tree == nil then
    error(errors.new { code = "Malformed", message = "this is no answer of AWS: " .. err.message }, 0)
  end
  return tree
end

--- Asks a service that once spoke the query protocol for the error codes of that time.
function protocol.add_query_mode(service, request)
  if service.metadata.awsQueryCompatible then
    request.headers[#request.headers + 1] = { "x-amzn-query-mode", "true" }
  end
end

local function refuse_events(operation, shape)
  if shape and shape:streams_events() then
    return errors.new {
      code = "Unsupported",
      operation = operation.name,
      message = "its payload is a stream of events, which infra does not speak",
    }
  end
end

-- The operation's host prefix ("{AccountId}.data-"), its labels replaced by parameters.
local function host_prefix(operation, params)
  local template = (operation.endpoint or {}).hostPrefix
  return template and template:gsub("{([^}]+)}", function(name)
    return params[name]
  end)
end

local function encode(particular, service, operation, given, context)
  local input, output = shapes.of(service, operation.input), shapes.of(service, operation.output)
  local refusal = refuse_events(operation, input) or refuse_events(operation, output)
  if refusal then
    return nil, refusal
  end
  input, context = input or NOTHING, context or {}
  local params = idempotency.fill(input, given or {}, context)
  local problems = params_check.problems(input, params)
  if #problems > 0 then
    return errors.fail {
      code = "ParamValidation",
      operation = operation.name,
      message = table.concat(problems, "; "),
    }
  end
  local request = particular.write(service, operation, input, params)
  request.host_prefix = host_prefix(operation, params)
  request.body = context.body or request.body
  if context.presigned then
    return request
  end
  body_traits.compress(operation, request)
  local ok, err = body_traits.checksum(operation, input, request, params)
  if not ok then
    return nil, err
  end
  return request
end

local function read_output(particular, service, operation, response)
  local output = shapes.of(service, operation.output)
  return output and particular.read(service, operation, output, response) or {}
end

local function decode(particular, service, operation, response)
  local ok, result = pcall(read_output, particular, service, operation, response)
  if ok then
    return result
  elseif not errors.is(result) then
    error(result, 0)
  end
  result.service, result.operation, result.status = service.id, operation.name, response.status
  return nil, result
end

function protocol.new(particular)
  return {
    --- The request for a call: { method, path, query, headers, body, host_prefix }; path is percent-encoded, query and
    --- headers are { { name, value }, ... }, body is nil when there is none. `context` is where idempotency tokens come
    --- from, see idempotency.lua; context.body is sent instead of the payload among the parameters (bodies.lua), and
    --- with context.presigned nothing is said of a body that somebody else will send. Or nil and an error: code
    --- "ParamValidation" or "Unsupported", or what is wrong with the body's file.
    encode = function(service, operation, params, context)
      return encode(particular, service, operation, params, context)
    end,

    --- The output of a successful call from response = { status, headers = { lower_name = value }, body }. Or nil and
    --- an error: code "Malformed" for what is not an answer of this protocol, or AWS's own where it failed in spite of
    --- its status.
    decode = function(service, operation, response)
      return decode(particular, service, operation, response)
    end,

    --- The typed error of a failed call, see faults.lua. Never fails itself.
    decode_error = function(service, operation, response)
      return faults.read(particular.fault, service, operation, response)
    end,
  }
end

return protocol
