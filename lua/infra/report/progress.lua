-- What happens while a plan is applied: live on a terminal, one line per event elsewhere, JSON lines with --json.
-- Each reporter is { emit(event), close() }; events are those of engine/apply.

local json = require "host.json"
local style = require "infra.report.style"

local progress = {}

local VERBS = {
  create = { "creating", "created" }, update = { "updating", "updated" }, delete = { "deleting", "deleted" },
  forget = { "forgetting", "forgotten" },
}

local function line_of(event, paint)
  local during, after = table.unpack(VERBS[event.action])
  local symbol, colour = table.unpack(style.ACTIONS[event.action])
  if event.kind == "done" then
    return ("%s %s %s %s"):format(paint(colour, symbol), event.address, after,
      paint("dim", ("(%s) [%d/%d]"):format(style.duration(event.seconds), event.finished, event.total)))
  elseif event.kind == "failed" then
    return ("%s %s failed: %s"):format(paint("red", "✗"), event.address, tostring(event.error.message))
  elseif event.kind == "skipped" then
    return ("%s %s skipped: %s"):format(paint("yellow", "·"), event.address, event.text)
  elseif event.kind == "stopped" then
    return ("%s %s stopped"):format(paint("yellow", "·"), event.address)
  elseif event.kind == "progress" then
    return paint("dim", ("  %s %s: %s"):format(event.address, during, event.text))
  end
  return paint("dim", ("  %s %s"):format(event.address, during))
end

--- One line per event; what only says that something goes on is left out unless `verbose`.
function progress.lines(out, options)
  local paint = style.painter(options.colour)
  return {
    emit = function(event)
      if options.verbose or event.kind ~= "start" then
        out(line_of(event, paint) .. "\n")
      end
    end,
    close = function() end,
  }
end

--- One JSON object per event and line.
function progress.json(out)
  return {
    emit = function(event)
      local err = event.error and { code = event.error.code, message = tostring(event.error) }
      out(json.encode { event = event.kind, address = event.address, type = event.type, action = event.action,
        seconds = event.seconds, text = event.text, error = err, finished = event.finished, total = event.total } .. "\n")
    end,
    close = function() end,
  }
end

-- How many running things are listed under the finished ones.
local LIVE_LINES <const> = 8

--- Finished things scroll up; below them stand those under way, with what they wait for and for how long.
--- `now()`: seconds; `columns`: width of the terminal.
function progress.live(out, options)
  local paint = style.painter(options.colour)
  local running, order, drawn, total, finished = {}, {}, 0, 0, 0

  local function erase()
    return drawn > 0 and ("\27[%dA\27[J"):format(drawn) or ""
  end

  local function draw()
    local lines = {}
    for _, address in ipairs(order) do
      local entry = running[address]
      if entry and #lines < LIVE_LINES then
        local text = ("  %s %s %s"):format(entry.address, VERBS[entry.action][1],
          entry.text and "- " .. entry.text or "")
        local seconds = style.duration(options.now() - entry.since)
        lines[#lines + 1] = paint("dim", text:sub(1, math.max(20, options.columns - #seconds - 2)) .. " " .. seconds)
      end
    end
    local more = #order - #lines
    lines[#lines + 1] = ("  %d of %d done%s"):format(finished, total, more > 0 and (", %d more under way"):format(more) or "")
    drawn = #lines
    return table.concat(lines, "\n") .. "\n"
  end

  local function forget(address)
    running[address] = nil
    for i, one in ipairs(order) do
      if one == address then
        table.remove(order, i)
        return
      end
    end
  end

  local function emit(event)
    local text = erase()
    total, finished = event.total or total, event.finished or finished
    if event.kind == "start" then
      running[event.address] = { address = event.address, action = event.action, since = options.now() }
      order[#order + 1] = event.address
    elseif event.kind == "progress" then
      if running[event.address] then
        running[event.address].text = event.text
      end
    else
      forget(event.address)
      text = text .. line_of(event, paint) .. "\n"
    end
    out(text .. draw())
  end

  return {
    emit = emit,
    tick = function()
      out(erase() .. draw())
    end,
    close = function()
      out(erase())
      drawn = 0
    end,
  }
end

return progress
