-- What rest-json and rest-xml have in common: members in the URI, in headers and in the body. A body format is
--
--   content_type
--   empty                           the body where the model has one but the call sets nothing in it; nil: no body
--   write(shape, value, root) -> text
--   parse(text) -> tree | nil, err
--   read(shape, tree) -> value
--   fault, failed(tree)             see faults.lua; whether a body is an error in spite of the status (may be nil)

local faults = require "infra.aws.protocols.faults"
local http_bindings = require "infra.aws.protocols.http_bindings"
local names = require "infra.aws.protocols.names"
local protocol = require "infra.aws.protocols.protocol"
local uri = require "infra.aws.protocols.uri"

local rest = {}

-- Payloads that are the body as they stand.
local RAW_TYPES = { blob = "application/octet-stream", string = "text/plain" }

-- The body of a request and its media type, or nil. `members` are those that travel in the body.
local function write_body(format, operation, input, members)
  local payload = input.traits.payload
  if not payload then
    if next(members) or (format.empty and http_bindings.has_body("request", input)) then
      return format.write(input, members, names.root(input, operation.name .. "Request")), format.content_type
    end
    return nil
  end
  local shape, value = input:member(payload), members[payload]
  if value == nil then
    -- A structure is sent even when it is empty; a union cannot be.
    local empty = shape.type == "structure" and not shape.traits.union and format.empty or nil
    return empty, empty and format.content_type
  elseif RAW_TYPES[shape.type] then
    return value, RAW_TYPES[shape.type]
  end
  return format.write(shape, value, names.root(shape, payload)), format.content_type
end

local function has_content_type(headers)
  for _, header in ipairs(headers) do
    if header[1]:lower() == "content-type" then
      return true
    end
  end
  return false
end

local function write(format, operation, input, params)
  local http = operation.http
  local message, members = http_bindings.write("request", input, params)
  local path, query = uri.expand(http.requestUri, message.labels)
  table.move(message.query, 1, #message.query, #query + 1, query)
  local body, content_type = write_body(format, operation, input, members)
  if content_type and not has_content_type(message.headers) then
    table.insert(message.headers, { "Content-Type", content_type })
  end
  return { method = http.method or "POST", path = path, query = query, headers = message.headers, body = body }
end

local function read_payload(format, shape, body, parse)
  if RAW_TYPES[shape.type] then
    return (body ~= "" or shape.traits.streaming) and body or nil
  end
  return body ~= "" and format.read(shape, parse(body)) or nil
end

--- The members of a response's structure (an output, or an error with `tree` already parsed).
function rest.read(format, shape, response, parse)
  local body, payload, members = response.body or "", shape.traits.payload, {}
  if payload then
    members[payload] = read_payload(format, shape:member(payload), body, parse)
  elseif body ~= "" and http_bindings.has_body("response", shape) then
    members = format.read(shape, parse(body))
  end
  http_bindings.read("response", shape, response, members)
  return members
end

--- The protocol of a body format.
function rest.new(format)
  return protocol.new {
    write = function(_, operation, input, params)
      return write(format, operation, input, params)
    end,
    read = function(service, operation, output, response)
      return rest.read(format, output, response, function(body)
        local tree = protocol.parsed(format.parse(body))
        if format.failed and format.failed(tree) then
          error(faults.read(format.fault, service, operation, response), 0)
        end
        return tree
      end)
    end,
    fault = format.fault,
  }
end

return rest
