-- Lists put together.
--
--   local fields = joined({ "Name" }, MUTABLE)

--- A new array of what the arrays have, one after the other; nil among them has nothing.
return function(...)
  local result = {}
  for i = 1, select("#", ...) do
    local list = select(i, ...) or {}
    table.move(list, 1, #list, #result + 1, result)
  end
  return result
end
