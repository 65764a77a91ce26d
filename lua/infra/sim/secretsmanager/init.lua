-- The simulated Secrets Manager: operation name -> function(ctx, params) -> output, for infra.sim. Behaviour by the
-- Secrets Manager API reference and User Guide: secrets, their versions and resource policies, passwords.

local operations = {}
for _, part in ipairs { "secrets", "deletion", "versions", "stages", "listing", "policies", "passwords" } do
  for name, operation in pairs(require("infra.sim.secretsmanager." .. part).operations) do
    operations[name] = operation
  end
end
return operations
