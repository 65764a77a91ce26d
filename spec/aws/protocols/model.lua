-- A service out of C2J tables, as infra.models would return it, for the specs of the protocols.

local shapes = require "infra.aws.protocols.shapes"

local model = {}

--- A service with these shapes and metadata.
function model.service(shape_nodes, metadata)
  return {
    id = "test",
    metadata = metadata or {},
    shape = function(_, name)
      return shape_nodes[name], not shape_nodes[name] and "no shape " .. name or nil
    end,
  }
end

--- The shape of a node in a service with these shapes.
function model.shape(node, shape_nodes)
  return shapes.of(model.service(shape_nodes or {}), node)
end

--- The shape of an inline structure.
function model.structure(members, traits)
  local node = { type = "structure", members = members }
  for name, value in pairs(traits or {}) do
    node[name] = value
  end
  return model.shape(node)
end

--- The value of the header `name` of an encoded request.
function model.header(request, name)
  for _, header in ipairs(request.headers) do
    if header[1]:lower() == name:lower() then
      return header[2]
    end
  end
end

return model
