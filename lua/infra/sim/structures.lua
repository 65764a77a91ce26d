-- The nested tables that requests and objects are made of: comparing them, and taking some members. Used by the
-- simulated services.

local structures = {}

--- Whether everything that `part` has is the same in `whole`, which may have more.
function structures.within(part, whole)
  if type(part) ~= "table" or type(whole) ~= "table" then
    return part == whole
  end
  for key, value in pairs(part) do
    if not structures.within(value, whole[key]) then
      return false
    end
  end
  return true
end

function structures.same(a, b)
  return structures.within(a, b) and structures.within(b, a)
end

--- A copy of `object` with nothing but `members`, an array of names.
function structures.pick(object, members)
  local picked = {}
  for _, member in ipairs(members) do
    picked[member] = object[member]
  end
  return picked
end

return structures
