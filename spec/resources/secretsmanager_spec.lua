local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local fs = require "host.fs"
local infra = require "infra"
local json = require "host.json"

local GENERATED = {
  SecretStringTemplate = '{"username":"dbadmin"}', GenerateStringKey = "password", PasswordLength = 40,
  ExcludeCharacters = '"@/\\',
}

describe("AWS::SecretsManager::Secret", function()
  local world

  before_each(function()
    world = World.new()
  end)
  after_each(function()
    world:close()
  end)

  local function declare(properties, options)
    properties.Name = properties.Name or "demo/database"
    return World.declare(function(stack)
      stack:resource("AWS::SecretsManager::Secret", "secret", properties, options)
    end)
  end

  local function value_of(name)
    return world:call("secretsmanager", "GetSecretValue", { SecretId = name or "demo/database" }).SecretString
  end

  local function state_text()
    local texts = {}
    for _, suffix in ipairs { "", "-wal" } do
      texts[#texts + 1] = fs.read(world.path .. suffix) or ""
    end
    return table.concat(texts)
  end

  it("generates its value once: kept at AWS, and nowhere else", function()
    local declaration = declare { GenerateSecretString = GENERATED }
    local run = world:run(declaration)
    local value = assert(json.decode(value_of()))
    assert.equal("dbadmin", value.username)
    assert.equal(40, #value.password)
    assert.is_nil(value.password:find '["@/\\]')
    assert.is_nil(state_text():find(value.password, 1, true))
    for _, event in ipairs(run.events) do
      assert.is_nil((event.text or ""):find(value.password, 1, true))
    end

    local again = world:run(declaration)
    assert.same({}, calls.changes(again))
    assert.equal(0, #calls.params(again, "GetRandomPassword"))
    world:run(declare { GenerateSecretString = { PasswordLength = 20 }, Description = "other" })
    assert.same(value, json.decode(value_of()))
  end)

  it("takes a value only as a secret, and changes it in place", function()
    assert.error_matches(function()
      declare { SecretString = "hunter2" }
    end, "must be infra.secret")
    world:run(declare { SecretString = infra.secret "first-value" })
    assert.equal("first-value", value_of())
    world:unchanged(declare { SecretString = infra.secret "first-value" })
    local run = world:run(declare { SecretString = infra.secret "second-value" })
    assert.same({ "UpdateSecret" }, calls.changes(run))
    assert.equal("second-value", value_of())
    assert.is_nil(state_text():find("second-value", 1, true))
  end)

  it("sends only what changes, and goes back to AWS's defaults", function()
    local key
    world:as_other(function(call)
      key = assert(call("kms", "CreateKey", {})).KeyMetadata
    end)
    local with_key = { GenerateSecretString = {}, Description = "d", KmsKeyId = key.KeyId, Tags = { A = "1" } }
    world:run(declare(with_key))
    world:unchanged(declare(with_key))
    local run = world:run(declare { GenerateSecretString = {} })
    local sent = calls.params(run, "UpdateSecret")[1]
    assert.same({ "", "alias/aws/secretsmanager" }, { sent.Description, sent.KmsKeyId })
    assert.is_nil(sent.SecretString)
    world:unchanged(declare { GenerateSecretString = {} })
  end)

  it("is not made twice when the answer is lost or the run crashes", function()
    for _, fault in ipairs { "lost_response", "crash" } do
      local name = "demo/" .. fault
      local declaration = declare { Name = name, GenerateSecretString = {} }
      world:apply(declaration, { faults = { schedule = { { fault = fault, operation = "CreateSecret" } } } })
      local before = value_of(name)
      world:run(declaration)
      assert.equal(before, value_of(name))
    end
  end)

  it("is not taken from somebody else, unless it is adopted", function()
    world:as_other(function(call)
      assert(call("secretsmanager", "CreateSecret", { Name = "demo/database", SecretString = "theirs" }))
    end)
    local failed = world:apply(declare { GenerateSecretString = {} })
    assert.equal("AlreadyExists", failed.result.failures[1].code)
    world:run(declare({ GenerateSecretString = {} }, { adopt = true }))
    assert.equal("theirs", value_of())
  end)

  it("can be brought back after it was deleted, and says how", function()
    local declaration = declare { GenerateSecretString = {} }
    world:run(declaration)
    local run = world:destroy(declaration)
    assert.is_nil(calls.params(run, "DeleteSecret")[1].ForceDeleteWithoutRecovery)
    local failed = world:apply(declaration)
    assert.matches("RestoreSecret", failed.result.failures[1].hint)
  end)

  it("goes at once where it need not be recovered; the name is free after the purge", function()
    local declaration = declare({ GenerateSecretString = {} }, { recoverable = false })
    world:run(declaration)
    local run = world:destroy(declaration)
    assert.is_true(calls.params(run, "DeleteSecret")[1].ForceDeleteWithoutRecovery)
    run = world:run(declaration)
    assert.is_true(#calls.params(run, "CreateSecret") > 1) -- refused while the old one is being destroyed
  end)

  it("waits for a key that is seconds old", function()
    local failure = { "EncryptionFailure", "the key is not there yet" }
    local refuse, refused = calls.failing(failure, failure)
    calls.with("secretsmanager", { CreateSecret = refuse }, function()
      world:run(declare { GenerateSecretString = {} })
    end)
    assert.equal(3, refused())
  end)

  it("is replicated, moved to other regions, and loses its replicas before it goes", function()
    local regions = {} -- the simulated AWS does not replicate
    local function set(list, status)
      for _, replica in ipairs(list) do
        regions[replica.Region or replica] = status
      end
      return {}
    end
    calls.with("secretsmanager", {
      CreateSecret = function(original, ctx, params)
        set(params.AddReplicaRegions or {}, "InSync")
        return original(ctx, params)
      end,
      DescribeSecret = function(original, ctx, params)
        local output = original(ctx, params)
        output.ReplicationStatus = {}
        for region, status in pairs(regions) do
          table.insert(output.ReplicationStatus, {
            Region = region, Status = status, KmsKeyId = "alias/aws/secretsmanager",
          })
        end
        return output
      end,
      ReplicateSecretToRegions = function(_, _, params)
        return set(params.AddReplicaRegions, "InSync")
      end,
      RemoveRegionsFromReplication = function(_, _, params)
        return set(params.RemoveReplicaRegions, nil)
      end,
      DeleteSecret = function(original, ctx, params)
        if next(regions) then
          ctx:fail("InvalidRequestException", "You can't delete secret demo/database that still has replica regions.")
        end
        return original(ctx, params)
      end,
    }, function()
      local declaration = declare { GenerateSecretString = {}, ReplicaRegions = { { Region = "us-west-2" } } }
      world:run(declaration)
      world:unchanged(declaration)
      local moved = declare { GenerateSecretString = {}, ReplicaRegions = { { Region = "eu-west-1" } } }
      assert.same({ "RemoveRegionsFromReplication", "ReplicateSecretToRegions" }, calls.changes(world:run(moved)))
      assert.same({ "RemoveRegionsFromReplication", "DeleteSecret" }, calls.changes(world:destroy(moved)))
    end)
  end)

  it("refuses when planning what AWS would mistake or refuse", function()
    local function refused(properties, message)
      assert.error_matches(function()
        declare(properties)
      end, message)
    end
    refused({ Name = "demo-abc123", GenerateSecretString = {} }, "hyphen and six")
    refused({ GenerateSecretString = {}, SecretString = infra.secret "x" }, "must not be given")
    refused({ GenerateSecretString = { GenerateStringKey = "password" } }, "together")
    refused({ GenerateSecretString = { GenerateStringKey = "p", SecretStringTemplate = "nothing" } }, "JSON object")
  end)
end)

describe("a dynamic reference", function()
  local world

  before_each(function()
    world = World.new()
  end)
  after_each(function()
    world:close()
  end)

  local function declare(rest)
    return World.declare(function(stack)
      local secret = stack:resource("AWS::SecretsManager::Secret", "secret", {
        Name = "demo/source", SecretString = infra.secret '{"password":"s3cret-text","other":"no"}',
      })
      stack:resource("AWS::SSM::Parameter", "copy", {
        Name = "/demo/copy", Type = "SecureString", Value = "{{resolve:secretsmanager:" .. secret.Id .. rest .. "}}",
      })
    end)
  end

  local function copy()
    return world:call("ssm", "GetParameter", { Name = "/demo/copy", WithDecryption = true }).Parameter.Value
  end

  it("gives a request a member of a secret, or all of it, and the state only the text", function()
    local run = world:run(declare ":SecretString:password::")
    assert.equal("s3cret-text", copy())
    local row = world:rows()[1]
    assert.matches("^{{resolve:secretsmanager:arn:aws:secretsmanager:.*:SecretString:password::}}$",
      row.properties.Value)
    world:unchanged(declare ":SecretString:password::")
    for _, event in ipairs(run.events) do
      assert.is_nil((event.text or ""):find("s3cret-text", 1, true))
    end
    assert.same({ "PutParameter" }, calls.changes(world:run(declare "")))
    assert.equal('{"password":"s3cret-text","other":"no"}', copy())
  end)

  it("fails with the name of the member that the secret lacks", function()
    local failed = world:apply(declare ":SecretString:pasword")
    assert.equal("NoSecretValue", failed.result.failures[1].code)
    assert.matches("'pasword'", failed.result.failures[1].message)
  end)

  it("waits for a secret that is seconds old", function()
    local failure = { "ResourceNotFoundException", "Secrets Manager can't find the specified secret." }
    local refuse, asked = calls.failing(failure, failure)
    calls.with("secretsmanager", { GetSecretValue = refuse }, function()
      world:run(declare ":SecretString:password")
    end)
    assert.equal(3, asked())
  end)
end)
