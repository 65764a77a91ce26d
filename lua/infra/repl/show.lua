-- Values as text for people: what the REPL prints. It looks like the Lua that would make the value: tables with sorted
-- keys, on one line where they fit. Nothing in it can be a secret's value or change the state of a terminal.
--
-- A metatable has two ways to say how its tables look: __tostring is the text for one wherever it stands, __brief is
-- the text for one inside another table (alone, it is shown with all it has).

local json = require "host.json"
local reference = require "infra.engine.reference"
local visible = require "infra.report.value".visible

local INDENT <const> = "  "
local WIDTH <const> = 100 -- columns, unless the caller says otherwise
local DEPTH <const> = 8 -- levels of tables inside each other, unless the caller says otherwise
local MOST_ITEMS <const> = 200 -- of one table

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function escape(character)
  return ESCAPES[character] or character:gsub(".", function(byte)
    return ("\\x%02x"):format(byte:byte())
  end)
end

local function name_of(address, attribute)
  return ("${%s.%s}"):format(address == "" and "account" or address, attribute)
end

local function quoted(text)
  text = reference.resolve(text, name_of)
  text = text:gsub('[%c"\\]', escape):gsub("\xc2[\x80-\x9f]", escape) -- C1, as UTF-8
  if not utf8.len(text) then
    text = text:gsub("[\x80-\xff]", escape)
  end
  return '"' .. text .. '"'
end

local function key_text(key)
  if type(key) == "string" then
    return key:find "^[%a_][%w_]*$" and key or "[" .. quoted(key) .. "]"
  end
  return "[" .. tostring(key) .. "]"
end

local function key_order(a, b)
  if type(a) ~= type(b) then
    return type(a) < type(b)
  elseif type(a) == "string" or type(a) == "number" then
    return a < b
  end
  return tostring(a) < tostring(b)
end

-- The text of a value that is shown as a whole, or nil for a table to be shown by its items.
local function whole(value, level)
  if type(value) == "string" then
    return quoted(value)
  elseif type(value) ~= "table" then
    return type(value) == "function" and "function" or tostring(value)
  elseif rawget(value, "infra:digest") then -- what the state keeps of a secret
    return "(secret)"
  end
  local metatable = getmetatable(value)
  if type(metatable) ~= "table" then
    return nil
  elseif metatable.__tostring then
    return tostring(value)
  end
  return level > 0 and metatable.__brief and metatable.__brief(value) or nil
end

local render -- forward: tables nest

-- The texts of a table's items, the list's first; `view` as in render.
local function items_of(value, view, indent, level)
  local items, keys, length = {}, {}, rawlen(value)
  for key in next, value do
    if not (math.type(key) == "integer" and key >= 1 and key <= length) then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys, key_order)
  for i = 1, math.min(length, MOST_ITEMS) do
    items[i] = render(rawget(value, i), view, indent, level)
  end
  for i = 1, math.min(#keys, MOST_ITEMS - #items) do
    items[#items + 1] = key_text(keys[i]) .. " = " .. render(rawget(value, keys[i]), view, indent, level)
  end
  if length + #keys > #items then
    items[#items + 1] = ("... and %d more"):format(length + #keys - #items)
  end
  return items
end

-- `view` = { depth, width, inside = set of the tables around the value }.
function render(value, view, indent, level)
  local text = whole(value, level)
  if text then
    return text
  elseif view.inside[value] then
    return "(cycle)"
  elseif next(value) == nil then
    return "{}"
  elseif level >= view.depth then
    return "{...}"
  end
  view.inside[value] = true
  local items = items_of(value, view, indent .. INDENT, level + 1)
  view.inside[value] = nil
  local line = "{ " .. table.concat(items, ", ") .. " }"
  if #indent + #line <= view.width and not line:find("\n", 1, true) then
    return line
  end
  local separator = ",\n" .. indent .. INDENT
  return "{\n" .. indent .. INDENT .. table.concat(items, separator) .. ",\n" .. indent .. "}"
end

local show = {}

--- The text for any value. options: depth = levels of tables, width = columns.
function show.text(value, options)
  options = options or {}
  return render(value, { depth = options.depth or DEPTH, width = options.width or WIDTH, inside = {} }, "", 0)
end

--- `value` as JSON, with references and secrets as their text; options as for json.encode.
function show.json(value, options)
  return json.encode(visible(reference.resolve(value, name_of)), options)
end

return show
