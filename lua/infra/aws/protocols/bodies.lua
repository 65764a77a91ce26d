-- The body of a request: text, or a part of a file that is never in memory as a whole: { path, offset, size }. Used by
-- the protocols and by the client.

local crypto = require "host.crypto"
local errors = require "infra.errors"
local fs = require "host.fs"

local bodies = {}

local PIECE <const> = 1 << 20 -- bytes that are read at a time

local function hasher(name)
  return function()
    return crypto.hasher(name)
  end
end

local Crc32 = {}
Crc32.__index = Crc32

function Crc32:update(bytes)
  self.sum = crypto.crc32(bytes, self.sum)
end

function Crc32:digest()
  return string.pack(">I4", self.sum)
end

-- As S3 names them, and Content-MD5's.
local ALGORITHMS = {
  CRC32 = function()
    return setmetatable({ sum = 0 }, Crc32)
  end,
  MD5 = hasher "md5",
  SHA1 = hasher "sha1",
  SHA256 = hasher "sha256",
}

--- A part of the file `source` = { path, offset (0), size (the rest) } as a body; or nil and an error.
function bodies.of_file(source)
  local info, err = fs.stat(source.path)
  if not info then
    return nil, err
  elseif info.kind ~= "file" then
    return errors.fail { code = "BadFile", message = source.path .. ": only the bytes of a file can be sent" }
  end
  local offset = source.offset or 0
  return { path = source.path, offset = offset, size = source.size or info.size - offset }
end

--- Whether bodies.digest knows the algorithm.
function bodies.can_digest(algorithm)
  return ALGORITHMS[algorithm] ~= nil
end

local function update(digest, body)
  local file <close>, problem = io.open(body.path, "rb")
  if not file then
    return errors.fail { code = "BadFile", message = problem }
  end
  file:seek("set", body.offset)
  local left = body.size
  while left > 0 do
    local piece = file:read(math.min(left, PIECE))
    if not piece then
      return errors.fail { code = "FileChanged", message = body.path .. ": the file became shorter" }
    end
    digest:update(piece)
    left = left - #piece
  end
  return true
end

--- The raw digest of a body (nil is an empty one) by "CRC32", "MD5", "SHA1" or "SHA256"; or nil and an error when its
--- file cannot be read.
function bodies.digest(body, algorithm)
  local digest = ALGORITHMS[algorithm]()
  if type(body) ~= "table" then
    digest:update(body or "")
    return digest:digest()
  end
  local ok, err = update(digest, body)
  return ok and digest:digest(), err
end

return bodies
