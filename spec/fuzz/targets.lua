-- What input from outside can reach: every decoder as a function of one text. Used by spec/hostile_spec.lua, which
-- tries a few damaged texts in every `make test`, and by `make fuzz` (driver.c), which lets libFuzzer look for worse.
--
--   target = { seeds() -> array of sound texts, decode(text) }
--
-- decode returns, or throws a typed error (infra.errors). Anything else that it does is a finding.

local auth = require "infra.sim.auth"
local c2j = require "infra.models.c2j"
local cbor_codec = require "infra.aws.protocols.cbor_codec"
local database = require "infra.models.database"
local fs = require "host.fs"
local ini = require "infra.aws.ini"
local json = require "host.json"
local models = require "infra.models"
local shapes = require "infra.aws.protocols.shapes"
local sigv4 = require "host.sigv4"
local wire = require "infra.sim.wire"
local writer = require "infra.models.writer"
local xml = require "host.xml"

local targets = {}

local DOCUMENT <const> = {
  text = "a\"b\\c\n\u{e9}", number = -12.5e3, whole = 9007199254740991, truth = true, nothing = json.null,
  list = json.array { 1, json.array {}, json.object {} }, nested = { deeper = { deepest = json.array { "x" } } },
}

-- -- formats ----------------------------------------------------------------------------------------------------------

targets.json = {
  seeds = function()
    return { json.encode(DOCUMENT), json.encode(DOCUMENT, { indent = true }), "[]", '"\\ud83d\\ude00"', " 1e308 " }
  end,
  decode = function(text)
    local value = json.decode(text)
    if value ~= nil then
      local once = json.encode(value)
      assert(json.encode(json.decode(once)) == once, "what was read is written as something else")
    end
  end,
}

targets.xml = {
  seeds = function()
    return {
      '<?xml version="1.0"?><a xmlns:x="urn:x" x:b="c">one<b/>&amp;&#xe9;<!-- no --><c>&lt;</c><![CDATA[<d>]]></a>',
      "<r><i><i><i>1</i></i></i></r>",
    }
  end,
  decode = xml.parse,
}

targets.cbor = {
  seeds = function()
    return {
      cbor_codec.map {
        text = cbor_codec.text "a", bytes = cbor_codec.bytes "\0\xff", list = cbor_codec.array { cbor_codec.null },
        number = cbor_codec.double(-12.5), single = cbor_codec.float(1.5), time = cbor_codec.timestamp(1700000000),
        whole = cbor_codec.integer(-(1 << 40)), truth = cbor_codec.boolean(true),
      },
      "\x9f\x01\x7f\x61a\x61b\xff\xbf\x61k\xf9\x3c\x00\xff\xff",
    }
  end,
  decode = cbor_codec.decode,
}

targets.ini = {
  seeds = function()
    return {
      "[default]\nregion = us-east-1 ; here\n\n[profile \"my own\"]\nrole_arn=arn\ns3 =\n  max = 1\n  more = 2\n",
      "[profile a\\]\n",
      "# comment\r\n[services local]\r\nec2 =\r\n  endpoint_url = http://127.0.0.1\r\n",
    }
  end,
  decode = function(text)
    return ini.parse(text, "config")
  end,
}

-- -- signatures: what a request looks like to those who sign and verify it --------------------------------------------

local SIGNATURE <const> = [[
AWS4-HMAC-SHA256 Credential=SIMULATED/20240101/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=ab]]

