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

--- options: colour; now() in seconds; size() -> columns, rows of the terminal, asked for at every drawing.
return function(out, options)
  local paint = style.painter(options.colour)
  local running = {} -- array, in the order of beginning: { address, event, since, expected }
  local drawn, total, finished = 0, nil, 0

  -- Nothing may be wider than the terminal: a wrapped line would be two, and `drawn` wrong.
  local function status_line(entry, columns)
    local time = style.duration(options.now() - entry.since)
    local text = ("  %s %s"):format(entry.address, progress.doing(entry.event))
    if (entry.expected or 0) >= WORTH_TELLING then
      local whole = ("%s  %s of about %s"):format(text, time, style.duration(entry.expected))
      if style.width(whole) < columns then
        return paint("dim", whole)
      end
    end
    return paint("dim", ("%s  %s"):format(style.cut(text, columns - #time - 3), time))
  end

  local function live_lines()
    local columns, rows = options.size()
    local lines, most = {}, math.max(1, math.min(MOST_LINES, rows - 3))
    for i = 1, math.min(most, #running) do
      lines[i] = status_line(running[i], columns)
    end
    local more = #running - #lines
    local text = total and ("  %d of %d done"):format(finished, total) or "  starting"
    lines[#lines + 1] = style.cut(text .. (more > 0 and (", %d more under way"):format(more) or ""), columns - 1)
    return lines
  end

  -- Writes over the old lines, one write for all, so that nothing flickers.
  local function draw(above)
    local lines = live_lines()
    local text = { drawn > 0 and UP:format(drawn) or "" }
    if above then
      text[#text + 1] = above .. CLEAR_LINE_END .. "\n"
    end
    for _, line in ipairs(lines) do
      text[#text + 1] = line .. CLEAR_LINE_END .. "\n"
    end
    text[#text + 1] = CLEAR_BELOW
    drawn = #lines
    out(table.concat(text))
  end

  local function entry_of(address)
    for i, entry in ipairs(running) do
      if entry.address == address then
        return entry, i
      end
    end
  end

  local reporter = {}

  function reporter.emit(event)
    total, finished = event.total or total, event.finished or finished
    local entry, index = entry_of(event.address)
    if progress.is_end(event) then
      if entry then
        table.remove(running, index)
      end
      return draw(progress.line(event, paint))
    elseif entry then
      entry.event = event
    else
      running[#running + 1] = { address = event.address, event = event, since = options.now(),
        expected = event.expected }
    end
    draw()
  end

  function reporter.note(text)
    draw(text)
  end

  --- The seconds go on.
  function reporter.tick()
    draw()
  end

  function reporter.close()
    out((drawn > 0 and UP:format(drawn) or "") .. CLEAR_BELOW)
    drawn = 0
  end

  return reporter
end
