-- Who calls: checks a request's Signature Version 4, in the Authorization header or in the query string (presigned),
-- and names the caller. Used by infra.sim.
--
-- One pair of credentials is always known, that of the account's administrator: access key SIMULATED, secret key
-- simulated. Temporary ones are what infra.sim.sts keeps: ctx.sessions, kind "session", by access key id, {
-- secret_key, session_token, expires_at, account, arn, user_id }.

local clock = require "host.clock"
local crypto = require "host.crypto"
local sigv4 = require "host.sigv4"

local Failure = require "infra.sim.failure"

local auth = {}

auth.ACCOUNT = "123456789012"

local ADMINISTRATOR = {
  secret_key = "simulated",
  account = auth.ACCOUNT,
  arn = "arn:aws:iam::" .. auth.ACCOUNT .. ":user/administrator",
  user_id = "AIDASIMULATEDADMINIST",
}

-- Seconds that a caller's clock may differ from AWS's.
local SKEW = { s3 = 900, others = 300 }

local function scope_of(credential)
  local key, date, region, service = credential:match("^(.+)/(%d+)/([^/]+)/([^/]+)/aws4_request$")
  return key and { access_key = key, date = date, region = region, service = service }
end

--- What the request's signature claims: { access_key, date, region, service, signed_headers, signature, presigned } or
--- nil when there is none, or none that can be read.
function auth.scope(request)
  local header = request.headers.authorization
  local credential, signed_headers, signature
  if header then
    credential = header:match("^AWS4%-HMAC%-SHA256%s.*Credential=([^,%s]+)")
    signed_headers, signature = header:match("SignedHeaders=([^,%s]+)"), header:match("Signature=(%x+)")
  elseif request.fields["X-Amz-Signature"] then
    local function field(name)
      return request.fields["X-Amz-" .. name] or ""
    end
    credential, signed_headers, signature = field("Credential"), field("SignedHeaders"), field("Signature")
  end
  local scope = credential and scope_of(credential)
  if not (scope and signed_headers and signature) then
    return nil
  end
  scope.signed_headers, scope.signature, scope.presigned = signed_headers, signature, not header
  return scope
end

-- The request as host.sigv4 signs it, with the caller's own date and headers.
local function signing_request(request, scope, service, credentials, timestamp)
  local headers = {}
  for name in scope.signed_headers:gmatch("[^;]+") do
    headers[#headers + 1] = { name, request.headers[name] or "" }
  end
  local query = {}
  for _, field in ipairs(request.query_pairs) do
    if field[1] ~= "X-Amz-Signature" then
      query[#query + 1] = field
    end
  end
  local s3 = service.id == "s3"
  local unsigned = s3 and scope.presigned and "UNSIGNED-PAYLOAD"
  return {
    method = request.method,
    path = request.wire_path,
    query = query,
    headers = headers,
    payload_hash = request.headers["x-amz-content-sha256"] or unsigned or crypto.hex(crypto.sha256(request.body)),
    service = scope.service,
    region = scope.region,
    access_key = scope.access_key,
    secret_key = credentials.secret_key,
    timestamp = timestamp,
    double_encode = not s3,
    normalize = not s3,
  }
end

-- The host and all of AWS's own headers must be among those signed.
local function check_signed_headers(request, scope)
  local signed = {}
  for name in scope.signed_headers:gmatch("[^;]+") do
    signed[name] = true
  end
  for name in pairs(request.headers) do
    if (name == "host" or name:find("^x%-amz%-")) and not signed[name] then
      Failure.common("bad_signature", ("There were headers present in the request which were not signed: %s")
        :format(name))
    end
  end
end

local function check_time(request, scope, service, now)
  local date = request.headers["x-amz-date"] or request.fields["X-Amz-Date"] or ""
  local timestamp = clock.parse_utc((date:gsub("^(%d%d%d%d)(%d%d)(%d%dT%d%d)(%d%d)(%d%dZ)$", "%1-%2-%3:%4:%5")))
  if not timestamp then
    Failure.common("bad_signature", "The request has no valid date")
  end
  local skew = SKEW[service.id] or SKEW.others
  local expires = scope.presigned and tonumber(request.fields["X-Amz-Expires"]) or skew
  if timestamp > now + skew or timestamp + expires < now then
    Failure.common("expired_request", ("Signature expired: %s is not within %d seconds of %s"):format(date, expires,
      clock.format_utc(now, "%Y%m%dT%H%M%SZ")))
  end
  return timestamp
end

--- The caller of a request: { account, arn, user_id, access_key }, or throws the protocol's refusal. `sessions` is the
--- view of temporary credentials, `now` the clock by which callers sign.
function auth.verify(request, scope, service, sessions, now)
  if not scope then
    Failure.common("unsigned", "Missing Authentication Token")
  end
  local credentials = scope.access_key == "SIMULATED" and ADMINISTRATOR or sessions:get("session", scope.access_key)
  if not credentials then
    Failure.common("unknown_key", "The security token included in the request is invalid.")
  end
  local token = request.headers["x-amz-security-token"] or request.fields["X-Amz-Security-Token"]
  if token ~= credentials.session_token then
    Failure.common("unknown_key", "The security token included in the request is invalid.")
  elseif credentials.expires_at and credentials.expires_at < now then
    Failure.common("expired_token", "The security token included in the request is expired")
  end
  local timestamp = check_time(request, scope, service, now)
  local name = service.metadata.signingName or service.metadata.endpointPrefix
  if scope.service ~= name then
    Failure.common("bad_signature", ("Credential should be scoped to correct service: '%s'."):format(name))
  elseif scope.region ~= request.region then
    Failure.common("bad_signature", ("Credential should be scoped to a valid region: '%s'."):format(request.region))
  end
  check_signed_headers(request, scope)
  local hash = request.headers["x-amz-content-sha256"]
  if hash and hash:find("^%x+$") and hash ~= crypto.hex(crypto.sha256(request.body)) then
    Failure.common("bad_digest", "The provided 'x-amz-content-sha256' header does not match what was computed.")
  end
  local expected = sigv4.sign(signing_request(request, scope, service, credentials, timestamp)).signature
  if not crypto.equal(expected, scope.signature) then
    Failure.common("bad_signature", "The request signature we calculated does not match the signature you provided. "
      .. "Check your AWS Secret Access Key and signing method.")
  end
  return {
    access_key = scope.access_key,
    account = credentials.account,
    arn = credentials.arn,
    user_id = credentials.user_id,
  }
end

return auth