targets.sigv4 = {
  seeds = function()
    return {
      "GET\n/a/../b//c%20d\nhost: example.com\nx-amz-date: 20240101T000000Z\nq=1\nq=\nauthorization: " .. SIGNATURE,
      "POST\n/\nhost: a\nmy-header:  a   b \nmy-header: c",
    }
  end,
  decode = function(text)
    local method, path, rest = text:match "^([^\n]*)\n([^\n]*)\n?(.*)$"
    local headers, query, by_name = {}, {}, {}
    for line in (rest or ""):gmatch "[^\n]+" do
      local name, sign, value = line:match "^([^:=]*)([:=])%s*(.*)$"
      if sign == ":" then
        headers[#headers + 1] = { name, value }
        by_name[name:lower()] = value
      elseif sign then
        query[#query + 1] = { name, value }
      end
    end
    auth.scope { headers = by_name, fields = {} }
    auth.scope { headers = {}, fields = { ["X-Amz-Credential"] = text, ["X-Amz-Signature"] = "" } }
    local request = {
      method = method or text, path = path or text, query = query, headers = headers, payload_hash = "UNSIGNED-PAYLOAD",
      service = "s3", region = "us-east-1", access_key = "SIMULATED", secret_key = "simulated", timestamp = 1704067200,
      expires = 60,
    }
    for _, as_it_is in ipairs { false, true } do
      request.normalize, request.double_encode = not as_it_is, not as_it_is
      assert(#sigv4.sign(request).signature == 64)
      assert(sigv4.presign(request):find "X%-Amz%-Signature=%x+$")
    end
    sigv4.encode_path_segment(text)
  end,
}

-- -- answers: the client's side of every protocol, by AWS's own models ------------------------------------------------

local ANSWERS <const> = {
  { "ec2", "ec2", "DescribeVpcs" },
  { "query", "rds", "DescribeDBClusters" },
  { "json", "ssm", "GetParameters" },
  { "rest_json", "lambda", "GetFunctionConfiguration" },
  { "rest_xml", "s3", "ListObjectsV2" },
  { "rest_xml", "route53", "ListResourceRecordSets" },
  { "cbor", "ssm", "GetParameters" },
}

local STATUSES <const> = { 200, 400, 503 }

local SAMPLES <const> = {
  string = "text", integer = 1, long = 1, float = 1.5, double = 1.5, boolean = true, timestamp = 1704067200, blob = "b",
}

local function sample(shape, depth)
  if shape.type == "structure" then
    local value = {}
    for _, member in ipairs(depth > 0 and shape:members() or {}) do
      value[member.name] = sample(member.shape, depth - 1)
    end
    return value
  elseif shape.type == "list" then
    return json.array { sample(shape:element(), depth - 1) }
  elseif shape.type == "map" then
    return { key = sample(shape:value(), depth - 1) }
  end
  return SAMPLES[shape.type]
end

local function operation(entry)
  local service = assert(models.service(entry[2]))
  return service, assert(service:operation(entry[3]))
end

-- An answer's text is its entry in ANSWERS, its entry in STATUSES, and the body; both numbers wrap around.
local function answer(entry, status, body)
  return string.char(entry - 1, status - 1) .. body
end

targets.answers = {
  seeds = function()
    local seeds = {}
    for i, entry in ipairs(ANSWERS) do
      local service, called = operation(entry)
      local request = { headers = { ["x-amz-target"] = service.metadata.targetPrefix } }
      local _, _, body = wire.encode(wire.protocol(service, request), service, called,
        sample(shapes.of(service, called.output), 4), "request")
      seeds[#seeds + 1] = answer(i, 1, body)
    end
    seeds[#seeds + 1] = answer(1, 2, "<Response><Errors><Error><Code>C</Code></Error></Errors></Response>")
    seeds[#seeds + 1] = answer(3, 2, '{"__type":"a#ParameterNotFound:x","message":"M"}')
    seeds[#seeds + 1] = answer(5, 3, "<html><style>a{}</style><body>Busy</body></html>")
    seeds[#seeds + 1] = answer(7, 1, targets.cbor.seeds()[1])
    return seeds
  end,
  decode = function(text)
    local entry = ANSWERS[(text:byte(1) or 0) % #ANSWERS + 1]
    local status = STATUSES[(text:byte(2) or 0) % #STATUSES + 1]
    local codec = require("infra.aws.protocols." .. entry[1])
    local decode = status == 200 and codec.decode or codec.decode_error
    local service, called = operation(entry)
    decode(service, called, { status = status, headers = {}, body = text:sub(3) })
  end,
}

-- -- models: what `infra models update` reads and what it leaves ------------------------------------------------------

local function with_file(text, fn)
  local path <const> = os.tmpname()
  local _ <close> = setmetatable({}, { __close = function()
    fs.remove(path)
  end })
  assert(fs.write(path, text))
  return fn(path)
end

local MODEL <const> = {
  metadata = { endpointPrefix = "post", serviceId = "Post", protocol = "json" },
  operations = { Send = { input = { shape = "Letter" }, documentation = "<p>Sends.</p>" }, List = {} },
  shapes = {
    Letter = { type = "structure", members = { To = { shape = "Name", documentation = "whom" } } },
    Name = { type = "string", sensitive = true },
  },
}

local function compile(path)
  local rows = writer.new()
  local ok, err = c2j.compile(rows, { source = "fuzz", services = { { id = "rds", names = {}, model = path } } })
  return ok and rows, err
end

targets.c2j = {
  seeds = function()
    return { json.encode(MODEL) }
  end,
  decode = function(text)
    return with_file(text, compile)
  end,
}

targets.models = {
  seeds = function()
    return { with_file(json.encode(MODEL), function(path)
      assert(assert(compile(path)):save(path))
      return assert(fs.read(path))
    end) }
  end,
  decode = function(text)
    return with_file(text, function(path)
      local opened = database.open(path)
      for _, kind in ipairs(opened and { "service", "operation", "shape" } or {}) do
        for _, owner in ipairs(opened:owners(kind)) do
          for _, name in ipairs(opened:names(kind, owner)) do
            opened:get(kind, owner, name)
          end
        end
      end
    end)
  end,
}

return targets
