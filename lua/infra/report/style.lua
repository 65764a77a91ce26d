-- Colours, widths and numbers as a terminal shows them. Used by the other reports.

local style = {}

local CODES = { red = 31, green = 32, yellow = 33, blue = 34, magenta = 35, cyan = 36, bold = 1, dim = 2 }

--- A function paint(name, text): coloured when `enabled`, plain otherwise.
function style.painter(enabled)
  return function(name, text)
    return enabled and text ~= "" and ("\27[%dm%s\27[0m"):format(CODES[name], text) or text
  end
end

--- "3.2 s", "4 min 05 s".
function style.duration(seconds)
  if seconds < 9.95 then
    return ("%.1f s"):format(seconds)
  end
  local rounded = math.floor(seconds + 0.5)
  if rounded < 60 then
    return ("%d s"):format(rounded)
  end
  return ("%d min %02d s"):format(rounded // 60, rounded % 60)
end

--- "1 resource", "2 resources".
function style.count(number, singular, plural)
  return ("%d %s"):format(number, number == 1 and singular or plural or singular .. "s")
end

--- How many columns a text without escape sequences takes.
function style.width(text)
  return utf8.len(text) or #text
end

--- `text` with spaces up to `width` columns.
function style.pad(text, width)
  return text .. (" "):rep(width - style.width(text))
end

--- `text` on one line: what would move the cursor becomes a space.
function style.flat(text)
  return (text:gsub("%c+", " "))
end

--- At most `width` columns of `text`, with "…" for what is left out. `width` nil: all of it.
function style.cut(text, width)
  if not width or style.width(text) <= width then
    return text
  end
  local keep = math.max(width - 1, 0)
  return text:sub(1, (utf8.len(text) and utf8.offset(text, keep + 1) or keep + 1) - 1) .. "…"
end

--- The keys of a table as texts, sorted.
function style.names(values)
  local names = {}
  for name in pairs(values) do
    names[#names + 1] = tostring(name)
  end
  table.sort(names)
  return names
end

--- How actions look: symbol and colour.
style.ACTIONS = {
  create = { "+", "green" }, update = { "~", "yellow" }, replace = { "±", "magenta" }, delete = { "-", "red" },
  forget = { "?", "dim" }, move = { ">", "cyan" },
}

return style
