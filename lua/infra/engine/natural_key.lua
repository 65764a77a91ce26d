-- The properties by which AWS tells one resource of a type from another, when they are a stack's choice: a name, or
-- what a listing is filtered by. Used by engine/stack (nothing is declared twice) and engine/decision (a replacement
-- has the old one's name).

--- Names of the properties of `resource_type` (infra.resources); none when AWS chooses, or does not mind twins.
return function(resource_type)
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
