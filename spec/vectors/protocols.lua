-- The protocols' cases in the format that botocore keeps them in: input/*.json says how calls are encoded,
-- output/*.json how answers are decoded. Every file is a list of suites, each a service of its own with shapes and
-- cases. Run by spec/vectors.lua. What a format leaves open (the order of form parameters, of JSON members, of XML
-- elements other than a list's, white space between elements) is not compared.

local cbor_codec = require "infra.aws.protocols.cbor_codec"
local crypto = require "host.crypto"
local fs = require "host.fs"
local json = require "host.json"
local protocols = require "infra.aws.protocols"
local shapes = require "infra.aws.protocols.shapes"
local uri = require "infra.aws.protocols.uri"
local xml = require "host.xml"
local xml_body = require "infra.aws.protocols.xml_body"

-- JSON cannot say these, so that the cases say them as strings.
local SPECIAL = { NaN = 0 / 0, Infinity = math.huge, ["-Infinity"] = -math.huge }

local function new_service(suite)
  return {
    id = "vectors",
    metadata = suite.metadata,
    shape = function(_, name)
      return suite.shapes[name]
    end,
  }
end

local function lower_names(headers)
  local lowered = {}
  for name, value in pairs(headers or {}) do
    lowered[name:lower()] = value
  end
  return lowered
end

-- -- comparing --------------------------------------------------------------------------------------------------------

-- A text that is the same for equal values only, whatever the order of their members.
local function canonical(value)
  if type(value) ~= "table" then
    return type(value) == "string" and ("%q"):format(value) or tostring(value)
  end
  local parts = {}
  if json.is_array(value) then
    for i, item in ipairs(value) do
      parts[i] = canonical(item)
    end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for name, item in shapes.sorted(value) do
    parts[#parts + 1] = name .. "=" .. canonical(item)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function canonical_form(fields)
  local lines = {}
  for i, field in ipairs(fields) do
    lines[i] = field[1] .. "=" .. field[2]
  end
  table.sort(lines)
  return table.concat(lines, "&")
end

local function canonical_element(node)
  local children = {}
  for i, child in ipairs(node) do
    children[i] = canonical_element(child)
  end
  table.sort(children)
  local text = #node == 0 and node.text or ""
  return ("<%s %s>%s%s</>"):format(node.name, canonical(node.attributes or {}), text, table.concat(children))
end

-- By protocol: what a body is compared as. `shape` is the structure that an XML document is about; read by it, lists
-- keep their order.
local bodies = {}

function bodies.form(body)
  return canonical_form(uri.decode_form(body))
end

function bodies.json(body)
  local tree = json.decode(body)
  return tree == nil and body or canonical(tree)
end

function bodies.xml(body, shape)
  local root = xml.parse(body)
  return root and canonical_element(root) .. canonical(xml_body.read(shape, root)) or body
end

function bodies.cbor(body)
  return body == "" and body or canonical((assert(cbor_codec.decode(body))))
end

local COMPARED_AS = {
  ["ec2"] = "form",
  ["query"] = "form",
  ["json"] = "json",
  ["rest-json"] = "json",
  ["rest-xml"] = "xml",
  ["smithy-rpc-v2-cbor"] = "cbor",
}

-- The structure that is the body: the input, or its payload.
local function body_shape(service, operation)
  local input = shapes.of(service, operation.input)
  local payload = input and input.traits.payload
  return payload and input:member(payload) or input
end

local function check(problems, what, expected, actual)
  if expected ~= actual then
    problems[#problems + 1] = ("%s: expected %s, got %s"):format(what, expected, actual)
  end
end

-- -- requests ---------------------------------------------------------------------------------------------------------

local function with_special_floats(service, operation, params)
  local input = shapes.of(service, operation.input)
  for name, value in pairs(params) do
    local member = input:member(name)
    if member.type == "float" or member.type == "double" then
      params[name] = SPECIAL[value] or value
    end
  end
  return params
end

local function check_address(problems, request, expected, endpoint)
  local host, base = (endpoint or "https://example.com"):match("^https://([^/]*)(.*)$")
  local path, query = expected.uri:match("^([^?]*)%??(.*)$")
  check(problems, "method", expected.method, request.method)
  check(problems, "path", path, base .. request.path)
  check(problems, "query", canonical_form(uri.decode_form(query)), canonical_form(request.query))
  check(problems, "host", expected.host or host .. base, (request.host_prefix or "") .. host .. base)
end

local function check_headers(problems, request, expected)
  local headers = {}
  for _, header in ipairs(request.headers) do
    check(problems, "headers of one name", nil, headers[header[1]:lower()])
    headers[header[1]:lower()] = header[2]
  end
  -- The transport adds this one, for every request with a body.
  headers["content-length"] = request.body and tostring(#request.body)
  for name, value in pairs(expected.headers or {}) do
    check(problems, name, value, headers[name:lower()])
  end
  for _, name in ipairs(expected.requireHeaders or {}) do
    check(problems, name .. " present", true, headers[name:lower()] ~= nil)
  end
  for _, name in ipairs(expected.forbidHeaders or {}) do
    check(problems, name .. " present", false, headers[name:lower()] ~= nil)
  end
end

local function run_input(service, suite, case)
  local problems, expected = {}, case.serialized
  local params = with_special_floats(service, case.given, case.params)
  local codec = assert(protocols.of(service.metadata))
  local request, err = codec.encode(service, case.given, params, {
    random = function(count)
      return ("\0"):rep(count)
    end,
  })
  if not request then
    return { tostring(err) }
  end
  check_address(problems, request, expected, suite.clientEndpoint)
  check_headers(problems, request, expected)
  if expected.body then
    local kind = COMPARED_AS[service.metadata.protocol]
    local wanted = kind == "cbor" and crypto.unbase64(expected.body) or expected.body
    local shape = body_shape(service, case.given)
    check(problems, "body", bodies[kind](wanted, shape), bodies[kind](request.body or "", shape))
  end
  return problems
end

-- -- responses --------------------------------------------------------------------------------------------------------

-- The value with floats that JSON cannot say as the cases say them.
local function plain(value)
  if value ~= value then
    return "NaN"
  elseif value == math.huge or value == -math.huge then
    return value > 0 and "Infinity" or "-Infinity"
  elseif type(value) == "table" then
    for name, item in pairs(value) do
      value[name] = plain(item)
    end
  end
  return value
end

local function run_output(service, _, case)
  local problems, body = {}, case.response.body
  local response = {
    status = case.response.status_code,
    headers = lower_names(case.response.headers),
    body = service.metadata.protocol == "smithy-rpc-v2-cbor" and crypto.unbase64(body) or body,
  }
  local codec = assert(protocols.of(service.metadata))
  if case.error then
    local err = codec.decode_error(service, case.given, response)
    check(problems, "code", case.errorCode, err.code)
    check(problems, "fields", canonical(case.error), canonical(err.fields))
    if case.errorMessage then
      check(problems, "message", case.errorMessage, err.message)
    end
  else
    local output, err = codec.decode(service, case.given, response)
    check(problems, "result", canonical(case.result), output and canonical(plain(output)) or tostring(err))
  end
  return problems
end

return function(directory, report)
  for kind, run in shapes.sorted { input = run_input, output = run_output } do
    for _, file in ipairs(assert(fs.list(directory .. "/" .. kind))) do
      for _, suite in ipairs(assert(json.decode(assert(fs.read(("%s/%s/%s"):format(directory, kind, file)))))) do
        local service = new_service(suite)
        for _, case in ipairs(suite.cases) do
          local ok, problems = pcall(run, service, suite, case)
          problems = ok and problems or { tostring(problems) }
          report(("%s/%s/%s"):format(kind, file, case.id), #problems > 0 and table.concat(problems, "\n") or nil)
        end
      end
    end
  end
end
