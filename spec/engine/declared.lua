-- Stacks in specs, without AWS: `declared(build [, fields])` evaluates a stack "demo-test" with this build function and
-- returns its declaration, or nil and the error.
local merged = require "infra.merged"
local stack = require "infra.engine.stack"

return function(build, fields)
  local definition = merged({ project = "demo", environment = "test", region = "us-east-1", build = build }, fields)
  return stack.define(definition):evaluate()
end
