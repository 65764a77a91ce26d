-- The simulated Route 53: hosted zones, records, health checks, tags. Behaviour is that of its API reference. It has no
-- region: everything is in the account's global store.

local operations = {}

for _, part in ipairs { "zones", "records", "health_checks", "tags" } do
  for name, operation in pairs(require("infra.sim.route53." .. part).operations) do
    operations[name] = operation
  end
end

return operations
