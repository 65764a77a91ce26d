-- XML bodies: requests of rest-xml, responses of ec2, query and rest-xml.
--
--   write(shape, value, name) -> text        a document whose root element is `name`
--   parse(text) -> element | nil, err        the root of an answer, as host.xml gives it
--   read(shape, node) -> value               of such an element

local errors = require "infra.errors"
local json = require "host.json"
local names = require "infra.aws.protocols.names"
local scalars = require "infra.aws.protocols.scalars"
local shapes = require "infra.aws.protocols.shapes"
local xml = require "host.xml"

local xml_body = {}

local TIMESTAMP_FORMAT = "iso8601"

-- -- writing ----------------------------------------------------------------------------------------------------------

local writers = {}

local function write(out, name, shape, value)
  if scalars.is(shape) then
    writers.scalar(out, name, shape, value)
  else
    writers[shape.type](out, name, shape, value)
  end
end

local function attribute(name, text)
  return (' %s="%s"'):format(name, xml.escape(text))
end

-- xmlNamespace is a URI, or { uri =, prefix = }.
local function namespace(shape)
  local declared = shape.traits.xmlNamespace
  if not declared then
    return ""
  elseif type(declared) == "string" then
    return attribute("xmlns", declared)
  end
  return attribute(declared.prefix and "xmlns:" .. declared.prefix or "xmlns", declared.uri)
end

-- The element around what `content` writes.
local function element(out, name, attributes, content)
  out[#out + 1] = ("<%s%s>"):format(name, attributes)
  content()
  out[#out + 1] = ("</%s>"):format(name)
end

function writers.scalar(out, name, shape, value)
  element(out, name, namespace(shape), function()
    out[#out + 1] = xml.escape(scalars.write(shape, value, TIMESTAMP_FORMAT))
  end)
end

function writers.structure(out, name, shape, value)
  local attributes = namespace(shape)
  for member_name, member, item in shape:present(value) do
    if member.traits.xmlAttribute then
      local text = scalars.write(member, item, TIMESTAMP_FORMAT)
      attributes = attributes .. attribute(names.xml(member_name, member), text)
    end
  end
  element(out, name, attributes, function()
    for member_name, member, item in shape:present(value) do
      if not member.traits.xmlAttribute then
        write(out, names.xml(member_name, member), member, item)
      end
    end
  end)
end

-- The element around a list's items or a map's entries, which `content(name)` writes; flattened ones have none and
-- their items carry its name.
local function container(out, name, shape, item_name, content)
  if shape.traits.flattened then
    content(name)
  else
    element(out, name, namespace(shape), function()
      content(item_name)
    end)
  end
end

function writers.list(out, name, shape, value)
  container(out, name, shape, names.item(shape), function(item_name)
    for _, item in ipairs(value) do
      if item ~= json.null then
        write(out, item_name, shape:element(), item)
      end
    end
  end)
end

function writers.map(out, name, shape, value)
  local key_name, value_name = names.entry(shape)
  container(out, name, shape, "entry", function(entry_name)
    for key, item in shapes.sorted(value) do
      element(out, entry_name, "", function()
        write(out, key_name, shape:key(), key)
        write(out, value_name, shape:value(), item)
      end)
    end
  end)
end

function xml_body.write(shape, value, name)
  local out = {}
  write(out, name, shape, value)
  return table.concat(out)
end

-- -- reading ----------------------------------------------------------------------------------------------------------

local readers = {}

local function read(shape, node)
  if scalars.is(shape) then
    return scalars.read(shape, node.text)
  end
  return readers[shape.type](shape, node)
end

local function by_name(node)
  local children = {}
  for _, child in ipairs(node) do
    local same = children[child.name] or {}
    same[#same + 1] = child
    children[child.name] = same
  end
  return children
end

function readers.structure(shape, node)
  local value, children = {}, by_name(node)
  for _, member in ipairs(shape:members()) do
    local traits, name = member.shape.traits, names.xml(member.name, member.shape)
    local found = children[name]
    if traits.xmlAttribute then
      local text = (node.attributes or {})[name]
      value[member.name] = text and scalars.read(member.shape, text)
    elseif found then
      value[member.name] = read(member.shape, traits.flattened and found or found[1])
    end
  end
  return value
end

-- A node is also the sequence of its children, so that the items of a flattened list, gathered from among their
-- siblings, and those inside an element of their own read alike. What the items are called does not matter.
function readers.list(shape, nodes)
  local value, of = json.array(), shape:element()
  for i, node in ipairs(nodes) do
    value[i] = read(of, node)
  end
  return value
end

function readers.map(shape, entries)
  local value = {}
  local key_name, value_name = names.entry(shape)
  for _, entry in ipairs(entries) do
    local children = by_name(entry)
    local key = children[key_name] or scalars.malformed(shape, key_name .. " in every entry")
    local item = children[value_name]
    value[read(shape:key(), key[1])] = item and read(shape:value(), item[1])
  end
  return value
end

xml_body.read = read

--- A web page can be well-formed as well: read as an answer it would be one without members, and everything gone.
function xml_body.parse(text)
  local root, err = xml.parse(text)
  if root and root.name:lower() == "html" then
    return errors.fail { code = "Malformed", message = "a web page" }
  end
  return root, err
end

return xml_body
