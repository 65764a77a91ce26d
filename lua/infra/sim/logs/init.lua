-- The simulated CloudWatch Logs: operation name -> function(ctx, params) -> output, for infra.sim. Behaviour by the
-- CloudWatch Logs API reference: groups, streams and events.

local operations = {}
for _, part in ipairs { "groups", "events" } do
  for name, operation in pairs(require("infra.sim.logs." .. part).operations) do
    operations[name] = operation
  end
end
return operations
