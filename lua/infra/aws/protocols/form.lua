-- The parameters of the query and ec2 protocols: Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-0f3. Both flatten a value
-- into names with numbers for positions; what differs is the rules:
--
--   name(member name, shape)   a member's part of the name
--   flat                       lists never have a part for their items
--   empty_lists                an empty list is sent, as "Name="

local json = require "host.json"
local names = require "infra.aws.protocols.names"
local scalars = require "infra.aws.protocols.scalars"
local shapes = require "infra.aws.protocols.shapes"

local form = {
  query = { name = names.xml, flat = false, empty_lists = true },
  ec2 = { name = names.ec2, flat = true, empty_lists = false },
}

local TIMESTAMP_FORMAT = "iso8601"

local function join(prefix, name)
  return prefix == "" and name or prefix .. "." .. name
end

-- What the numbers of a list's items or a map's entries are appended to.
local function items_prefix(rules, prefix, shape)
  if rules.flat or shape.traits.flattened then
    return prefix
  end
  return join(prefix, shape.type == "map" and "entry" or names.item(shape))
end

-- -- writing ----------------------------------------------------------------------------------------------------------

local writers = {}

local function write(out, rules, prefix, shape, value)
  if scalars.is(shape) then
    out[#out + 1] = { prefix, scalars.write(shape, value, TIMESTAMP_FORMAT) }
  else
    writers[shape.type](out, rules, prefix, shape, value)
  end
end

function writers.structure(out, rules, prefix, shape, value)
  for name, member, item in shape:present(value) do
    write(out, rules, join(prefix, rules.name(name, member)), member, item)
  end
end

function writers.list(out, rules, prefix, shape, value)
  if #value == 0 and rules.empty_lists then
    out[#out + 1] = { prefix, "" }
  end
  local items = items_prefix(rules, prefix, shape)
  for i, item in ipairs(value) do
    if item ~= json.null then
      write(out, rules, join(items, i), shape:element(), item)
    end
  end
end

function writers.map(out, rules, prefix, shape, value)
  local entries, i = items_prefix(rules, prefix, shape), 0
  local key_name, value_name = names.entry(shape)
  for key, item in shapes.sorted(value) do
    i = i + 1
    local entry = join(entries, i)
    write(out, rules, join(entry, key_name), shape:key(), key)
    write(out, rules, join(entry, value_name), shape:value(), item)
  end
end

--- The parameters { { name, value }, ... } for a structure's value.
function form.write(rules, shape, value)
  local out = {}
  write(out, rules, "", shape, value)
  return out
end

-- -- reading ----------------------------------------------------------------------------------------------------------

local readers = {}

-- `given` has the parameters by name, and "" for every beginning of a name that goes on after a period.
local function read(given, rules, prefix, shape)
  if scalars.is(shape) then
    return scalars.read(shape, given[prefix])
  end
  return readers[shape.type](given, rules, prefix, shape)
end

function readers.structure(given, rules, prefix, shape)
  local value = {}
  for _, member in ipairs(shape:members()) do
    local name = join(prefix, rules.name(member.name, member.shape))
    if given[name] then
      value[member.name] = read(given, rules, name, member.shape)
    end
  end
  return value
end

function readers.list(given, rules, prefix, shape)
  local value, i = json.array(), 1
  local items = items_prefix(rules, prefix, shape)
  while given[join(items, i)] do
    value[i] = read(given, rules, join(items, i), shape:element())
    i = i + 1
  end
  return value
end

function readers.map(given, rules, prefix, shape)
  local value, i = {}, 1
  local entries = items_prefix(rules, prefix, shape)
  local key_name, value_name = names.entry(shape)
  while given[join(entries, i)] do
    local entry = join(entries, i)
    local item_name = join(entry, value_name)
    local key = given[join(entry, key_name)] or scalars.malformed(shape, key_name .. " in every entry")
    value[key] = given[item_name] and read(given, rules, item_name, shape:value())
    i = i + 1
  end
  return value
end

--- The reverse of write, for the simulated AWS. Parameters that the shape does not know are ignored.
function form.read(rules, shape, parameters)
  local given = {}
  for _, parameter in ipairs(parameters) do
    local name = parameter[1]
    given[name] = parameter[2]
    for position in name:gmatch("()%.") do
      local beginning = name:sub(1, position - 1)
      given[beginning] = given[beginning] or ""
    end
  end
  return read(given, rules, "", shape)
end

return form
