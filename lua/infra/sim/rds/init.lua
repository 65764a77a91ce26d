-- The simulated RDS, as far as Aurora PostgreSQL goes: operation name -> function(ctx, params) -> output, for
-- infra.sim. Behaviour by the RDS API reference and the Aurora User Guide, durations by observation. There are no
-- global clusters, no instances outside of clusters and no instance parameter groups but the default ones.

local PARTS = {
  "engines", "subnet_groups", "parameter_groups", "clusters", "cluster_changes", "failover", "instances",
  "instance_changes", "snapshots", "restores", "tags",
}

local operations = {}
for _, part in ipairs(PARTS) do
  for name, operation in pairs(require("infra.sim.rds." .. part).operations) do
    operations[name] = operation
  end
end
return operations
