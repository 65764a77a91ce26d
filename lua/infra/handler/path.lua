-- Paths into nested tables, the notation of handler specs:
--
--   "VpcId"                             a member
--   "EnableDnsSupport.Value"            a member of a member
--   "CidrBlockAssociationSet[].AssociationId"   reading: from every element, as a list; writing: one element
--   "SecurityGroupRules[1]"             one element
--
-- and fields, which pair a CloudFormation name with a path in an API call: "CidrBlock", "GroupDescription=Description".

local json = require "host.json"

local path = {}

local parsed = {}

-- { { name = "CidrBlockAssociationSet", list = true }, { name = "AssociationId" } }, remembered by text.
local function parse(text)
  local steps = parsed[text]
  if not steps then
    steps = {}
    for name, bracket, index in text:gmatch("([^%.%[%]]+)(%[?)(%d*)%]?") do
      steps[#steps + 1] = { name = name, list = bracket == "[" and index == "", index = tonumber(index) }
    end
    parsed[text] = steps
  end
  return steps
end

local function get(value, steps, index)
  for i = index, #steps do
    if type(value) ~= "table" then
      return nil
    end
    value = value[steps[i].name]
    if steps[i].index then
      value = value and value[steps[i].index]
    elseif steps[i].list then
      local items = json.array {}
      for _, item in ipairs(value or {}) do
        items[#items + 1] = get(item, steps, i + 1)
      end
      return items
    end
  end
  return value
end

--- The value at `text` inside `value`, or nil.
function path.get(value, text)
  return get(value, parse(text), 1)
end

--- Sets the value at `text` inside the table `root`, making the tables on the way.
function path.set(root, text, value)
  local node, steps = root, parse(text)
  for i, step in ipairs(steps) do
    local key = step.name
    if step.list then
      node[key] = node[key] or json.array {}
      node, key = node[key], 1
    end
    if i == #steps then
      node[key] = value
    else
      node[key] = node[key] or {}
      node = node[key]
    end
  end
end

--- "GroupDescription=Description" -> "GroupDescription", "Description"; "VpcId" -> "VpcId", "VpcId".
function path.field(text)
  local name, target = text:match("^(.-)=(.+)$")
  return name or text, target or text
end

--- A parameter table for a call: every field of `fields` that `values` has, at its path. `change(name, value)`, when
--- given, returns what is sent for a value.
function path.build(fields, values, change)
  local params = {}
  for _, text in ipairs(fields) do
    local name, target = path.field(text)
    local value = values[name]
    if value ~= nil and change then
      value = change(name, value)
    end
    if value ~= nil then
      path.set(params, target, value)
    end
  end
  return params
end

--- The reverse: CloudFormation names with the values that `item` has at the fields' paths, each by
--- `change(name, value)` when that is given.
function path.extract(fields, item, into, change)
  local values = into or {}
  for _, text in ipairs(fields) do
    local name, source = path.field(text)
    local value = path.get(item, source)
    if value ~= nil and change then
      value = change(name, value)
    end
    if value ~= nil then
      values[name] = value
    end
  end
  return values
end

return path
