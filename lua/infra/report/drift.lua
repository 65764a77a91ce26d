-- What changed in AWS behind the stack's back, as text and as data. Used by `infra drift`, on what Deployment:drift
-- returns.

local difference = require "infra.report.difference"
local json = require "host.json"
local style = require "infra.report.style"
local value = require "infra.report.value"

local report = {}

local SYMBOLS = { changed = { "~", "yellow" }, gone = { "-", "red" }, unfinished = { "?", "magenta" } }
local MEANING = {
  changed = "", gone = "it no longer exists", unfinished = "a run did not finish it; the next one settles it",
}

local function is_drift(entry)
  return entry.status ~= "same"
end

local function counts_of(entries)
  local counts = { same = 0, changed = 0, gone = 0, unfinished = 0 }
  for _, entry in ipairs(entries) do
    counts[entry.status] = counts[entry.status] + 1
  end
  return counts
end

local function summary(counts)
  local parts = {}
  for _, status in ipairs { "changed", "gone", "unfinished" } do
    if counts[status] > 0 then
      parts[#parts + 1] = ("%d %s"):format(counts[status], status)
    end
  end
  return ("%s; %d as recorded"):format(#parts > 0 and table.concat(parts, ", ") or "none", counts.same)
end

--- True when anything is not as recorded.
function report.found(entries)
  for _, entry in ipairs(entries) do
    if is_drift(entry) then
      return true
    end
  end
  return false
end

--- Drift as text; options as for report/plan.
function report.text(entries, options)
  local paint = style.painter(options.colour)
  local lines = {}
  local function add(line)
    lines[#lines + 1] = line
  end
  local width = 0
  for _, entry in ipairs(entries) do
    width = is_drift(entry) and math.max(width, style.width(entry.address)) or width
  end
  for _, entry in ipairs(entries) do
    if is_drift(entry) then
      local symbol, colour = table.unpack(SYMBOLS[entry.status])
      local meaning = MEANING[entry.status]
      local remark = meaning ~= "" and "  (" .. meaning .. ")" or ""
      add(("%s %s  %s"):format(paint(colour, symbol), style.pad(entry.address, width),
        paint("dim", style.beside(entry.type, remark, options.width and options.width - width - #"~ " - #"  "))))
      for _, one in ipairs(entry.changes) do
        difference.lines(one.name, one.recorded, one.live, {
          indent = "    ", paint = paint, width = options.width,
        }, add)
      end
    end
  end
  add(("%sDrift: %s"):format(#lines > 0 and "\n" or "", #entries > 0 and summary(counts_of(entries)) or
    "nothing is recorded that could have changed"))
  return table.concat(lines, "\n") .. "\n"
end

--- Drift as data for JSON: only what is not as recorded, and counts.
function report.data(stack, entries)
  local drifted = json.array {}
  for _, entry in ipairs(entries) do
    if is_drift(entry) then
      local changes = json.array {}
      for i, one in ipairs(entry.changes) do
        changes[i] = { name = one.name, recorded = value.visible(one.recorded), live = value.visible(one.live) }
      end
      drifted[#drifted + 1] = { address = entry.address, type = entry.type, status = entry.status, changes = changes }
    end
  end
  return { stack = stack, counts = counts_of(entries), drift = drifted }
end

return report
