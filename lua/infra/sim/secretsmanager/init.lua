-- The simulated Secrets Manager: operation name -> function(ctx, params) -> output, for infra.sim. Behaviour by the
-- Secrets Manager API reference and User Guide: secrets, their versions and resource policies, passwords.

local parts = require "infra.sim.parts"

return parts("infra.sim.secretsmanager", {
  "secrets", "deletion", "versions", "stages", "listing", "policies", "passwords",
})
