-- The simulated ElastiCache, of which only serverless caches are here: operation name -> function(ctx, params) ->
-- output, for infra.sim. Behaviour by the ElastiCache API reference and what the service is seen to answer.

local operations = {}
for _, part in ipairs { "caches", "changes", "snapshots", "tags" } do
  for name, operation in pairs(require("infra.sim.elasticache." .. part).operations) do
    operations[name] = operation
  end
end
return operations
