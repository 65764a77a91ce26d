-- The headers that make a request authentic: AWS's signature version 4. Used by infra.aws.client, at every attempt
-- anew. The arithmetic is host.sigv4's.

local clock = require "host.clock"
local crypto = require "host.crypto"
local sigv4 = require "host.sigv4"

local signer = {}

-- S3 signs paths as they are and always wants to see the hash of the body.
local S3_NAMES = { ["s3"] = true, ["s3-object-lambda"] = true, ["s3-outposts"] = true, ["s3express"] = true }

--- The headers of `request` { method, path, query, headers, body } for `host`, signed: a new array of { name, value }.
--- Everything in request.headers is signed; what proxies may rewrite (User-Agent) is the caller's to add afterwards.
--- options: endpoint (signing_region, signing_name), credentials (values), timestamp = unix seconds, unsigned_body.
function signer.sign(request, host, options)
  local endpoint, credentials = options.endpoint, options.credentials
  local is_s3 = S3_NAMES[endpoint.signing_name] or false
  local payload_hash = options.unsigned_body and "UNSIGNED-PAYLOAD" or crypto.hex(crypto.sha256(request.body or ""))
  local headers = table.move(request.headers, 1, #request.headers, 1, {})
  headers[#headers + 1] = { "X-Amz-Date", clock.format_utc(options.timestamp, "%Y%m%dT%H%M%SZ") }
  if credentials.session_token then
    headers[#headers + 1] = { "X-Amz-Security-Token", credentials.session_token }
  end
  if is_s3 or options.unsigned_body then
    headers[#headers + 1] = { "x-amz-content-sha256", payload_hash }
  end
  headers[#headers + 1] = { "Host", host }
  local signed = sigv4.sign {
    method = request.method,
    path = request.path,
    query = request.query,
    headers = headers,
    payload_hash = payload_hash,
    service = endpoint.signing_name,
    region = endpoint.signing_region,
    access_key = credentials.access_key,
    secret_key = credentials.secret_key,
    timestamp = options.timestamp,
    double_encode = not is_s3,
    normalize = not is_s3,
  }
  headers[#headers] = nil -- the HTTP client sends Host itself
  headers[#headers + 1] = { "Authorization", signed.authorization }
  return headers
end

return signer
