-- Tables put together, for everything that is made of defaults and what was given.
--
--   local properties = merged({ Size = 1 }, given)

--- A new table with what the tables have, the last one winning; nil among them has nothing.
return function(...)
  local result = {}
  for i = 1, select("#", ...) do
    for name, value in pairs((select(i, ...)) or {}) do
      result[name] = value
    end
  end
  return result
end
