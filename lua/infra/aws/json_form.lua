-- Parameters and results as JSON, for people and scripts: blobs in base64, timestamps in ISO 8601. Used by `infra aws`
-- and by the REPL. Shapes are those of infra.aws.protocols.shapes.

local crypto = require "host.crypto"
local errors = require "infra.errors"
local json = require "host.json"
local timestamps = require "infra.aws.protocols.timestamps"
local suggest = require "infra.suggest"
local walk = require "infra.aws.walk"

local json_form = {}

local function usage_error(message, ...)
  return errors.new { code = "Usage", message = message:format(...) }
end

local TO_JSON = {
  blob = crypto.base64,
  timestamp = function(seconds)
    return timestamps.format(seconds, "iso8601")
  end,
}

--- `value`, a value of `shape`, ready for json.encode.
function json_form.to_json(shape, value)
  return walk(shape, value, function(inner, part)
    local convert = TO_JSON[inner.type]
    return convert and convert(part)
  end)
end

-- What is wrong is left as it is: the validation of parameters names it. Only text that is no base64 would pass there.
local FROM_JSON = {
  blob = function(text)
    if type(text) == "string" then
      return crypto.unbase64(text)
    end
    return text
  end,
  timestamp = timestamps.parse,
}

--- What json.decode returned for a value of `shape`, as the client takes it; nil and an error for a blob that is not
--- base64.
function json_form.from_json(shape, value)
  local problem
  local converted = walk(shape, value, function(inner, part)
    local convert = FROM_JSON[inner.type]
    if convert then
      local result, err = convert(part)
      if err then
        problem = usage_error("%q is not base64", part)
      end
      return result
    end
  end)
  if problem then
    return nil, problem
  end
  return converted
end

-- The shape of what `step` leads to from `shape`, and the step as a key; nil when it leads nowhere.
local function descend(shape, step)
  if shape.type == "structure" then
    return shape:member(step), step
  elseif shape.type == "map" then
    return shape:value(), step
  elseif shape.type == "list" then
    local index = math.tointeger(tonumber(step))
    return index and index > 0 and shape:element() or nil, index
  end
end

local function member_names(shape)
  local names = {}
  for i, member in ipairs(shape.type == "structure" and shape:members() or {}) do
    names[i] = member.name
  end
  return names
end

-- Text from a command line as a value of `shape`. Strings are taken as they are, so that a policy document or an
-- account number needs no quotes; of a list, its only element may be given.
local function from_text(shape, text)
  if shape.type == "string" or shape.type == "jsonvalue" or shape.type == "blob" or shape.type == "timestamp" then
    return json_form.from_json(shape, text)
  end
  local value = json.decode(text)
  if shape.type == "list" and not json.is_array(value) then
    local element, err = from_text(shape:element(), text)
    return not err and json.array { element } or nil, err
  elseif value == nil then
    return text
  end
  return json_form.from_json(shape, value)
end

--- Puts `text` at the dotted `path` ("Filters.1.Name", lists count from 1) into `params`, a value of `shape`: true, or
--- nil and an error when there is no such place or `text` does not fit there.
function json_form.put(shape, params, path, text)
  local parent, key
  for step in path:gmatch "[^.]+" do
    if parent then
      parent[key] = parent[key] or (shape.type == "list" and json.array {} or {})
    end
    parent = parent and parent[key] or params
    local inner, name = descend(shape, step)
    if not inner or type(parent) ~= "table" then
      return nil, usage_error("there is no parameter %s%s", path, suggest(step, member_names(shape)))
    end
    shape, key = inner, name
  end
  if not parent then
    return nil, usage_error("a parameter needs a name")
  end
  local value, err = from_text(shape, text)
  if err then
    return nil, err
  end
  parent[key] = value
  return true
end

return json_form
