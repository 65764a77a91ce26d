-- The headers that make a request authentic: AWS's signature version 4. Used by infra.aws.client, at every attempt
-- anew. The arithmetic is host.sigv4's.

local bodies = require "infra.aws.protocols.bodies"
local clock = require "host.clock"
local crypto = require "host.crypto"
local sigv4 = require "host.sigv4"

local signer = {}

-- S3 signs paths as they are and always wants to see the hash of the body.
local S3_NAMES = { ["s3"] = true, ["s3-object-lambda"] = true, ["s3-outposts"] = true, ["s3express"] = true }

local UNSIGNED <const> = "UNSIGNED-PAYLOAD"

local function has_checksum(headers)
  for _, header in ipairs(headers) do
    local name = header[1]:lower()
    if name == "content-md5" or name:find "^x%-amz%-checksum%-" then
      return true
    end
  end
  return false
end

--- The hash of the body of an encoded `request` that its signature covers; or nil and an error when its file cannot be
--- read. As the SDKs have it, a file for S3 is not hashed when TLS protects it on its way and a checksum to its end.
function signer.payload_hash(request, endpoint, operation)
  local is_protected = S3_NAMES[endpoint.signing_name] and endpoint.scheme == "https" and has_checksum(request.headers)
  if operation.authtype == "v4-unsigned-body" or type(request.body) == "table" and is_protected then
    return UNSIGNED
  elseif type(request.body) ~= "table" then
    return sigv4.payload_hash(request.body or "")
  end
  local digest, err = bodies.digest(request.body, "SHA256")
  return digest and crypto.hex(digest), err
end

-- What host.sigv4 takes.
local function to_sign(request, headers, payload_hash, options)
  local endpoint, credentials = options.endpoint, options.credentials
  local is_s3 = S3_NAMES[endpoint.signing_name] or false
  return {
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
end

--- The query string of `request` { method, path, query, headers } for `host`, signed, of a URL that needs no other
--- authentication. Its body is not covered: it has none, or S3 takes any. options as in signer.sign, and expires =
--- seconds.
function signer.presign(request, host, options)
  local is_s3 = S3_NAMES[options.endpoint.signing_name] or false
  local headers = { table.unpack(request.headers) }
  headers[#headers + 1] = { "Host", host }
  local all = to_sign(request, headers, is_s3 and UNSIGNED or sigv4.payload_hash "", options)
  all.session_token, all.expires = options.credentials.session_token, options.expires
  return (sigv4.presign(all))
end

--- The headers of `request` { method, path, query, headers, body } for `host`, signed: a new array of { name, value }.
--- Everything in request.headers is signed; what proxies may rewrite (User-Agent) is the caller's to add afterwards.
--- options: endpoint (signing_region, signing_name), credentials (values), timestamp = unix seconds, payload_hash
--- (default: that of the body).
function signer.sign(request, host, options)
  local endpoint, credentials = options.endpoint, options.credentials
  local is_s3 = S3_NAMES[endpoint.signing_name] or false
  local payload_hash = options.payload_hash or sigv4.payload_hash(request.body or "")
  local headers = { table.unpack(request.headers) }
  headers[#headers + 1] = { "X-Amz-Date", clock.format_utc(options.timestamp, "%Y%m%dT%H%M%SZ") }
  if credentials.session_token then
    headers[#headers + 1] = { "X-Amz-Security-Token", credentials.session_token }
  end
  if is_s3 or payload_hash == UNSIGNED then
    headers[#headers + 1] = { "x-amz-content-sha256", payload_hash }
  end
  headers[#headers + 1] = { "Host", host }
  local signed = sigv4.sign(to_sign(request, headers, payload_hash, options))
  headers[#headers] = { "Authorization", signed.authorization } -- the HTTP client sends Host itself
  return headers
end

return signer
