-- What a run has done, at its end: outputs, what still needs a person, counts. Used by cli/change, on what
-- engine/apply returns.

local json = require "host.json"
local style = require "infra.report.style"
local value = require "infra.report.value"

local summary = {}

local DONE = { { "create", "created" }, { "update", "updated" }, { "delete", "deleted" }, { "forget", "forgotten" } }
local NOT_DONE = { { "failed", "failed" }, { "skipped", "skipped" }, { "stopped", "not done" } }

-- Seconds from which on it is worth saying what took so long.
local WORTH_EXPLAINING <const> = 30

-- "46 created, 1 failed in 1 min 48 s"; `remark` about those seconds, or nil.
local function counts(result, seconds, remark)
  local parts = {}
  for _, entry in ipairs(DONE) do
    if result.done[entry[1]] then
      parts[#parts + 1] = ("%d %s"):format(result.done[entry[1]], entry[2])
    end
  end
  for _, entry in ipairs(NOT_DONE) do
    local number = entry[1] == "failed" and #result.failures or result[entry[1]]
    if number > 0 then
      parts[#parts + 1] = ("%d %s"):format(number, entry[2])
    end
  end
  if #parts == 0 then
    return "nothing changed"
  end
  return ("%s in %s%s"):format(table.concat(parts, ", "), style.duration(seconds), remark or "")
end

--- Lines for a stack's outputs, { name = value }, aligned.
function summary.outputs(outputs)
  local lines, names, width = {}, style.names(outputs), 0
  for _, name in ipairs(names) do
    width = math.max(width, style.width(name))
  end
  for i, name in ipairs(names) do
    local item = outputs[name]
    lines[i] = ("%s = %s"):format(style.pad(name, width), type(item) == "string" and item or value.text(item))
  end
  return lines
end

--- As text. `seconds`: how long it took; options: colour, width (columns; nil: lines as long as they get), simulated =
--- those seconds are virtual.
function summary.text(result, seconds, options)
  local paint = style.painter(options.colour)
  local lines = {}
  local function add(text, painted)
    for _, line in ipairs(style.wrap(text, "", "  ", options.width)) do
      lines[#lines + 1] = painted and painted(line) or line
    end
  end
  if next(result.outputs) then
    lines[1] = paint("bold", "Outputs")
    for _, line in ipairs(summary.outputs(result.outputs)) do
      lines[#lines + 1] = "  " .. line -- whole, to be copied
    end
    lines[#lines + 1] = ""
  end
  for _, warning in ipairs(result.warnings) do
    add("Still needs a person: " .. warning, function(line)
      return (line:gsub("^Still needs a person:", function(title) return paint("yellow", title) end))
    end)
    lines[#lines + 1] = ""
  end
  local colour = result.outcome == "done" and "green" or "red"
  add(counts(result, seconds, options.simulated and " (simulated time)"), function(line)
    return paint("bold", paint(colour, line))
  end)
  if #result.chain.addresses > 1 and seconds >= WORTH_EXPLAINING then
    add(("longest chain, %s: %s"):format(style.duration(result.chain.seconds),
      table.concat(result.chain.addresses, " > ")))
  end
  return table.concat(lines, "\n") .. "\n"
end

--- As data for JSON.
function summary.data(result, seconds)
  return {
    outcome = result.outcome, done = json.object(result.done), failed = #result.failures, skipped = result.skipped,
    stopped = result.stopped, longest_chain = result.chain, outputs = json.object(value.visible(result.outputs)),
    warnings = json.array(result.warnings), seconds = seconds, text = counts(result, seconds),
  }
end

return summary
