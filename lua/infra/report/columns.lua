-- Rows of text in aligned columns. Used by the reports that list things.

local style = require "infra.report.style"

local MAX_WIDTH <const> = 60 -- of a column: one odd cell must not push all others off the screen

--- Lines for `rows` (arrays of texts; nil and "" are empty cells). options: titles = array, indent = text before each
--- line, colour, width = of the terminal, at which lines are cut off. Every row has as many cells as the first, or as
--- there are titles.
return function(rows, options)
  local paint = style.painter(options.colour)
  local count = #(options.titles or rows[1] or {})
  local all = { table.unpack(rows) }
  if options.titles then
    table.insert(all, 1, options.titles)
  end
  local widths = {}
  for column = 1, count do
    widths[column] = 0
    for _, row in ipairs(all) do
      local width = style.width(row[column] or "")
      widths[column] = math.max(widths[column], width <= MAX_WIDTH and width or 0)
    end
  end
  local lines = {}
  for i, row in ipairs(all) do
    local cells = {}
    for column = 1, count do
      cells[column] = style.pad(style.flat(row[column] or ""), widths[column])
    end
    local line = style.cut((options.indent or "") .. table.concat(cells, "  "):gsub(" +$", ""), options.width)
    lines[i] = options.titles and i == 1 and paint("dim", line) or line
  end
  return lines
end
