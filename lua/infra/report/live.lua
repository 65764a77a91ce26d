-- Progress on a terminal: what has ended scrolls up; below it stands what is under way, for how long and waiting for
-- what. Used by cli/change; the interface is that of report/progress.

local progress = require "infra.report.progress"
local style = require "infra.report.style"

-- Lines for what is under way, where the terminal is high enough.
local MOST_LINES <const> = 10

-- From how many seconds on it is said how long something usually takes, where there is room: what is being waited for
-- says more.
local WORTH_TELLING <const> = 10

-- The first goes up from wherever in its line the cursor is: a Ctrl-C leaves "^C" there.
local UP, CLEAR_LINE_END, CLEAR_BELOW = "\r\27[%dA", "\27[K", "\27[J"

-- A `view` is { out, paint, now, size, running = array, in the order of beginning, of { address, event, since,
-- expected }, drawn = number of lines below, total, finished = numbers of steps }.

-- Nothing may be wider than the terminal: a wrapped line would be two, and `drawn` wrong.
local function status_line(view, entry, columns)
  local time = style.duration(view.now() - entry.since)
  local text = ("  %s %s"):format(entry.address, progress.doing(entry.event))
  if (entry.expected or 0) >= WORTH_TELLING then
    local whole = ("%s  %s of about %s"):format(text, time, style.duration(entry.expected))
    if style.width(whole) < columns then
      return view.paint("dim", whole)
    end
  end
  return view.paint("dim", ("%s  %s"):format(style.cut(text, columns - #time - 3), time))
end

local function live_lines(view)
  local columns, rows = view.size()
  local lines, most = {}, math.max(1, math.min(MOST_LINES, rows - 3))
  for i = 1, math.min(most, #view.running) do
    lines[i] = status_line(view, view.running[i], columns)
  end
  local more = #view.running - #lines
  local text = view.total and ("  %d of %d done"):format(view.finished, view.total) or "  starting"
  lines[#lines + 1] = style.cut(text .. (more > 0 and (", %d more under way"):format(more) or ""), columns - 1)
  return lines
end

local function to_first_line(view)
  return view.drawn > 0 and UP:format(view.drawn) or ""
end

-- Writes over the old lines, one write for all, so that nothing flickers.
local function draw(view, above)
  local lines = live_lines(view)
  local text = { to_first_line(view) }
  if above then
    text[#text + 1] = above .. CLEAR_LINE_END .. "\n"
  end
  for _, line in ipairs(lines) do
    text[#text + 1] = line .. CLEAR_LINE_END .. "\n"
  end
  text[#text + 1] = CLEAR_BELOW
  view.drawn = #lines
  view.out(table.concat(text))
end

local function entry_of(running, address)
  for i, entry in ipairs(running) do
    if entry.address == address then
      return entry, i
    end
  end
end

local function emit(view, event)
  view.total, view.finished = event.total or view.total, event.finished or view.finished
  local entry, index = entry_of(view.running, event.address)
  if progress.is_end(event) then
    if entry then
      table.remove(view.running, index)
    end
    return draw(view, progress.line(event, view.paint))
  elseif event.lasting then
    return draw(view, progress.line(event, view.paint))
  elseif entry then
    entry.event = event
  else
    table.insert(view.running, { address = event.address, event = event, since = view.now(),
      expected = event.expected })
  end
  draw(view)
end

--- options: colour; now() in seconds; size() -> columns, rows of the terminal, asked for at every drawing.
return function(out, options)
  local view = { out = out, paint = style.painter(options.colour), now = options.now, size = options.size, running = {},
    drawn = 0, total = nil, finished = 0 }
  return {
    emit = function(event) emit(view, event) end,
    note = function(text) draw(view, text) end,
    --- The seconds go on.
    tick = function() draw(view) end,
    close = function()
      out(to_first_line(view) .. CLEAR_BELOW)
      view.drawn = 0
    end,
  }
end
