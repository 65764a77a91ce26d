-- Domain names as the simulated Route 53 keeps and orders them. Used by the other files of this folder.

local names = {}

--- Lower case, with a dot at the end, "*" and other unusual characters in octal.
function names.canonical(name)
  local text = name:lower():gsub("\\052", "*")
  text = text:sub(-1) == "." and text or text .. "."
  return (text:gsub("[^%w._\\-]", function(character)
    return ("\\%03o"):format(character:byte())
  end))
end

--- "www.example.com." -> "com.example.www": what zones and records are ordered by.
function names.reversed(name)
  local labels = {}
  for label in name:gmatch "[^.]+" do
    table.insert(labels, 1, label)
  end
  return table.concat(labels, ".")
end

--- The place of a record set in its zone; no two have the same.
function names.sort_key(record)
  return table.concat({ names.reversed(record.Name), record.Type, record.SetIdentifier or "" }, "\0")
end

return names
