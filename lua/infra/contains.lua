-- Looking a value up in a list.

--- Whether the array `list` (may be nil) has `wanted`.
return function(list, wanted)
  for _, value in ipairs(list or {}) do
    if value == wanted then
      return true
    end
  end
  return false
end
