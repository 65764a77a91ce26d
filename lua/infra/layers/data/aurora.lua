-- The database: an Aurora PostgreSQL Serverless v2 cluster in the private subnets, its master password in a secret that
-- the cluster takes it from by reference, its instances, and its log. Part of the layer data.

local json = require "host.json"
local merged = require "infra.merged"

local function secret(stack, options, guarded)
  return stack:resource("AWS::SecretsManager::Secret", "aurora-secret", {
    Name = stack.name .. "/aurora", Description = "Master user of the cluster " .. stack.name .. "-aurora",
    GenerateSecretString = {
      SecretStringTemplate = json.encode { username = options.username }, GenerateStringKey = "password",
      -- None of what RDS refuses, and of what an URL or a shell would take for something else.
      PasswordLength = 32, ExcludePunctuation = true,
    },
  }, guarded)
end

local function key(stack, guarded)
  local made = stack:resource("AWS::KMS::Key", "key", {
    Description = "Database of " .. stack.name, EnableKeyRotation = true,
  }, guarded)
  stack:resource("AWS::KMS::Alias", "key-alias", {
    AliasName = "alias/" .. stack.name .. "-data", TargetKeyId = made.KeyId,
  })
  return made
end

-- What a cluster starts from says nothing about one that exists: a run without the snapshot must not make it anew.
local ORIGIN = { "SnapshotIdentifier", "DatabaseName", "MasterUsername", "StorageEncrypted" }

-- What a restored cluster has from its source.
local function origin(options)
  if options.snapshot then
    return { SnapshotIdentifier = options.snapshot }
  end
  return { DatabaseName = options.database, MasterUsername = options.username, StorageEncrypted = true }
end

-- One for each zone in turn. Aurora makes the first one that is ready the writer.
local function instances(stack, options, cluster)
  local made, zones = {}, options.network.zones
  for i = 1, 1 + options.readers do
    made[i] = stack:resource("AWS::RDS::DBInstance", "aurora-" .. i, {
      DBClusterIdentifier = cluster.DBClusterIdentifier, Engine = "aurora-postgresql",
      DBInstanceClass = "db.serverless", AvailabilityZone = zones[(i - 1) % #zones + 1], PubliclyAccessible = false,
    })
  end
  return made
end

-- RDS makes it with the first line it writes, to be kept for ever. So it is there before the cluster and goes after it;
-- the one that an earlier cluster of that name may have left is taken over.
local function log_group(stack, options, cluster_name)
  return stack:resource("AWS::Logs::LogGroup", "aurora-logs", {
    LogGroupName = ("/aws/rds/cluster/%s/postgresql"):format(cluster_name), RetentionInDays = options.log_days,
  }, { adopt = true })
end

--- Declares it all. Returns { key (nil without one), secret, logs, cluster, instances }.
return function(stack, options, subnet_ids)
  local protected = options.deletion_protection
  if protected == nil then
    protected = stack.environment == "production"
  end
  local guarded = { protect = protected, recoverable = protected }
  local result = { key = options.own_key and key(stack, { protect = protected }) or nil }
  result.secret = secret(stack, options, guarded)
  local name = stack.name .. "-aurora"
  result.logs = log_group(stack, options, name)

  local subnets = stack:resource("AWS::RDS::DBSubnetGroup", "aurora-subnets", {
    DBSubnetGroupDescription = "Private subnets of " .. stack.name, SubnetIds = subnet_ids,
  })
  local family = "aurora-postgresql" .. options.engine_version:match "^%d+"
  local parameters = stack:resource("AWS::RDS::DBClusterParameterGroup", "aurora-parameters", {
    -- A major version needs a group of its own while the cluster still has the old one.
    DBClusterParameterGroupName = stack.name .. "-" .. family, Family = family,
    Description = "Cluster of " .. stack.name, Parameters = options.database_parameters,
  })
  local properties = merged({
    DBClusterIdentifier = name, Engine = "aurora-postgresql", EngineVersion = options.engine_version,
    EngineLifecycleSupport = "open-source-rds-extended-support-disabled", -- else billed after the version's end
    MasterUserPassword = "{{resolve:secretsmanager:" .. result.secret.Id .. ":SecretString:password}}",
    ServerlessV2ScalingConfiguration = { MinCapacity = options.acu[1], MaxCapacity = options.acu[2] },
    DBSubnetGroupName = subnets.DBSubnetGroupName, VpcSecurityGroupIds = { options.security.aurora.GroupId },
    DBClusterParameterGroupName = parameters.DBClusterParameterGroupName, KmsKeyId = result.key and result.key.Arn,
    BackupRetentionPeriod = options.backup_days, PreferredBackupWindow = options.backup_window,
    CopyTagsToSnapshot = true, DeletionProtection = protected, EnableCloudwatchLogsExports = { "postgresql" },
  }, origin(options))
  result.cluster = stack:resource("AWS::RDS::DBCluster", "aurora", properties, {
    protect = protected, recoverable = protected, ignore_changes = ORIGIN, depends_on = { result.logs },
  })
  result.instances = instances(stack, options, result.cluster)
  return result
end
