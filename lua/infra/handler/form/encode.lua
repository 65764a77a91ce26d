-- CloudFormation's values as the API has them. Used by handler/form, whose head says how they differ.

local convert = require "infra.handler.form.convert"
local json = require "host.json"
local path = require "infra.handler.path"

local ENCODE = {}
ENCODE.map = convert.map(ENCODE)

function ENCODE.scalar(node, value)
  local only = node.only
  if only then
    return { [only.name] = convert.scalar(only.shape.type, value) }
  end
  return convert.scalar(node.shape.type, node.is_lower and type(value) == "string" and value:lower() or value)
end

function ENCODE.list(node, value)
  local items = convert.items(ENCODE, node, value)
  if not node.wrapped then
    return items
  end
  local wrapped = { Quantity = #items, Items = #items > 0 and items or nil }
  if node.shape:member "Enabled" then
    wrapped.Enabled = #items > 0
  end
  return wrapped
end

local ZEROS = { boolean = false, string = "", integer = 0, long = 0 }

-- The API's "none" for a list or a switch, made of its required members; nil where there is no such thing.
local function none(node)
  local result
  for _, name in ipairs((node.wrapped or node.switch) and node.shape.traits.required or {}) do
    result = result or {}
    result[name] = ZEROS[node.shape:member(name).type]
    if result[name] == nil then
      return nil
    end
  end
  return result
end

-- What the API must be told of members that are not set.
local function complete(node, result)
  for _, member in pairs(node.members) do
    if path.get(result, member.target) == nil then
      local nothing = node.rules.complete and none(member.node)
      if member.required and member.default ~= nil then
        result[member.target] = convert.value(ENCODE, member.node, member.default)
      elseif nothing then
        path.set(result, member.target, nothing)
      end
    end
  end
end

function ENCODE.structure(node, value)
  local names, filled, result = {}, convert.filled(node, value), {}
  for name, item in pairs(filled) do
    if node.members[name] and item ~= json.null then
      names[#names + 1] = name
    end
  end
  table.sort(names, function(a, b) -- a structure before what CloudFormation has beside it and the API within
    return node.members[a].target < node.members[b].target
  end)
  for _, name in ipairs(names) do
    local member = node.members[name]
    path.set(result, member.target, convert.value(ENCODE, member.node, filled[name]))
  end
  if node.switch then
    result.Enabled = true
  end
  if node.counted then
    result.Quantity = #(result.Items or {})
  end
  complete(node, result)
  return result
end

--- The API's form of `value`, by its node.
return function(node, value)
  return convert.value(ENCODE, node, value)
end
