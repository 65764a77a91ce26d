-- What RDS would refuse of a cluster's properties, known before anything is sent. Used by resources/rds_cluster.lua.

local MOST_CAPACITY <const> = 256

local function check_scaling(scaling, report)
  local function fault(message)
    report("ServerlessV2ScalingConfiguration", message)
  end
  for name, least in pairs { MinCapacity = 0, MaxCapacity = 1 } do
    local value = scaling[name]
    if type(value) == "number" and (value * 2 % 1 ~= 0 or value < least or value > MOST_CAPACITY) then
      fault(("%s must be %d to %d in steps of 0.5, is %g"):format(name, least, MOST_CAPACITY, value))
    end
  end
  if scaling.SecondsUntilAutoPause and scaling.MinCapacity ~= 0 then
    fault "SecondsUntilAutoPause needs MinCapacity = 0: only then does a cluster pause"
  end
end

-- A restored cluster has its source's password, until it is given another one.
local function check_password(properties, is_restored, report)
  local managed, own = properties.ManageMasterUserPassword == true, properties.MasterUserPassword ~= nil
  if managed and own then
    report("MasterUserPassword", "must not be given where RDS manages the password")
  elseif not (managed or own or is_restored) then
    report("MasterUserPassword", "or ManageMasterUserPassword = true is needed")
  end
end

return function(properties, report)
  local from_log = properties.SourceDBClusterIdentifier or properties.SourceDbClusterResourceId
  if type(properties.ServerlessV2ScalingConfiguration) == "table" then
    check_scaling(properties.ServerlessV2ScalingConfiguration, report)
  end
  check_password(properties, from_log or properties.SnapshotIdentifier, report)
  if properties.SnapshotIdentifier and not properties.EngineVersion then
    report("EngineVersion", "is needed with a snapshot: without it RDS takes its default, not the snapshot's")
  end
  if from_log and (properties.UseLatestRestorableTime == true) == (properties.RestoreToTime ~= nil) then
    report("RestoreToTime", "or UseLatestRestorableTime = true is needed, and not both")
  end
end
