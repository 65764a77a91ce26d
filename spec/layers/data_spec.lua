local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local json = require "host.json"
local merged = require "infra.merged"

-- The layer with the two it stands on. `fields` of the stack's definition.
local function declare(options, fields)
  return World.declare(function(stack)
    local network = stack:layer("network", { nat = "none" })
    local security = stack:layer("security", { vpc = network.vpc })
    stack:layer("data", merged({ domain = "example.com", network = network, security = security }, options))
  end, fields)
end

local function of_layer(declaration, resource_type)
  local found = {}
  for address, resource in pairs(declaration.resources) do
    if address:find "^data/" and (not resource_type or resource.type.name == resource_type) then
      found[#found + 1] = resource
    end
  end
  table.sort(found, function(a, b) return a.address < b.address end)
  return found
end

local function one(declaration, resource_type)
  local found = of_layer(declaration, resource_type)
  assert.equal(1, #found)
  return found[1]
end

describe("the layer data", function()
  it("has the figures of the architecture by default", function()
    local declaration = declare()
    local cluster = one(declaration, "AWS::RDS::DBCluster").properties
    assert.same({ MinCapacity = 0.5, MaxCapacity = 4 }, cluster.ServerlessV2ScalingConfiguration)
    assert.same({ "16.1", 7, "03:00-04:00", true, false, { "postgresql" }, "habittracker", "dbadmin" }, {
      cluster.EngineVersion, cluster.BackupRetentionPeriod, cluster.PreferredBackupWindow, cluster.StorageEncrypted,
      cluster.DeletionProtection, cluster.EnableCloudwatchLogsExports, cluster.DatabaseName, cluster.MasterUsername,
    })
    local zones = {}
    for i, instance in ipairs(of_layer(declaration, "AWS::RDS::DBInstance")) do
      assert.equal("db.serverless", instance.properties.DBInstanceClass)
      zones[i] = instance.properties.AvailabilityZone
    end
    assert.same({ "us-east-1a", "us-east-1b" }, zones)
    local group = one(declaration, "AWS::RDS::DBClusterParameterGroup").properties
    assert.same({ "aurora-postgresql16", { ["rds.force_ssl"] = "1" } }, { group.Family, group.Parameters })
    local cache = one(declaration, "AWS::ElastiCache::ServerlessCache").properties
    assert.same({ "redis", "7", 1, { DataStorage = { Minimum = 1, Maximum = 10, Unit = "GB" } } },
      { cache.Engine, cache.MajorEngineVersion, cache.SnapshotRetentionLimit, cache.CacheUsageLimits })
  end)

  it("publishes fifteen parameters, one of them secret", function()
    local names, secure = {}, {}
    for _, parameter in ipairs(of_layer(declare(), "AWS::SSM::Parameter")) do
      names[#names + 1] = parameter.properties.Name:match "^/demo/test/(.+)$"
      secure[#secure + 1] = parameter.properties.Type == "SecureString" and parameter.properties.Name or nil
    end
    table.sort(names)
    assert.same({
      "ALLOWED_HOSTS", "APP_ENVIRONMENT", "CORS_ALLOWED_ORIGINS", "CSRF_TRUSTED_ORIGINS", "DATABASE_HOST",
      "DATABASE_NAME", "DATABASE_PORT", "DATABASE_READER_HOST", "DATABASE_SECRET_ARN", "LOG_LEVEL", "REDIS_HOST",
      "REDIS_PORT", "REDIS_TLS", "SECRET_KEY", "SESSION_ENGINE",
    }, names)
    assert.same({ "/demo/test/SECRET_KEY" }, secure)
  end)

  it("lets the application be asked by the API's own name, which CloudFront uses", function()
    for _, parameter in ipairs(of_layer(declare(), "AWS::SSM::Parameter")) do
      if parameter.properties.Name:find "ALLOWED_HOSTS$" then
        assert.equal("example.com,.execute-api.us-east-1.amazonaws.com", parameter.properties.Value)
      end
    end
  end)

  it("is built, changes nothing the second time, and leaves nothing", function()
    local world = World.new()
    local declaration = declare { parameters = { FEATURE = "on" } }
    local run = world:run(declaration)
    world:unchanged(declaration)

    local sent = calls.params(run, "CreateDBCluster")[1]
    local value = world:as_other(function(call)
      local secret = json.decode(assert(call("secretsmanager", "GetSecretValue", { SecretId = "demo-test/aurora" }))
        .SecretString)
      local cluster = assert(call("rds", "DescribeDBClusters", {})).DBClusters[1]
      local cache = assert(call("elasticache", "DescribeServerlessCaches", {})).ServerlessCaches[1]
      local function parameter(name)
        return assert(call("ssm", "GetParameter", { Name = "/demo/test/" .. name })).Parameter.Value
      end
      assert.same({ cluster.Endpoint, cluster.ReaderEndpoint, "5432", cache.Endpoint.Address, "6379", "on" }, {
        parameter "DATABASE_HOST", parameter "DATABASE_READER_HOST", parameter "DATABASE_PORT", parameter "REDIS_HOST",
        parameter "REDIS_PORT", parameter "FEATURE",
      })
      return secret
    end)
    assert.same({ username = "dbadmin", password = sent.MasterUserPassword }, value)
    for _, row in ipairs(world:rows()) do
      assert.is_nil(json.encode(row):find(sent.MasterUserPassword, 1, true), row.address)
    end

    world:destroy(declaration)
    assert.same({}, world:rows())
    world:run(declaration) -- nothing of the first one is in the way
    world:close()
  end)

  it("has the database's log group before RDS makes it, or takes over what RDS made", function()
    local world = World.new()
    world:as_other(function(call)
      assert(call("logs", "CreateLogGroup", { logGroupName = "/aws/rds/cluster/demo-test-aurora/postgresql" }))
    end)
    local order = table.concat(calls.changes(world:run(declare { log_days = 60 })), " ")
    assert.matches("PutRetentionPolicy .*CreateDBCluster ", order)
    world:unchanged(declare { log_days = 60 })
    order = table.concat(calls.changes(world:destroy(declare { log_days = 60 })), " ")
    assert.matches("DeleteDBCluster .*DeleteLogGroup", order)
    world:close()
  end)

  it("guards its data in production, or where it is told to", function()
    local production, told = declare(nil, { environment = "production" }), declare { deletion_protection = true }
    for _, declaration in ipairs { production, told } do
      assert.is_true(one(declaration, "AWS::RDS::DBCluster").properties.DeletionProtection)
      for _, name in ipairs { "AWS::RDS::DBCluster", "AWS::SecretsManager::Secret" } do
        local options = one(declaration, name).options
        assert.same({ true, true }, { options.protect, options.recoverable })
      end
      assert.is_true(one(declaration, "AWS::KMS::Key").options.protect)
    end
    assert.is_false(one(declare(), "AWS::RDS::DBCluster").options.recoverable)
  end)

  it("starts from a snapshot where one is given", function()
    local cluster = one(declare { snapshot = "arn:snapshot" }, "AWS::RDS::DBCluster").properties
    assert.equal("arn:snapshot", cluster.SnapshotIdentifier)
    assert.is_nil(cluster.MasterUsername or cluster.DatabaseName or cluster.StorageEncrypted)
    assert.matches("^{{resolve:secretsmanager:.*:SecretString:password}}$", cluster.MasterUserPassword)
  end)

  it("takes other figures, and leaves parts out", function()
    local declaration = declare {
      acu = { 1, 16 }, readers = 2, cache = false, own_key = false, engine_version = "15.4",
    }
    local cluster = one(declaration, "AWS::RDS::DBCluster").properties
    assert.same({ MinCapacity = 1, MaxCapacity = 16 }, cluster.ServerlessV2ScalingConfiguration)
    assert.is_nil(cluster.KmsKeyId)
    assert.equal(3, #of_layer(declaration, "AWS::RDS::DBInstance"))
    assert.equal("aurora-postgresql15", one(declaration, "AWS::RDS::DBClusterParameterGroup").properties.Family)
    assert.same({}, of_layer(declaration, "AWS::ElastiCache::ServerlessCache"))
  end)

  it("has parameters only without a network, and needs groups with one", function()
    local alone = World.declare(function(stack)
      stack:layer("data", { domain = "example.com" })
    end)
    assert.equal(7, #of_layer(alone))
    assert.equal(7, #of_layer(alone, "AWS::SSM::Parameter"))
    assert.error_matches(function()
      World.declare(function(stack)
        stack:layer("data", { domain = "example.com", network = stack:layer("network") })
      end)
    end, "'security' is required")
  end)
end)
