-- Bodies in the content encoding aws-chunked, in which AWS's clients stream objects: chunks with their sizes, perhaps
-- with signatures, and trailing headers (S3 API reference, "Signature calculations: transferring payload in multiple
-- chunks"). Used by infra.sim.s3. The signatures of the chunks are not checked.

local merged = require "infra.merged"

local chunked = {}

--- Whether a request's body is in this encoding.
function chunked.is(request)
  return request.headers["x-amz-decoded-content-length"] ~= nil
end

-- "gzip,aws-chunked" as "gzip"; nil when nothing is left.
local function other_encodings(text)
  local left = text:gsub("%s*aws%-chunked%s*,?", ""):gsub(",%s*$", "")
  return left ~= "" and left or nil
end

--- The request as it would be without the encoding, its trailing headers among the others; nil when the body is cut or
--- is not what it says.
function chunked.decode(request)
  local parts, position = {}, 1
  repeat
    local digits, start = request.body:match("^(%x+)[^\r\n]*\r\n()", position)
    local size = digits and #digits <= 8 and tonumber(digits, 16)
    if not size or start + size - 1 > #request.body then
      return nil
    end
    parts[#parts + 1] = request.body:sub(start, start + size - 1)
    position = start + size + (size > 0 and 2 or 0)
  until size == 0
  local headers = merged(request.headers)
  headers["content-encoding"] = other_encodings(headers["content-encoding"] or "")
  for name, value in request.body:sub(position):gmatch("([^:\r\n]+):([^\r\n]*)") do
    headers[name:lower()] = value:match("^%s*(.-)%s*$")
  end
  local body = table.concat(parts)
  if #body ~= tonumber(headers["x-amz-decoded-content-length"]) then
    return nil
  end
  return { headers = headers, body = body }
end

return chunked
