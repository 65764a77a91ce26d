-- An estimate of monthly cost as a table: for terminals, and as Markdown for docs/COST.md. Used by `infra cost` and
-- `infra plan --cost`.

local prices = require "infra.cost.prices"
local sorted_keys = require "infra.sorted_keys"

local report = {}

local function number(value)
  if value == math.floor(value) and value < 1e9 then
    return ("%d"):format(value)
  end
  return ("%.4g"):format(value)
end

local function price(value)
  return (("%.10f"):format(value):gsub("0+$", ""):gsub("%.$", ".00"):gsub("(%.%d)$", "%10"))
end

local function quantity(line)
  return number(line.quantity) .. " " .. (line.quantity == 1 and line.unit:gsub("s$", "") or line.unit)
end

local function rows(estimate)
  local result = {}
  for i, line in ipairs(estimate.lines) do
    result[i] = {
      line.service, line.item, quantity(line),
      line.free and ("first %d free, then %s"):format(line.free, price(line.price)) or price(line.price),
      ("%.2f"):format(line.amount),
    }
  end
  return result
end

local HEADINGS <const> = { "service", "item", "a month", "USD each", "USD" }

--- Plain text, aligned.
function report.text(estimate)
  local all = rows(estimate)
  table.insert(all, 1, HEADINGS)
  table.insert(all, { "total", "", "", "", ("%.2f"):format(estimate.total) })
  local widths = {}
  for _, row in ipairs(all) do
    for column, text in ipairs(row) do
      widths[column] = math.max(widths[column] or 0, #text)
    end
  end
  local lines = {}
  for i, row in ipairs(all) do
    local cells = {}
    for column, text in ipairs(row) do
      local pad = (" "):rep(widths[column] - #text)
      cells[column] = column >= 4 and pad .. text or text .. pad
    end
    lines[i] = table.concat(cells, "  ")
  end
  return table.concat(lines, "\n") .. "\n"
end

--- Markdown: totals per service, the working, the assumptions.
function report.markdown(estimate, name, usage)
  local lines = { "# What " .. name .. " costs in a month", "",
    "Made by `infra cost --markdown`; prices and assumptions are in `lua/infra/cost/prices.lua`.", "",
    "| service | USD |", "|---|---:|" }
  for _, service in ipairs(estimate.services) do
    lines[#lines + 1] = ("| %s | %.2f |"):format(service.service, service.amount)
  end
  lines[#lines + 1] = ("| **total** | **%.2f** |"):format(estimate.total)
  lines[#lines + 1] = "\n## The working\n\n| " .. table.concat(HEADINGS, " | ") .. " |\n|---|---|---:|---:|---:|"
  for _, row in ipairs(rows(estimate)) do
    lines[#lines + 1] = "| " .. table.concat(row, " | ") .. " |"
  end
  lines[#lines + 1] = "\n## What is assumed\n\n| assumption | a month, unless it says otherwise |\n|---|---:|"
  local names = sorted_keys(prices.usage)
  for _, assumption in ipairs(names) do
    local value = usage[assumption] or prices.usage[assumption]
    lines[#lines + 1] = ("| %s | %s |"):format((assumption:gsub("_", " ")), number(value))
  end
  return table.concat(lines, "\n") .. "\n"
end

--- The difference that a plan makes, on one line.
function report.change(before, after)
  return ("Cost: %.2f USD a month, %+.2f (estimate; see infra cost)"):format(after.total, after.total - before.total)
end

--- The same as data for JSON, in US dollars a month.
function report.change_data(before, after)
  return { before = before.total, after = after.total, change = after.total - before.total }
end

return report
