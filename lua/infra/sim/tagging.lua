-- Tags as the simulated services keep them, { key = value }, and as the APIs write them: lists of { Key, Value }, of
-- { key, value }, or maps.

local tagging = {}

--- `existing` (may be nil) with the tags of `list` put over it: a new table. `key` and `value` are member names.
function tagging.merge(existing, list, key, value)
  local map = {}
  for name, text in pairs(existing or {}) do
    map[name] = text
  end
  for _, tag in ipairs(list or {}) do
    map[tag[key or "Key"]] = tag[value or "Value"] or ""
  end
  return map
end

--- `existing` without `keys`: a new table.
function tagging.without(existing, keys)
  local map = tagging.merge(existing)
  for _, name in ipairs(keys) do
    map[name] = nil
  end
  return map
end

--- As a list, in order of key.
function tagging.list(map, key, value)
  local list = {}
  for name, text in pairs(map or {}) do
    list[#list + 1] = { [key or "Key"] = name, [value or "Value"] = text }
  end
  table.sort(list, function(a, b)
    return a[key or "Key"] < b[key or "Key"]
  end)
  return list
end

return tagging
