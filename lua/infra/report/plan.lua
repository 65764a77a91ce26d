-- A plan as text: by layer, one line per resource, one line per changed property. Used by run, plan, apply and destroy.

local json = require "host.json"
local reference = require "infra.engine.reference"
local style = require "infra.report.style"

local report = {}

local MAX_VALUE <const> = 100 -- characters of a value on its line

local function is_digest(value)
  return type(value) == "table" and value["infra:digest"] ~= nil
end

--- A value that may be shown: what is secret or unknown is replaced by text.
function report.visible(value)
  if reference.is_secret(value) or is_digest(value) then
    return "(secret)"
  elseif reference.is_unknown(value) then
    return tostring(value)
  elseif type(value) ~= "table" then
    return value
  end
  return reference.map(value, report.visible)
end

--- One value on one line.
function report.value(value)
  if value == nil or value == json.null then
    return "(not set)"
  end
  local shown = report.visible(value)
  if shown ~= value and type(shown) == "string" then
    return shown
  end
  local text = json.encode(shown)
  if #text > MAX_VALUE then
    text = text:sub(1, MAX_VALUE - 3) .. "..."
  end
  return text
end

local function is_structure(value)
  return type(value) == "table" and not reference.is_deferred(value) and not is_digest(value) and #value == 0
    and next(value) ~= nil
end

-- Calls line(path, before, after) for the leaves that differ.
local function leaves(path, before, after, line)
  if is_structure(before) and is_structure(after) then
    local names, seen = {}, {}
    for _, side in ipairs { before, after } do
      for name in pairs(side) do
        if not seen[name] then
          seen[name] = true
          names[#names + 1] = name
        end
      end
    end
    table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
    for _, name in ipairs(names) do
      leaves(path .. "." .. tostring(name), before[name], after[name], line)
    end
  elseif report.value(before) ~= report.value(after) then
    line(path, before, after)
  end
end

local function describe(change, add, paint)
  local symbol, colour = table.unpack(style.ACTIONS[change.action])
  local reason = change.reason and paint("dim", "  (" .. change.reason .. ")") or ""
  if change.row and change.row.moved_from then
    reason = reason .. paint("dim", "  (was " .. change.row.moved_from .. ")")
  end
  add(("  %s %s  %s%s"):format(paint(colour, symbol), change.address, paint("dim", change.type), reason))
  for _, difference in ipairs(change.differences) do
    leaves(difference.name, difference.before, difference.after, function(path, before, after)
      add(("      %s: %s %s %s%s"):format(path, report.value(before), paint("dim", "->"), report.value(after),
        difference.replaces and paint("magenta", "  (forces replacement)") or ""))
    end)
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
  local unchanged = ("%d unchanged"):format(counts.none)
  return #parts > 0 and table.concat(parts, ", ") .. "; " .. unchanged or "nothing to do; " .. unchanged
end

--- The plan as lines of text. options: colour, details = also the properties of what is created.
function report.text(plan, options)
  local paint = style.painter(options.colour)
  local lines = {}
  local function add(text)
    lines[#lines + 1] = text
  end
  local layer
  for _, changes in ipairs { plan.changes, plan.obsolete } do
    for _, change in ipairs(changes) do
      local moved = change.row and change.row.moved_from
      if change.action ~= "none" or moved then
        local own = change.address:match("^(.*)/") or "stack"
        if own ~= layer then
          layer = own
          add(paint("bold", own))
        end
        describe(change, add, paint)
        if options.details and change.action == "create" then
          for name, value in pairs(change.desired) do
            add(("      %s: %s"):format(name, report.value(value)))
          end
        end
      end
    end
  end
  add(("%sPlan: %s"):format(#lines > 0 and "\n" or "", report.summary(plan.counts)))
  return table.concat(lines, "\n") .. "\n"
end

--- The plan as data for JSON: what `infra plan --json` prints and a saved plan holds.
function report.data(plan)
  local changes = json.array {}
  for _, list in ipairs { plan.changes, plan.obsolete } do
    for _, change in ipairs(list) do
      local differences = json.array {}
      for i, difference in ipairs(change.differences) do
        differences[i] = {
          name = difference.name, before = report.visible(difference.before),
          after = report.visible(difference.after), replaces = difference.replaces or nil,
        }
      end
      changes[#changes + 1] = {
        address = change.address, type = change.type, action = change.action, reason = change.reason,
        differences = differences, region = (change.resource or change.row).region,
        source = (change.resource or change.row).source,
      }
    end
  end
  return { stack = plan.stack, serial = plan.serial, counts = plan.counts, changes = changes }
end

return report
