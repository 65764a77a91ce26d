-- In which of their smallest parts two values differ, and lines of text about that. Used by the reports on plans and
-- drift.

local json = require "host.json"
local reference = require "infra.engine.reference"
local style = require "infra.report.style"
local value = require "infra.report.value"

local difference = {}

local KEPT_PREFIX <const> = 16 -- characters of what two long texts have in common before they differ
local ONE_LINE <const> = 120 -- columns: longer pairs of values stand on two lines, however wide the terminal

local function is_list(item)
  return type(item) == "table" and (json.is_array(item) or #item > 0)
end

local function is_structure(item)
  return type(item) == "table" and not is_list(item) and not reference.is_deferred(item) and not value.digest(item)
    and next(item) ~= nil
end

local function same(before, after)
  return value.text(before) == value.text(after) and value.digest(before) == value.digest(after)
end

-- The items of the first list that the second lacks: { { index =, item = }, ... }.
local function missing_from(list, other)
  local count = {}
  for _, item in ipairs(other) do
    local text = value.text(item)
    count[text] = (count[text] or 0) + 1
  end
  local missing = {}
  for i, item in ipairs(list) do
    local text = value.text(item)
    if (count[text] or 0) > 0 then
      count[text] = count[text] - 1
    else
      missing[#missing + 1] = { index = i, item = item }
    end
  end
  return missing
end

-- Items that only one of the lists has. As many on both sides are the same items, changed; otherwise those in the same
-- place are.
local function list_leaves(path, before, after, visit)
  local gone, new = missing_from(before, after), missing_from(after, before)
  if #gone == 0 and #new == 0 and not same(before, after) then
    return visit(path .. " (order)", before, after)
  end
  local old = {}
  for i, one in ipairs(gone) do
    old[#gone == #new and new[i].index or one.index] = one
  end
  for _, one in ipairs(new) do
    local earlier = old[one.index]
    old[one.index] = nil
    difference.leaves(("%s[%d]"):format(path, one.index), earlier and earlier.item, one.item, visit)
  end
  for _, one in ipairs(gone) do
    if old[one.index] == one then
      visit(("%s[%d]"):format(path, one.index), one.item, nil)
    end
  end
end

local function structure_leaves(path, before, after, visit)
  local both = {}
  for _, side in ipairs { before, after } do
    for name in pairs(side) do
      both[name] = true
    end
  end
  for _, name in ipairs(style.names(both)) do
    difference.leaves(path .. "." .. name, before[name], after[name], visit)
  end
end

--- Calls visit(path, before, after) for each of the smallest parts in which two values differ; nil for what one side
--- does not have. Secrets must come as digests.
function difference.leaves(path, before, after, visit)
  if is_list(before) and is_list(after) then
    list_leaves(path, before, after, visit)
  elseif is_structure(before) and is_structure(after) then
    structure_leaves(path, before, after, visit)
  elseif not same(before, after) then
    visit(path, before, after)
  end
end

-- Two texts that are too long for `width`, from shortly before the place where they differ.
local function without_common_start(before, after, width)
  if style.width(before) <= width and style.width(after) <= width then
    return before, after
  end
  local start = 1
  while start <= #before and before:byte(start) == after:byte(start) do
    start = start + 1
  end
  start = start - KEPT_PREFIX
  while start > 1 and (before:byte(start) or 0) & 0xC0 == 0x80 do -- not inside a character
    start = start - 1
  end
  if start <= 1 then
    return before, after
  end
  return "…" .. before:sub(start), "…" .. after:sub(start)
end

--- Calls add(line) for each line about the differences of two values. options: indent, paint (style.painter), width
--- (nil: lines as long as they get), note = text behind each part.
function difference.lines(path, before, after, options, add)
  local paint, width = options.paint, options.width or math.huge
  local note = options.note and "  (" .. options.note .. ")" or ""
  local function line(indent, colour, symbol, text, more)
    local limit = width - #indent - 2 - style.width(more)
    add(indent .. paint(colour, symbol) .. " " .. style.cut(text, limit) .. paint("magenta", more))
  end
  difference.leaves(path, before, after, function(where, old, new)
    local old_text = value.text(old)
    local new_text = value.digest(old) and value.digest(new) and "(another secret)" or value.text(new)
    local indent = options.indent
    if old == nil then
      line(indent, "green", "+", where .. ": " .. new_text, note)
    elseif new == nil then
      line(indent, "red", "-", where .. ": " .. old_text, note)
    else
      local short = ("%s: %s → %s"):format(where, old_text, new_text)
      if #indent + 2 + style.width(short .. note) <= math.min(width, ONE_LINE) then
        line(indent, "yellow", "~", short, note)
      else
        indent = indent .. "    "
        old_text, new_text = without_common_start(old_text, new_text, width - #indent - 2)
        line(options.indent, "yellow", "~", where, note)
        line(indent, "red", "-", old_text, "")
        line(indent, "green", "+", new_text, "")
      end
    end
  end)
end

return difference
