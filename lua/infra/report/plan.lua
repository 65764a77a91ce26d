-- A plan as text, by layer, and as data. Used by run, plan, apply and destroy; engine/saved_plan keeps the data.

local difference = require "infra.report.difference"
local json = require "host.json"
local style = require "infra.report.style"
local value = require "infra.report.value"

local report = {}

local function each_change(plan, visit)
  for _, changes in ipairs { plan.changes, plan.obsolete } do
    for _, change in ipairs(changes) do
      visit(change)
    end
  end
end

-- What happens to the resource: its action, or "move" for one that only gets another address; nil for nothing.
local function event_of(change)
  if change.action ~= "none" then
    return change.action
  end
  return change.row and change.row.moved_from and "move" or nil
end

-- "network", "vpc" of "network/vpc"; nil, "vpc" of "vpc".
local function split(address)
  local layer, name = address:match("^(.*)/([^/]*)$")
  return layer, name or address
end

local function remarks(change)
  local texts = { change.reason }
  if change.row and change.row.moved_from then
    texts[#texts + 1] = "was " .. change.row.moved_from
  end
  if change.action == "create" and change.resource and (change.resource.options or {}).adopt then
    texts[#texts + 1] = "or takes over what exists under its name, and makes it as declared"
  end
  if change.action == "replace" and change.create_first then
    texts[#texts + 1] = "the new one before the old one goes"
  end
  return #texts > 0 and "  (" .. table.concat(texts, "; ") .. ")" or ""
end

-- The lines of one change; `widths` of the columns for names and types.
local function describe(change, widths, options, add)
  local paint = options.paint
  local symbol, colour = table.unpack(style.ACTIONS[event_of(change)])
  local _, name = split(change.address)
  local remark = remarks(change)
  local room = options.width and options.width - widths.name - #"  + " - #"  "
  add(("  %s %s  %s"):format(paint(colour, symbol), style.pad(name, widths.name),
    paint("dim", style.beside(change.type, remark, room, widths.type))))
  for _, one in ipairs(change.differences) do
    difference.lines(one.name, one.before, one.after, { indent = "      ", paint = paint, width = options.width,
      note = one.replaces and "forces replacement" }, add)
  end
  if options.details and change.action == "create" then
    for _, property in ipairs(style.names(change.desired)) do
      add(style.cut(("      %s: %s"):format(property, value.text(change.desired[property])), options.width))
    end
  end
end

--- "12 to create, 1 to update, 1 to replace, 2 to delete; 30 unchanged".
function report.summary(counts)
  local parts = {}
  for _, action in ipairs { "create", "update", "replace", "delete", "forget" } do
    if counts[action] > 0 then
      parts[#parts + 1] = ("%d to %s"):format(counts[action], action)
    end
  end
  local text = #parts > 0 and table.concat(parts, ", ") or "nothing to do"
  return counts.none > 0 and ("%s; %d unchanged"):format(text, counts.none) or text
end

-- What is planned all the same, and may not be what was meant.
local function warnings(change)
  local texts = {}
  if change.action ~= "replace" and #(change.ineffective or {}) > 0 then
    texts[1] = table.concat(change.ineffective, ", ") ..
      " counts only when one is made; this one exists, and stays as it is"
  end
  for _, doubt in ipairs(change.action ~= "none" and change.resource and change.resource.doubts or {}) do
    texts[#texts + 1] = doubt
  end
  return texts
end

--- The plan as text. options: colour, width (in columns; nil: lines as long as they get), details = also the properties
--- of what is created.
function report.text(plan, options)
  local paint = style.painter(options.colour)
  local lines, widths, layer = {}, { name = 0, type = 0 }, nil
  local function add(text)
    lines[#lines + 1] = text
  end
  each_change(plan, function(change)
    if event_of(change) then
      local _, name = split(change.address)
      widths.name, widths.type = math.max(widths.name, style.width(name)), math.max(widths.type, #change.type)
    end
  end)
  each_change(plan, function(change)
    if event_of(change) then
      local own = split(change.address) or plan.stack
      if own ~= layer then
        layer = own
        add(paint("bold", own))
      end
      describe(change, widths, { paint = paint, width = options.width, details = options.details }, add)
    end
  end)
  each_change(plan, function(change)
    for _, warning in ipairs(warnings(change)) do
      add(paint("yellow", ("! %s: %s"):format(change.address, warning)))
    end
  end)
  add(("%sPlan: %s"):format(#lines > 0 and "\n" or "", report.summary(plan.counts)))
  return table.concat(lines, "\n") .. "\n"
end

local function change_data(change)
  local where, differences = change.resource or change.row, json.array {}
  for i, one in ipairs(change.differences) do
    differences[i] = { name = one.name, before = value.visible(one.before), after = value.visible(one.after),
      replaces = one.replaces or nil }
  end
  local makes = change.action == "create" or change.action == "replace"
  return {
    address = change.address, type = change.type, action = change.action, reason = change.reason,
    region = where.region, source = where.source, moved_from = change.row and change.row.moved_from,
    warnings = json.array(warnings(change)), differences = differences,
    properties = makes and json.object(value.visible(change.desired)) or nil,
  }
end

--- The plan as data for JSON, without secrets: what `infra plan --json` prints and a saved plan holds.
function report.data(plan)
  local changes = json.array {}
  each_change(plan, function(change)
    changes[#changes + 1] = change_data(change)
  end)
  return { stack = plan.stack, serial = plan.serial, counts = plan.counts, changes = changes }
end

return report
