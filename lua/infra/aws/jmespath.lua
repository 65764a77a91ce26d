-- JMESPath (jmespath.org), as much of it as AWS's waiters use to look into an answer: members, indexes, projections
-- ([], [*], .*, [?...]), comparisons, ||, &&, !, literals and length(). Used by infra.aws.waiters.
--
-- An expression becomes a function of the value that it looks into. JMESPath's null is nil, also for an argument that a
-- function does not take: a waiter then sees no match, where the standard has an error.

local errors = require "infra.errors"
local json = require "host.json"
local shapes = require "infra.aws.protocols.shapes"

local jmespath = {}

-- How tightly what follows an expression binds to it; the standard's own order. What binds less than STOP ends a
-- projection: what comes after applies to its result as a whole.
local POWER = {
  ["||"] = 2, ["&&"] = 3, ["=="] = 5, ["!="] = 5, ["<"] = 5, [">"] = 5, ["<="] = 5, [">="] = 5, ["[]"] = 9,
  ["[?"] = 21, ["."] = 40, ["[*]"] = 55, index = 55,
}
local STOP <const> = 10
local STAR_POWER <const> = 20
local NOT_POWER <const> = 45

-- -- text to tokens { kind, value } -----------------------------------------------------------------------------------

local PATTERNS = {
  { "^%s+" }, { "^([%a_][%w_]*)", "name" }, { '^"([^"]*)"', "name" }, { "^'([^']*)'", "text" },
  { "^`([^`]*)`", "json" }, { "^%[(%-?%d+)%]", "index" },
}
local SYMBOLS = {
  "[*]", "[]", "[?", "||", "&&", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "]", ".", "*", ",", "@",
}

local function refuse(tokens)
  errors.raise { code = "Unsupported", message = "cannot read the expression " .. tokens.text }
end

