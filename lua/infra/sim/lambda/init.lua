-- The simulated Lambda: operation name -> function(ctx, params) -> output, for infra.sim. Behaviour by the Lambda API
-- reference and Developer Guide: functions that are container images, their versions, aliases, permissions, concurrency
-- and tags. None is ever run.

local operations = {}
for _, part in ipairs {
  "functions", "updates", "versions", "aliases", "permissions", "concurrency", "provisioned", "tags",
} do
  for name, operation in pairs(require("infra.sim.lambda." .. part).operations) do
    operations[name] = operation
  end
end
return operations
