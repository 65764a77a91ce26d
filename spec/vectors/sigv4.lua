-- The Signature Version 4 cases, one directory each: request.txt signed with headers and as a presigned query, against
-- every intermediate result. Run by spec/vectors.lua.

local clock = require "host.clock"
local crypto = require "host.crypto"
local fs = require "host.fs"
local json = require "host.json"
local sigv4 = require "host.sigv4"

local function decode(text)
  return (text:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

-- "a=1&b" as { { "a", "1" }, { "b", "" } }.
local function parse_query(query)
  local parameters = {}
  for parameter in query:gmatch("[^&]+") do
    local name, value = parameter:match("^([^=]*)=?(.*)$")
    parameters[#parameters + 1] = { decode(name), decode(value) }
  end
  return parameters
end

-- A request as text: "METHOD /path?query HTTP/1.1", headers, an empty line, the body. Targets may hold spaces.
local function parse_request(text)
  local head, body = text:match("^(.-)\n\n(.*)$")
  head = head or text
  local method, target = head:match("^(%S+) (.-) HTTP/1%.1")
  local path, query = target:match("^([^?]*)%??(.*)$")
  local request = { method = method, path = path, query = parse_query(query), headers = {}, body = body or "" }
  for name, value in head:gmatch("\n([^:\n]+):([^\n]*)") do
    request.headers[#request.headers + 1] = { name, value }
  end
  return request
end

local function header(request, wanted)
  for _, pair in ipairs(request.headers) do
    if pair[1]:lower() == wanted then
      return pair[2]
    end
  end
end

-- The order of parameters means nothing.
local function sorted(parameters)
  local lines = {}
  for i, parameter in ipairs(parameters) do
    lines[i] = parameter[1] .. "=" .. parameter[2]
  end
  table.sort(lines)
  return table.concat(lines, "\n")
end

-- The case's request with all that both ways of signing share.
local function new_request(case, context)
  local request = parse_request(case("request.txt"))
  request.payload_hash = crypto.hex(crypto.sha256(request.body))
  request.service, request.region = context.service, context.region
  request.access_key = context.credentials.access_key_id
  request.secret_key = context.credentials.secret_access_key
  request.timestamp = clock.parse_utc(context.timestamp)
  request.normalize = context.normalize
  return request
end

local function check_headers(case, context, compare)
  local request = new_request(case, context)
  local headers = request.headers
  headers[#headers + 1] = { "X-Amz-Date", (context.timestamp:gsub("[-:]", "")) }
  if context.sign_body then
    headers[#headers + 1] = { "X-Amz-Content-Sha256", request.payload_hash }
  end
  if context.credentials.token and not context.omit_session_token then
    headers[#headers + 1] = { "X-Amz-Security-Token", context.credentials.token }
  end
  local signed = sigv4.sign(request)
  compare("header-canonical-request.txt", signed.canonical_request)
  compare("header-string-to-sign.txt", signed.string_to_sign)
  compare("header-signature.txt", signed.signature)
  local expected = parse_request(case("header-signed-request.txt"))
  compare("header-signed-request.txt", signed.authorization, header(expected, "authorization"))
end

local function check_query(case, context, compare)
  local request = new_request(case, context)
  local token = context.credentials.token
  request.expires = context.expiration_in_seconds
  request.session_token = not context.omit_session_token and token or nil
  local query, signed = sigv4.presign(request)
  compare("query-canonical-request.txt", signed.canonical_request)
  compare("query-string-to-sign.txt", signed.string_to_sign)
  compare("query-signature.txt", signed.signature)
  local parameters = parse_query(query)
  if token and context.omit_session_token then -- sent, but not signed
    parameters[#parameters + 1] = { "X-Amz-Security-Token", token }
  end
  local expected = parse_request(case("query-signed-request.txt"))
  compare("query-signed-request.txt", sorted(parameters), sorted(expected.query))
end

return function(directory, report)
  for _, name in ipairs(assert(fs.list(directory))) do
    local problem
    local function case(file)
      return assert(fs.read(("%s/%s/%s"):format(directory, name, file)))
    end
    local function compare(file, actual, expected)
      expected = expected or case(file)
      if actual ~= expected and not problem then
        problem = ("%s: expected\n%s\ngot\n%s"):format(file, expected, actual)
      end
    end
    local context = assert(json.decode(case("context.json")))
    check_headers(case, context, compare)
    check_query(case, context, compare)
    report(name, problem)
  end
end
