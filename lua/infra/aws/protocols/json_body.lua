-- JSON bodies, of the json and rest-json protocols: write(shape, value) -> text, read(shape, tree) -> value, where the
-- tree is what json.decode gave.

local crypto = require "host.crypto"
local json = require "host.json"
local scalars = require "infra.aws.protocols.scalars"
local timestamps = require "infra.aws.protocols.timestamps"
local tree_body = require "infra.aws.protocols.tree_body"

local function same(_, value)
  return value
end

local function write_float(_, value)
  return scalars.special(value) or value
end

local write = {
  string = same,
  integer = same,
  long = same,
  float = write_float,
  double = write_float,
  boolean = same,
  document = same,
}

function write.timestamp(shape, value)
  return timestamps.format(value, shape.traits.timestampFormat or "unixTimestamp")
end

function write.blob(_, value)
  return crypto.base64(value)
end

function write.jsonvalue(_, value)
  return scalars.json_text(value)
end

-- Numbers and booleans that arrive as strings, as some services send them, are read like text anywhere.
local function or_text(kind, convert)
  return function(shape, node)
    if type(node) == kind then
      return convert(node)
    elseif type(node) == "string" then
      return scalars.read(shape, node)
    end
    return scalars.malformed(shape, "a " .. kind)
  end
end

local read_number = or_text("number", function(number)
  return number
end)

local read = {
  integer = read_number,
  long = read_number,
  float = read_number,
  double = read_number,
  boolean = or_text("boolean", function(value)
    return value
  end),
  document = same,
}

function read.string(shape, node)
  if type(node) == "table" then
    scalars.malformed(shape, "a string")
  end
  return tostring(node)
end

read.jsonvalue = read.string

function read.timestamp(shape, node)
  return timestamps.parse(node) or scalars.malformed(shape, "a timestamp")
end

function read.blob(shape, node)
  return type(node) == "string" and scalars.read(shape, node) or scalars.malformed(shape, "base64")
end

local body = tree_body.new {
  array = json.array,
  object = json.object,
  null = json.null,
  write = write,
  read = read,
}

return {
  read = body.read,
  write = function(shape, value)
    return json.encode(body.write(shape, value))
  end,
}
