-- The simulated KMS: operation name -> function(ctx, params) -> output, for infra.sim. Behaviour by the KMS API
-- reference and Developer Guide ("Key states of AWS KMS keys", "Aliases", "Rotating keys"). Key policies are kept and
-- checked, but decide nothing: every caller may do everything.

local operations = {}
for _, part in ipairs { "keys", "rotation", "policies", "aliases", "tags", "cryptography" } do
  for name, operation in pairs(require("infra.sim.kms." .. part).operations) do
    operations[name] = operation
  end
end
return operations
