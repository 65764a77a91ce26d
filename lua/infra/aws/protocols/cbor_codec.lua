-- CBOR (RFC 8949), as much as AWS uses. Encoding is by pieces, for the caller knows the types that Lua does not tell
-- apart (bytes and text, single and double precision); decoding gives plain values, for there the data tells:
--
--   byte and text strings     strings
--   arrays                    tables with json.array's mark
--   maps                      tables; keys must be strings
--   null, undefined           json.null
--   integers                  integers; floats beyond 64 bits with sign
--   tags                      what they are around

local errors = require "infra.errors"
local json = require "host.json"
local shapes = require "infra.aws.protocols.shapes"

local cbor_codec = {}

local UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE = 0, 1, 2, 3, 4, 5, 6, 7
local INDEFINITE, BREAK = 31, 0xFF
local EPOCH = 1 -- the tag of a time in seconds

local DEPTH_LIMIT = 512
local LONGEST = 64 << 20 -- bytes

-- -- encoding ---------------------------------------------------------------------------------------------------------

local function head(major, number)
  local initial = major << 5
  if number < 24 then
    return string.char(initial | number)
  elseif number < 1 << 8 then
    return string.pack(">BB", initial | 24, number)
  elseif number < 1 << 16 then
    return string.pack(">BI2", initial | 25, number)
  elseif number < 1 << 32 then
    return string.pack(">BI4", initial | 26, number)
  end
  return string.pack(">BI8", initial | 27, number)
end

cbor_codec.null = head(SIMPLE, 22)

function cbor_codec.boolean(value)
  return head(SIMPLE, value and 21 or 20)
end

function cbor_codec.integer(value)
  local integer = assert(math.tointeger(value), "an integer")
  return integer >= 0 and head(UNSIGNED, integer) or head(NEGATIVE, -1 - integer)
end

function cbor_codec.float(value)
  return string.pack(">Bf", SIMPLE << 5 | 26, value)
end

function cbor_codec.double(value)
  return string.pack(">Bd", SIMPLE << 5 | 27, value)
end

