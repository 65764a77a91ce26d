-- Scalars as text: in XML, in forms, in headers, in paths and query strings; and, since JSON carries some of them as
-- strings too, in JSON. Values in Lua: blobs are raw bytes, timestamps unix seconds, jsonvalues JSON text.

local crypto = require "host.crypto"
local errors = require "infra.errors"
local json = require "host.json"
local timestamps = require "infra.aws.protocols.timestamps"

local scalars = {}

-- JSON has no numbers for these, and XML's spelling of them is not C's.
local SPECIAL = { NaN = 0 / 0, Infinity = math.huge, ["-Infinity"] = -math.huge }

--- A float that is not a number as AWS spells it: "NaN", "Infinity", "-Infinity"; nil for all others.
function scalars.special(number)
  if number ~= number then
    return "NaN"
  elseif number == math.huge or number == -math.huge then
    return number > 0 and "Infinity" or "-Infinity"
  end
end

--- Throws the error that decoding a message ends with. `shape` is what was to be read.
function scalars.malformed(shape, expected)
  error(errors.new {
    code = "Malformed",
    message = ("%s: expected %s"):format(shape.name or shape.type, expected),
  }, 0)
end

--- A jsonvalue as JSON text; tables are encoded.
function scalars.json_text(value)
  return type(value) == "table" and json.encode(value) or value
end

local function float_text(_, value)
  return scalars.special(value) or json.encode(value)
end

local function integer_text(_, value)
  return ("%d"):format(value)
end

local writers = {
  integer = integer_text,
  long = integer_text,
  float = float_text,
  double = float_text,
}

function writers.string(_, value)
  return value
end

function writers.boolean(_, value)
  return tostring(value)
end

function writers.blob(_, value)
  return crypto.base64(value)
end

function writers.jsonvalue(_, value)
  return scalars.json_text(value)
end

function writers.timestamp(shape, value, format)
  return tostring(timestamps.format(value, shape.traits.timestampFormat or format))
end

--- The text of a scalar. `format` is the place's timestamp format, for timestamps whose model names none.
function scalars.write(shape, value, format)
  return writers[shape.type](shape, value, format)
end

--- Whether shapes of this type are scalars.
function scalars.is(shape)
  return writers[shape.type] ~= nil
end

local function trim(text)
  return text:match("^%s*(.-)%s*$")
end

local function read_integer(shape, text)
  return math.tointeger(tonumber(trim(text))) or scalars.malformed(shape, "an integer")
end

local function read_float(shape, text)
  text = trim(text)
  return SPECIAL[text] or tonumber(text) or scalars.malformed(shape, "a number")
end

local readers = {
  integer = read_integer,
  long = read_integer,
  float = read_float,
  double = read_float,
}

function readers.string(_, text)
  return text
end

readers.jsonvalue = readers.string

local BOOLEANS = { ["true"] = true, ["false"] = false }

function readers.boolean(shape, text)
  local value = BOOLEANS[trim(text):lower()]
  if value == nil then
    scalars.malformed(shape, "true or false")
  end
  return value
end

function readers.blob(shape, text)
  return crypto.unbase64(trim(text)) or scalars.malformed(shape, "base64")
end

function readers.timestamp(shape, text)
  return timestamps.parse(trim(text)) or scalars.malformed(shape, "a timestamp")
end

--- The value of a scalar's text; throws a typed error (code "Malformed") when it has none.
function scalars.read(shape, text)
  return readers[shape.type](shape, text)
end

return scalars
