-- What all of EC2's Describe operations have in common: filters, and pages. Used by infra.sim.ec2.resources and by the
-- few operations that list something else.
--
-- A listing is data: {
--   output     the output member that holds the items
--   filters    { [filter name] = path of members in an item }; "Attachments.VpcId" looks into each item of a list
--   parameter  the input member of the filters, "Filters" unless given
--   key        path of the member that orders the items and stands in the page token
--   pages      { smallest, largest } MaxResults, nil when the operation has no pages
--   ids        the input member that names items, for what cannot be combined with MaxResults
-- }

local paging = require "infra.sim.paging"

local listing = {}

local MOST_VALUES = 200

-- Appends the texts found at the path's remaining members.
local function collect(value, path, position, found)
  if value == nil then
    return
  elseif type(value) == "table" and value[1] ~= nil then
    for _, item in ipairs(value) do
      collect(item, path, position, found)
    end
  elseif position > #path then
    found[#found + 1] = tostring(value)
  elseif type(value) == "table" then
    collect(value[path[position]], path, position + 1, found)
  end
end

local function texts_at(item, path)
  local parts, found = {}, {}
  for part in path:gmatch("[^.]+") do
    parts[#parts + 1] = part
  end
  collect(item, parts, 1, found)
  return found
end

-- A filter value as a Lua pattern: * is any text, ? any character, a backslash makes either literal.
local function pattern_of(value)
  local pattern = value:gsub("\\?[^%w%s]", function(found)
    if found == "*" then
      return ".*"
    elseif found == "?" then
      return "."
    end
    return "%" .. found:sub(-1)
  end)
  return "^" .. pattern .. "$"
end

local function any_match(texts, patterns)
  for _, text in ipairs(texts) do
    for _, pattern in ipairs(patterns) do
      if text:find(pattern) then
        return true
      end
    end
  end
  return false
end

local function tag_values(item, key)
  local found = {}
  for _, tag in ipairs(item.Tags or {}) do
    if tag.Key == key then
      found[#found + 1] = tag.Value
    end
  end
  return found
end

-- What a filter looks at in an item, or nil when the operation has no such filter.
local function subject(listed, name)
  local tag_key = name:match("^tag:(.+)$")
  if tag_key then
    return function(item) return tag_values(item, tag_key) end
  end
  local path = listed.filters[name] or (name == "tag-key" and "Tags.Key")
  return path and function(item) return texts_at(item, path) end
end

local function tests_of(ctx, listed, filters)
  local tests = {}
  for i, filter in ipairs(filters or {}) do
    local texts_of = subject(listed, filter.Name or "")
    if not texts_of then
      ctx:fail("InvalidParameterValue", ("The filter '%s' is invalid"):format(filter.Name))
    elseif #(filter.Values or {}) == 0 then
      ctx:fail("InvalidParameterValue", ("The filter '%s' has no values"):format(filter.Name))
    elseif #filter.Values > MOST_VALUES then
      ctx:fail("FilterLimitExceeded",
        ("The maximum number of filter values specified on a single call is %d"):format(MOST_VALUES))
    end
    local patterns = {}
    for j, value in ipairs(filter.Values) do
      patterns[j] = pattern_of(value)
    end
    tests[i] = function(item) return any_match(texts_of(item), patterns) end
  end
  return tests
end

local function passes(item, tests)
  for _, test in ipairs(tests) do
    if not test(item) then
      return false
    end
  end
  return true
end

-- The page that MaxResults and NextToken ask for, and the token of the next one.
local function page(ctx, listed, params, items)
  local pages, limit = listed.pages, params.MaxResults
  if not pages or not (limit or params.NextToken) then
    return items
  end
  local smallest, largest = table.unpack(pages)
  if limit and (limit < smallest or limit > largest) then
    local bound = limit < smallest and "greater than or equal to " .. smallest or "less than or equal to " .. largest
    ctx:fail("InvalidParameterValue",
      ("Value ( %d ) for parameter maxResults is invalid. Expecting a value %s."):format(limit, bound))
  elseif limit and #(params[listed.ids] or {}) > 0 then
    ctx:fail("InvalidParameterCombination",
      ("The parameter %s cannot be used with the parameter MaxResults"):format(listed.ids))
  end
  local function key(item)
    return texts_at(item, listed.key)[1]
  end
  local shown, token = paging.page(ctx, items, key, params.NextToken, limit or largest)
  if not shown then
    ctx:fail("InvalidNextToken", "The token is invalid.")
  end
  return shown, token
end

--- The answer of a Describe operation whose items, filters not yet applied, are `items` (in the order of listed.key).
function listing.answer(ctx, listed, params, items)
  local tests = tests_of(ctx, listed, params[listed.parameter or "Filters"])
  local found = {}
  for _, item in ipairs(items) do
    if passes(item, tests) then
      found[#found + 1] = item
    end
  end
  local shown, token = page(ctx, listed, params, found)
  return { [listed.output] = shown, NextToken = token }
end

return listing
