-- What can be put right when AWS rejects a request, so that the same call succeeds at once: a clock that is wrong,
-- credentials that expired, a bucket that lives elsewhere. Used by infra.aws.client; each repair is tried once per call
-- and counts as no attempt, because AWS did nothing.

local timestamps = require "infra.aws.protocols.timestamps"

local repairs = {}

-- Seconds by which a clock may be off before that explains a refusal; AWS allows five minutes.
local TOLERATED_SKEW <const> = 240

local CLOCK_CODES = {
  AuthFailure = true,
  InvalidSignatureException = true,
  RequestExpired = true,
  RequestInTheFuture = true,
  RequestTimeTooSkewed = true,
  SignatureDoesNotMatch = true,
}

local EXPIRED_CODES = { ExpiredToken = true, ExpiredTokenException = true, RequestExpired = true }

-- Signs with the server's time from now on.
local function clock(client, _, err, response)
  local server_time = CLOCK_CODES[err.code] and timestamps.parse(response.headers.date)
  if server_time then
    local offset = server_time - client.runtime.time()
    if math.abs(offset - client.clock_offset) > TOLERATED_SKEW then
      client.clock_offset = offset
      return true
    end
  end
end

local function expired_credentials(client, _, err)
  if EXPIRED_CODES[err.code] then
    client.credentials:expire()
    return true
  end
end

-- S3 answers from any region, and says which one it should have been.
local function bucket_region(client, call, err, response)
  local bucket = call.params.Bucket
  if call.endpoint.signing_name ~= "s3" or not bucket or call.endpoint.custom then
    return false
  end
  local region = response.headers["x-amz-bucket-region"] or err.fields and err.fields.Region
  if region and region ~= call.region then
    client.bucket_regions[bucket] = region
    return client:locate(call) ~= nil
  end
end

local REPAIRS = { clock, expired_credentials, bucket_region }

--- True when something was put right after `call` failed with `err` in `response`. `done` is a set of repairs tried so
--- far, empty at first.
function repairs.apply(client, call, err, response, done)
  for _, repair in ipairs(REPAIRS) do
    if not done[repair] and repair(client, call, err, response) then
      done[repair] = true
      return true
    end
  end
  return false
end

return repairs
