-- What happens while a plan is applied: one line per event, or JSON lines; report/live does it for terminals. Each
-- reporter is { emit(event), note(text), close() }; events are those of engine/apply, a note is something that the tool
-- itself has to say meanwhile. Used by cli/change.

local json = require "host.json"
local style = require "infra.report.style"

local progress = {}

local VERBS = {
  create = { "creating", "created" }, update = { "updating", "updated" }, delete = { "deleting", "deleted" },
  forget = { "forgetting", "forgotten" },
}

--- What goes on, without colours: "creating: waiting until it is available".
function progress.doing(event)
  local verb = VERBS[event.action][1]
  return event.text and verb .. ": " .. style.flat(event.text) or verb
end

-- What went wrong, as AWS says it; the resource is named already.
local function reason(err)
  local call = err.operation and ("%s %s: "):format(err.service or "", err.operation) or ""
  local code = err.service and err.code .. ": " or ""
  return style.flat(call .. code .. err.message)
end

--- Whether the event is the last one about its step.
function progress.is_end(event)
  return event.kind ~= "start" and event.kind ~= "progress"
end

local OUTCOMES = {
  failed = function(event) return "✗", "red", "failed: " .. reason(event.error) end,
  skipped = function(event) return "·", "yellow", "skipped: " .. event.text end,
  stopped = function() return "·", "yellow", "stopped" end,
}

--- The line about an event: what ended comes with its number among all steps, what goes on without.
function progress.line(event, paint)
  local total = tostring(event.total or "")
  local number = event.finished and ("%" .. #total .. "d/%s "):format(event.finished, total) or ""
  if event.kind == "done" then
    local symbol, colour = table.unpack(style.ACTIONS[event.action])
    return ("%s%s %s %s"):format(paint("dim", number), paint(colour, symbol), event.address,
      paint("dim", ("%s in %s"):format(VERBS[event.action][2], style.duration(event.seconds))))
  elseif OUTCOMES[event.kind] then
    local symbol, colour, text = OUTCOMES[event.kind](event)
    return ("%s%s %s %s"):format(paint("dim", number), paint(colour, symbol), event.address, text)
  end
  return paint("dim", ("  %s %s"):format(event.address, progress.doing(event)))
end

--- One line per event; what begins only with `verbose`, what is being waited for only when it is something new.
function progress.lines(out, options)
  local paint = style.painter(options.colour)
  local said = {} -- address -> the last text about what goes on
  return {
    emit = function(event)
      local is_news = event.kind ~= "progress" or said[event.address] ~= event.text
      said[event.address] = event.text
      if is_news and (options.verbose or event.kind ~= "start") then
        out(progress.line(event, paint) .. "\n")
      end
    end,
    note = function(text)
      out(text .. "\n")
    end,
    close = function() end,
  }
end

--- One JSON object per event and line.
function progress.json(out)
  local function write(object)
    out(json.encode(object) .. "\n")
  end
  return {
    emit = function(event)
      local err = event.error
      write { event = event.kind, address = event.address, type = event.type, action = event.action,
        seconds = event.seconds, text = event.text, finished = event.finished, total = event.total,
        error = err and { code = err.code, message = tostring(err), request_id = err.request_id } }
    end,
    note = function(text)
      write { event = "note", text = text }
    end,
    close = function() end,
  }
end

return progress
