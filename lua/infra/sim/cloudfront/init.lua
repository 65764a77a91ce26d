-- The simulated CloudFront: distributions, functions, and the policies and access controls that they use. Behaviour is
-- that of its API reference. It has no region: everything is in the account's global store.

local operations = {}

for _, part in ipairs { "distributions", "functions", "policies", "tags" } do
  for name, operation in pairs(require("infra.sim.cloudfront." .. part).operations) do
    operations[name] = operation
  end
end

return operations
