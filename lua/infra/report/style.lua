-- Colours, widths and numbers as a terminal shows them. Used by the other reports.

local style = {}

local CODES = { red = 31, green = 32, yellow = 33, blue = 34, magenta = 35, cyan = 36, bold = 1, dim = 2 }

local SHORTEST <const> = 12 -- columns of a text that makes room for a remark

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

--- `text` and a remark about it, which begins at `column` (nil: right behind it) as long as both fit into `room`
--- columns (nil: any number). Otherwise of `text` only its beginning is left: a remark is never cut.
function style.beside(text, remark, room, column)
  local whole = (remark ~= "" and style.pad(text, column or 0) or text) .. remark
  if not room or style.width(whole) <= room then
    return whole
  end
  return style.cut(text, math.max(room - style.width(remark), SHORTEST)) .. remark
end

--- Lines of `text`, broken between words where they would be wider than `width` columns (nil: only at its own line
--- ends). The first starts with `first`, the others with `indent`.
function style.wrap(text, first, indent, width)
  local lines, start = {}, first
  for paragraph in (text .. "\n"):gmatch "(.-)\n" do
    local line = start
    for word in paragraph:gmatch "%S+" do
      if width and line ~= start and style.width(line) + style.width(word) + 1 > width then
        lines[#lines + 1] = line
        line, start = indent, indent
      end
      line = line == start and line .. word or line .. " " .. word
    end
    lines[#lines + 1] = line:gsub("%s+$", "")
    start = indent
  end
  return lines
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
