-- Sets, as { value = true }.
--
--   local KINDS <const> = set_of { "a", "b" }

--- The set of the values in the array `list` (may be nil).
return function(list)
  local set = {}
  for _, value in ipairs(list or {}) do
    set[value] = true
  end
  return set
end
