-- AWS's published JSON files, plain or compressed, for the compilers in this folder.

local compress = require "host.compress"
local fs = require "host.fs"
local json = require "host.json"

local files = {}

--- The decoded content of `path` -> value | nil, err.
function files.json(path)
  local text, value, err
  text, err = fs.read(path)
  if not text then
    return nil, err -- names the path already
  end
  if path:find "%.gz$" then
    text, err = compress.inflate(text, { gzip = true })
  end
  if text then
    value, err = json.decode(text)
  end
  if value == nil then
    err.message = path .. ": " .. err.message
    return nil, err
  end
  return value
end

return files
