-- The simulated KMS: what its API reference, its table of key states and its known traps say.

local caller = require "spec.sim.caller"
local json = require "host.json"
local merged = require "infra.merged"

local code = caller.code

local DAY = 86400

-- Runs `body(kms, sleep, call)`; kms(operation, params).
local function simulated(body, options)
  caller.service("kms", options or {}, body)
end

local function create(kms, params)
  return assert(kms("CreateKey", params or {})).KeyMetadata
end

local function policy(principal, action)
  return json.encode {
    Version = "2012-10-17",
    Statement = { { Effect = "Allow", Principal = { AWS = principal }, Action = action or "kms:*", Resource = "*" } },
  }
end

local ROOT = "arn:aws:iam::123456789012:root"

describe("infra.sim.kms keys", function()
  it("makes a new key at every call, with AWS's defaults", function()
    simulated(function(kms)
      local first, second = create(kms), create(kms)
      assert.not_equal(first.KeyId, second.KeyId)
      assert.equal("arn:aws:kms:us-east-1:123456789012:key/" .. first.KeyId, first.Arn)
      assert.same({ "Enabled", true, "CUSTOMER", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "AWS_KMS", "", false }, {
        first.KeyState, first.Enabled, first.KeyManager, first.KeySpec, first.KeyUsage, first.Origin, first.Description,
        first.MultiRegion,
      })
      assert.equal(2, #assert(kms("ListKeys")).Keys)
    end)
  end)

  it("finds a key by its id and its ARN in this region, and by nothing that only looks like one", function()
    simulated(function(kms, _, call)
      local key = create(kms)
      assert.equal(key.KeyId, assert(kms("DescribeKey", { KeyId = key.Arn })).KeyMetadata.KeyId)
      for _, id in ipairs {
        "none", "alias/none", "00000000-0000-0000-0000-000000000000", (key.Arn:gsub("us%-east%-1", "eu-west-1")),
        "key/" .. key.KeyId,
      } do
        assert.equal("NotFoundException", code(kms("DescribeKey", { KeyId = id })), id)
      end
      assert.equal("NotFoundException", code(call("kms", "DescribeKey", { KeyId = key.KeyId }, {
        region = "eu-west-1",
      })))
    end)
  end)

  it("refuses uses that a kind of key does not have", function()
    simulated(function(kms)
      assert.equal("ValidationException", code(kms("CreateKey", { KeySpec = "RSA_2048" })))
      assert.equal("ValidationException", code(kms("CreateKey", { KeySpec = "HMAC_256", KeyUsage = "SIGN_VERIFY" })))
      local key = create(kms, { KeySpec = "RSA_2048", KeyUsage = "SIGN_VERIFY" })
      assert.equal("UnsupportedOperationException", code(kms("EnableKeyRotation", { KeyId = key.KeyId })))
      assert.equal("InvalidKeyUsageException", code(kms("Encrypt", { KeyId = key.KeyId, Plaintext = "x" })))
    end)
  end)

  it("schedules deletion once, and comes back disabled", function()
    simulated(function(kms)
      local key = create(kms)
      local id = { KeyId = key.KeyId }
      assert.equal("ValidationException",
        code(kms("ScheduleKeyDeletion", { KeyId = key.KeyId, PendingWindowInDays = 6 })))
      assert.equal("KMSInvalidStateException", code(kms("CancelKeyDeletion", id)))
      local scheduled = assert(kms("ScheduleKeyDeletion", id))
      assert.same({ key.Arn, "PendingDeletion", 30 },
        { scheduled.KeyId, scheduled.KeyState, scheduled.PendingWindowInDays })
      local again, message = code(kms("ScheduleKeyDeletion", id))
      assert.same({ "KMSInvalidStateException", key.Arn .. " is pending deletion." }, { again, message })
      assert.equal("PendingDeletion", assert(kms("DescribeKey", id)).KeyMetadata.KeyState)
      for _, operation in ipairs { "EnableKey", "DisableKey", "EnableKeyRotation" } do
        assert.equal("KMSInvalidStateException", code(kms(operation, id)), operation)
      end
      assert.equal("KMSInvalidStateException", code(kms("Encrypt", { KeyId = key.KeyId, Plaintext = "x" })))
      assert.equal("KMSInvalidStateException",
        code(kms("TagResource", { KeyId = key.KeyId, Tags = { { TagKey = "a", TagValue = "1" } } })))
      assert(kms("CancelKeyDeletion", id))
      local back = assert(kms("DescribeKey", id)).KeyMetadata
      assert.same({ "Disabled", false }, { back.KeyState, back.Enabled })
      assert.equal("DisabledException", code(kms("GenerateDataKey", { KeyId = key.KeyId, KeySpec = "AES_256" })))
      assert(kms("EnableKey", id))
      assert(kms("GenerateDataKey", { KeyId = key.KeyId, KeySpec = "AES_256" }))
    end)
  end)

  it("forgets a key and its aliases when the waiting period is over", function()
    simulated(function(kms, sleep)
      local key = create(kms)
      assert(kms("CreateAlias", { AliasName = "alias/a", TargetKeyId = key.KeyId }))
      assert(kms("ScheduleKeyDeletion", { KeyId = key.KeyId, PendingWindowInDays = 7 }))
      assert.equal("AlreadyExistsException",
        code(kms("CreateAlias", { AliasName = "alias/a", TargetKeyId = create(kms).KeyId })))
      sleep(7 * DAY)
      assert.equal("NotFoundException", code(kms("DescribeKey", { KeyId = key.KeyId })))
      assert.same({}, assert(kms("ListAliases")).Aliases)
    end)
  end)

  it("shows some readers the key as it was, for a while", function()
    simulated(function(kms, sleep)
      local key = create(kms)
      sleep(100)
      local seen = {}
      assert(kms("UpdateKeyDescription", { KeyId = key.KeyId, Description = "new" }))
      for _ = 1, 40 do
        seen[assert(kms("DescribeKey", { KeyId = key.KeyId })).KeyMetadata.Description] = true
      end
      assert.same({ [""] = true, new = true }, seen)
      sleep(100)
      assert.equal("new", assert(kms("DescribeKey", { KeyId = key.KeyId })).KeyMetadata.Description)
    end, { faults = { consistency = 20 } })
  end)

  it("may not know a new key yet when an alias is made for it", function()
    simulated(function(kms, sleep)
      local key = create(kms)
      local alias = { AliasName = "alias/a", TargetKeyId = key.KeyId }
      local refused = 0
      while true do
        local done, err = kms("CreateAlias", alias)
        if done then
          break
        end
        assert.equal("NotFoundException", err.code)
        refused = refused + 1
        sleep(1)
      end
      assert.is_true(refused > 0)
    end, { faults = { consistency = 20 } })
  end)
end)

describe("infra.sim.kms rotation", function()
  it("has a period from 90 to 2560 days, and needs an enabled key", function()
    simulated(function(kms)
      local id = { KeyId = create(kms).KeyId }
      assert.is_false(assert(kms("GetKeyRotationStatus", id)).KeyRotationEnabled)
      assert(kms("EnableKeyRotation", id))
      assert.equal(365, assert(kms("GetKeyRotationStatus", id)).RotationPeriodInDays)
      assert.equal("ValidationException",
        code(kms("EnableKeyRotation", { KeyId = id.KeyId, RotationPeriodInDays = 89 })))
      assert(kms("EnableKeyRotation", { KeyId = id.KeyId, RotationPeriodInDays = 90 }))
      assert.equal(90, assert(kms("GetKeyRotationStatus", id)).RotationPeriodInDays)
      assert(kms("DisableKey", id))
      assert.equal("DisabledException", code(kms("DisableKeyRotation", id)))
      assert.is_true(assert(kms("GetKeyRotationStatus", id)).KeyRotationEnabled)
      assert(kms("ScheduleKeyDeletion", id))
      assert.is_false(assert(kms("GetKeyRotationStatus", id)).KeyRotationEnabled)
    end)
  end)
end)

describe("infra.sim.kms policies", function()
  it("has the account's root by default, and rewrites what it gets", function()
    simulated(function(kms)
      local id = { KeyId = create(kms).KeyId }
      local default = json.decode(assert(kms("GetKeyPolicy", id)).Policy)
      assert.equal(ROOT, default.Statement[1].Principal.AWS)
      local text = policy(ROOT)
      assert(kms("PutKeyPolicy", { KeyId = id.KeyId, Policy = text, PolicyName = "default" }))
      local shown = assert(kms("GetKeyPolicy", id)).Policy
      assert.not_equal(text, shown)
      assert.same(json.decode(text), json.decode(shown))
      assert.equal("NotFoundException", code(kms("GetKeyPolicy", { KeyId = id.KeyId, PolicyName = "other" })))
    end)
  end)

  it("refuses a policy that locks its author out, unless told not to mind", function()
    simulated(function(kms)
      local params = { Policy = policy(ROOT, "kms:Encrypt") }
      assert.equal("MalformedPolicyDocumentException", code(kms("CreateKey", params)))
      assert.same({}, assert(kms("ListKeys")).Keys)
      params.BypassPolicyLockoutSafetyCheck = true
      assert(kms("CreateKey", params))
      assert.equal("MalformedPolicyDocumentException", code(kms("CreateKey", { Policy = "{}" })))
    end)
  end)

  it("knows a new role only after a while, and a deleted one by its id", function()
    simulated(function(kms, sleep, call)
      local trust = json.encode {
        Version = "2012-10-17",
        Statement = {
          { Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" },
        },
      }
      local role = assert(call("iam", "CreateRole", { RoleName = "app", AssumeRolePolicyDocument = trust })).Role
      local id = create(kms).KeyId
      local params = { KeyId = id, Policy = policy { ROOT, role.Arn } }
      assert.equal("MalformedPolicyDocumentException", code(kms("PutKeyPolicy", params)))
      sleep(60)
      assert(kms("PutKeyPolicy", params))
      assert(call("iam", "DeleteRole", { RoleName = "app" }))
      local shown = assert(kms("GetKeyPolicy", { KeyId = id })).Policy
      assert.is_nil(shown:find(role.Arn, 1, true))
      assert.is_truthy(shown:find(role.RoleId, 1, true))
    end)
  end)
end)

describe("infra.sim.kms aliases", function()
  it("are unique, can move, and name keys for some operations only", function()
    simulated(function(kms)
      local first, second = create(kms).KeyId, create(kms).KeyId
      local alias = { AliasName = "alias/app/db", TargetKeyId = first }
      assert(kms("CreateAlias", alias))
      assert.equal("AlreadyExistsException", code(kms("CreateAlias", alias)))
      assert(kms("UpdateAlias", { AliasName = "alias/app/db", TargetKeyId = second }))
      for _, name in ipairs { "alias/app/db", "arn:aws:kms:us-east-1:123456789012:alias/app/db" } do
        assert.equal(second, assert(kms("DescribeKey", { KeyId = name })).KeyMetadata.KeyId)
        assert.equal("NotFoundException", code(kms("EnableKey", { KeyId = name })))
      end
      assert.same({}, assert(kms("ListAliases", { KeyId = first })).Aliases)
      assert.equal("arn:aws:kms:us-east-1:123456789012:alias/app/db",
        assert(kms("ListAliases", { KeyId = second })).Aliases[1].AliasArn)
      assert(kms("DeleteAlias", { AliasName = "alias/app/db" }))
      assert.equal("NotFoundException", code(kms("DeleteAlias", { AliasName = "alias/app/db" })))
    end)
  end)

  it("must have the prefix, and not AWS's own", function()
    simulated(function(kms)
      local id = create(kms).KeyId
      for name, expected in pairs {
        ["app"] = "ValidationException",
        ["alias/a b"] = "ValidationException",
        ["alias/aws/app"] = "NotAuthorizedException",
      } do
        assert.equal(expected, code(kms("CreateAlias", { AliasName = name, TargetKeyId = id })), name)
      end
      local rsa = create(kms, { KeySpec = "RSA_2048", KeyUsage = "ENCRYPT_DECRYPT" }).KeyId
      assert(kms("CreateAlias", { AliasName = "alias/a", TargetKeyId = id }))
      assert.equal("ValidationException", code(kms("UpdateAlias", { AliasName = "alias/a", TargetKeyId = rsa })))
    end)
  end)

  it("lists them in pages", function()
    simulated(function(kms)
      local id = create(kms).KeyId
      for i = 1, 3 do
        assert(kms("CreateAlias", { AliasName = "alias/a" .. i, TargetKeyId = id }))
      end
      local page = assert(kms("ListAliases", { Limit = 2 }))
      assert.same({ 2, true }, { #page.Aliases, page.Truncated })
      page = assert(kms("ListAliases", { Limit = 2, Marker = page.NextMarker }))
      assert.same({ "alias/a3", false }, { page.Aliases[1].AliasName, page.Truncated })
      assert.equal("InvalidMarkerException", code(kms("ListAliases", { Marker = "x" })))
    end)
  end)
end)

describe("infra.sim.kms AWS managed keys", function()
  it("come into being when they are first asked for, and cannot be changed", function()
    simulated(function(kms)
      local key = assert(kms("DescribeKey", { KeyId = "alias/aws/rds" })).KeyMetadata
      assert.equal("AWS", key.KeyManager)
      assert.equal(key.KeyId, assert(kms("DescribeKey", { KeyId = "alias/aws/rds" })).KeyMetadata.KeyId)
      assert.is_true(assert(kms("GetKeyRotationStatus", { KeyId = key.KeyId })).KeyRotationEnabled)
      for operation, params in pairs {
        ScheduleKeyDeletion = {},
        DisableKey = {},
        PutKeyPolicy = { Policy = policy(ROOT) },
        TagResource = { Tags = { { TagKey = "a", TagValue = "1" } } },
      } do
        params.KeyId = key.KeyId
        assert.equal("AccessDeniedException", code(kms(operation, params)), operation)
      end
      assert.equal("NotFoundException", code(kms("DescribeKey", { KeyId = "alias/aws/none" })))
    end)
  end)
end)

describe("infra.sim.kms tags", function()
  it("merges them, and refuses AWS's own keys", function()
    simulated(function(kms)
      local id = create(kms, { Tags = { { TagKey = "b", TagValue = "1" } } }).KeyId
      local function tag(...)
        return kms("TagResource", { KeyId = id, Tags = { ... } })
      end
      assert(tag({ TagKey = "a", TagValue = "2" }, { TagKey = "b", TagValue = "3" }))
      assert(kms("UntagResource", { KeyId = id, TagKeys = { "none" } }))
      assert.same({ { TagKey = "a", TagValue = "2" }, { TagKey = "b", TagValue = "3" } },
        assert(kms("ListResourceTags", { KeyId = id })).Tags)
      assert.equal("TagException", code(tag { TagKey = "aws:x", TagValue = "1" }))
      assert.equal("TagException", code(tag({ TagKey = "x", TagValue = "1" }, { TagKey = "x", TagValue = "2" })))
    end)
  end)
end)

describe("infra.sim.kms cryptography", function()
  it("opens what it sealed, with the same context only", function()
    simulated(function(kms)
      local key = create(kms)
      local context = { stack = "app", name = "db" }
      local data = assert(kms("GenerateDataKey", {
        KeyId = key.KeyId, KeySpec = "AES_256", EncryptionContext = context,
      }))
      assert.same({ 32, key.Arn }, { #data.Plaintext, data.KeyId })
      local function decrypt(changes)
        return kms("Decrypt", merged({ CiphertextBlob = data.CiphertextBlob, EncryptionContext = context }, changes))
      end
      assert.equal(data.Plaintext, assert(decrypt()).Plaintext)
      assert.equal(data.Plaintext, assert(decrypt { KeyId = key.KeyId }).Plaintext)
      assert.equal("InvalidCiphertextException", code(decrypt { EncryptionContext = { stack = "App", name = "db" } }))
      assert.equal("InvalidCiphertextException", code(decrypt { CiphertextBlob = "garbage" }))
      assert.equal("IncorrectKeyException", code(decrypt { KeyId = create(kms).KeyId }))
      assert(kms("DisableKey", { KeyId = key.KeyId }))
      assert.equal("DisabledException", code(decrypt()))
    end)
  end)

  it("moves a ciphertext to another key, and encrypts no more than 4096 bytes", function()
    simulated(function(kms)
      local first, second = create(kms), create(kms)
      local sealed = assert(kms("Encrypt", { KeyId = first.KeyId, Plaintext = ("\0"):rep(4096) })).CiphertextBlob
      assert.equal("ValidationException", code(kms("Encrypt", { KeyId = first.KeyId, Plaintext = ("x"):rep(4097) })))
      local moved = assert(kms("ReEncrypt", { CiphertextBlob = sealed, DestinationKeyId = second.KeyId }))
      assert.same({ first.Arn, second.Arn }, { moved.SourceKeyId, moved.KeyId })
      local opened = assert(kms("Decrypt", { CiphertextBlob = moved.CiphertextBlob }))
      assert.same({ ("\0"):rep(4096), second.Arn }, { opened.Plaintext, opened.KeyId })
      assert.equal("ValidationException", code(kms("GenerateDataKey", { KeyId = first.KeyId })))
    end)
  end)
end)
