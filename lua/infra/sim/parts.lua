-- A simulated service that is written in several files: each has `operations`, and `tagged` if its objects have tags
-- (infra.sim.tag_index). Used by the init.lua of such services.

--- The service's module, made of the modules `service`.<part>. `wrap(name, operation)`, if given, returns what takes
--- the place of an operation.
return function(service, parts, wrap)
  local module = { tagged = {} }
  for _, name in ipairs(parts) do
    local part = require(service .. "." .. name)
    for operation_name, operation in pairs(part.operations) do
      module[operation_name] = wrap and wrap(operation_name, operation) or operation
    end
    for kind, publish in pairs(part.tagged or {}) do
      module.tagged[kind] = publish
    end
  end
  return module
end
