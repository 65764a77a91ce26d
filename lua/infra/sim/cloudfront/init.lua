-- The simulated CloudFront: distributions, functions, and the policies and access controls that they use. Behaviour is
-- that of its API reference. It has no region: everything is in the account's global store.

local parts = require "infra.sim.parts"

return parts("infra.sim.cloudfront", { "distributions", "functions", "policies", "tags" })
