-- Declarations of parameters, about the simplest that there is to plan. For the specs of plans and of options.

local World = require "spec.engine.world"

local parameters = {}

--- Declares the parameter /demo/NAME.
function parameters.declare(stack, name, value, options)
  return stack:resource("AWS::SSM::Parameter", name, { Name = "/demo/" .. name, Type = "String", Value = value },
    options)
end

--- A declaration with one, "p".
function parameters.one(value, options)
  return World.declare(function(stack) parameters.declare(stack, "p", value, options) end)
end

--- The value at AWS, or nil.
function parameters.value(world, name)
  local found = world:call("ssm", "GetParameters", { Names = { "/demo/" .. name } }).Parameters[1]
  return found and found.Value
end

parameters.none = World.declare(function() end)

return parameters
