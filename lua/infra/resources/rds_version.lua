-- Versions of RDS's engines: "16", "16.1", "8.0.mysql_aurora.3.05.2". Used by resources/rds_cluster.lua.

local version = {}

local function numbers(text)
  local result = {}
  for number in text:gmatch "%d+" do
    result[#result + 1] = tonumber(number)
  end
  return result
end

--- Whether going from one to the other is a major upgrade.
function version.is_major(from, to)
  return numbers(from)[1] ~= numbers(to)[1]
end

--- Whether the `live` version will do for the `wanted` one: "16" is any 16; and a newer minor version will do, because
--- RDS takes minor upgrades by itself and nobody can take them back.
function version.accepts(wanted, live)
  if version.is_major(wanted, live) then
    return false
  end
  local a, b = numbers(wanted), numbers(live)
  for i = 2, #a do
    if a[i] ~= (b[i] or 0) then
      return a[i] < (b[i] or 0)
    end
  end
  return true
end

return version
