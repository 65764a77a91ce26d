-- URLs that carry a call and its signature, for somebody without credentials: the method `presign` of
-- infra.aws.client. And the calls that need such a URL in a parameter: copies of what lies in another region, where the
-- service reads in the caller's name.

local customizations = require "infra.aws.customizations"
local errors = require "infra.errors"
local merged = require "infra.merged"
local request = require "infra.aws.request"
local signer = require "infra.aws.signer"
local uri = require "infra.aws.protocols.uri"

local presign = {}

local EXPIRES <const> = 3600 -- seconds
local LONGEST <const> = 7 * 24 * 3600

local FORMS = { query = true, ec2 = true } -- protocols whose body is a query string

local function refuse(operation, message)
  return errors.fail { code = "Unsupported", operation = operation.name, message = message }
end

-- Makes of an encoded request one that a URL can hold, with `query` in addition: true, or nil and an error.
local function into_url(call, query)
  local encoded, protocol = call.encoded, call.service.metadata.protocol
  local fields = {}
  if FORMS[protocol] then
    fields = uri.decode_form(encoded.body)
    encoded.method, encoded.headers, encoded.body = "GET", {}, nil
  elseif encoded.body or not protocol:find "^rest" then
    return refuse(call.operation, "a URL has no place for its body")
  end
  for _, pairs_of in ipairs { fields, query } do
    table.move(pairs_of, 1, #pairs_of, #encoded.query + 1, encoded.query)
  end
  return true
end

--- A URL that does what the call does, for whoever has it and as long as the credentials live; or nil and an error. It
--- is opened with the method that the model says, with GET where that puts everything into a form (sts, ec2, rds, ...);
--- what S3's operations send in headers has to be sent with it. options: region, expires = seconds (3600, at most
--- 604,800).
function presign.url(client, service_id, operation_name, params, options)
  options = options or {}
  local operation, service = client:operation(service_id, operation_name)
  if not operation then
    return nil, service
  end
  local expires = options.expires or EXPIRES
  if not math.tointeger(expires) or expires < 1 or expires > LONGEST then
    return refuse(operation, ("a URL is good for 1 to %d seconds, not for %s"):format(LONGEST, expires))
  end
  local call, ok, err
  call, err = request.prepare(service, operation, params, { presigned = true, region = options.region },
    client.runtime.random)
  if not call then
    return nil, err
  end
  ok, err = into_url(call, options.query or {})
  if ok then
    ok, err = client:locate(call)
  end
  local credentials
  if ok then
    credentials, err = client.credentials:get()
  end
  if not credentials then
    return nil, err
  end
  local query = signer.presign({
    method = call.encoded.method,
    path = call.path,
    query = call.encoded.query,
    headers = call.encoded.headers,
  }, call.host, {
    endpoint = call.endpoint,
    credentials = credentials,
    timestamp = client.runtime.time() + client.clock_offset,
    expires = expires,
  })
  return ("%s://%s%s?%s"):format(call.endpoint.scheme, call.host, call.path, query)
end

--- The parameters of a call with the URL by which the service reads in the region that SourceRegion names, where the
--- operation wants one and the caller gave none; all other parameters as they are. Or nil and an error.
function presign.source(client, service, operation, params, options)
  local copy = customizations.copy_between_regions(service, operation)
  if not copy or not params.SourceRegion then
    return params
  end
  local complete, query = merged(params), {}
  local source, destination = params.SourceRegion, options.region or client.region
  if copy.sends_regions then
    complete.DestinationRegion = destination
  else
    complete.SourceRegion = nil
    query = { { "DestinationRegion", destination } }
  end
  if not complete[copy.url] then
    local url, err = presign.url(client, service.id, operation.name, complete, { region = source, query = query })
    if not url then
      return nil, err
    end
    complete[copy.url] = url
  end
  return complete
end

return presign
