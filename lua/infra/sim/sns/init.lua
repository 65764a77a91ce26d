-- The simulated SNS: operation name -> function(ctx, params) -> output, for infra.sim. Behaviour by the SNS API
-- reference and Developer Guide: topics and subscriptions.

local parts = require "infra.sim.parts"

return parts("infra.sim.sns", { "attributes", "topics", "subscriptions" })
