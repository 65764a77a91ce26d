-- The simulated Secrets Manager: what its API reference and its known traps say.

local caller = require "spec.sim.caller"
local json = require "host.json"
local merged = require "infra.merged"

local code = caller.code

local DAY = 86400

-- Runs `body(secrets, sleep, call)`; secrets(operation, params).
local function simulated(body, options)
  caller.service("secretsmanager", options or {}, body)
end

local function token(number)
  return ("%032d"):format(number)
end

local function create(secrets, params)
  local all = merged({ Name = "app/db", SecretString = "one", ClientRequestToken = token(1) }, params)
  return secrets("CreateSecret", all)
end

local function put(secrets, value, number, stages)
  return secrets("PutSecretValue", {
    SecretId = "app/db", SecretString = value, ClientRequestToken = token(number), VersionStages = stages,
  })
end

local function read(secrets, params)
  params = params or {}
  params.SecretId = params.SecretId or "app/db"
  return secrets("GetSecretValue", params)
end

describe("infra.sim.secretsmanager creating", function()
  it("is repeatable with the same token and value, and with nothing else", function()
    simulated(function(secrets)
      local first = assert(create(secrets))
      assert.matches("^arn:aws:secretsmanager:us%-east%-1:123456789012:secret:app/db%-%w%w%w%w%w%w$", first.ARN)
      assert.equal(token(1), first.VersionId)
      assert.same(first, assert(create(secrets)))
      local expected, message = code(create(secrets, { SecretString = "two" }))
      assert.equal("ResourceExistsException", expected)
      assert.matches("already in use", message)
      expected, message = code(create(secrets, { ClientRequestToken = token(2) }))
      assert.equal("ResourceExistsException", expected)
      assert.matches("already exists", message)
    end)
  end)

  it("wants a token from raw callers", function()
    simulated(function(secrets)
      for operation, member in pairs {
        CreateSecret = "Name", PutSecretValue = "SecretId", UpdateSecret = "SecretId",
      } do
        local params = { [member] = "a", SecretString = "x" }
        assert.equal("InvalidParameterException", code(secrets(operation, params)), operation)
        params.ClientRequestToken = "short"
        assert.equal("InvalidParameterException", code(secrets(operation, params)), operation)
      end
    end)
  end)

  it("refuses names and values that cannot be", function()
    simulated(function(secrets)
      assert.equal("ValidationException", code(create(secrets, { Name = "a b" })))
      assert.equal("InvalidParameterException", code(create(secrets, { SecretBinary = "\0\255" })))
      assert.equal("ValidationException", code(create(secrets, { SecretString = ("x"):rep(65537) })))
      assert.equal("EncryptionFailure", code(create(secrets, { KmsKeyId = "alias/none" })))
      assert.equal("ResourceNotFoundException", code(secrets("DescribeSecret", { SecretId = "app/db" })))
    end)
  end)

  it("finds a secret by its name, its ARN and the ARN without the six characters", function()
    simulated(function(secrets)
      local arn = assert(create(secrets)).ARN
      for _, id in ipairs { "app/db", arn, (arn:gsub("%-%w+$", "")) } do
        assert.equal(arn, assert(secrets("DescribeSecret", { SecretId = id })).ARN)
      end
      assert.equal("ResourceNotFoundException",
        code(secrets("DescribeSecret", { SecretId = (arn:gsub("%w%w$", "??"):gsub("%?", "0")) })))
      -- A name that ends like the six characters hides from its partial ARN.
      local trap = assert(create(secrets, { Name = "app-abcdef" })).ARN
      assert.equal("ResourceNotFoundException",
        code(secrets("DescribeSecret", { SecretId = (trap:gsub("%-%w+$", "")) })))
    end)
  end)

  it("says nothing of the default key, and takes another from then on", function()
    simulated(function(secrets, _, call)
      assert(create(secrets, { KmsKeyId = "alias/aws/secretsmanager" }))
      assert.is_nil(assert(secrets("DescribeSecret", { SecretId = "app/db" })).KmsKeyId)
      local key = assert(call("kms", "CreateKey", {})).KeyMetadata
      local function update(id)
        return secrets("UpdateSecret", { SecretId = "app/db", KmsKeyId = id, ClientRequestToken = token(9) })
      end
      assert(update(key.Arn))
      assert.equal(key.Arn, assert(secrets("DescribeSecret", { SecretId = "app/db" })).KmsKeyId)
      assert(call("kms", "DisableKey", { KeyId = key.KeyId }))
      assert.equal("DecryptionFailure", code(read(secrets)))
      assert.equal("EncryptionFailure", code(put(secrets, "two", 2)))
      assert(update "")
      assert.is_nil(assert(secrets("DescribeSecret", { SecretId = "app/db" })).KmsKeyId)
      assert.equal("one", assert(read(secrets)).SecretString)
    end)
  end)
end)

