-- What an operation's traits demand of a request once its body is written: compression, then a checksum of what is
-- sent.

local bodies = require "infra.aws.protocols.bodies"
local compress = require "host.compress"
local crypto = require "host.crypto"
local errors = require "infra.errors"

local body_traits = {}

local MIN_COMPRESSED = 10240 -- bytes; AWS's own clients use the same

local DEFAULT_ALGORITHM <const> = "CRC32" -- AWS's own clients'

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
  if type(request.body) ~= "string" or #request.body < MIN_COMPRESSED or not supports_gzip(operation) then
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

-- Adds the body's digest as a header: true, or nil and an error.
local function add_digest(request, name, algorithm)
  local digest, err = bodies.digest(request.body, algorithm)
  if not digest then
    return nil, err
  end
  add_header(request, name, crypto.base64(digest))
  return true
end

--- Adds the checksum that the operation can carry, by the algorithm that the caller chose with its parameter, or by
--- CRC32; Content-MD5 where the operation requires one and has no such parameter. What the caller computed stays as it
--- is. `input` is the shape of `params`. True, or nil and an error.
function body_traits.checksum(operation, input, request, params)
  local trait = operation.httpChecksum or {}
  local member = trait.requestAlgorithmMember
  local algorithm = member and params[member] or DEFAULT_ALGORITHM
  if not (member or operation.httpChecksumRequired or trait.requestChecksumRequired) then
    return true
  elseif find_header(request, "^content%-md5$") or find_header(request, "^x%-amz%-checksum%-") then
    return true
  elseif not member then
    return add_digest(request, "Content-MD5", "MD5")
  elseif not bodies.can_digest(algorithm) then
    return errors.fail {
      code = "ParamValidation",
      operation = operation.name,
      message = member .. ": CRC32, SHA1 and SHA256 are supported, not " .. algorithm,
    }
  end
  local header = input:member(member).traits.locationName
  if not params[member] and header then
    add_header(request, header, algorithm)
  end
  return add_digest(request, "x-amz-checksum-" .. algorithm:lower(), algorithm)
end

return body_traits
