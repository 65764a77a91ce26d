-- CBOR bodies: write(shape, value) -> bytes, read(shape, tree) -> value, where the tree is what cbor_codec.decode gave.

local cbor_codec = require "infra.aws.protocols.cbor_codec"
local scalars = require "infra.aws.protocols.scalars"
local timestamps = require "infra.aws.protocols.timestamps"
local tree_body = require "infra.aws.protocols.tree_body"

local function by(encode)
  return function(_, value)
    return encode(value)
  end
end

local function of(kind)
  return function(shape, node)
    return type(node) == kind and node or scalars.malformed(shape, "a " .. kind)
  end
end

local function read_boolean(shape, node)
  if type(node) ~= "boolean" then
    scalars.malformed(shape, "a boolean")
  end
  return node
end

return tree_body.new {
  array = cbor_codec.array,
  object = cbor_codec.map,
  null = cbor_codec.null,
  write = {
    string = by(cbor_codec.text),
    jsonvalue = function(_, value)
      return cbor_codec.text(scalars.json_text(value))
    end,
    blob = by(cbor_codec.bytes),
    integer = by(cbor_codec.integer),
    long = by(cbor_codec.integer),
    float = by(cbor_codec.float),
    double = by(cbor_codec.double),
    boolean = by(cbor_codec.boolean),
    timestamp = function(_, value)
      return cbor_codec.timestamp(timestamps.parse(value))
    end,
  },
  read = {
    string = of "string",
    jsonvalue = of "string",
    blob = of "string",
    integer = of "number",
    long = of "number",
    float = of "number",
    double = of "number",
    boolean = read_boolean,
    timestamp = function(shape, node)
      return timestamps.parse(node) or scalars.malformed(shape, "a timestamp")
    end,
  },
}
