-- The keys of a map in order, for everything that must come out the same in every run: requests, reports, plans.
--
--   for _, name in ipairs(sorted_keys(map)) do ... end

--- The keys of `map`, an array sorted by `<`.
return function(map)
  local keys = {}
  for key in pairs(map) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end
