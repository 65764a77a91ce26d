-- The simulated RDS, as far as Aurora PostgreSQL goes: operation name -> function(ctx, params) -> output, for
-- infra.sim. Behaviour by the RDS API reference and the Aurora User Guide, durations by observation. There are no
-- global clusters, no instances outside of clusters and no instance parameter groups but the default ones.

local entities = require "infra.sim.rds.entities"
local parts = require "infra.sim.parts"

local PARTS = {
  "engines", "subnet_groups", "parameter_groups", "clusters", "cluster_changes", "failover", "instances",
  "instance_changes", "snapshots", "restores", "tags",
}

return parts("infra.sim.rds", PARTS, function(_, operation)
  return function(ctx, params)
    entities.rename(ctx)
    return operation(ctx, params)
  end
end)