describe("infra.sim.secretsmanager versions", function()
  it("moves AWSCURRENT and leaves AWSPREVIOUS behind", function()
    simulated(function(secrets)
      assert(create(secrets))
      assert.same({ "AWSCURRENT" }, assert(put(secrets, "two", 2)).VersionStages)
      assert.equal("two", assert(read(secrets)).SecretString)
      assert.equal("one", assert(read(secrets, { VersionStage = "AWSPREVIOUS" })).SecretString)
      assert(put(secrets, "three", 3))
      assert.same({ [token(2)] = { "AWSPREVIOUS" }, [token(3)] = { "AWSCURRENT" } },
        assert(secrets("DescribeSecret", { SecretId = "app/db" })).VersionIdsToStages)
      assert.equal(2, #assert(secrets("ListSecretVersionIds", { SecretId = "app/db" })).Versions)
      assert.equal(3,
        #assert(secrets("ListSecretVersionIds", { SecretId = "app/db", IncludeDeprecated = true })).Versions)
      assert.equal("one", assert(read(secrets, { VersionId = token(1) })).SecretString)
      assert.equal("ResourceNotFoundException", code(read(secrets, { VersionStage = "AWSPENDING" })))
    end)
  end)

  it("writes the same value with the same token once", function()
    simulated(function(secrets)
      assert(create(secrets))
      assert(put(secrets, "two", 2))
      assert(put(secrets, "three", 3))
      assert(put(secrets, "two", 2))
      assert.equal("three", assert(read(secrets)).SecretString)
      assert.equal("ResourceExistsException", code(put(secrets, "other", 2)))
      assert.equal("InvalidParameterException", code(secrets("PutSecretValue", {
        SecretId = "app/db", ClientRequestToken = token(4),
      })))
    end)
  end)

  it("keeps bytes, and knows a secret without a value", function()
    simulated(function(secrets)
      local made = assert(secrets("CreateSecret", { Name = "app/db", ClientRequestToken = token(1) }))
      assert.is_nil(made.VersionId)
      assert.equal("ResourceNotFoundException", code(read(secrets)))
      assert.equal("ResourceExistsException",
        code(secrets("CreateSecret", { Name = "app/db", ClientRequestToken = token(1) })))
      assert(secrets("UpdateSecret", { SecretId = "app/db", SecretBinary = "\0\255", ClientRequestToken = token(2) }))
      local value = assert(read(secrets))
      assert.same({ "\0\255", token(2) }, { value.SecretBinary, value.VersionId })
      assert.is_nil(value.SecretString)
    end)
  end)

  it("keeps a hundred versions, of which old ones without a label go", function()
    simulated(function(secrets, sleep)
      assert(create(secrets))
      for i = 2, 100 do
        assert(put(secrets, "x", i))
      end
      assert.equal("LimitExceededException", code(put(secrets, "x", 101)))
      sleep(DAY)
      assert(put(secrets, "x", 101))
      assert.equal("ResourceNotFoundException", code(read(secrets, { VersionId = token(1) })))
    end)
  end)

  it("takes AWSCURRENT from a version only for another one, and if the caller says from which", function()
    simulated(function(secrets)
      assert(create(secrets))
      assert(put(secrets, "two", 2, { "AWSPENDING" }))
      local function move(to, from)
        return secrets("UpdateSecretVersionStage", {
          SecretId = "app/db", VersionStage = "AWSCURRENT", MoveToVersionId = to, RemoveFromVersionId = from,
        })
      end
      assert.equal("InvalidParameterException", code(move(token(2))))
      assert.equal("InvalidParameterException", code(move(nil, token(1))))
      assert(move(token(2), token(1)))
      assert.same({ [token(1)] = { "AWSPREVIOUS" }, [token(2)] = { "AWSPENDING", "AWSCURRENT" } },
        assert(secrets("DescribeSecret", { SecretId = "app/db" })).VersionIdsToStages)
    end)
  end)
end)

describe("infra.sim.secretsmanager deletion", function()
  it("describes what waits for its end, and does nothing else with it", function()
    simulated(function(secrets, sleep)
      local arn = assert(create(secrets)).ARN
      local id = { SecretId = "app/db" }
      local deleted = assert(secrets("DeleteSecret", { SecretId = "app/db", RecoveryWindowInDays = 7 }))
      local described = assert(secrets("DescribeSecret", id))
      assert.is_true(deleted.DeletionDate - described.DeletedDate >= 7 * DAY - 1)
      assert.equal("InvalidRequestException", code(read(secrets)))
      assert.equal("InvalidRequestException", code(put(secrets, "two", 2)))
      assert.equal("InvalidRequestException", code(secrets("DeleteSecret", id)))
      local expected, message = code(create(secrets))
      assert.same({ "InvalidRequestException", "You can't create this secret because a secret with this name is "
        .. "already scheduled for deletion." }, { expected, message })
      assert.same({}, assert(secrets("ListSecrets")).SecretList)
      assert.equal(1, #assert(secrets("ListSecrets", { IncludePlannedDeletion = true })).SecretList)
      assert.equal(arn, assert(secrets("RestoreSecret", id)).ARN)
      assert.equal("one", assert(read(secrets)).SecretString)
      assert(secrets("DeleteSecret", id))
      sleep(30 * DAY)
      assert.equal("ResourceNotFoundException", code(secrets("DescribeSecret", id)))
      assert.not_equal(arn, assert(create(secrets)).ARN)
    end)
  end)

  it("without recovery is repeatable, and frees the name a little later", function()
    simulated(function(secrets, sleep)
      assert(create(secrets))
      local force = { SecretId = "app/db", ForceDeleteWithoutRecovery = true }
      assert(secrets("DeleteSecret", force))
      assert(secrets("DeleteSecret", force))
      assert.equal("ResourceNotFoundException", code(secrets("DescribeSecret", { SecretId = "app/db" })))
      assert.equal("InvalidRequestException", code(create(secrets)))
      sleep(120)
      assert(create(secrets))
    end)
  end)

  it("has a window of 7 to 30 days, or none", function()
    simulated(function(secrets)
      assert(create(secrets))
      for _, params in ipairs {
        { RecoveryWindowInDays = 6 }, { RecoveryWindowInDays = 31 },
        { RecoveryWindowInDays = 7, ForceDeleteWithoutRecovery = true },
      } do
        params.SecretId = "app/db"
        assert.equal("InvalidParameterException", code(secrets("DeleteSecret", params)))
      end
    end)
  end)
end)

describe("infra.sim.secretsmanager lists", function()
  local function with_secrets(body)
    simulated(function(secrets, sleep)
      for i, name in ipairs { "app/db", "app/cache", "other" } do
        assert(create(secrets, {
          Name = name, ClientRequestToken = token(i), Description = "Secret of " .. name,
          Tags = { { Key = "stack", Value = name:match "^%w+" } },
        }))
        sleep(1)
      end
      body(secrets)
    end)
  end

  local function names(secrets, filters, params)
    params = params or {}
    params.Filters = filters
    local found = {}
    for i, secret in ipairs(assert(secrets("ListSecrets", params)).SecretList) do
      found[i] = secret.Name
    end
    return found
  end

  it("filters by beginnings, all of them together", function()
    with_secrets(function(secrets)
      assert.same({ "other", "app/cache", "app/db" }, names(secrets))
      assert.same({ "app/cache", "app/db" }, names(secrets, { { Key = "name", Values = { "app" } } }))
      assert.same({}, names(secrets, { { Key = "name", Values = { "App" } } }))
      assert.same({ "other" }, names(secrets, { { Key = "name", Values = { "!app" } } }))
      assert.same({ "app/db" }, names(secrets, {
        { Key = "tag-key", Values = { "stack" } }, { Key = "tag-value", Values = { "app" } },
        { Key = "description", Values = { "secret of app/d" } },
      }))
      assert.same({ "app/cache" }, names(secrets, { { Key = "all", Values = { "CACHE secret" } } }))
      assert.equal("InvalidParameterException",
        code(secrets("ListSecrets", { Filters = { { Key = "arn", Values = { "x" } } } })))
    end)
  end)

  it("orders both ways and gives pages", function()
    with_secrets(function(secrets)
      assert.same({ "other", "app/cache", "app/db" }, names(secrets, nil, { SortOrder = "desc" }))
      assert.same({ "app/db", "app/cache", "other" }, names(secrets, nil, { SortOrder = "asc" }))
      local first = assert(secrets("ListSecrets", { MaxResults = 2 }))
      assert.equal(2, #first.SecretList)
      assert.same({ "app/db" }, names(secrets, nil, { MaxResults = 2, NextToken = first.NextToken }))
      assert.equal("InvalidNextTokenException", code(secrets("ListSecrets", { NextToken = "x" })))
      assert.same({ [token(3)] = { "AWSCURRENT" } }, first.SecretList[1].SecretVersionsToStages)
    end)
  end)

  it("reads many at once and tells what it could not read", function()
    with_secrets(function(secrets)
      local batch = assert(secrets("BatchGetSecretValue", { SecretIdList = { "app/db", "none" } }))
      assert.same({ "one", 1 }, { batch.SecretValues[1].SecretString, #batch.SecretValues })
      assert.same({ "none", "ResourceNotFoundException" }, { batch.Errors[1].SecretId, batch.Errors[1].ErrorCode })
      batch = assert(secrets("BatchGetSecretValue", { Filters = { { Key = "name", Values = { "app" } } } }))
      assert.equal(2, #batch.SecretValues)
    end)
  end)

  it("tags, but not with AWS's keys", function()
    with_secrets(function(secrets)
      local function tag(key)
        return secrets("TagResource", { SecretId = "other", Tags = { { Key = key, Value = "1" } } })
      end
      assert(tag "a")
      assert.equal("InvalidParameterException", code(tag "aws:a"))
      assert(secrets("UntagResource", { SecretId = "other", TagKeys = { "stack", "none" } }))
      assert.same({ { Key = "a", Value = "1" } }, assert(secrets("DescribeSecret", { SecretId = "other" })).Tags)
    end)
  end)
end)

describe("infra.sim.secretsmanager policies", function()
  local function policy(principal)
    return json.encode {
      Version = "2012-10-17",
      Statement = {
        { Effect = "Allow", Principal = principal, Action = "secretsmanager:GetSecretValue", Resource = "*" },
      },
    }
  end

  it("has none at first, and rewrites what it gets", function()
    simulated(function(secrets)
      assert(create(secrets))
      assert.is_nil(assert(secrets("GetResourcePolicy", { SecretId = "app/db" })).ResourcePolicy)
      local text = " " .. policy { AWS = "123456789012" }
      assert(secrets("PutResourcePolicy", { SecretId = "app/db", ResourcePolicy = text }))
      local shown = assert(secrets("GetResourcePolicy", { SecretId = "app/db" })).ResourcePolicy
      assert.same(json.decode(text), json.decode(shown))
      assert.not_equal(text, shown)
      assert(secrets("DeleteResourcePolicy", { SecretId = "app/db" }))
      assert.is_nil(assert(secrets("GetResourcePolicy", { SecretId = "app/db" })).ResourcePolicy)
    end)
  end)

  it("refuses principals that are not there, and everybody when asked to", function()
    simulated(function(secrets)
      assert(create(secrets))
      local function attach(principal, block)
        return secrets("PutResourcePolicy", {
          SecretId = "app/db", ResourcePolicy = policy(principal), BlockPublicPolicy = block,
        })
      end
      local expected, message = code(attach { AWS = "arn:aws:iam::123456789012:role/none" })
      assert.equal("MalformedPolicyDocumentException", expected)
      assert.matches("unsupported principal", message)
      assert.equal("PublicPolicyException", code(attach("*", true)))
      assert(attach("*"))
      local checked = assert(secrets("ValidateResourcePolicy", { ResourcePolicy = policy "*" }))
      assert.is_false(checked.PolicyValidationPassed)
    end)
  end)
end)

describe("infra.sim.secretsmanager passwords", function()
  it("contain each kind of character, and none that is excluded", function()
    simulated(function(secrets)
      for length = 4, 12 do
        local password = assert(secrets("GetRandomPassword", {
          PasswordLength = length, ExcludeCharacters = "/@\"' \\",
        })).RandomPassword
        assert.equal(length, #password)
        for _, class in ipairs { "%u", "%l", "%d", "%p" } do
          assert.matches(class, password)
        end
        assert.is_nil(password:find("[/@\"' \\]"))
      end
      assert.equal(32, #assert(secrets("GetRandomPassword")).RandomPassword)
      assert.matches("^%d+$", assert(secrets("GetRandomPassword", {
        ExcludeUppercase = true, ExcludeLowercase = true, ExcludePunctuation = true, PasswordLength = 4096,
      })).RandomPassword)
      assert.equal("InvalidParameterException", code(secrets("GetRandomPassword", { PasswordLength = 3 })))
    end)
  end)
end)
