-- The properties by which AWS tells one resource of a type from another, when they are a stack's choice: a name, or
-- what a listing is filtered by. Used by engine/stack (nothing is declared twice), engine/renames (nothing is created
-- while its namesake goes) and engine/decision (a replacement has the old one's name).

local json = require "host.json"

local natural_key = {}

--- Names of the properties of `resource_type` (infra.resources), sorted; none when AWS chooses, or does not mind twins.
function natural_key.properties(resource_type)
  local spec, names = resource_type.spec, {}
  local find = type(spec.find) == "table" and spec.find or {}
  if next(find) and not find[1] then -- filters, not a listing
    for _, property in pairs(find) do
      names[#names + 1] = property ~= true and property or nil
    end
    table.sort(names)
  elseif spec.name and not find.shared then
    names[1] = spec.name.property
  end
  return names
end

--- A text that is the same for two resources exactly when AWS would take one for the other; nil when nothing tells.
--- `account` and `region` are where it is, `properties` what it has.
function natural_key.of(resource_type, account, region, properties)
  local key = { resource_type.name, account, region }
  for _, name in ipairs(natural_key.properties(resource_type)) do
    if properties[name] == nil then
      return nil
    end
    key[#key + 1] = properties[name]
  end
  return #key > 3 and json.encode(key) or nil
end

return natural_key