function cbor_codec.bytes(value)
  return head(BYTES, #value) .. value
end

function cbor_codec.text(value)
  return head(TEXT, #value) .. value
end

--- Unix seconds.
function cbor_codec.timestamp(seconds)
  return head(TAG, EPOCH) .. (math.type(seconds) == "integer" and cbor_codec.integer or cbor_codec.double)(seconds)
end

--- Items that are encoded already.
function cbor_codec.array(items)
  return head(ARRAY, #items) .. table.concat(items)
end

--- { name = encoded value }
function cbor_codec.map(members)
  local out = {}
  for name, value in shapes.sorted(members) do
    out[#out + 1] = cbor_codec.text(name) .. value
  end
  return head(MAP, #out) .. table.concat(out)
end

-- -- decoding ---------------------------------------------------------------------------------------------------------

local function bad(problem)
  error(errors.new { code = "BadCbor", message = "not CBOR: " .. problem }, 0)
end

-- All readers take the text and a position and return what they read and the position behind it.

local function take(text, position, length)
  if length < 0 or length > #text - position + 1 then
    bad "it ends too early"
  end
  return text:sub(position, position + length - 1), position + length
end

local SIZES = { [24] = 1, [25] = 2, [26] = 4, [27] = 8 }

-- The number that an item begins with; one of 8 bytes may come out negative.
local function read_number(text, position, info)
  if info < 24 then
    return info, position
  end
  local size = SIZES[info] or bad "a number of unknown size"
  local bytes, next_position = take(text, position, size)
  return (string.unpack(">I" .. size, bytes)), next_position
end

local function read_half(bytes)
  local bits = string.unpack(">I2", bytes)
  local sign, exponent, fraction = bits >> 15 == 0 and 1 or -1, bits >> 10 & 31, bits & 1023
  if exponent == 31 then
    return fraction == 0 and sign * math.huge or 0 / 0
  elseif exponent == 0 then
    return sign * fraction * 2.0 ^ -24
  end
  return sign * (1 + fraction / 1024) * 2.0 ^ (exponent - 15)
end

local read

local readers = {}

readers[UNSIGNED] = function(text, position, info)
  local number, next_position = read_number(text, position, info)
  return number >= 0 and number or number + 2.0 ^ 64, next_position
end

readers[NEGATIVE] = function(text, position, info)
  local number, next_position = readers[UNSIGNED](text, position, info)
  return -1 - number, next_position
end

-- Items up to the break, each read by `read_item(position)`.
local function until_break(text, position, read_item)
  while take(text, position, 1):byte() ~= BREAK do
    position = read_item(position)
  end
  return position + 1
end

local function read_string(text, position, info, depth, major)
  if info ~= INDEFINITE then
    local length, start = read_number(text, position, info)
    return take(text, start, length)
  end
  local chunks = {}
  position = until_break(text, position, function(start)
    local initial = text:byte(start)
    if initial >> 5 ~= major or initial & 31 == INDEFINITE then
      bad "a string in pieces of another kind"
    end
    local chunk, next_position = read_string(text, start + 1, initial & 31, depth, major)
    chunks[#chunks + 1] = chunk
    return next_position
  end)
  return table.concat(chunks), position
end

readers[BYTES] = read_string
readers[TEXT] = read_string

-- Calls read_item(position) for every item of an array or entry of a map, each of `width` bytes at least.
local function each(text, position, info, width, read_item)
  if info == INDEFINITE then
    return until_break(text, position, read_item)
  end
  local count, next_position = read_number(text, position, info)
  if count < 0 or count > (#text - next_position + 1) // width then
    bad "it ends too early"
  end
  for _ = 1, count do
    next_position = read_item(next_position)
  end
  return next_position
end

readers[ARRAY] = function(text, position, info, depth)
  local array = json.array()
  return array, each(text, position, info, 1, function(start)
    local item, next_position = read(text, start, depth + 1)
    array[#array + 1] = item
    return next_position
  end)
end

readers[MAP] = function(text, position, info, depth)
  local map = {}
  return map, each(text, position, info, 2, function(start)
    local key, value_position = read(text, start, depth + 1)
    if type(key) ~= "string" then
      bad "a key that is not a string"
    end
    local value, next_position = read(text, value_position, depth + 1)
    map[key] = value
    return next_position
  end)
end

readers[TAG] = function(text, position, info, depth)
  local _, next_position = read_number(text, position, info)
  return read(text, next_position, depth + 1)
end

local CONSTANTS = { [20] = false, [21] = true, [22] = json.null, [23] = json.null }

local FLOATS = {
  [25] = read_half,
  [26] = function(bytes)
    return (string.unpack(">f", bytes))
  end,
  [27] = function(bytes)
    return (string.unpack(">d", bytes))
  end,
}

readers[SIMPLE] = function(text, position, info)
  if CONSTANTS[info] ~= nil then
    return CONSTANTS[info], position
  end
  local convert = FLOATS[info] or bad "a value of unknown kind"
  local bytes, next_position = take(text, position, SIZES[info])
  return convert(bytes), next_position
end

function read(text, position, depth)
  if depth > DEPTH_LIMIT then
    bad "nested too deeply"
  end
  local initial = take(text, position, 1):byte()
  local major, info = initial >> 5, initial & 31
  return readers[major](text, position + 1, info, depth, major)
end

--- The value of a whole text, or nil and an error (code "BadCbor").
function cbor_codec.decode(text)
  if #text > LONGEST then
    return errors.fail { code = "BadCbor", message = "not CBOR: larger than the limit" }
  end
  local ok, value, position = pcall(read, text, 1, 0)
  if not ok then
    if not errors.is(value) then
      error(value, 0)
    end
    return nil, value
  elseif position <= #text then
    return errors.fail { code = "BadCbor", message = "not CBOR: something follows its end" }
  end
  return value
end

return cbor_codec
