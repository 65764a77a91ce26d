-- What can be put right when AWS rejects a request, so that the same call succeeds at once: a clock that is wrong,
-- credentials that expired, a bucket that lives elsewhere. Used by infra.aws.client; each repair is tried once per call
-- and counts as no attempt, because AWS did nothing.

local timestamps = require "infra.aws.protocols.timestamps"

local repairs = {}

-- Seconds by which a clock may be off before that explains a refusal; AWS allows five minutes.
local TOLERATED_SKEW <const> = 240

local CLOCK_CODES = {
  AuthFailure = true,
  Forbidden = true, -- to HEAD, whose answer has no room for AWS's own code
  InvalidSignatureException = true,
  RequestExpired = true,
  RequestInTheFuture = true,
  RequestTimeTooSkewed = true,
  SignatureDoesNotMatch = true,
}

local EXPIRED_CODES = { ExpiredToken = true, ExpiredTokenException = true, RequestExpired = true }

-- Signs with the server's time from now on. What counts is the time that this call was signed with: of many calls under
-- way the first to come back has put the clock right already, and the others need their repetition all the same.
local function clock(client, call, err, response)
  local server_time = call.signed_at and CLOCK_CODES[err.code] and timestamps.parse(response.headers.date)
  if server_time and math.abs(server_time - call.signed_at) > TOLERATED_SKEW then
    client.clock_offset = server_time - client.runtime.time()
    return true
  end
end

-- Of many calls under way the first to come back has them renewed, and the others take what it got.
local function expired_credentials(client, call, err)
  if call.credentials and EXPIRED_CODES[err.code] then
    if client.credentials:get() == call.credentials then
      client.credentials:expire()
    end
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
    local before = client.bucket_regions[bucket]
    client.bucket_regions[bucket] = region
    if client:locate(call) then
      return true
    end
    client.bucket_regions[bucket] = before -- what came is no region
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
