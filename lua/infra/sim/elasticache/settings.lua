-- What a serverless cache can be set to: checks of the members that creating and modifying have in common. Used by the
-- other files of infra.sim.elasticache.

local entities = require "infra.sim.elasticache.entities"
local kms = require "infra.sim.kms.entities"
local kinds = require "infra.sim.ec2.kinds"
local interfaces = require "infra.sim.ec2.interfaces"

local settings = {}

local invalid = entities.invalid

-- By engine: the major versions with the full one that each stands for, the usual one, the port.
settings.engines = {
  redis = { versions = { ["7"] = "7.1" }, usual = "7", port = 6379 },
  valkey = { versions = { ["7"] = "7.2", ["8"] = "8.1" }, usual = "8", port = 6379 },
  memcached = { versions = { ["1.6"] = "1.6.22" }, usual = "1.6", port = 11211 },
}

-- Usage limits: the member, and its least and greatest value.
local USAGE = { DataStorage = { 1, 5000 }, ECPUPerSecond = { 1000, 15000000 } }

local SUBNETS = { fewest = 2, most = 3 }
local RETENTION_LIMIT = 35

--- The engine and major version that a request asks for; the latter in full, too.
function settings.engine(ctx, name, major)
  local engine = settings.engines[name]
  if not engine then
    invalid(ctx, "The parameter Engine must be one of the following: redis, valkey, memcached.")
  end
  major = major or engine.usual
  if not engine.versions[major] then
    invalid(ctx, "The major engine version %s is not supported by the engine %s.", major, name)
  end
  return { Engine = name, MajorEngineVersion = major, FullEngineVersion = engine.versions[major] }
end

--- CacheUsageLimits, checked; nil stays nil.
function settings.usage_limits(ctx, limits)
  for member, range in pairs(USAGE) do
    local limit = limits and limits[member]
    if limit then
      for _, bound in ipairs { "Minimum", "Maximum" } do
        if limit[bound] and (limit[bound] < range[1] or limit[bound] > range[2]) then
          invalid(ctx, "The %s of %s must be between %d and %d.", bound, member, range[1], range[2])
        end
      end
      if limit.Minimum and limit.Maximum and limit.Minimum > limit.Maximum then
        invalid(ctx, "The Minimum of %s must not be greater than its Maximum.", member)
      elseif member == "DataStorage" and limit.Unit ~= "GB" then
        invalid(ctx, "The Unit of DataStorage must be GB.")
      end
    end
  end
  return limits
end

--- Members of the daily snapshots: SnapshotRetentionLimit and DailySnapshotTime, which a cache with snapshots always
--- has. `current`: what they are so far.
function settings.snapshots(ctx, params, current)
  local days = params.SnapshotRetentionLimit or current.SnapshotRetentionLimit
  local time = params.DailySnapshotTime or current.DailySnapshotTime
  if days < 0 or days > RETENTION_LIMIT then
    invalid(ctx, "The parameter SnapshotRetentionLimit must be between 0 and %d.", RETENTION_LIMIT)
  elseif time and not (time:find("^[01]%d:[0-5]%d$") or time:find("^2[0-3]:[0-5]%d$")) then
    invalid(ctx, "The parameter DailySnapshotTime must have the form HH:MM.")
  elseif days > 0 and not time then
    time = ("%02d:%s"):format(tonumber(ctx.unique(2), 16) % 24, tonumber(ctx.unique(2), 16) % 2 == 0 and "00" or "30")
  end
  return { SnapshotRetentionLimit = days, DailySnapshotTime = time }
end

function settings.description(ctx, text)
  if #(text or "") > 255 then
    invalid(ctx, "The parameter Description must be at most 255 characters long.")
  end
  return text or ""
end

--- There are no simulated user groups.
function settings.check_user_group(ctx, id)
  if id then
    entities.fail(ctx, "UserGroupNotFound", "User group %s not found.", id)
  end
end

--- The ARN of the key that a request names; nil when it names none.
function settings.key(ctx, id)
  local key = id and kms.usable(ctx, id)
  if id and not key then
    invalid(ctx, "The KMS key %s does not exist, is not enabled or cannot be used.", id)
  end
  return key and key.Arn
end

-- -- the network ------------------------------------------------------------------------------------------------------

-- The EC2 object of this id, if EC2's part that answers has heard of it.
local function known(ctx, kind, id)
  return not ctx:fresh(kind.name, id, ctx:of("ec2")) and kind:get(ctx, id) or nil
end

--- The EC2 subnets of a request: in one VPC, in different zones.
function settings.subnets(ctx, ids)
  local found, zones = {}, {}
  if not ids or #ids == 0 then
    invalid(ctx, "No default subnets were found. Specify the subnets of the cache.")
  elseif #ids < SUBNETS.fewest or #ids > SUBNETS.most then
    invalid(ctx, "A serverless cache needs %d to %d subnets.", SUBNETS.fewest, SUBNETS.most)
  end
  for i, id in ipairs(ids) do
    local subnet = known(ctx, kinds.Subnet, id)
    if not subnet then
      invalid(ctx, "Some input subnets in :[%s] are invalid.", table.concat(ids, ", "))
    elseif subnet.VpcId ~= (found[1] or subnet).VpcId then
      invalid(ctx, "The subnets %s are not all in one VPC.", table.concat(ids, ", "))
    elseif zones[subnet.AvailabilityZone] then
      invalid(ctx, "The subnets %s are not all in different availability zones.", table.concat(ids, ", "))
    end
    found[i], zones[subnet.AvailabilityZone] = subnet, true
  end
  return found
end

--- Security groups as network interfaces keep them (infra.sim.ec2.interfaces); the VPC's default one when `ids` is nil.
function settings.groups(ctx, vpc_id, ids)
  for _, id in ipairs(ids or {}) do
    if not known(ctx, kinds.SecurityGroup, id) then
      invalid(ctx, "Some security groups are invalid: %s", id)
    end
  end
  return interfaces.groups(ctx, vpc_id, ids)
end

--- Whether all the groups are of the VPC.
function settings.groups_fit(ctx, vpc_id, groups)
  for _, group in ipairs(groups) do
    if kinds.SecurityGroup:get(ctx, group.GroupId).VpcId ~= vpc_id then
      return false
    end
  end
  return true
end

return settings
