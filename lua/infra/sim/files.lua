-- Bodies that come from a file and go into one, as host.http has them (body_from, body_to). Used by infra.sim, whose
-- services only know text.

local bodies = require "infra.aws.protocols.bodies"
local fs = require "host.fs"
local merged = require "infra.merged"

local files = {}

--- The request with its body as text; or nil and the error that host.http gives.
function files.read(request)
  if not request.body_from then
    return request
  end
  local source, err = bodies.of_file(request.body_from)
  local text
  if source then
    text, err = fs.read(source.path)
  end
  if not text then
    err.sent = false
    return nil, err
  end
  return merged(request, { body = text:sub(source.offset + 1, source.offset + source.size) })
end

--- The response, its body moved into the file that the request names for a success; or nil and an error.
function files.deliver(request, response)
  if request.body_to and response.status // 100 == 2 then
    local ok, err = fs.write(request.body_to, response.body)
    if not ok then
      return nil, err
    end
    response.body = ""
  end
  return response
end

return files
