-- Failing over a cluster of the simulated RDS. Operation of infra.sim.rds.

local cluster_view = require "infra.sim.rds.cluster_view"
local entities = require "infra.sim.rds.entities"
local timeline = require "infra.sim.rds.timeline"

local operations = {}

-- Seconds that it takes.
local FAILING_OVER = 30

-- The reader that a request names.
local function named_reader(ctx, cluster, name, writer)
  local instance = entities.find(ctx, "instance", name)
  if instance.DBClusterIdentifier ~= cluster.DBClusterIdentifier or instance.DBInstanceIdentifier == writer
    or timeline.status(ctx, instance) ~= "available" then
    entities.fail(ctx, "InvalidDBInstanceState", "Instance %s is not an available reader of the cluster %s.", name,
      cluster.DBClusterIdentifier)
  end
  return instance.DBInstanceIdentifier
end

function operations.FailoverDBCluster(ctx, params)
  local cluster = cluster_view.find_available(ctx, params.DBClusterIdentifier)
  local writer, name = cluster_view.writer(ctx, cluster), params.TargetDBInstanceIdentifier
  local heir = name and named_reader(ctx, cluster, name, writer) or cluster_view.heir(ctx, cluster, writer)
  if not heir then
    entities.fail(ctx, "InvalidDBClusterStateFault", "DB cluster %s does not have a reader that could be failed over "
      .. "to.", cluster.DBClusterIdentifier)
  end
  cluster.writer = heir
  timeline.add(cluster, { starts_at = ctx.now(), ends_at = ctx.now() + FAILING_OVER, status = "failing-over" })
  entities.put(ctx, "cluster", cluster)
  return { DBCluster = cluster_view.view(ctx, cluster) }
end

return { operations = operations }
