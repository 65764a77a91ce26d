-- What the application keeps: a database (Aurora PostgreSQL Serverless v2), a cache (ElastiCache Serverless), and what
-- it is configured with, parameters under /PROJECT/ENVIRONMENT/.
--
--   local data = stack:layer("data", { network = network, security = security, domain = "example.com" })
--
-- Without a network there are parameters only. Returns { cluster, instances, secret, key, logs (the database's), cache,
-- parameters (resources by name), path }.

local aurora = require "infra.layers.data.aurora"
local infra = require "infra"
local merged = require "infra.merged"
local private_subnets = require "infra.layers.private_subnets"

local data = {
  options = {
    domain = infra.required("string", "the application's host name"),
    network = infra.optional("table", "what the network layer returned: private_subnets and zones"),
    security = infra.optional("table", "what the security layer returned: the groups aurora and redis"),

    engine_version = infra.default("16.1", "of Aurora PostgreSQL; a newer minor version will do"),
    acu = infra.default({ 0.5, 4 }, "capacity of an instance, least and most, in Aurora capacity units"),
    readers = infra.default(1, "instances beside the writer"),
    database = infra.default("habittracker", "name of the database"),
    username = infra.default("dbadmin", "the database's master user"),
    database_parameters = infra.default({ ["rds.force_ssl"] = "1" }, "of the cluster: connections must use TLS"),
    backup_days = infra.default(7, "days that automatic backups are kept"),
    backup_window = infra.default("03:00-04:00", "when they are made (UTC)"),
    snapshot = infra.optional("string", "the cluster snapshot to start from; by default the database starts empty"),
    own_key = infra.default(true, "encrypt the database with a KMS key of this stack instead of AWS's own"),
    deletion_protection = infra.optional("boolean", "refuse to delete database, secret and key, and keep a final " ..
      "snapshot when they are deleted after all; by default in production"),
    log_days = infra.default(30, "days that the database's log is kept"),

    cache = infra.default(true, "whether there is a cache"),
    cache_version = infra.default("7", "major version of Redis"),
    cache_gigabytes = infra.default({ 1, 10 }, "what the cache holds, least and most"),
    cache_snapshots = infra.default(1, "daily snapshots of the cache that are kept"),

    log_level = infra.default("INFO", "the application's log level"),
    session_engine = infra.default("django.contrib.sessions.backends.cache", "where the application keeps sessions"),
    parameters = infra.optional("table", "further parameters: name = value"),
  },
}

local function cache(stack, options, subnet_ids)
  return stack:resource("AWS::ElastiCache::ServerlessCache", "redis", {
    ServerlessCacheName = stack.name .. "-redis", Description = "Sessions and cache of " .. stack.name,
    Engine = "redis", MajorEngineVersion = options.cache_version, SnapshotRetentionLimit = options.cache_snapshots,
    CacheUsageLimits = {
      DataStorage = { Minimum = options.cache_gigabytes[1], Maximum = options.cache_gigabytes[2], Unit = "GB" },
    },
    SubnetIds = subnet_ids, SecurityGroupIds = { options.security.redis.GroupId },
  })
end

-- Name -> value of the plain parameters. CloudFront keeps the visitor's Host header to itself: what it passes on to the
-- API has the API's own name, which nobody knows yet.
local function values(stack, options, made)
  local origin = "https://" .. options.domain
  local api_hosts = (".execute-api.%s.amazonaws.com"):format(stack.region)
  local result = {
    APP_ENVIRONMENT = stack.environment, ALLOWED_HOSTS = options.domain .. "," .. api_hosts,
    CSRF_TRUSTED_ORIGINS = origin,
    CORS_ALLOWED_ORIGINS = origin, LOG_LEVEL = options.log_level, SESSION_ENGINE = options.session_engine,
  }
  local cluster, redis = made.cluster, made.cache
  if cluster then
    result.DATABASE_HOST, result.DATABASE_READER_HOST = cluster.Endpoint.Address, cluster.ReadEndpoint.Address
    result.DATABASE_PORT, result.DATABASE_NAME = cluster.Endpoint.Port, options.database
    result.DATABASE_SECRET_ARN = made.secret.Id
  end
  if redis then
    result.REDIS_HOST, result.REDIS_PORT, result.REDIS_TLS = redis.Endpoint.Address, redis.Endpoint.Port, "true"
  end
  return merged(result, options.parameters)
end

local function parameters(stack, path, plain)
  local made = {}
  local function parameter(name, properties)
    properties.Name = path .. name
    made[name] = stack:resource("AWS::SSM::Parameter", "parameter-" .. name:lower():gsub("_", "-"), properties)
  end
  for name, value in pairs(plain) do
    parameter(name, { Type = "String", Value = value })
  end
  parameter("SECRET_KEY", {
    Type = "SecureString", Description = "Signs the application's sessions and tokens",
    GenerateValue = { PasswordLength = 50, ExcludePunctuation = true },
  })
  return made
end

function data.build(stack, options)
  local made, subnet_ids = {}, private_subnets("data", options)
  if subnet_ids then
    made = aurora(stack, options, subnet_ids)
    made.cache = options.cache and cache(stack, options, subnet_ids) or nil
  end
  made.path = ("/%s/%s/"):format(stack.project, stack.environment)
  made.parameters = parameters(stack, made.path, values(stack, options, made))
  return made
end

return data
