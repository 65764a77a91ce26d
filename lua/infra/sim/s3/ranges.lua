-- Parts of objects by the header Range (RFC 9110, section 14; S3 API reference, GetObject). Used by
-- infra.sim.s3.objects: clients download large objects in such parts.

local ranges = {}

-- First and last byte, from 0, that a Range header asks for; nil for one that S3 passes over: several ranges at once,
-- another unit, one that ends before it begins, none at all.
local function asked(header, size)
  local first, last = (header or ""):match "^bytes=(%d*)%-(%d*)$"
  first, last = tonumber(first), tonumber(last)
  if first and (last or first) >= first then
    return first, math.min(last or size, size - 1)
  elseif last and not first then
    return math.max(0, size - last), size - 1
  end
end

--- The part of `body` that `header` asks for, and the answer's Content-Range; the whole body, and nil, when it asks for
--- none.
function ranges.take(ctx, header, body)
  local first, last = asked(header, #body)
  if not first then
    return body
  elseif first > last then
    ctx:fail("InvalidRange", "The requested range is not satisfiable", 416,
      { RangeRequested = header, ActualObjectSize = #body })
  end
  return body:sub(first + 1, last + 1), ("bytes %d-%d/%d"):format(first, last, #body)
end

return ranges
