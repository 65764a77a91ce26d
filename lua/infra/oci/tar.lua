-- tar archives in the POSIX ustar format: written for the layers of images, read where an image comes as one. Used by
-- infra.oci and infra.oci.layout.

local errors = require "infra.errors"

local tar = {}

local BLOCK <const> = 512

-- The sum of a header's bytes with the checksum's own eight counted as spaces.
local function checksum(header)
  local sum = 8 * (" "):byte()
  for i = 1, BLOCK do
    if i <= 148 or i > 156 then
      sum = sum + header:byte(i)
    end
  end
  return sum
end

-- One file: owned by root, modified at the epoch.
local function entry(file)
  assert(#file.name <= 100, "the name does not fit")
  local header = string.pack("c100 c8 c8 c8 c12 c12 c8 c1 c100 c6 c2 c32 c32 c8 c8 c155 c12", file.name,
    ("%07o"):format(file.mode), "0000000", "0000000", ("%011o"):format(#file.data), "00000000000", "        ", "0", "",
    "ustar", "00", "root", "root", "0000000", "0000000", "", "")
  header = header:sub(1, 148) .. ("%06o\0 "):format(checksum(header)) .. header:sub(157)
  return header .. file.data .. ("\0"):rep(-#file.data % BLOCK)
end

--- An archive of { name, mode, data } tables, in their order. Equal files make equal archives.
function tar.write(files)
  local parts = {}
  for i, file in ipairs(files) do
    parts[i] = entry(file)
  end
  return table.concat(parts) .. ("\0"):rep(2 * BLOCK)
end

local function bad(path, message)
  return errors.fail { code = "BadImage", message = ("%s: %s"):format(path, message) }
end

--- `length` bytes of the file at `path`, or nil and an error. Opened for each read, so that nothing stays open.
function tar.read(path, offset, length)
  local file <close>, message = io.open(path, "rb")
  local bytes = file and file:seek("set", offset) and file:read(length)
  if not file or #(bytes or "") ~= length then
    return bad(path, message or "it is shorter than it says")
  end
  return bytes
end

--- The plain files in the archive of `total` bytes at `path`: name -> { path, offset, size }, or nil and an error.
function tar.members(path, total)
  local members, offset = {}, 0
  while offset + BLOCK <= total do
    local header, err = tar.read(path, offset, BLOCK)
    if not header then
      return nil, err
    elseif header:byte() == 0 then
      break
    end
    local size = tonumber(header:sub(125, 136):match "^%s*([0-7]+)[%s%z]*$" or "", 8)
    if not size or tonumber(header:sub(149, 156):match "[0-7]+" or "", 8) ~= checksum(header) then
      return bad(path, "it is no tar archive")
    end
    local kind, name = header:sub(157, 157), header:match "^[^%z]*"
    if kind == "0" or kind == "\0" then
      members[(name:gsub("^%./", ""))] = { path = path, offset = offset + BLOCK, size = size }
    end
    offset = offset + BLOCK + size + -size % BLOCK
  end
  return members
end

return tar
