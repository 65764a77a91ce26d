-- What somebody probably meant by a name that does not exist. Used wherever names are checked: services, operations,
-- members, options.

-- The number of letters to insert, delete, replace or swap with their neighbour (Damerau and Levenshtein's optimal
-- string alignment).
local function distance(a, b)
  local before, previous, current = {}, {}, {}
  for j = 0, #b do
    previous[j] = j
  end
  for i = 1, #a do
    current[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      current[j] = math.min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost)
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        current[j] = math.min(current[j], before[j - 2] + 1)
      end
    end
    before, previous, current = previous, current, before
  end
  return previous[#b]
end

--- The names nearest to `name` (upper and lower case alike), at most three, from the array `names`: as text to put
--- behind a message, ", did you mean A or B?", or "" when none is near.
return function(name, names)
  local wanted = name:lower()
  local nearest, least = {}, #name // 3 + 1
  for _, candidate in ipairs(names) do
    if math.abs(#candidate - #name) <= least then
      local letters = distance(wanted, candidate:lower())
      if letters < least then
        nearest, least = {}, letters
      end
      if letters == least and #nearest < 3 then
        nearest[#nearest + 1] = candidate
      end
    end
  end
  return #nearest > 0 and ", did you mean " .. table.concat(nearest, " or ") .. "?" or ""
end
