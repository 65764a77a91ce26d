-- Calls any operation of any AWS service: what the models say, encoded, signed, sent, repeated where that is safe, and
-- decoded. Used by everything that talks to AWS; made by infra.session. Calls wait, so they run inside a task of the
-- runtime's scheduler; any number of them may be under way.
--
-- Errors carry AWS's own code and message, and
--   service, operation, status, request_id, fields (all members of AWS's error)
--   retryable        the same call may succeed later
--   throttled        AWS refused for now
--   unknown_outcome  at least one request of the call may have been carried out without our having heard of it

local errors = require "infra.errors"
local models = require "infra.models"
local sigv4 = require "host.sigv4"

local Rates = require "infra.aws.rates"
local Retry = require "infra.aws.retry"
local advice = require "infra.aws.advice"
local endpoints = require "infra.aws.endpoints"
local pagination = require "infra.aws.pagination"
local presign = require "infra.aws.presign"
local repairs = require "infra.aws.repairs"
local request = require "infra.aws.request"
local response = require "infra.aws.response"
local signer = require "infra.aws.signer"
local waiters = require "infra.aws.waiters"

local CONNECT_TIMEOUT <const> = 10 -- seconds
local TIMEOUT <const> = 60 -- seconds for a whole request, unless the call says otherwise
-- What comes from a file or goes into one may take its time, as long as it moves.
local FILE_TIMEOUT <const> = 24 * 3600

local USER_AGENT <const> = { "User-Agent", "infra" }

local SIGNATURES = { v4 = true, s3 = true, s3v4 = true } -- C2J signatureVersion; all are version 4 today

local Client = {}
Client.__index = Client

--- options:
---   runtime       infra.runtime
---   credentials   infra.aws.credentials
---   config        infra.aws.config
---   region        default region; nil: only global services can be called
---   endpoint_url  for all services, before whatever the configuration says
---   max_attempts  per call, before AWS_MAX_ATTEMPTS and the profile
---   trace         infra.aws.log that is told of every request and response
--- Or nil and an error when the configuration asks for what does not exist.
function Client.new(options)
  local config, runtime = assert(options.config), assert(options.runtime)
  local settings, err = Retry.settings(config)
  if not settings then
    return nil, err
  end
  local max_attempts = options.max_attempts or settings.max_attempts
  return setmetatable({
    runtime = runtime,
    credentials = assert(options.credentials),
    config = config,
    region = options.region,
    endpoint_url = options.endpoint_url,
    trace = options.trace,
    ca_file = config:get("AWS_CA_BUNDLE", "ca_bundle"),
    endpoints = {}, -- service -> region, "" for none -> endpoint: what is configured stays so while a client lives
    rates = Rates.new(runtime, settings.adaptive),
    retry = Retry.new { random = runtime.random, max_attempts = max_attempts },
    clock_offset = 0, -- seconds that AWS's clock is ahead of ours
    bucket_regions = {}, -- bucket -> region, where it is not the one we thought
  }, Client)
end

--- The models of an operation and of its service, or nil and an error.
function Client:operation(service_id, operation_name)
  local service, err = models.service(service_id)
  if not service then
    return nil, err
  end
  local operation
  operation, err = service:operation(operation_name)
  return operation, operation and service or err
end

-- The endpoint of a service in a region, or nil and an error.
local function endpoint_of(self, service, region)
  local known = self.endpoints[service] or {}
  self.endpoints[service] = known
  local endpoint, err = known[region or ""], nil
  if not endpoint then
    local settings
    settings, err = endpoints.settings(self.config, service, self.endpoint_url)
    if settings then
      endpoint, err = endpoints.resolve(service, region, settings)
    end
    known[region or ""] = endpoint
  end
  return endpoint, err
end

--- Decides where `call` goes; again when that turned out to be wrong. Returns nil and an error when it goes nowhere,
--- with the call as it was.
function Client:locate(call)
  local region = self.bucket_regions[call.params.Bucket or ""] or call.options.region or self.region
  local endpoint, err = endpoint_of(self, call.service, region)
  if not endpoint then
    return nil, err
  end
  local host, path = endpoints.address(endpoint, call.encoded, call.params)
  if not host then
    return nil, path
  end
  local query = sigv4.encode_query(call.encoded.query)
  call.region, call.endpoint, call.host, call.path = region, endpoint, host, path
  call.url = endpoint.scheme .. "://" .. host .. path .. (query == "" and "" or "?" .. query)
  return call
end

local function signed_headers(self, call)
  local encoded, service, operation = call.encoded, call.service, call.operation
  if call.is_unsigned then
    return { table.unpack(encoded.headers) }
  elseif not SIGNATURES[service.metadata.signatureVersion or "v4"] then
    return errors.fail {
      code = "UnsupportedSignature",
      message = ("%s signs its requests with %s, which is not supported"):format(service.id,
        service.metadata.signatureVersion),
    }
  end
  local credentials, err = self.credentials:get()
  if not credentials then
    return nil, err
  end
  local payload_hash = call.payload_hash
  if not payload_hash then
    payload_hash, err = signer.payload_hash(encoded, call.endpoint, operation)
    if not payload_hash then
      return nil, err
    end
    call.payload_hash = payload_hash
  end
  call.credentials, call.signed_at = credentials, self.runtime.time() + self.clock_offset
  return signer.sign({
    method = encoded.method,
    path = call.path,
    query = encoded.query,
    headers = encoded.headers,
  }, call.host, {
    endpoint = call.endpoint,
    credentials = credentials,
    timestamp = call.signed_at,
    payload_hash = payload_hash,
  })
end

-- The output, or nil, an error, and the response that carried it (nil when none came).
local function attempt(self, call, number)
  local headers, err = signed_headers(self, call)
  if not headers then
    err.retryable, err.throttled, err.unknown_outcome = false, false, false
    return nil, err
  end
  headers[#headers + 1] = { "amz-sdk-invocation-id", call.invocation_id }
  headers[#headers + 1] = { "amz-sdk-request", ("attempt=%d; max=%d"):format(number, self.retry.max_attempts) }
  headers[#headers + 1] = USER_AGENT
  if self.trace then
    self.trace:request(call, number, headers)
  end
  local body = call.encoded.body
  local from_file = type(body) == "table"
  local streams = from_file or call.options.body_to
  local received, failure = self.runtime.send {
    method = call.encoded.method,
    url = call.url,
    headers = headers,
    body = not from_file and body or nil,
    body_from = from_file and body or nil,
    body_to = call.options.body_to,
    timeout = call.options.timeout or streams and FILE_TIMEOUT or TIMEOUT,
    stall_timeout = streams and TIMEOUT or nil,
    connect_timeout = CONNECT_TIMEOUT,
    ca_file = self.ca_file,
  }
  if not received then
    Retry.classify(failure)
    return nil, failure
  end
  local output
  output, err = response.decode(call, received)
  return output, err, received
end

-- One attempt, with everybody told who wants to know.
local function observed_attempt(self, call, number)
  local bucket = self.rates:admit(call.service.id, call.region, call.is_read)
  local started = self.runtime.now()
  local output, err, received = attempt(self, call, number)
  self.rates:observe(bucket, err and err.throttled)
  if self.trace then
    self.trace:response(call, number, self.runtime.now() - started, received, output, err)
  end
  return output, err, received
end

local function run(self, call)
  local number, unknown, cost, repaired = 1, false, nil, nil
  while true do
    local output, err, received = observed_attempt(self, call, number)
    if output then
      self.retry:succeeded(cost)
      return output
    end
    unknown, repaired = unknown or err.unknown_outcome, repaired or {}
    if not (received and repairs.apply(self, call, err, received, repaired)) then
      local delay
      if not call.options.no_retry and (call.is_safe or not err.unknown_outcome) then
        delay, cost = self.retry:next(number, err, received and received.headers)
      end
      if not delay then
        err.unknown_outcome = unknown
        return nil, err
      end
      self.runtime.scheduler:sleep(delay)
      number = number + 1
    end
  end
end

--- Calls an operation: its output, or nil and an error. `params` is not changed. options:
---   region        instead of the client's
---   token         value of the operation's idempotency token, where it has one (default: a random one)
---   no_retry      one attempt only
---   retry_unsafe  repeat after an unknown outcome, although the operation is neither a read nor has a token
---   timeout       seconds for one request (default 60, or a day of which no minute without progress where files are
---                 sent or received)
---   body_from     { path, offset (0), size (the rest) }: the part of a file that is sent as the operation's payload
---   body_to       path of a file that takes the payload of the answer (the output is without it, then); it appears, or
---                 is replaced, once it is whole
function Client:call(service_id, operation_name, params, options)
  local operation, service = self:operation(service_id, operation_name)
  if not operation then
    return nil, service
  end
  local call, output, err
  options = options or {}
  params, err = presign.source(self, service, operation, params or {}, options)
  if params then
    call, err = request.prepare(service, operation, params, options, self.runtime.random)
  end
  if call then
    call, err = self:locate(call)
  end
  if call then
    output, err = run(self, call)
  end
  if err then
    err.service, err.operation = err.service or service.id, err.operation or operation.name
    advice.add(err, call and call.endpoint)
  end
  return output, err
end

--- pages(service, operation, params, options) and all(...): see infra.aws.pagination.
Client.pages = pagination.pages
Client.all = pagination.all

--- presign(service, operation, params, options): see infra.aws.presign.
Client.presign = presign.url

--- wait(service, waiter, params, options): see infra.aws.waiters.
Client.wait = waiters.wait

return Client
