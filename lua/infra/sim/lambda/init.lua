-- The simulated Lambda: operation name -> function(ctx, params) -> output, for infra.sim. Behaviour by the Lambda API
-- reference and Developer Guide: functions that are container images, their versions, aliases, permissions, concurrency
-- and tags. None is ever run.

local parts = require "infra.sim.parts"

return parts("infra.sim.lambda", {
  "functions", "updates", "versions", "aliases", "permissions", "concurrency", "provisioned", "tags",
})
