-- What the state records, as lines of text. Used by `infra state`; rows as state/store gives them, with all columns of
-- JSON decoded.

local clock = require "host.clock"
local columns = require "infra.report.columns"
local style = require "infra.report.style"
local value = require "infra.report.value"

local report = {}

local function time(seconds)
  return clock.format_utc(seconds, "%Y-%m-%d %H:%M:%S")
end

-- "create=2 delete=1" of { create = 2, delete = 1 }.
local function pairs_of(values)
  local texts = {}
  for i, name in ipairs(style.names(values)) do
    local item = values[name]
    texts[i] = name .. "=" .. (type(item) == "string" and item or value.text(item))
  end
  return table.concat(texts, " ")
end

--- A line for each resource, what matters most first. `layout`, here and below: colour, and width, to which only this
--- list is cut.
function report.list(resources, layout)
  local rows = {}
  for i, one in ipairs(resources) do
    rows[i] = { one.address, one.status, one.type, pairs_of(one.identity or {}) }
  end
  return columns(rows, { titles = { "ADDRESS", "STATUS", "TYPE", "IDENTITY" }, colour = layout.colour,
    width = layout.width })
end

local FACTS = { "type", "status", "region", "account", "source", "run" }
local TABLES = { "identity", "properties", "attributes", "options" }

local function describe(row, paint, add)
  local function fact(name, text)
    add(("  %s  %s"):format(paint("dim", style.pad(name, 8)), text))
  end
  add(paint("bold", row.address))
  for _, name in ipairs(FACTS) do
    fact(name, row[name])
  end
  fact("updated", time(row.updated_at) .. " UTC")
  fact("needs", #row.dependencies > 0 and table.concat(row.dependencies, ", ") or "nothing")
  for _, name in ipairs(TABLES) do
    if next(row[name] or {}) then
      add("  " .. paint("dim", name))
      for _, key in ipairs(style.names(row[name])) do
        add(("    %s: %s"):format(key, value.text(row[name][key])))
      end
    end
  end
end

--- Everything about the rows, which are the generations of one resource.
function report.show(rows, layout)
  local lines = {}
  for _, row in ipairs(rows) do
    describe(row, style.painter(layout.colour), function(line)
      lines[#lines + 1] = line
    end)
  end
  return lines
end

local function detail_of(detail)
  if detail.error then
    return ("%s: %s"):format(detail.error, detail.message)
  end
  return detail.from and "from " .. detail.from or detail.reason or table.concat(detail.changed or {}, ", ")
end

--- A line for each history entry.
function report.history(entries, layout)
  local rows = {}
  for i, row in ipairs(entries) do
    rows[i] = { time(row.at), tostring(row.run), row.action, row.address, row.outcome, style.duration(row.seconds),
      detail_of(row.detail) }
  end
  return columns(rows, { titles = { "TIME (UTC)", "RUN", "ACTION", "ADDRESS", "OUTCOME", "TOOK", "DETAIL" },
    colour = layout.colour })
end

-- "create=46 failed=1" of a run's summary.
local function counts_of(result)
  local counts = {}
  for action, count in pairs(result.done or {}) do
    counts[action] = count
  end
  for _, name in ipairs { "failed", "skipped" } do
    counts[name] = result[name] ~= 0 and result[name] or nil
  end
  return pairs_of(counts)
end

--- A line for each run.
function report.runs(entries, layout)
  local rows = {}
  for i, row in ipairs(entries) do
    rows[i] = { tostring(row.id), time(row.started_at), row.command, row.outcome or "not ended",
      counts_of(row.summary or {}), row.actor, row.version }
  end
  return columns(rows, { titles = { "RUN", "STARTED (UTC)", "COMMAND", "OUTCOME", "STEPS", "BY", "VERSION" },
    colour = layout.colour })
end

--- The copy that was made.
function report.backup(copy)
  return { ("%s: %s"):format(copy.file, style.count(copy.resources, "resource")) }
end

return report