local function next_token(text, at)
  for _, entry in ipairs(PATTERNS) do
    local from, to, value = text:find(entry[1], at)
    if from then
      return { kind = entry[2], value = value }, to + 1
    end
  end
  for _, symbol in ipairs(SYMBOLS) do
    if text:sub(at, at + #symbol - 1) == symbol then
      return { kind = symbol }, at + #symbol
    end
  end
  refuse { text = text }
end

local function tokens_of(text)
  local tokens, at = { text = text, next = 1 }, 1
  while at <= #text do
    local token, following = next_token(text, at)
    tokens[#tokens + 1] = token.kind and token
    at = following
  end
  return tokens
end

local function peek(tokens)
  local token = tokens[tokens.next]
  return token and token.kind
end

-- The value of the next token, which has to be a `kind`.
local function take(tokens, kind)
  local token = tokens[tokens.next]
  if not token or kind and token.kind ~= kind then
    refuse(tokens)
  end
  tokens.next = tokens.next + 1
  return token.value, token.kind
end

-- -- what expressions do ----------------------------------------------------------------------------------------------

local function is_true(value)
  return not (value == nil or value == false or value == "" or type(value) == "table" and next(value) == nil)
end

local function same(value)
  return value
end

local function constant(value)
  return function()
    return value
  end
end

local function member(name)
  return function(value)
    if type(value) == "table" then
      return value[name]
    end
  end
end

local function element(index)
  return function(list)
    return type(list) == "table" and list[index < 0 and #list + 1 + index or index + 1] or nil
  end
end

-- `to` of every item of the list that `items` makes of a value; an item of which that is nil is left out.
local function projection(items, to)
  return function(value)
    local list, result = items(value), {}
    for _, item in ipairs(list or {}) do
      result[#result + 1] = to(item)
    end
    return list and result
  end
end

local function list_of(value)
  return type(value) == "table" and value or nil
end

local function values_of(value)
  local result = {}
  for _, item in shapes.sorted(list_of(value) or {}) do
    result[#result + 1] = item
  end
  return list_of(value) and result
end

-- Lists inside a list become part of it.
local function flattened(value)
  local result = {}
  for _, item in ipairs(list_of(value) or {}) do
    if type(item) == "table" and (#item > 0 or json.is_array(item)) then
      table.move(item, 1, #item, #result + 1, result)
    else
      result[#result + 1] = item
    end
  end
  return list_of(value) and result
end

local function ordered(fits)
  return function(a, b)
    if type(a) == "number" and type(b) == "number" then
      return fits(a, b)
    end
  end
end

local OPERATORS = {
  ["=="] = function(a, b) return a == b end,
  ["!="] = function(a, b) return a ~= b end,
  ["<"] = ordered(function(a, b) return a < b end),
  [">"] = ordered(function(a, b) return a > b end),
  ["<="] = ordered(function(a, b) return a <= b end),
  [">="] = ordered(function(a, b) return a >= b end),
  ["||"] = function(a, b)
    if is_true(a) then
      return a
    end
    return b
  end,
  ["&&"] = function(a, b)
    if is_true(a) then
      return b
    end
    return a
  end,
}

local function length(value)
  return type(value) == "string" and utf8.len(value) or type(value) == "table" and #value or nil
end

-- -- tokens to functions ----------------------------------------------------------------------------------------------

local expression

-- What is done with every item of a projection.
local function projected(tokens, power)
  local following = peek(tokens)
  if not following or (POWER[following] or 0) < STOP then
    return same
  elseif following == "." then
    take(tokens)
  end
  return expression(tokens, power)
end

-- What may follow an expression, and stand alone where it means the value itself: of `left`.
local FOLLOWING = {
  index = function(_, left, value)
    local found = element(math.tointeger(value))
    return function(root) return found(left(root)) end
  end,
  ["[]"] = function(tokens, left)
    return projection(function(root) return flattened(left(root)) end, projected(tokens, POWER["[]"]))
  end,
  ["[*]"] = function(tokens, left)
    return projection(function(root) return list_of(left(root)) end, projected(tokens, STAR_POWER))
  end,
  ["[?"] = function(tokens, left)
    local condition = expression(tokens, 0)
    take(tokens, "]")
    local chosen = projection(function(root) return list_of(left(root)) end, function(item)
      return is_true(condition(item)) and item or nil
    end)
    return projection(chosen, projected(tokens, POWER["[?"]))
  end,
  ["."] = function(tokens, left)
    local right = expression(tokens, POWER["."])
    return function(root) return right(left(root)) end
  end,
}
for symbol, operator in pairs(OPERATORS) do
  FOLLOWING[symbol] = function(tokens, left)
    local right = expression(tokens, POWER[symbol])
    return function(root) return operator(left(root), right(root)) end
  end
end

local function call(tokens, name)
  if name ~= "length" then
    refuse(tokens)
  end
  take(tokens, "(")
  local argument = expression(tokens, 0)
  take(tokens, ")")
  return function(root) return length(argument(root)) end
end

local BEGINNING = {
  name = function(tokens, name)
    return peek(tokens) == "(" and call(tokens, name) or member(name)
  end,
  text = function(_, text)
    return constant(text)
  end,
  json = function(_, text)
    local value = json.decode(text)
    return constant(value ~= json.null and value or nil)
  end,
  ["@"] = function()
    return same
  end,
  ["*"] = function(tokens)
    return projection(values_of, projected(tokens, STAR_POWER))
  end,
  ["!"] = function(tokens)
    local negated = expression(tokens, NOT_POWER)
    return function(root) return not is_true(negated(root)) end
  end,
  ["("] = function(tokens)
    local inner = expression(tokens, 0)
    take(tokens, ")")
    return inner
  end,
}
for _, kind in ipairs { "index", "[]", "[*]", "[?" } do
  BEGINNING[kind] = function(tokens, value)
    return FOLLOWING[kind](tokens, same, value)
  end
end

function expression(tokens, power)
  local value, kind = take(tokens)
  local begin = BEGINNING[kind]
  if not begin then
    refuse(tokens)
  end
  local left = begin(tokens, value)
  while (POWER[peek(tokens)] or 0) > power do
    value, kind = take(tokens)
    left = FOLLOWING[kind](tokens, left, value)
  end
  return left
end

local function compile(text)
  local tokens = tokens_of(text)
  local result = expression(tokens, 0)
  if peek(tokens) then
    refuse(tokens)
  end
  return result
end

--- The expression as a function(value) -> value | nil; or nil and an error, code "Unsupported".
function jmespath.compile(text)
  local ok, result = pcall(compile, text)
  if ok then
    return result
  elseif not errors.is(result) then
    error(result, 0)
  end
  return nil, result
end

return jmespath
