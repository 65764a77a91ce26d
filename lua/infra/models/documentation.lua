-- Documentation is more than half of AWS's models and is read by people only: the compilers put it into rows of its
-- own, so that looking up an operation or checking a resource never reads it.

local documentation = {}

--- The kind of the rows that hold the documentation of rows of `kind`.
function documentation.kind(kind)
  return kind .. " documentation"
end

local function take(entity)
  local text = entity.documentation
  entity.documentation = nil
  return text ~= "" and text or nil
end

-- Takes the texts out of `entity` and of the members in its `sections`; nil when there are none.
local function detach(entity, sections)
  local found = { description = take(entity) }
  for _, section in ipairs(sections) do
    for name, member in pairs(entity[section] or {}) do
      local text = take(member)
      if text then
        found[section] = found[section] or {}
        found[section][name] = text
      end
    end
  end
  return next(found) and found
end

--- Adds `entity` without its texts to the writer, and a row with the texts, if there are any:
--- { description = text, <section> = { [member] = text } }, for the entity's `sections` (as { "properties" }).
function documentation.put(writer, kind, owner, name, entity, sections)
  local texts = detach(entity, sections)
  if texts then
    writer:put(documentation.kind(kind), owner, name, texts)
  end
  writer:put(kind, owner, name, entity)
end

return documentation
