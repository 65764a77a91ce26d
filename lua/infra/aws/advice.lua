-- What a person can do about a call that failed for reasons that have nothing to do with what was asked: the way to the
-- endpoint, or who asks. The one place that has such hints, by the error's code. Used by infra.aws.client.

local advice = {}

local NETWORK <const> = "is there a way to the network, and is the endpoint right%s?"
local CREDENTIALS <const> = "AWS refuses these credentials: renew them, or choose others with --profile or AWS_PROFILE"

-- %s is where the endpoint was configured. The services name the same refusals differently, by their protocols' age
-- (AWS General Reference, "Common errors"; AuthFailure is EC2's, InvalidAccessKeyId and InvalidToken are S3's).
local HINTS <const> = {
  ConnectionError = NETWORK, ResolveError = NETWORK, TlsError = NETWORK,
  Malformed = "is the endpoint right%s, and is there a proxy or a login page in between?",
  AuthFailure = CREDENTIALS, ExpiredToken = CREDENTIALS, ExpiredTokenException = CREDENTIALS,
  InvalidAccessKeyId = CREDENTIALS, InvalidClientTokenId = CREDENTIALS, InvalidSignatureException = CREDENTIALS,
  InvalidToken = CREDENTIALS, RequestExpired = CREDENTIALS, SignatureDoesNotMatch = CREDENTIALS,
  UnrecognizedClientException = CREDENTIALS,
}

--- Adds to the error of a call what is known of its cause: a hint, unless it has one, and the host that could not be
--- reached, where the message does not name it. `endpoint` as infra.aws.endpoints resolved it; nil before that.
function advice.add(err, endpoint)
  local hint = HINTS[err.code]
  local origin = endpoint and endpoint.origin
  err.hint = err.hint or hint and hint:format(origin and (" (it is from %s)"):format(origin) or "")
  if endpoint and hint == NETWORK and not err.message:find(endpoint.host:gsub(":%d+$", ""), 1, true) then
    err.message = ("%s://%s: %s"):format(endpoint.scheme, endpoint.host, err.message)
  end
end

return advice
