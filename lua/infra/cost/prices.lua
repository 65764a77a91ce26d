-- What things cost and how much of them is assumed to be used: the only place with figures of money. On-demand prices
-- of us-east-1 in US dollars, as published by AWS; a month has 730 hours and 30 days of traffic.
--
-- An item belongs to a resource type and says how much of it one resource uses in a month:
--   { type, service, item, unit, price, quantity = function(properties, usage, count) -> number, free = units that cost
--     nothing, over all resources of the type }
-- `count` is the number of resources of the type: what is assumed for the whole stack is shared among them.

local prices = {}

--- Assumptions about a month, for the whole stack. `infra cost --usage NAME=VALUE` changes one.
prices.usage = {
  api_requests_per_day = 10000,
  frontend_requests_per_day = 50000,
  function_seconds = 0.1, -- an invocation takes
  data_out_gb = 10, -- all of it through CloudFront
  nat_gb = 10, -- through NAT gateways
  database_acu = 1.0, -- on average, writer and readers together
  database_gb = 5,
  database_io_millions = 5,
  cache_gb = 1.5,
  cache_ecpu_millions = 10,
  storage_gb = 1,
  logs_gb = 5,
  backup_gb = 10,
  image_gb = 1,
  build_minutes = 200,
}

local HOURS <const> = 730
local DAYS <const> = 30
local MILLION <const> = 1000000

local function each(number)
  return function()
    return number
  end
end

local function shared(name)
  return function(_, usage, count)
    return usage[name] / count
  end
end

local function api_millions(_, usage, count)
  return usage.api_requests_per_day * DAYS / MILLION / count
end

local function all_millions(_, usage, count)
  return (usage.api_requests_per_day + usage.frontend_requests_per_day) * DAYS / MILLION / count
end

local function function_gb_seconds(properties, usage, count)
  local memory = (tonumber(properties.MemorySize) or 128) / 1024
  return usage.api_requests_per_day * DAYS * usage.function_seconds * memory / count
end

-- What is assumed, as far as the cluster's limits allow it.
local function acu_hours(properties, usage, count)
  local limits = properties.ServerlessV2ScalingConfiguration or {}
  local acu = math.max(usage.database_acu / count, tonumber(limits.MinCapacity) or 0)
  return HOURS * math.min(acu, tonumber(limits.MaxCapacity) or acu)
end

local function cache_gb_hours(properties, usage, count)
  local storage = (properties.CacheUsageLimits or {}).DataStorage or {}
  return HOURS * math.max(usage.cache_gb / count, tonumber(storage.Minimum) or 0)
end

local function rules(properties)
  return #(properties.Rules or {})
end

prices.items = {
  { "AWS::ApiGatewayV2::Api", "API Gateway", "HTTP API requests", "million", 1.00, api_millions },
  { "AWS::Lambda::Function", "Lambda", "invocations", "million", 0.20, api_millions },
  { "AWS::Lambda::Function", "Lambda", "duration", "GB-seconds", 0.0000166667, function_gb_seconds },
  { "AWS::RDS::DBCluster", "Aurora", "capacity", "ACU-hours", 0.12, acu_hours },
  { "AWS::RDS::DBCluster", "Aurora", "storage", "GB-month", 0.10, shared "database_gb" },
  { "AWS::RDS::DBCluster", "Aurora", "I/O", "million", 0.20, shared "database_io_millions" },
  { "AWS::ElastiCache::ServerlessCache", "ElastiCache", "data stored", "GB-hours", 0.125, cache_gb_hours },
  { "AWS::ElastiCache::ServerlessCache", "ElastiCache", "ECPUs", "million", 0.0034, shared "cache_ecpu_millions" },
  { "AWS::EC2::NatGateway", "VPC", "NAT gateway hours", "hours", 0.045, each(HOURS) },
  { "AWS::EC2::NatGateway", "VPC", "NAT gateway data", "GB", 0.045, shared "nat_gb" },
  { "AWS::S3::Bucket", "S3", "storage", "GB-month", 0.023, shared "storage_gb" },
  { "AWS::CloudFront::Distribution", "CloudFront", "data out", "GB", 0.09, shared "data_out_gb", free = 1024 },
  { "AWS::WAFv2::WebACL", "WAF", "web ACL", "month", 5.00, each(1) },
  { "AWS::WAFv2::WebACL", "WAF", "rules", "rules", 1.00, rules },
  { "AWS::WAFv2::WebACL", "WAF", "requests", "million", 0.60, all_millions },
  { "AWS::SecretsManager::Secret", "Secrets Manager", "secrets", "secrets", 0.40, each(1) },
  { "AWS::KMS::Key", "KMS", "keys", "keys", 1.00, each(1) },
  { "AWS::CloudWatch::Alarm", "CloudWatch", "alarms", "alarms", 0.10, each(1) },
  { "AWS::CloudWatch::Dashboard", "CloudWatch", "dashboards", "dashboards", 3.00, each(1), free = 3 },
  { "AWS::Logs::LogGroup", "CloudWatch", "logs taken in", "GB", 0.50, shared "logs_gb" },
  { "AWS::Logs::LogGroup", "CloudWatch", "logs stored", "GB-month", 0.03, shared "logs_gb" },
  { "AWS::CodePipeline::Pipeline", "CodePipeline", "pipelines", "pipelines", 1.00, each(1), free = 1 },
  { "AWS::CodeBuild::Project", "CodeBuild", "build minutes", "minutes", 0.005, shared "build_minutes" },
  { "AWS::ECR::Repository", "ECR", "images", "GB-month", 0.10, shared "image_gb" },
  { "AWS::Backup::BackupPlan", "Backup", "recovery points", "GB-month", 0.095, shared "backup_gb" },
  { "AWS::Route53::HostedZone", "Route 53", "hosted zones", "zones", 0.50, each(1) },
  { "AWS::Route53::HealthCheck", "Route 53", "health checks", "health checks", 0.50, each(1) },
}

return prices
