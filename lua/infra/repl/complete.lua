-- What Tab offers: commands, names that lead somewhere (aws.ec2.Desc, stack.resources["net), parameters of operations
-- (aws.ec2.DescribeVpcs { Fil). Used by infra.repl through host.tty's completer.
--
-- Only looking things up, never calling: a field is read where that is a plain table's, or where the metatable has
-- __names, the function that lists the fields of tables that make them when asked.

local set_of = require "infra.set_of"

local complete = {}

local function metatable_of(value)
  local metatable = getmetatable(value)
  return type(metatable) == "table" and metatable or {}
end

local function get(value, key)
  if type(value) == "string" then
    return string[key]
  elseif type(value) ~= "table" then
    return nil
  end
  local found, metatable = rawget(value, key), metatable_of(value)
  if found == nil and metatable.__names then
    local ok, result = pcall(function()
      return value[key]
    end)
    return ok and result or nil
  elseif found == nil and type(metatable.__index) == "table" then
    return get(metatable.__index, key)
  end
  return found
end

-- The names of the fields of `value` that are strings, as a set.
local function names_of(value, into)
  into = into or {}
  if type(value) == "string" then
    return names_of(string, into)
  elseif type(value) ~= "table" then
    return into
  end
  local metatable = metatable_of(value)
  if metatable.__names then
    for _, name in ipairs(metatable.__names(value)) do
      into[name] = true
    end
  elseif type(metatable.__index) == "table" then
    names_of(metatable.__index, into)
  end
  for name in next, value do
    if type(name) == "string" then
      into[name] = true
    end
  end
  return into
end

local IDENTIFIER <const> = "^[%a_][%w_]*$"

-- Those of the set `names` that start with `beginning`, sorted; with `pattern` only what matches it.
local function starting_with(names, beginning, pattern)
  local words = {}
  for name in pairs(names) do
    if name:sub(1, #beginning) == beginning and name:find(pattern or "") then
      words[#words + 1] = name
    end
  end
  table.sort(words)
  return words
end

local STEPS = { "^[.:]([%a_][%w_]*)()", '^%["([^"]*)"%]()', "^%[(%d+)%]()" }

-- The key of the step that `text` has at byte `at`, and the byte behind it; nil when nothing follows it: it may go on.
local function step(text, at)
  for _, pattern in ipairs(STEPS) do
    local key, after = text:match(pattern, at)
    if key and after <= #text then
      return math.tointeger(tonumber(key)) or key, after
    end
  end
end

-- Goes along the path that `text` has from byte `at` to its end. Returns the table in which the last, unfinished name
-- is looked for, the byte where that name begins, and whether it is in brackets; or nil when there is no path.
local function follow(text, at, environment)
  local name, following = text:match("^([%a_][%w_]*)()", at)
  if following > #text then
    return environment, at
  end
  local value = get(environment, name)
  local key, after = step(text, following)
  while key do
    value, following = get(value, key), after
    key, after = step(text, following)
  end
  local start = text:match("^[.:]()[%w_]*$", following)
  if start then
    return value, start
  end
  start = text:match('^%["()[^"]*$', following)
  return start and value, start, true
end

-- Follows the longest path that ends the text.
local function last_path(text, environment)
  if text:find "^%s*$" then
    return environment, #text + 1
  end
  for start in text:gmatch "()%f[%w_][%a_]" do
    if not text:sub(start - 1, start - 1):find "[.:]" then
      local value, name_start, in_brackets = follow(text, start, environment)
      if name_start then
        return value, name_start, in_brackets
      end
    end
  end
end

-- Inside the braces of a call: the parameters of what is called, where one may begin.
local function parameters(text, environment)
  local path, inside = text:match '([%a_][%w_.%["%]]*)%s*%(?%s*{([^{}]*)$'
  local start = inside and (inside:match "^%s*()[%w_]*$" or inside:match "[,;]%s*()[%w_]*$")
  local called = start and follow(path .. ".", 1, environment)
  if type(called) == "table" and metatable_of(called).__call then
    start = start + #text - #inside
    return starting_with(names_of(called), text:sub(start)), start
  end
end

local function of_command(text, commands)
  local beginning = text:match "^:(%a*)$"
  if beginning then
    local names = {}
    for name in pairs(commands) do
      names[name] = true
    end
    return starting_with(names, beginning), 2
  end
  local name, start, argument = text:match "^:(%a+)%s+()(%S*)$"
  local command = name and commands[name]
  local names = set_of(command and command.words and command.words())
  return starting_with(names, argument or ""), start
end

--- What can stand for the end of `text` (up to the cursor): array of words, and the byte that they begin at.
--- `environment`: the statements' globals; `commands`: name -> { words() = what its argument can be, or nil }.
function complete.words(text, environment, commands)
  if text:find "^:" then
    return of_command(text, commands)
  end
  local words, start = parameters(text, environment)
  if words then
    return words, start
  end
  local value, name_start, in_brackets = last_path(text, environment)
  if not name_start then
    return {}, #text + 1
  end
  words = starting_with(names_of(value), text:sub(name_start), not in_brackets and IDENTIFIER or nil)
  if in_brackets and #words == 1 then
    words[1] = words[1] .. '"]'
  end
  return words, name_start
end

return complete
