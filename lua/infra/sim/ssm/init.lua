-- The simulated Systems Manager, of which only Parameter Store is here: operation name -> function(ctx, params) ->
-- output, for infra.sim. Behaviour by the Systems Manager API reference and the User Guide's Parameter Store chapter.

local parts = require "infra.sim.parts"

return parts("infra.sim.ssm", { "parameters", "reading", "labels" })
