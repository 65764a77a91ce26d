-- The server side of the rest-json and rest-xml protocols. Used by infra.sim.wire; what of a message travels where is
-- infra.aws.protocols.http_bindings' knowledge.

local http_bindings = require "infra.aws.protocols.http_bindings"
local json = require "host.json"
local json_body = require "infra.aws.protocols.json_body"
local names = require "infra.aws.protocols.names"
local scalars = require "infra.aws.protocols.scalars"
local shapes = require "infra.aws.protocols.shapes"
local xml = require "host.xml"
local xml_body = require "infra.aws.protocols.xml_body"

local Failure = require "infra.sim.failure"
local routes = require "infra.sim.wire.routes"

local PARTIAL_CONTENT <const> = 206 -- the status of what has a Content-Range

-- S3's answer to this one is the bare member, an empty element when it has no value.
local BARE = { GetBucketLocation = "LocationConstraint" }

-- How a body is read and written: read(shape, text) -> value, write(shape, value, element name) -> text.
local FORMATS = {
  ["rest-json"] = {
    content_type = "application/json",
    read = function(shape, text)
      local tree = json.decode(text)
      if tree == nil then
        Failure.common("malformed", "The request body is not valid JSON")
      end
      return json_body.read(shape, tree)
    end,
    write = json_body.write,
  },
  ["rest-xml"] = {
    content_type = "application/xml",
    read = function(shape, text)
      local tree = xml.parse(text)
      if not tree then
        Failure.common("malformed", "The XML you provided was not well-formed")
      end
      return xml_body.read(shape, tree)
    end,
    write = function(shape, value, name)
      return '<?xml version="1.0" encoding="UTF-8"?>\n' .. xml_body.write(shape, value, name)
    end,
  },
}

-- The members that the body holds: those of the payload's shape, as they are, or all that travel nowhere else.
local function read_body(format, input, text)
  local payload = input.traits.payload
  local shape = payload and input:member(payload) or input
  if text == "" or (not payload and not http_bindings.has_body("request", input)) then
    return {}
  elseif payload and scalars.is(shape) then
    return { [payload] = text }
  end
  local value = format.read(shape, text)
  return payload and { [payload] = value } or value
end

local function decode(format, service, operation, request)
  local input = shapes.of(service, operation.input)
  if not input then
    return {}
  end
  local _, labels = routes.find(service, request)
  local message = { labels = labels, query = request.query_pairs, headers = request.headers }
  return http_bindings.read("request", input, message, read_body(format, input, request.body))
end

local function write_body(format, operation, output, value)
  local bare, payload = BARE[operation.name], output.traits.payload
  if bare then
    return format.write(output:member(bare), value[bare] or "", bare)
  elseif not payload then
    return http_bindings.has_body("response", output) and format.write(output, value, operation.name .. "Result") or ""
  end
  local shape = output:member(payload)
  if value[payload] == nil or scalars.is(shape) then
    return value[payload] or ""
  end
  return format.write(shape, value[payload], names.root(shape, payload))
end

local function encode(format, service, operation, value)
  local output = shapes.of(service, operation.output)
  local status = value.ContentRange and PARTIAL_CONTENT or operation.http.responseCode or 200
  if not output then
    return status, {}, ""
  end
  local message, rest = http_bindings.write("response", output, value)
  table.insert(message.headers, 1, { "Content-Type", format.content_type })
  return message.status or status, message.headers, write_body(format, operation, output, rest)
end

local rest = {}

--- The server side of one of the two protocols, as infra.sim.wire wants it.
function rest.new(name)
  local format = FORMATS[name]
  return {
    identify = routes.find,
    decode = function(...) return decode(format, ...) end,
    encode = function(...) return encode(format, ...) end,
  }
end

return rest
