-- The server side of AWS's protocols: which operation a request means, its input by the model, and the answer in the
-- form that the protocol demands. Used by infra.sim; reading and writing values is left to the codecs that the client
-- uses too (infra.aws.protocols).
--
-- A request here is what infra.sim.endpoints makes of the wire: { method, path (encoded, S3's always path-style),
-- query_pairs (decoded), fields = { [name] = first value }, headers = { [lower] = value }, body }.

local errors = require "infra.errors"
local form = require "infra.aws.protocols.form"
local json = require "host.json"
local json_body = require "infra.aws.protocols.json_body"
local merged = require "infra.merged"
local shapes = require "infra.aws.protocols.shapes"
local uri = require "infra.aws.protocols.uri"
local xml_body = require "infra.aws.protocols.xml_body"

local Failure = require "infra.sim.failure"
local rest = require "infra.sim.wire.rest"
local wire_errors = require "infra.sim.wire.errors"

local wire = {}

local XML = '<?xml version="1.0" encoding="UTF-8"?>\n'

-- -- ec2 and query ----------------------------------------------------------------------------------------------------

local function form_fields(request)
  return request.body == "" and request.query_pairs or uri.decode_form(request.body)
end

local function identify_action(service, request)
  for _, field in ipairs(form_fields(request)) do
    if field[1] == "Action" then
      return service:operation(field[2])
    end
  end
end

-- EC2, unlike the query services, refuses what it does not know: whatever would not be sent for what was understood.
local function refuse_unknown(shape, params, fields)
  local known = { Action = true, Version = true }
  for _, field in ipairs(shape and form.write(form.ec2, shape, params) or {}) do
    known[field[1]] = true
  end
  for _, field in ipairs(fields) do
    if not known[field[1]] then
      Failure.common("unknown_parameter", ("The parameter %s is not recognized"):format(field[1]))
    end
  end
end

-- The answer's document as a C2J node, by operation: the output's members with EC2's requestId between them, or the
-- output and the metadata side by side.
local documents = setmetatable({}, { __mode = "k" })

local function ec2_document(service, operation)
  local members = { requestId = {}, ["return"] = not operation.output and { type = "boolean" } or nil }
  for name, node in pairs(operation.output and shapes.of(service, operation.output).traits.members or {}) do
    members[name] = node
  end
  return members
end

local function query_document(_, operation)
  local members = { ResponseMetadata = { type = "structure", members = { RequestId = {} } } }
  if operation.output then
    members[operation.output.resultWrapper or operation.name .. "Result"] = operation.output
  end
  return members
end

local function write_document(members_of, service, operation, value)
  local node = documents[operation]
  if not node then
    node = {
      type = "structure", members = members_of(service, operation), xmlNamespace = service.metadata.xmlNamespace,
    }
    documents[operation] = node
  end
  return 200, { { "Content-Type", "text/xml;charset=UTF-8" } },
    XML .. xml_body.write(shapes.of(service, node), value, operation.name .. "Response")
end

-- -- json -------------------------------------------------------------------------------------------------------------

-- What says how a service speaks JSON. CloudWatch does too, which models older than that do not know.
local CLOUDWATCH = { targetPrefix = "GraniteServiceVersion20100801", awsQueryCompatible = {} }

local function json_traits(service)
  return service.id == "cloudwatch" and CLOUDWATCH or service.metadata
end

-- -- the protocols ----------------------------------------------------------------------------------------------------

-- identify(service, request) -> operation or nil; decode(service, operation, request) -> params; encode(service,
-- operation, output, request_id) -> status, headers (array of pairs), body.
local PROTOCOLS = {
  ec2 = {
    identify = identify_action,
    decode = function(service, operation, request)
      local fields, input = form_fields(request), shapes.of(service, operation.input)
      local params = input and form.read(form.ec2, input, fields) or {}
      refuse_unknown(input, params, fields)
      return params
    end,
    encode = function(service, operation, output, request_id)
      local value = merged({ requestId = request_id, ["return"] = true }, output)
      return write_document(ec2_document, service, operation, value)
    end,
  },
  query = {
    identify = identify_action,
    decode = function(service, operation, request)
      local input = shapes.of(service, operation.input)
      return input and form.read(form.query, input, form_fields(request)) or {}
    end,
    encode = function(service, operation, output, request_id)
      local value = { ResponseMetadata = { RequestId = request_id } }
      if operation.output then
        value[operation.output.resultWrapper or operation.name .. "Result"] = output
      end
      return write_document(query_document, service, operation, value)
    end,
  },
  json = {
    identify = function(service, request)
      local prefix, name = (request.headers["x-amz-target"] or ""):match("^(.*)%.([^.]+)$")
      return prefix == json_traits(service).targetPrefix and service:operation(name) or nil
    end,
    decode = function(service, operation, request)
      local tree = json.decode(request.body == "" and "{}" or request.body)
      if type(tree) ~= "table" then
        Failure.common("malformed", "The request body is not a JSON object")
      end
      return operation.input and json_body.read(shapes.of(service, operation.input), tree) or {}
    end,
    encode = function(service, operation, output)
      return 200, { { "Content-Type", "application/x-amz-json-" .. (service.metadata.jsonVersion or "1.0") } },
        operation.output and json_body.write(shapes.of(service, operation.output), output) or ""
    end,
  },
  ["rest-json"] = rest.new "rest-json",
  ["rest-xml"] = rest.new "rest-xml",
}

--- The protocol in which this request speaks to the service. A service may know several; of those whose first one is
--- CBOR, all know query or JSON too.
function wire.protocol(service, request)
  if request.headers["x-amz-target"] then
    return "json"
  end
  local protocol = service.metadata.protocol
  return PROTOCOLS[protocol] and protocol or "query"
end

--- The operation that the request names, or nil.
function wire.identify(protocol, service, request)
  return (PROTOCOLS[protocol].identify(service, request))
end

local function require_members(shape, value, path, protocol)
  if shape.type == "structure" then
    for _, name in ipairs(shape.traits.required or {}) do
      if value[name] == nil then
        Failure.common("missing", (protocol == "ec2" and "The request must contain the parameter %s"
          or "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null")
          :format(path .. name))
      end
    end
    for name, member, item in shape:present(value) do
      require_members(member, item, path .. name .. ".", protocol)
    end
  elseif shape.type == "list" or shape.type == "map" then
    local inner = shape.type == "list" and shape:element() or shape:value()
    for key, item in pairs(value) do
      require_members(inner, item, path .. key .. ".", protocol)
    end
  end
end

--- The operation's input, complete as the model demands, or throws an infra.sim.failure.
function wire.decode(protocol, service, operation, request)
  local read, params = pcall(PROTOCOLS[protocol].decode, service, operation, request)
  if not read then
    if errors.is(params) and params.code == "Malformed" then
      Failure.common("invalid", params.message)
    end
    error(params, 0)
  end
  if operation.input then
    require_members(shapes.of(service, operation.input), params, "", protocol)
  end
  return params
end

--- status, headers (array of pairs), body for an operation's output.
function wire.encode(protocol, service, operation, output, request_id)
  return PROTOCOLS[protocol].encode(service, operation, output, request_id)
end

--- The same for an infra.sim.failure, which gets its code and status completed.
function wire.encode_error(protocol, service, failure, request_id)
  local dialect = service.id == "s3" and "s3" or protocol
  wire_errors.complete(dialect, failure)
  local status, headers, body = wire_errors.encode(dialect, failure, request_id)
  if protocol == "json" and json_traits(service).awsQueryCompatible then
    headers[#headers + 1] = { "x-amzn-query-error", failure.code .. ";" .. (status < 500 and "Sender" or "Receiver") }
  end
  return status, headers, body
end

return wire
