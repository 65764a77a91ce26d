-- Whether the parameters of a call fit its input's shape: one pass over the whole value before anything is encoded, so
-- that the codecs need not doubt what they are given. What only the service can judge (lengths, patterns, enumerations)
-- is left to it.

local json = require "host.json"
local shapes = require "infra.aws.protocols.shapes"
local suggest = require "infra.suggest"
local timestamps = require "infra.aws.protocols.timestamps"

local params = {}

local MAX_DEPTH = 200 -- far beyond any model; a table that contains itself reaches it

local checks = {}

-- A check gets `found`, where `value` is: { problems, path = the members' names and items' positions that lead there,
-- `depth` of them }. The path becomes text where something is wrong only.
local function add(found, depth, problem)
  local place = ""
  for i = 1, depth do
    local step = found.path[i]
    local is_position = math.type(step) == "integer"
    place = place .. (is_position and ("[%d]"):format(step) or place ~= "" and "." .. step or step)
  end
  table.insert(found.problems, place == "" and problem or place .. ": " .. problem)
end

-- What something is, for people; never what it contains, which may be secret.
local function kind_of(value)
  if value == json.null then
    return "null"
  elseif type(value) == "table" and (json.is_array(value) or #value > 0) then
    return "a list"
  end
  return "a " .. type(value)
end

local function expected(found, depth, what, value)
  add(found, depth, ("expected %s, got %s"):format(what, kind_of(value)))
end

-- Goes one step further: the depth there.
local function enter(found, depth, step)
  found.path[depth + 1] = step
  return depth + 1
end

local function check(found, depth, shape, value)
  if depth > MAX_DEPTH then
    add(found, depth, "nested too deeply")
  else
    checks[shape.type](found, depth, shape, value)
  end
end

-- How many keys a table keyed by strings has; nil for a list, for a mixed one and for what is none.
local function count_keys(value)
  if type(value) ~= "table" or json.is_array(value) then
    return nil
  end
  local count = 0
  for key in pairs(value) do
    if type(key) ~= "string" then
      return nil
    end
    count = count + 1
  end
  return count
end

local function is_sequence(value)
  if type(value) ~= "table" then
    return false
  end
  local count = 0
  for _ in pairs(value) do
    count = count + 1
  end
  return count == #value
end

-- The first position without an item before the last; nil where there is none, and for what has other keys.
local function gap_in(value)
  local last = 0
  for key in pairs(type(value) == "table" and value or {}) do
    if math.type(key) ~= "integer" or key < 1 then
      return nil
    end
    last = math.max(last, key)
  end
  for position = 1, last do
    if value[position] == nil then
      return position
    end
  end
end

local function check_required(found, depth, shape, value)
  for _, name in ipairs(shape:required()) do
    if value[name] == nil or value[name] == json.null then
      add(found, enter(found, depth, name), "required, but missing")
    end
  end
end

local function check_known(found, depth, shape, value)
  local unknown = {}
  for name in pairs(value) do
    unknown[#unknown + 1] = not shape:member(name) and name or nil
  end
  table.sort(unknown)
  for _, name in ipairs(unknown) do
    add(found, enter(found, depth, name), "unknown parameter" .. suggest(name, shape:member_names()))
  end
end

-- Where a value becomes part of the address, a wrong one would address something else.
local function check_address(found, depth, member, value)
  if member.traits.location == "uri" and value == "" then
    add(found, depth, "must not be empty")
  end
  if member.traits.hostLabel and type(value) == "string" and not value:find("^[%w.-]+$") then
    add(found, depth, "must consist of letters, digits, hyphens and periods")
  end
end

function checks.structure(found, depth, shape, value)
  local keys, count = count_keys(value), 0
  if not keys then
    return expected(found, depth, "a table of members", value)
  end
  check_required(found, depth, shape, value)
  for name, member, item in shape:present(value) do
    count = count + 1
    local inside = enter(found, depth, name)
    check_address(found, inside, member, item)
    check(found, inside, member, item)
  end
  if count < keys then -- the others are unknown, or null
    check_known(found, depth, shape, value)
  end
  if shape.traits.union and count ~= 1 then
    add(found, depth, "expected exactly one member")
  end
end

local function check_item(found, depth, shape, item, sparse)
  if item ~= json.null then
    check(found, depth, shape, item)
  elseif not sparse then
    add(found, depth, "must not be null")
  end
end

function checks.list(found, depth, shape, value)
  if not is_sequence(value) then
    local gap = gap_in(value)
    if gap then
      return add(found, depth, ("item %d is missing"):format(gap))
    end
    return expected(found, depth, "a list", value)
  end
  local element = shape:element()
  for i, item in ipairs(value) do
    check_item(found, enter(found, depth, i), element, item, shape.traits.sparse)
  end
end

function checks.map(found, depth, shape, value)
  if not count_keys(value) then
    return expected(found, depth, "a table keyed by strings", value)
  end
  for key, item in shapes.sorted(value) do
    check(found, depth, shape:key(), key)
    check_item(found, enter(found, depth, key), shape:value(), item, shape.traits.sparse)
  end
end

function checks.string(found, depth, _, value)
  if type(value) ~= "string" then
    expected(found, depth, "a string", value)
  elseif not utf8.len(value) or value:find("\0", 1, true) then
    add(found, depth, "expected text in UTF-8 without NUL characters")
  end
end

function checks.integer(found, depth, _, value)
  if type(value) ~= "number" then
    expected(found, depth, "an integer", value)
  elseif not math.tointeger(value) then
    add(found, depth, "expected an integer, got a fraction")
  end
end

checks.long = checks.integer

-- A check that `fits` decides.
local function simple(what, fits)
  return function(found, depth, _, value)
    if not fits(value) then
      expected(found, depth, what, value)
    end
  end
end

local function is(kind)
  return function(value)
    return type(value) == kind
  end
end

checks.float = simple("a number", is "number")
checks.double = checks.float
checks.boolean = simple("a boolean", is "boolean")
checks.blob = simple("a string of bytes", is "string")
checks.timestamp = simple("unix seconds or an ISO 8601 time", timestamps.parse)
checks.document = simple("a JSON value", function(value)
  return pcall(json.encode, value)
end)
checks.jsonvalue = simple("JSON text or a table to make it from", function(value)
  return type(value) == "string" or (type(value) == "table" and pcall(json.encode, value))
end)

--- What is wrong with `value` as an input of this shape: an array of "Path.To[1].Member: what is wrong", empty when it
--- fits.
function params.problems(shape, value)
  local found = { problems = {}, path = {} }
  check(found, 0, shape, value)
  return found.problems
end

return params
