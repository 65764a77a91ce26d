-- What an operation's traits demand of a request once its body is written: compression, then a checksum of what is
-- sent.

local compress = require "host.compress"
local crypto = require "host.crypto"
local errors = require "infra.errors"

local body_traits = {}

local MIN_COMPRESSED = 10240 -- bytes; AWS's own clients use the same

local DIGESTS = {
  CRC32 = function(body)
    return string.pack(">I4", crypto.crc32(body))
  end,
  SHA1 = crypto.sha1,
  SHA256 = crypto.sha256,
}

local function find_header(request, pattern)
  for _, header in ipairs(request.headers) do
    if header[1]:lower():find(pattern) then
      return header
    end
  end
end

local function add_header(request, name, value)
  request.headers[#request.headers + 1] = { name, value }
end

local function supports_gzip(operation)
  for _, encoding in ipairs((operation.requestcompression or {}).encodings or {}) do
    if encoding == "gzip" then
      return true
    end
  end
  return false
end

--- Compresses the body of an operation that allows for it, if it is worth the while.
function body_traits.compress(operation, request)
  if not supports_gzip(operation) or not request.body or #request.body < MIN_COMPRESSED then
    return
  end
  request.body = compress.deflate(request.body, { gzip = true })
  local encoding = find_header(request, "^content%-encoding$")
  if encoding then
    encoding[2] = encoding[2] .. ", gzip"
  else
    add_header(request, "Content-Encoding", "gzip")
  end
end

--- Adds the checksum that the caller asked for by the operation's algorithm parameter, or Content-MD5 where the
--- operation requires one at all and the caller gave none. True, or nil and an error.
function body_traits.checksum(operation, request, params)
  local trait = operation.httpChecksum or {}
  local body, algorithm = request.body or "", params[trait.requestAlgorithmMember]
  local given = find_header(request, "^content%-md5$") or find_header(request, "^x%-amz%-checksum%-")
  if given then
    return true
  elseif type(algorithm) == "string" then
    local digest = DIGESTS[algorithm]
    if not digest then
      return errors.fail {
        code = "ParamValidation",
        operation = operation.name,
        message = trait.requestAlgorithmMember .. ": CRC32, SHA1 and SHA256 are supported, not " .. algorithm,
      }
    end
    add_header(request, "x-amz-checksum-" .. algorithm:lower(), crypto.base64(digest(body)))
  elseif operation.httpChecksumRequired or trait.requestChecksumRequired then
    add_header(request, "Content-MD5", crypto.base64(crypto.md5(body)))
  end
  return true
end

return body_traits
