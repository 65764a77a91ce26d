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

local function add(problems, path, problem)
  problems[#problems + 1] = path == "" and problem or path .. ": " .. problem
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

local function expected(problems, path, what, value)
  add(problems, path, ("expected %s, got %s"):format(what, kind_of(value)))
end

local function check(problems, path, shape, value, depth)
  if depth > MAX_DEPTH then
    add(problems, path, "nested too deeply")
  else
    checks[shape.type](problems, path, shape, value, depth)
  end
end

local function join(path, name)
  return path == "" and name or path .. "." .. name
end

-- A table keyed by strings, that is: neither a list nor mixed.
local function is_keyed(value)
  if type(value) ~= "table" or json.is_array(value) then
    return false
  end
  for key in pairs(value) do
    if type(key) ~= "string" then
      return false
    end
  end
  return true
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

local function check_required(problems, path, shape, value)
  local required = {}
  for _, name in ipairs(shape.traits.required or {}) do
    required[name] = true
  end
  for _, member in ipairs(shape:members()) do
    local traits, item = member.shape.traits, value[member.name]
    local addresses = traits.location == "uri" or traits.hostLabel -- not in every model among the required
    if (required[member.name] or addresses) and (item == nil or item == json.null) then
      add(problems, join(path, member.name), "required, but missing")
    end
  end
end

-- Where a value becomes part of the address, a wrong one would address something else.
local function check_address(problems, path, member, value)
  if member.traits.location == "uri" and value == "" then
    add(problems, path, "must not be empty")
  end
  if member.traits.hostLabel and type(value) == "string" and not value:find("^[%w.-]+$") then
    add(problems, path, "must consist of letters, digits, hyphens and periods")
  end
end

function checks.structure(problems, path, shape, value, depth)
  if not is_keyed(value) then
    return expected(problems, path, "a table of members", value)
  end
  check_required(problems, path, shape, value)
  for name in shapes.sorted(value) do
    if not shape:member(name) then
      add(problems, join(path, name), "unknown parameter" .. suggest(name, shape:member_names()))
    end
  end
  local count = 0
  for name, member, item in shape:present(value) do
    count = count + 1
    check_address(problems, join(path, name), member, item)
    check(problems, join(path, name), member, item, depth + 1)
  end
  if shape.traits.union and count ~= 1 then
    add(problems, path, "expected exactly one member")
  end
end

local function check_items(problems, path, shape, item, depth, sparse)
  if item ~= json.null then
    check(problems, path, shape, item, depth + 1)
  elseif not sparse then
    add(problems, path, "must not be null")
  end
end

function checks.list(problems, path, shape, value, depth)
  if not is_sequence(value) then
    return expected(problems, path, "a list", value)
  end
  for i, item in ipairs(value) do
    check_items(problems, ("%s[%d]"):format(path, i), shape:element(), item, depth, shape.traits.sparse)
  end
end

function checks.map(problems, path, shape, value, depth)
  if not is_keyed(value) then
    return expected(problems, path, "a table keyed by strings", value)
  end
  for key, item in shapes.sorted(value) do
    check(problems, path, shape:key(), key, depth + 1)
    check_items(problems, join(path, key), shape:value(), item, depth, shape.traits.sparse)
  end
end

function checks.string(problems, path, _, value)
  if type(value) ~= "string" then
    expected(problems, path, "a string", value)
  elseif not utf8.len(value) or value:find("\0", 1, true) then
    add(problems, path, "expected text in UTF-8 without NUL characters")
  end
end

function checks.integer(problems, path, _, value)
  if type(value) ~= "number" then
    expected(problems, path, "an integer", value)
  elseif not math.tointeger(value) then
    add(problems, path, "expected an integer, got a fraction")
  end
end

checks.long = checks.integer

-- A check that `fits` decides.
local function simple(what, fits)
  return function(problems, path, _, value)
    if not fits(value) then
      expected(problems, path, what, value)
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
  local problems = {}
  check(problems, "", shape, value, 0)
  return problems
end

return params
