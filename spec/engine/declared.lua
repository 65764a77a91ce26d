-- Stacks in specs, without AWS: `declared(build [, fields])` evaluates a stack "demo-test" with this build function and
-- returns its declaration, or nil and the error.
local stack = require "infra.engine.stack"

return function(build, fields)
  local definition = { project = "demo", environment = "test", region = "us-east-1", build = build }
  for name, value in pairs(fields or {}) do
    definition[name] = value
  end
  return stack.define(definition):evaluate()
end
