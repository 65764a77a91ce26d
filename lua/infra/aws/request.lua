-- What stays the same however often a call is sent: the request as its protocol encodes it, and whether sending it
-- twice is safe. Used by infra.aws.client.

local bodies = require "infra.aws.protocols.bodies"
local errors = require "infra.errors"
local idempotency = require "infra.aws.protocols.idempotency"
local merged = require "infra.merged"
local protocols = require "infra.aws.protocols"
local shapes = require "infra.aws.protocols.shapes"

local customizations = require "infra.aws.customizations"
local redact = require "infra.aws.redact"

local request = {}

-- First words of operations that change nothing, or nothing that a second time would make worse.
local READS = {}
for word in ("Assume BatchCheck BatchDescribe BatchGet Check Describe Estimate Filter Get Head List Lookup Preview " ..
  "Query Scan Search Select Simulate Validate"):gmatch "%S+" do
  READS[word] = true
end

--- Whether the operation only reads.
function request.is_read(operation)
  local first, second = operation.name:match "^(%u%l+)(%u?%l*)"
  local method = operation.http.method
  return READS[first] or first and READS[first .. second] or method == "GET" or method == "HEAD"
end

-- Operation -> what all its calls have in common, their metatable. An operation belongs to one service for as long as
-- that lives.
local kinds = setmetatable({}, { __mode = "k" })

-- That, or nil and an error.
local function kind_of(service, operation)
  if kinds[operation] then
    return kinds[operation]
  end
  local protocol, err = protocols.of(service.metadata)
  if not protocol then
    return nil, err
  end
  local input, is_read = shapes.of(service, operation.input), request.is_read(operation)
  local kind = {
    service = service,
    operation = operation,
    input = input,
    output = shapes.of(service, operation.output),
    protocol = protocol,
    headers = customizations.headers(service),
    is_read = is_read,
    -- A token, which encoding fills in, lets AWS recognise a repetition.
    is_safe = is_read or input and #input:tokens() > 0 or customizations.is_repeatable(service, operation),
    is_unsigned = customizations.is_unsigned(service, operation),
  }
  kind.__index, kinds[operation] = kind, kind
  return kind
end

-- Whether the member that is the whole body of a message may be bytes.
local function has_blob(shape)
  local payload = shape and shape.traits.payload
  return payload and shape:member(payload).type == "blob"
end

-- The body that options.body_from names, nil for none; or nil and an error. `params` get something in its place.
local function read_body(operation, input, output, params, options)
  local wrong = options.body_from and not has_blob(input) and "its body cannot be the bytes of a file"
    or options.body_from and params[input.traits.payload] ~= nil and "there are two bodies, one of them from a file"
    or options.body_to and not has_blob(output) and "it returns no bytes that a file could take"
  if wrong then
    return errors.fail { code = "ParamValidation", operation = operation.name, message = wrong }
  elseif options.body_from then
    params[input.traits.payload] = ""
    return bodies.of_file(options.body_from)
  end
end

--- The call of `operation` with `params` (not changed), or nil and an error:
---   service, operation, options   as given
---   params, input, output         the parameters, customized, their shape and the output's (nil for none)
---   encoded                       what the protocol made of them: { method, path, query, headers, body, host_prefix }
---   protocol                      the codec, for the response
---   is_read                       whether the operation only reads
---   is_safe                       whether it may be sent again when it is unknown what became of it
---   is_unsigned                   whether it is sent without credentials
---   secrets                       sensitive texts in the parameters
---   invocation_id                 the same over all attempts
--- and from infra.aws.client: region, endpoint, host, path and url, where it goes; credentials, signed_at (unix
--- seconds) and payload_hash, how it was signed last.
--- options: token, retry_unsafe, body_from, body_to as in Client:call; presigned: as the protocol's encode has it.
--- `random` gives random bytes.
function request.prepare(service, operation, params, options, random)
  local complete = merged(params)
  customizations.params(service, complete)
  local kind, err = kind_of(service, operation)
  if not kind then
    return nil, err
  end
  local input = kind.input
  local body, encoded
  body, err = read_body(operation, input, kind.output, complete, options)
  if err then
    return nil, err
  end
  encoded, err = kind.protocol.encode(service, operation, complete, {
    token = options.token,
    random = random,
    body = body,
    presigned = options.presigned,
  })
  if not encoded then
    return nil, err
  end
  for _, header in ipairs(kind.headers) do
    table.insert(encoded.headers, header)
  end
  return setmetatable({
    options = options,
    params = complete,
    encoded = encoded,
    is_safe = kind.is_safe or options.retry_unsafe or false,
    secrets = input and redact.secrets(input, complete) or {},
    invocation_id = idempotency.uuid(random(16)),
    region = nil, endpoint = nil, host = nil, path = nil, url = nil,
    credentials = nil, signed_at = nil, payload_hash = nil,
  }, kind)
end

return request
