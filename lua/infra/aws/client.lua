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
local json = require "host.json"
local models = require "infra.models"
local sigv4 = require "host.sigv4"

local Rates = require "infra.aws.rates"
local Retry = require "infra.aws.retry"
local customizations = require "infra.aws.customizations"
local endpoints = require "infra.aws.endpoints"
local json_form = require "infra.aws.json_form"
local pagination = require "infra.aws.pagination"
local redact = require "infra.aws.redact"
local repairs = require "infra.aws.repairs"
local request = require "infra.aws.request"
local response = require "infra.aws.response"
local signer = require "infra.aws.signer"

local CONNECT_TIMEOUT <const> = 10 -- seconds
local TIMEOUT <const> = 60 -- seconds for a whole request, unless the call says otherwise

local SIGNATURES = { v4 = true, s3 = true, s3v4 = true } -- C2J signatureVersion; all are version 4 today

local Client = {}
Client.__index = Client

--- options:
---   runtime       infra.runtime
---   credentials   infra.aws.credentials
---   config        infra.aws.config
---   region        default region; nil: only global services can be called
---   endpoint_url  for all services, before whatever the configuration says
---   max_attempts  per call, before AWS_MAX_ATTEMPTS and the profile (default 3)
---   trace         function(line) gets what --verbose shows
function Client.new(options)
  local config, runtime = assert(options.config), assert(options.runtime)
  local max_attempts = options.max_attempts or tonumber(config:get("AWS_MAX_ATTEMPTS", "max_attempts"))
  return setmetatable({
    runtime = runtime,
    credentials = assert(options.credentials),
    config = config,
    region = options.region,
    endpoint_url = options.endpoint_url,
    trace = options.trace,
    rates = Rates.new(runtime),
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

--- Decides where `call` goes; again when that turned out to be wrong. Returns nil and an error when it goes nowhere.
function Client:locate(call)
  local service, url = call.service, self.endpoint_url
  local err
  if not url then
    url, err = self.config:endpoint_url(service.metadata.serviceId or service.id)
  end
  if err then
    return nil, err
  end
  call.region = self.bucket_regions[call.params.Bucket or ""] or call.options.region or self.region
  call.endpoint, err = endpoints.resolve(service, call.region, url)
  if not call.endpoint then
    return nil, err
  end
  call.host, call.path = endpoints.address(call.endpoint, call.encoded, call.params)
  local query = sigv4.encode_query(call.encoded.query)
  call.url = ("%s://%s%s%s"):format(call.endpoint.scheme, call.host, call.path, query == "" and "" or "?" .. query)
  return call
end

local function signed_headers(self, call)
  local encoded, service, operation = call.encoded, call.service, call.operation
  if customizations.is_unsigned(service, operation) then
    return table.move(encoded.headers, 1, #encoded.headers, 1, {})
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
  call.keys = redact.keys(credentials)
  return signer.sign({
    method = encoded.method,
    path = call.path,
    query = encoded.query,
    headers = encoded.headers,
    body = encoded.body,
  }, call.host, {
    endpoint = call.endpoint,
    credentials = credentials,
    timestamp = self.runtime.time() + self.clock_offset,
    unsigned_body = operation.authtype == "v4-unsigned-body",
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
  headers[#headers + 1] = { "User-Agent", "infra" }
  local received
  received, err = self.runtime.send {
    method = call.encoded.method,
    url = call.url,
    headers = headers,
    body = call.encoded.body,
    timeout = call.options.timeout or TIMEOUT,
    connect_timeout = CONNECT_TIMEOUT,
    ca_file = self.config:get("AWS_CA_BUNDLE", "ca_bundle"),
  }
  if not received then
    Retry.classify(err)
    return nil, err
  end
  local output
  output, err = response.decode(call, received)
  return output, err, received
end

-- One attempt, with everybody told who wants to know.
local function observed_attempt(self, call, number)
  local info = {
    service = call.service.id, operation = call.operation.name, region = call.region, attempt = number,
    is_read = request.is_read(call.operation),
  }
  self.rates:admit(info)
  local started = self.runtime.now()
  local output, err, received = attempt(self, call, number)
  info.seconds, info.error = self.runtime.now() - started, err
  self.rates:observe(info, err and err.throttled)
  if call.options.on_attempt then
    call.options.on_attempt(info)
  end
  if self.trace then
    self.trace(("%s %s at %s, attempt %d, %.3f s: %s"):format(info.service, info.operation, call.host, number,
      info.seconds, err and ("%s: %s"):format(err.code, err.message) or "ok"))
  end
  return output, err, received
end

local function run(self, call)
  local number, unknown, cost, repaired = 1, false, nil, {}
  while true do
    local output, err, received = observed_attempt(self, call, number)
    if output then
      self.retry:succeeded(cost)
      return output
    end
    unknown = unknown or err.unknown_outcome
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
---   timeout       seconds for one request (default 60)
---   on_attempt    function(info) called after every attempt; info = { service, operation, region, attempt, is_read,
---                 seconds, error }
function Client:call(service_id, operation_name, params, options)
  local operation, service = self:operation(service_id, operation_name)
  if not operation then
    return nil, service
  end
  local call, output, err
  call, err = request.prepare(service, operation, params, options or {}, self.runtime.random)
  if call then
    call, err = self:locate(call)
  end
  if call then
    if self.trace and call.input then
      local shown = json_form.to_json(call.input, redact.value(call.input, call.params))
      self.trace(("%s %s %s"):format(service.id, operation.name, json.encode(shown)))
    end
    output, err = run(self, call)
  end
  if err then
    err.service, err.operation = err.service or service.id, err.operation or operation.name
  end
  return output, err
end

--- pages(service, operation, params, options) and all(...): see infra.aws.pagination.
Client.pages = pagination.pages
Client.all = pagination.all

return Client
