-- How fast requests may leave: nothing holds them back until AWS throttles one; then requests of that kind (service,
-- region, reads apart from changes) get a rate that shrinks with every throttling and grows back in between. The
-- algorithm and its constants are those of the SDKs' adaptive retry mode (token bucket, CUBIC). Used by
-- infra.aws.client.

local Rates = {}
Rates.__index = Rates

local MIN_RATE <const> = 0.5 -- requests a second
local BETA <const> = 0.7 -- what is left of the rate after a throttling
local SCALE <const> = 0.4 -- how fast it grows back
local SMOOTH <const> = 0.8 -- weight of the newest measurement
local WINDOW <const> = 0.5 -- seconds over which the sending rate is measured

--- Buckets on the clock and scheduler of `runtime`. Unless `adaptive`, nothing is ever held back: the standard mode.
function Rates.new(runtime, adaptive)
  return setmetatable({ runtime = runtime, adaptive = adaptive, buckets = {} }, Rates)
end

local function bucket_of(self, service, region, is_read)
  local key = service .. "\0" .. (region or "") .. (is_read and "\0read" or "\0change")
  local bucket = self.buckets[key]
  if not bucket then
    local now = self.runtime.now()
    bucket = { sent = 0, measured = 0, window = now, at = now, tokens = 0 } -- rate: nil until the first throttling
    self.buckets[key] = bucket
  end
  return bucket
end

local function measure(bucket, now)
  bucket.sent = bucket.sent + 1
  local elapsed = now - bucket.window
  if elapsed >= WINDOW then
    bucket.measured = bucket.sent / elapsed * SMOOTH + bucket.measured * (1 - SMOOTH)
    bucket.sent, bucket.window = 0, now
  end
end

local function refill(bucket, now)
  bucket.tokens = math.min(math.max(bucket.rate, 1), bucket.tokens + (now - bucket.at) * bucket.rate)
  bucket.at = now
end

--- Waits until a request may leave; in order of asking. Returns what Rates:observe wants to know of it. Yields.
function Rates:admit(service, region, is_read)
  if not self.adaptive then
    return
  end
  local bucket = bucket_of(self, service, region, is_read)
  if not bucket.rate then
    return bucket
  end
  refill(bucket, self.runtime.now())
  bucket.tokens = bucket.tokens - 1
  if bucket.tokens < 0 then -- taken in advance: those who ask later wait longer
    self.runtime.scheduler:sleep(-bucket.tokens / bucket.rate)
  end
  return bucket
end

local function cubic(bucket, now)
  local recovery = (bucket.peak * (1 - BETA) / SCALE) ^ (1 / 3) -- seconds until the old rate is reached again
  return SCALE * (now - bucket.throttled_at - recovery) ^ 3 + bucket.peak
end

--- Learns from the answer to a request that `bucket` admitted: `throttled` when AWS refused it for its rate.
function Rates:observe(bucket, throttled)
  if not bucket then
    return
  end
  local now = self.runtime.now()
  measure(bucket, now)
  if not (throttled or bucket.rate) then
    return
  end
  local rate
  if throttled then
    local measured = math.max(bucket.measured, bucket.sent / math.max(now - bucket.window, WINDOW))
    bucket.peak = bucket.rate and math.min(measured, bucket.rate) or measured
    bucket.throttled_at = now
    rate = bucket.peak * BETA
    if not bucket.rate then
      bucket.rate, bucket.at = math.max(rate, MIN_RATE), now
    end
  else
    rate = math.min(cubic(bucket, now), 2 * math.max(bucket.measured, MIN_RATE))
  end
  refill(bucket, now)
  bucket.rate = math.max(rate, MIN_RATE)
end

return Rates
