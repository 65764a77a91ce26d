-- The simulated CloudWatch Logs: operation name -> function(ctx, params) -> output, for infra.sim. Behaviour by the
-- CloudWatch Logs API reference: groups, streams and events.

local parts = require "infra.sim.parts"

return parts("infra.sim.logs", { "groups", "events" })
