-- What a member is called on the wire. All of C2J's naming rules are here; each takes the member's name in the model
-- and its shape.

local names = {}

--- JSON and CBOR bodies.
function names.json(name, shape)
  return shape.traits.locationName or name
end

--- XML elements, and parameters of the query protocol. A flattened list has no element of its own, so that its items
--- carry the name: the one on the reference; else, in the older models that flatten the list itself, its items' own.
function names.xml(name, shape)
  local from_items = shape.type == "list" and shape.own.flattened and shape:element().traits.locationName
  return shape.traits.locationName or from_items or name
end

--- Parameters of the ec2 protocol.
function names.ec2(name, shape)
  local traits = shape.traits
  return traits.queryName or ((traits.locationName or name):gsub("^%l", string.upper))
end

--- The items of a list that is not flattened.
function names.item(list)
  return list:element().traits.locationName or "member"
end

--- Key and value within a map's entry; the entries of a map that is not flattened are called "entry".
function names.entry(map)
  return map:key().traits.locationName or "key", map:value().traits.locationName or "value"
end

--- The root element of an XML document: of an operation's input, or of the member that is its payload. `generated` is
--- the name that converters to C2J write into a reference when the service's own model gives none (the operation's
--- name and "Request"; the member's name). It counts as given only next to a namespace, as in the published models;
--- otherwise the shape names the element.
function names.root(shape, generated)
  local given = shape.traits.locationName
  if given and (given ~= generated or shape.node.xmlNamespace) then
    return given
  end
  return shape.own.locationName or shape.name or generated
end

return names
