-- What an instance of the simulated RDS can be set to: checks of the parameters that creating and modifying one have in
-- common. Used by those files.

local engines = require "infra.sim.rds.engines"
local entities = require "infra.sim.rds.entities"
local kms = require "infra.sim.kms.entities"
local principals = require "infra.sim.iam.principals"
local settings = require "infra.sim.rds.cluster_settings"
local sorted_keys = require "infra.sorted_keys"

local instance_settings = {}

local invalid, refuse = entities.invalid, entities.refuse

local LAST_TIER = 15
local INTERVALS = { [0] = true, [1] = true, [5] = true, [10] = true, [15] = true, [30] = true, [60] = true }
local CERTIFICATES = { ["rds-ca-rsa2048-g1"] = true, ["rds-ca-rsa4096-g1"] = true, ["rds-ca-ecc384-g1"] = true }

function instance_settings.class(ctx, name)
  if name ~= "db.serverless" and not name:find("^db%.%w+%.%d*%l+$") then
    invalid(ctx, "Invalid DB Instance class: %s", name)
  end
  return name
end

function instance_settings.tier(ctx, tier)
  if tier < 0 or tier > LAST_TIER then
    invalid(ctx, "Invalid promotion tier: %d. It must be between 0 and %d.", tier, LAST_TIER)
  end
  return tier
end

function instance_settings.certificate(ctx, name)
  if not CERTIFICATES[name] then
    entities.fail(ctx, "CertificateNotFound", "Certificate not found: %s", name)
  end
  return name
end

--- There are no instance parameter groups but the default one of the cluster's version.
function instance_settings.check_parameter_group(ctx, name, cluster)
  local default = "default." .. engines.family(cluster.EngineVersion)
  if name and name:lower() ~= default then
    entities.fail(ctx, "DBParameterGroupNotFound", "DBParameterGroup not found: %s", name)
  end
end

local function is_retention(days)
  return days == 7 or days == 731 or (days % 31 == 0 and days >= 31 and days <= 23 * 31)
end

--- The members of Performance Insights that a request sets. `current`: the instance, or {}. Its parameters go together,
--- and the key can be given only once.
function instance_settings.insights(ctx, params, current)
  local enabled = params.EnablePerformanceInsights
  local days, key = params.PerformanceInsightsRetentionPeriod, params.PerformanceInsightsKMSKeyId
  if (days or key) and not enabled then
    refuse(ctx, "To enable Performance Insights, EnablePerformanceInsights must be set to 'true'")
  elseif days and not is_retention(days) then
    invalid(ctx, "Invalid Performance Insights retention period: %d. Valid values are 7, month * 31 and 731.", days)
  elseif enabled == nil then
    return {}
  elseif not enabled then
    return { PerformanceInsightsEnabled = false }
  end
  local known = current.PerformanceInsightsKMSKeyId
  local arn = key and settings.key(ctx, key, "PerformanceInsightsKMSKeyId") or known or kms.managed(ctx, "rds").Arn
  if known and arn ~= known then
    refuse(ctx, "You can't change your Performance Insights KMS key.")
  end
  return {
    PerformanceInsightsEnabled = true,
    PerformanceInsightsKMSKeyId = arn,
    PerformanceInsightsRetentionPeriod = days or current.PerformanceInsightsRetentionPeriod or 7,
  }
end

--- The members of Enhanced Monitoring that a request sets: an interval other than 0 needs a role that RDS can assume.
function instance_settings.monitoring(ctx, params, current)
  local interval = params.MonitoringInterval or current.MonitoringInterval or 0
  local role = params.MonitoringRoleArn or current.MonitoringRoleArn
  if not INTERVALS[interval] then
    invalid(ctx, "Invalid monitoring interval: %d. Valid values are 0, 1, 5, 10, 15, 30, 60.", interval)
  elseif interval > 0 and not role then
    refuse(ctx, "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0.")
  elseif interval == 0 and params.MonitoringRoleArn then
    refuse(ctx, "You must specify a MonitoringInterval value other than 0 when you specify a MonitoringRoleARN value.")
  elseif params.MonitoringRoleArn and not principals.assumable_by(ctx, role, "monitoring.rds.amazonaws.com") then
    invalid(ctx, "IAM role ARN value is invalid or does not include the required permissions for: "
      .. "ENHANCED_MONITORING")
  end
  return { MonitoringInterval = interval, MonitoringRoleArn = role }
end

--- Fails when a request sets what is the cluster's. `owned` = { [parameter] = what it is called }; `message` has a %s.
function instance_settings.check_owned(ctx, params, owned, message)
  local names = sorted_keys(owned)
  for _, name in ipairs(names) do
    local value = params[name]
    if value ~= nil and not (type(value) == "table" and next(value) == nil) then
      refuse(ctx, message, owned[name])
    end
  end
end

return instance_settings
