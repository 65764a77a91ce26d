-- What a cluster of the simulated RDS can be set to: checks of the parameters that creating, modifying and restoring
-- one have in common. Used by those files.

local engines = require "infra.sim.rds.engines"
local entities = require "infra.sim.rds.entities"
local kms = require "infra.sim.kms.entities"
local parameter_groups = require "infra.sim.rds.parameter_groups"
local set_of = require "infra.set_of"

local settings = {}

local invalid, refuse = entities.invalid, entities.refuse

local PORTS = { 1150, 65535 }
local RETENTION = { 1, 35 }
local RESERVED_NAMES = { admin = true, rdsadmin = true, rds_superuser = true }
local STORAGE_TYPES = { aurora = true, ["aurora-iopt1"] = true }

--- Capacity units: half steps, and not every version can pause.
function settings.scaling(ctx, scaling, version)
  local least, most = scaling.MinCapacity, scaling.MaxCapacity
  if not least or not most then
    invalid(ctx, "The parameters MinCapacity and MaxCapacity must be provided.")
  elseif least * 2 % 1 ~= 0 or most * 2 % 1 ~= 0 then
    invalid(ctx, "Serverless v2 capacity can be set in half-step increments only.")
  elseif most < 1 or most > 256 then
    invalid(ctx, "Serverless v2 maximum capacity %g isn't valid. The maximum capacity must be between 1 and 256.", most)
  elseif least > most or least < 0 or (least == 0 and not engines.can_pause(version)) then
    invalid(ctx, "Serverless v2 minimum capacity %g isn't valid. The minimum capacity must be at least %g and at most "
      .. "the maximum capacity.", least, engines.can_pause(version) and 0 or 0.5)
  end
  return { MinCapacity = least, MaxCapacity = most }
end

--- Log types that can be exported, each once.
function settings.logs(ctx, list)
  local known, found = set_of(engines.LOGS), {}
  for _, name in ipairs(list) do
    if known[name] == nil then
      refuse(ctx, "You cannot use the log types '%s' with engine version %s. For supported log types, see the "
        .. "documentation.", name, engines.NAME)
    elseif known[name] then
      found[#found + 1], known[name] = name, false
    end
  end
  return found
end

--- The name of the cluster parameter group for a version: the default one unless another, of its family, is given.
function settings.parameter_group(ctx, name, version)
  local family = engines.family(version)
  local group = parameter_groups.find(ctx, name or "default." .. family)
  if group.DBParameterGroupFamily ~= family then
    refuse(ctx, "The Parameter Group %s with DBParameterGroupFamily %s cannot be used for this instance. Please use a "
      .. "Parameter Group with DBParameterGroupFamily %s", name, group.DBParameterGroupFamily, family)
  end
  return group.DBClusterParameterGroupName
end

--- The ARN of a KMS key that can be used; `member`: the parameter that names it.
function settings.key(ctx, id, member)
  local key = kms.usable(ctx, id)
  return key and key.Arn or entities.fail(ctx, "KMSKeyNotAccessibleFault", "The specified KMS key [%s] in %s does not "
    .. "exist, is not enabled or you do not have permissions to access it.", id, member)
end

local function minutes(hour, minute)
  hour, minute = tonumber(hour), tonumber(minute)
  return hour and hour < 24 and minute < 60 and hour * 60 + minute or nil
end

--- "05:00-05:30", half an hour at least; one at random when `text` is nil.
function settings.backup_window(ctx, text)
  if not text then
    local hour = tonumber(ctx.unique(1), 16) % 8 + 3
    return ("%02d:00-%02d:30"):format(hour, hour)
  end
  local from_hour, from_minute, to_hour, to_minute = text:match("^(%d%d):(%d%d)%-(%d%d):(%d%d)$")
  local from, to = minutes(from_hour, from_minute), minutes(to_hour, to_minute)
  if not (from and to) or (to - from) % 1440 < 30 then
    invalid(ctx, "The backup window %s is not valid: it must have the form hh24:mi-hh24:mi and at least 30 minutes.",
      text)
  end
  return text
end

local DAYS = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" }

--- "sun:05:00-sun:05:30", in lower case; one at random when `text` is nil.
function settings.maintenance_window(ctx, text)
  if not text then
    local day, hour = DAYS[tonumber(ctx.unique(2), 16) % 7 + 1], tonumber(ctx.unique(1), 16) % 8 + 12
    return ("%s:%02d:00-%s:%02d:30"):format(day, hour, day, hour)
  end
  local days, lower = {}, text:lower()
  for i, day in ipairs(DAYS) do
    days[day] = i
  end
  local from_day, from_hour, from_minute, to_day, to_hour, to_minute =
    lower:match("^(%l+):(%d%d):(%d%d)%-(%l+):(%d%d):(%d%d)$")
  local from, to = minutes(from_hour, from_minute), minutes(to_hour, to_minute)
  if not (from and to and days[from_day] and days[to_day])
    or ((days[to_day] - days[from_day]) * 1440 + to - from) % 10080 < 30 then
    invalid(ctx, "The maintenance window %s is not valid: it must have the form ddd:hh24:mi-ddd:hh24:mi and at least "
      .. "30 minutes.", text)
  end
  return lower
end

local function in_range(ctx, value, range, member)
  if value < range[1] or value > range[2] then
    invalid(ctx, "Invalid value %d for %s. It must be between %d and %d.", value, member, range[1], range[2])
  end
  return value
end

function settings.port(ctx, port)
  return in_range(ctx, port, PORTS, "Port")
end

function settings.retention(ctx, days)
  return in_range(ctx, days, RETENTION, "BackupRetentionPeriod")
end

function settings.storage_type(ctx, name)
  if not STORAGE_TYPES[name] then
    invalid(ctx, "Invalid storage type: %s", name)
  end
  return name
end

-- -- credentials ------------------------------------------------------------------------------------------------------

function settings.check_password(ctx, password)
  if #password < 8 or #password > 41 then
    invalid(ctx, "The parameter MasterUserPassword is not a valid password because it is shorter than 8 or longer than "
      .. "41 characters.")
  elseif password:find("[^!-~]") or password:find("[/\"@]") then
    invalid(ctx, "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides "
      .. "'/', '@', '\"', ' ' may be used.")
  end
end

--- Fails unless the request for a new cluster says who its master user is, and how to get the password.
function settings.check_credentials(ctx, params)
  local name, password = params.MasterUsername, params.MasterUserPassword
  if not name or name == "" then
    invalid(ctx, "The parameter MasterUsername must be provided and must not be blank.")
  elseif not name:find("^%a[%w_]*$") or #name > 16 then
    invalid(ctx, "The parameter MasterUsername is not a valid identifier: it must be 1 to 16 letters or numbers and "
      .. "begin with a letter.")
  elseif RESERVED_NAMES[name:lower()] then
    invalid(ctx, "MasterUsername %s cannot be used as it is a reserved word used by the engine", name)
  elseif params.ManageMasterUserPassword and password then
    refuse(ctx, "You can't specify MasterUserPassword when ManageMasterUserPassword is enabled.")
  elseif params.MasterUserSecretKmsKeyId and not params.ManageMasterUserPassword then
    refuse(ctx, "You can't specify MasterUserSecretKmsKeyId unless ManageMasterUserPassword is enabled.")
  elseif not params.ManageMasterUserPassword then
    settings.check_password(ctx, password
      or invalid(ctx, "The parameter MasterUserPassword must be provided and must not be blank."))
  end
end

return settings
