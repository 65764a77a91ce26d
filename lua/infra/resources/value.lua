-- Infra::Value: holds a value and calls nothing. A place in the state for what a stack wants to remember, to compare
-- between runs, or to refer to from several resources.

local value = {}

-- What it has "live" is what was recorded: nothing outside this stack can change it.
local spec = {
  identity = { "Id" },
  create = {
    covers = { "Value" },
    run = function(op, scope)
      return { Id = op.token, Value = scope.Value }
    end,
  },
  observe = function(_, scope)
    return { values = { Id = scope.Id, Value = scope.Value } }
  end,
  facets = {
    {
      properties = { "Value" },
      write = function()
        return true
      end,
    },
  },
  delete = {
    run = function()
      return true
    end,
  },
}

--- Registers the type; called by infra.resources.
function value.register(resources)
  resources.add("Infra::Value", {
    properties = { Value = { type = { type = "json" }, required = true, documentation = "Any value." } },
    attributes = { Id = { type = { type = "string" } } },
    primary_identifier = { "Id" },
  }, spec)
end

return value
