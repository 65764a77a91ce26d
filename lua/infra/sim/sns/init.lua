-- The simulated SNS: operation name -> function(ctx, params) -> output, for infra.sim. Behaviour by the SNS API
-- reference and Developer Guide: topics and subscriptions.

local operations = {}
for _, part in ipairs { "attributes", "topics", "subscriptions" } do
  for name, operation in pairs(require("infra.sim.sns." .. part).operations) do
    operations[name] = operation
  end
end
return operations
