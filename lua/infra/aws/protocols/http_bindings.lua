-- Which members of a structure travel outside the body of a message of the REST protocols, and how. A message here is
--
--   labels    request: { name = text }, for the URI's template
--   query     request: { { name, value }, ... }, decoded
--   headers   { { name, value }, ... } when written, { lower-case name = value } when read
--   status    response: the HTTP status
--
-- Client and simulated AWS use it alike: kind is "request" or "response". Members bound to a place that this kind of
-- message does not have belong to the body, as do those that are bound to none.

local header_values = require "infra.aws.protocols.header_values"
local json = require "host.json"
local scalars = require "infra.aws.protocols.scalars"
local shapes = require "infra.aws.protocols.shapes"

local http_bindings = {}

local PLACES = {
  request = { uri = true, querystring = true, header = true, headers = true },
  response = { statusCode = true, header = true, headers = true },
}

local TIMESTAMP_FORMAT = "iso8601" -- in paths and query strings

--- Whether this member of a structure travels outside the body.
function http_bindings.bound(kind, member)
  return PLACES[kind][member.traits.location] or false
end

--- Whether a structure has members that make up the body together (none does where a payload is declared).
function http_bindings.has_body(kind, shape)
  if shape.traits.payload then
    return false
  end
  for _, member in ipairs(shape:members()) do
    if not http_bindings.bound(kind, member.shape) then
      return true
    end
  end
  return false
end

-- -- writing ----------------------------------------------------------------------------------------------------------

local function text(shape, value)
  return scalars.write(shape, value, TIMESTAMP_FORMAT)
end

-- A scalar or a list of them under one name.
local function add_query(message, name, shape, value)
  if shape.type ~= "list" then
    message.query[#message.query + 1] = { name, text(shape, value) }
    return
  end
  for _, item in ipairs(value) do
    add_query(message, name, shape:element(), item)
  end
end

local writers = {}

function writers.uri(message, name, shape, value)
  message.labels[name] = text(shape, value)
end

function writers.querystring(message, name, shape, value)
  if shape.type ~= "map" then
    add_query(message, name, shape, value)
  end
end

function writers.header(message, name, shape, value)
  message.headers[#message.headers + 1] = { name, header_values.write(shape, value) }
end

-- A map of headers whose names have a prefix in common.
function writers.headers(message, prefix, shape, value)
  for key, item in shapes.sorted(value) do
    writers.header(message, prefix .. key, shape:value(), item)
  end
end

function writers.statusCode(message, _, _, value)
  message.status = value
end

-- A map in the query string gives names of its own; a member of the same name goes before it.
local function add_query_maps(message, shape, value)
  local named = {}
  for _, pair in ipairs(message.query) do
    named[pair[1]] = true
  end
  for _, member, item in shape:present(value) do
    if member.traits.location == "querystring" and member.type == "map" then
      for key, entry in shapes.sorted(item) do
        if not named[key] then
          add_query(message, key, member:value(), entry)
        end
      end
    end
  end
end

--- Distributes a structure's value: the message, and the members left for the body.
function http_bindings.write(kind, shape, value)
  local message, body = { labels = {}, query = {}, headers = {} }, {}
  for name, member, item in shape:present(value) do
    if http_bindings.bound(kind, member) then
      writers[member.traits.location](message, member.traits.locationName or name, member, item)
    else
      body[name] = item
    end
  end
  if kind == "request" then
    add_query_maps(message, shape, value)
  end
  return message, body
end

-- -- reading ----------------------------------------------------------------------------------------------------------

local readers = {}

function readers.uri(message, name, shape)
  local label = message.labels[name]
  return label and scalars.read(shape, label)
end

local function query_values(message, wanted)
  local found = json.array()
  for _, pair in ipairs(message.query) do
    if pair[1] == wanted then
      found[#found + 1] = pair[2]
    end
  end
  return found
end

local function read_query(message, name, shape)
  local found = query_values(message, name)
  if #found == 0 then
    return nil
  elseif shape.type ~= "list" then
    return scalars.read(shape, found[1])
  end
  local element = shape:element()
  for i, item in ipairs(found) do
    found[i] = scalars.read(element, item)
  end
  return found
end

function readers.querystring(message, name, shape)
  if shape.type ~= "map" then
    return read_query(message, name, shape)
  end
  local value = {}
  for _, pair in ipairs(message.query) do
    value[pair[1]] = value[pair[1]] or read_query(message, pair[1], shape:value())
  end
  return value
end

function readers.header(message, name, shape)
  local header = message.headers[name:lower()]
  return header and header_values.read(shape, header)
end

function readers.headers(message, prefix, shape)
  local value = {}
  prefix = prefix:lower()
  for name, header in pairs(message.headers) do
    if name:sub(1, #prefix) == prefix then
      value[name:sub(#prefix + 1)] = header_values.read(shape:value(), header)
    end
  end
  return value
end

function readers.statusCode(message)
  return message.status
end

--- Completes `value`, a structure's members that were read from the body, by those that travel outside of it.
function http_bindings.read(kind, shape, message, value)
  for _, member in ipairs(shape:members()) do
    local traits = member.shape.traits
    if http_bindings.bound(kind, member.shape) then
      value[member.name] = readers[traits.location](message, traits.locationName or member.name, member.shape)
    end
  end
  return value
end

return http_bindings
