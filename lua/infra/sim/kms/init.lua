-- The simulated KMS: operation name -> function(ctx, params) -> output, for infra.sim. Behaviour by the KMS API
-- reference and Developer Guide ("Key states of AWS KMS keys", "Aliases", "Rotating keys"). Key policies are kept and
-- checked, but decide nothing: every caller may do everything.

local parts = require "infra.sim.parts"

return parts("infra.sim.kms", { "keys", "rotation", "policies", "aliases", "tags", "cryptography" })
