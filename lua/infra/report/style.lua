-- Colours and numbers as a terminal shows them. Used by the other reports.

local style = {}

local CODES = { red = 31, green = 32, yellow = 33, blue = 34, magenta = 35, cyan = 36, bold = 1, dim = 2 }

--- A function paint(name, text): coloured when `enabled`, plain otherwise.
function style.painter(enabled)
  return function(name, text)
    return enabled and ("\27[%dm%s\27[0m"):format(CODES[name], text) or text
  end
end

--- "3.2 s", "4 min 05 s".
function style.duration(seconds)
  if seconds < 10 then
    return ("%.1f s"):format(seconds)
  elseif seconds < 60 then
    return ("%d s"):format(math.floor(seconds + 0.5))
  end
  local rounded = math.floor(seconds + 0.5)
  return ("%d min %02d s"):format(rounded // 60, rounded % 60)
end

--- "1 resource", "2 resources".
function style.count(number, singular, plural)
  return ("%d %s"):format(number, number == 1 and singular or plural or singular .. "s")
end

--- How actions look: symbol and colour.
style.ACTIONS = {
  create = { "+", "green" }, update = { "~", "yellow" }, replace = { "±", "magenta" }, delete = { "-", "red" },
  forget = { "?", "dim" }, none = { " ", "dim" },
}

return style
