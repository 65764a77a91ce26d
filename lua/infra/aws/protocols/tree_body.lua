-- Bodies whose format has lists and maps of its own (JSON, CBOR): between a value of some shape and such a tree. Only
-- how the tree is built and what its scalars look like differs, and comes from the format:
--
--   format.array(items) -> node          items is a sequence of nodes, which may be kept
--   format.object(members) -> node       members is { name = node }, which may be kept
--   format.null                          a node for null
--   format.write[type](shape, value) -> node
--   format.read[type](shape, node) -> value, or throws through scalars.malformed
--
-- A tree that was read consists of Lua tables, lists among them with json.array's mark, and json.null.

local json = require "host.json"
local names = require "infra.aws.protocols.names"
local scalars = require "infra.aws.protocols.scalars"
local shapes = require "infra.aws.protocols.shapes"

local tree_body = {}

local function new_writer(format)
  local writers = setmetatable({}, { __index = format.write })

  local function write(shape, value)
    return writers[shape.type](shape, value)
  end

  local function write_item(shape, item)
    return item == json.null and format.null or write(shape, item)
  end

  function writers.structure(shape, value)
    local members = {}
    for name, member, item in shape:present(value) do
      members[names.json(name, member)] = write(member, item)
    end
    return format.object(members)
  end

  function writers.list(shape, value)
    local items, element = {}, shape:element()
    for i, item in ipairs(value) do
      items[i] = write_item(element, item)
    end
    return format.array(items)
  end

  function writers.map(shape, value)
    local members, of = {}, shape:value()
    for key, item in pairs(value) do
      members[key] = write_item(of, item)
    end
    return format.object(members)
  end

  return write
end

local function new_reader(format)
  local readers = setmetatable({}, { __index = format.read })

  local function read(shape, node)
    return readers[shape.type](shape, node)
  end

  function readers.structure(shape, node)
    if type(node) ~= "table" or json.is_array(node) then
      scalars.malformed(shape, "an object")
    end
    local value = {}
    for _, member in ipairs(shape:members()) do
      local item = node[names.json(member.name, member.shape)]
      if item ~= nil and item ~= json.null then
        value[member.name] = read(member.shape, item)
      end
    end
    return value
  end

  -- Null stands for an item only where the model allows for it, else the item was never there.
  function readers.list(shape, node)
    if not json.is_array(node) then
      scalars.malformed(shape, "a list")
    end
    local value, element = json.array(), shape:element()
    for _, item in ipairs(node) do
      if item ~= json.null then
        value[#value + 1] = read(element, item)
      elseif shape.traits.sparse then
        value[#value + 1] = json.null
      end
    end
    return value
  end

  function readers.map(shape, node)
    if type(node) ~= "table" or json.is_array(node) then
      scalars.malformed(shape, "an object")
    end
    local value, of = {}, shape:value()
    for key, item in shapes.sorted(node) do
      if item ~= json.null then
        value[key] = read(of, item)
      elseif shape.traits.sparse then
        value[key] = json.null
      end
    end
    return value
  end

  return read
end

--- The codec { write(shape, value) -> node, read(shape, node) -> value } of a format.
function tree_body.new(format)
  return { write = new_writer(format), read = new_reader(format) }
end

return tree_body
