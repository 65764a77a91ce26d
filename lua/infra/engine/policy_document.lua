-- Policy documents (IAM's language, in roles, buckets, topics, keys) in comparable form: what means the same is written
-- the same. Facts from the IAM User Guide, "IAM JSON policy elements". Used by engine/canonical.

local json = require "host.json"
local reference = require "infra.engine.reference"
local sorted = require "infra.engine.sorted"

local policy_document = {}

-- What a document without a Version means.
local OLDEST_VERSION <const> = "2008-10-17"

local function is_plain_table(value)
  return type(value) == "table" and not reference.is_deferred(value)
end

-- One text and a list of one text mean the same, order and repetition nothing.
local function set(value, change)
  if not is_plain_table(value) then
    return change(value)
  end
  local result, seen = {}, {}
  for _, item in ipairs(value) do
    item = change(item)
    if not seen[item] then
      seen[item] = true
      result[#result + 1] = item
    end
  end
  return #result == 1 and result[1] or sorted(result)
end

local function same(value)
  return value
end

-- An account number stands for its root user.
local function without_root(value)
  return type(value) == "string" and value:match("^arn:aws[%w-]*:iam::(%d+):root$") or value
end

local function principal(value)
  if value == "*" then
    return { AWS = "*" }
  elseif not is_plain_table(value) then
    return value
  end
  local result = {}
  for kind, who in pairs(value) do
    result[kind] = set(who, kind == "AWS" and without_root or same)
  end
  return result
end

-- Values of conditions are texts, also those that are written as numbers and booleans.
local function as_text(value)
  if type(value) == "number" then
    return tostring(math.tointeger(value) or value)
  end
  return type(value) == "boolean" and tostring(value) or value
end

local function condition(value)
  if not is_plain_table(value) then
    return value
  end
  local result = {}
  for operator, tests in pairs(value) do
    result[operator] = tests
    if is_plain_table(tests) then
      result[operator] = {}
      for key, values in pairs(tests) do
        result[operator][key] = set(values, as_text)
      end
    end
  end
  return next(result) and result
end

local function list(value)
  return set(value, same)
end

local ELEMENTS = {
  Action = list, NotAction = list, Resource = list, NotResource = list, Principal = principal, NotPrincipal = principal,
  Condition = condition, Sid = function(value) return value ~= "" and value or nil end,
}

local function statement(value)
  if not is_plain_table(value) then
    return value
  end
  local result = {}
  for name, item in pairs(value) do
    if ELEMENTS[name] then
      result[name] = ELEMENTS[name](item) or nil
    else
      result[name] = item
    end
  end
  return result
end

-- A document as AWS returns it: JSON, or JSON with everything percent-encoded. Texts that are neither stay.
local function parsed(text)
  if text:find "^%%%x%x" then
    text = text:gsub("%%(%x%x)", function(digits)
      return string.char(tonumber(digits, 16))
    end)
  end
  local value = text:find "^%s*[%[{]" and json.decode(text)
  if type(value) == "table" then
    return value
  end
end

--- A policy document (table, or text as AWS returns it) in comparable form. Other documents and texts stay as they are,
--- JSON parsed.
function policy_document.canonical(value)
  if type(value) == "string" and not reference.is_reference(value) then
    value = parsed(value) or value
  end
  if not is_plain_table(value) or value.Statement == nil then
    return value
  end
  local result = { Version = OLDEST_VERSION, Statement = json.array {} }
  for name, item in pairs(value) do
    if name ~= "Statement" then
      result[name] = item
    end
  end
  local statements = value.Statement
  if not is_plain_table(statements) then
    result.Statement = statements
    return result
  end
  local is_list = json.is_array(statements) or #statements > 0 or next(statements) == nil
  for i, one in ipairs(is_list and statements or { statements }) do
    result.Statement[i] = statement(one)
  end
  result.Statement = sorted(result.Statement)
  return result
end

return policy_document
