-- The log of calls that --debug asks for: a line for every request and every response, with --debug-full also their
-- headers and bodies. Bodies are shown as what they mean (parameters, output), never as they are on the wire: only so
-- does the model say which members are secret. Made by infra.cli.connection; used by infra.aws.client.
--
--   > 5f0c2a91 ssm PutParameter, attempt 1: POST https://ssm.us-east-1.amazonaws.com/
--   < 5f0c2a91 ssm PutParameter, attempt 1: 200 in 0.123 s, 25 bytes

local json = require "host.json"
local redact = require "infra.aws.redact"
local shapes = require "infra.aws.protocols.shapes"
local timestamps = require "infra.aws.protocols.timestamps"

local LONGEST <const> = 65536 -- bytes of a line

local Log = {}
Log.__index = Log

--- write(line) gets each line, without its end; `full`: with headers and bodies.
function Log.new(write, full)
  return setmetatable({ write = write, full = full }, Log)
end

-- Writes what is no secret of `text` as one line, whatever control characters are in it.
local function say(self, direction, call, text)
  local line = redact.urls(redact.text(text, call.secrets, redact.keys(call.credentials), call.answered or {}))
  if #line > LONGEST then
    line = ("%s ... (%d bytes)"):format(line:sub(1, LONGEST), #line)
  end
  self.write(("%s %s %s"):format(direction, call.invocation_id:sub(1, 8), (line:gsub("%c", " "))))
end

local SHOW <const> = {
  blob = function(value)
    return type(value) == "string" and ("(%d bytes)"):format(#value) or "(a file)"
  end,
  timestamp = function(seconds)
    return timestamps.format(seconds, "iso8601")
  end,
}

local function show(shape, part)
  local convert = SHOW[shape.type]
  return convert and convert(part)
end

local function say_body(self, direction, call, shape, value)
  if shape and value then
    local shown, text = pcall(json.encode, redact.value(shape, value, show))
    say(self, direction, call, "  " .. (shown and text or "(what JSON has no words for)"))
  end
end

local function title(call, number)
  return ("%s %s, attempt %d: "):format(call.service.id, call.operation.name, number)
end

--- A call's (infra.aws.request) attempt leaves; headers = array of { name, value }.
function Log:request(call, number, headers)
  say(self, ">", call, title(call, number) .. call.encoded.method .. " " .. call.url)
  if self.full then
    for _, header in ipairs(headers) do
      say(self, ">", call, ("  %s: %s"):format(header[1], redact.header(header[1], header[2])))
    end
    say_body(self, ">", call, call.input, call.params)
  end
end

-- What became of it, in a few words.
local function outcome(received, err)
  local status = received and ("%d"):format(received.status) or "no answer"
  return err and ("%s %s: %s"):format(status, err.code, err.message) or status
end

--- It ended after `seconds`: with a response (nil: none came), and the output or the error that it meant.
function Log:response(call, number, seconds, received, output, err)
  local shape = shapes.of(call.service, call.operation.output)
  call.answered = shape and output and redact.secrets(shape, output)
  say(self, "<", call, ("%s%s in %.3f s%s"):format(title(call, number), outcome(received, err), seconds,
    received and received.body and (", %d bytes"):format(#received.body) or ""))
  if self.full and received then
    for name, value in shapes.sorted(received.headers) do
      say(self, "<", call, ("  %s: %s"):format(name, redact.header(name, value)))
    end
    say_body(self, "<", call, shape, output)
  end
end

return Log
