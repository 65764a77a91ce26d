-- New clusters from snapshots and from other clusters' past, in the simulated RDS. Operations of infra.sim.rds. A
-- restored cluster has no instances; of the old one's settings it inherits few.

local cluster_view = require "infra.sim.rds.cluster_view"
local clusters = require "infra.sim.rds.clusters"
local engines = require "infra.sim.rds.engines"
local entities = require "infra.sim.rds.entities"
local snapshots = require "infra.sim.rds.snapshots"

local operations = {}

-- Seconds until a restored cluster is available.
local RESTORING = 240

-- Without EngineVersion it gets the usual version, which may be too old for the data.
function operations.RestoreDBClusterFromSnapshot(ctx, params)
  engines.check(ctx, params.Engine)
  local snapshot = snapshots.find_available(ctx, params.SnapshotIdentifier)
  local version = engines.version(ctx, params.EngineVersion)
  if engines.compare(version, snapshot.EngineVersion) < 0 then
    entities.refuse(ctx, "The engine version you requested for your restored DB cluster (%s) is earlier than the "
      .. "engine version of the DB cluster snapshot (%s)", version, snapshot.EngineVersion)
  end
  return { DBCluster = cluster_view.view(ctx, clusters.create(ctx, params, snapshot.origin, RESTORING)) }
end

-- The cluster that a request names by its identifier or by its resource id.
local function source_of(ctx, params)
  local name, resource_id = params.SourceDBClusterIdentifier, params.SourceDbClusterResourceId
  if (name == nil) == (resource_id == nil) then
    entities.refuse(ctx, "Specify either SourceDBClusterIdentifier or SourceDbClusterResourceId.")
  elseif name then
    return entities.find(ctx, "cluster", name)
  end
  local _, cluster = entities.each(ctx, "cluster", "DbClusterResourceId", resource_id)()
  return cluster or entities.fail(ctx, "DBClusterNotFoundFault", "DBCluster %s not found.", resource_id)
end

local function check_time(ctx, params, cluster)
  local time, latest = params.RestoreToTime, params.UseLatestRestorableTime or false
  if (time ~= nil) == latest then
    entities.refuse(ctx, "Specify either RestoreToTime or UseLatestRestorableTime.")
  elseif time and params.RestoreType == "copy-on-write" then
    entities.refuse(ctx, "RestoreToTime can't be specified if the RestoreType parameter is copy-on-write.")
  elseif ctx.now() < cluster.available_at
    or time and (time < cluster.available_at or time > cluster_view.latest_restorable(ctx, cluster)) then
    entities.fail(ctx, "InvalidRestoreFault", "The cluster %s cannot be restored to that time.",
      cluster.DBClusterIdentifier)
  end
end

function operations.RestoreDBClusterToPointInTime(ctx, params)
  local source = source_of(ctx, params)
  check_time(ctx, params, source)
  params.EngineVersion = source.EngineVersion
  local cluster = clusters.create(ctx, params, snapshots.origin(source), RESTORING)
  return { DBCluster = cluster_view.view(ctx, cluster) }
end

return { operations = operations }
