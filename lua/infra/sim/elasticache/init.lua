-- The simulated ElastiCache, of which only serverless caches are here: operation name -> function(ctx, params) ->
-- output, for infra.sim. Behaviour by the ElastiCache API reference and what the service is seen to answer.

local parts = require "infra.sim.parts"

return parts("infra.sim.elasticache", { "caches", "changes", "snapshots", "tags" })
