-- Which failures pass by themselves, and when to try again: the SDKs' standard retry mode (SDKs and Tools Reference
-- Guide, "Retry behavior"); what the adaptive mode adds to it is infra.aws.rates. Used by infra.aws.client, which has
-- one of these for all its calls.

local errors = require "infra.errors"
local set_of = require "infra.set_of"
local timestamps = require "infra.aws.protocols.timestamps"

local Retry = {}
Retry.__index = Retry

local MAX_ATTEMPTS <const> = 3
-- Attempts while AWS only says "not so fast", unless the user chose a number: a plan needs every one of its reads.
local MAX_THROTTLED <const> = 10
local MAX_BACKOFF <const> = 20 -- seconds
local MAX_RETRY_AFTER <const> = 300 -- seconds; what a server may ask for

-- The quota that keeps a client from hammering a service that is down: what it holds, what a retry takes from it, and
-- what a call that needed none gives back.
local QUOTA <const> = 500
local RETRY_COST <const> = 5
local TIMEOUT_COST <const> = 10
local SUCCESS_GAIN <const> = 1

-- The SDKs' list also has LimitExceededException, but most services mean a quota by it that no waiting changes.
local THROTTLING = set_of {
  "BandwidthLimitExceeded", "EC2ThrottledException", "PriorRequestNotComplete",
  "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException",
  "SlowDown", "ThrottledException", "Throttling", "ThrottlingException", "TooManyRequestsException",
  "TransactionInProgressException",
}
local TRANSIENT = set_of {
  "ConnectionError", "IDPCommunicationError", "IDPCommunicationErrorException", "RequestTimeout",
  "RequestTimeoutException", "ResolveError", "Timeout",
}
local TRANSIENT_STATUS = { [500] = true, [502] = true, [503] = true, [504] = true }

-- retry_mode -> whether requests wait for their turn after a throttling. "legacy" was another thing in every SDK, and
-- is standard here. Without a mode it is adaptive: a plan sends hundreds of requests at once.
local ADAPTIVE = { adaptive = true, standard = false, legacy = false }

local function config_error(name, value, wanted)
  return errors.fail { code = "ConfigError", message = ("%s is %q, not %s"):format(name, value, wanted) }
end

--- What AWS_MAX_ATTEMPTS, AWS_RETRY_MODE and the profile say: { max_attempts = nil unless set, adaptive }, or nil and
--- an error.
function Retry.settings(config)
  local attempts = config:get("AWS_MAX_ATTEMPTS", "max_attempts")
  local mode = config:get("AWS_RETRY_MODE", "retry_mode") or "adaptive"
  local max_attempts = math.tointeger(tonumber(attempts))
  if attempts and (max_attempts or 0) < 1 then
    return config_error("max_attempts", attempts, "a number of attempts (1 means no retries)")
  elseif ADAPTIVE[mode:lower()] == nil then
    return config_error("retry_mode", mode, "standard, adaptive or legacy")
  end
  return { max_attempts = max_attempts, adaptive = ADAPTIVE[mode:lower()] }
end

--- options: random = function(n) -> n random bytes; max_attempts, the first one included (default 3, and 10 of a
--- request that AWS throttles).
function Retry.new(options)
  return setmetatable({
    random = assert(options.random),
    max_attempts = options.max_attempts or MAX_ATTEMPTS,
    max_throttled = options.max_attempts or MAX_THROTTLED,
    quota = QUOTA,
  }, Retry)
end

--- Fills in what `err` means for another attempt:
---   throttled        AWS refused for now, and did nothing
---   retryable        the same request may succeed later
---   unknown_outcome  it may have reached AWS, and no word came back about what AWS did with it
--- An error that is retryable already (the model says so) stays that, unless `final`: then the caller knows better.
function Retry.classify(err, final)
  local status = err.status
  err.throttled = THROTTLING[err.code] or status == 429
  err.retryable = not final and (err.retryable or err.throttled or TRANSIENT[err.code] or TRANSIENT_STATUS[status])
    or false
  if status then
    err.unknown_outcome = status >= 500 and not err.throttled
  else
    err.unknown_outcome = err.sent ~= false -- a transport error
  end
end

-- Retry-After in seconds: a number, or a time, by the clock of whoever sent it.
local function retry_after(headers)
  local value = headers["retry-after"]
  local at, now = timestamps.parse(value), timestamps.parse(headers.date)
  return tonumber(value) or at and now and at - now or 0
end

-- What the response asks for, in seconds.
local function asked_for(headers)
  local milliseconds = tonumber(headers["x-amz-retry-after"])
  local seconds = milliseconds and milliseconds / 1000 or retry_after(headers)
  return math.min(math.max(seconds, 0), MAX_RETRY_AFTER)
end

--- Seconds to wait before trying again after attempt number `attempt` failed with a classified `err`, and what that
--- takes from the quota, for Retry:succeeded; nil when it is over. `headers` are those of the response, if one came.
function Retry:next(attempt, err, headers)
  local cost = err.code == "Timeout" and TIMEOUT_COST or RETRY_COST
  local most = err.throttled and self.max_throttled or self.max_attempts
  if not err.retryable or attempt >= most or self.quota < cost then
    return nil
  end
  self.quota = self.quota - cost
  local jitter = string.unpack("<I4", self.random(4)) / 2 ^ 32
  local backoff = jitter * math.min(2.0 ^ (attempt - 1), MAX_BACKOFF)
  return math.max(backoff, asked_for(headers or {})), cost
end

--- A call succeeded; `cost` is what its last retry took, nil when it needed none.
function Retry:succeeded(cost)
  self.quota = math.min(self.quota + (cost or SUCCESS_GAIN), QUOTA)
end

return Retry
