-- Keys of the simulated KMS: making, describing, enabling, deleting. Used by infra.sim.kms.

local entities = require "infra.sim.kms.entities"
local policies = require "infra.sim.kms.policies"
local tags = require "infra.sim.kms.tags"

local operations = {}
local fail, invalid = entities.fail, entities.invalid

local DAY = 86400
local WINDOW = { shortest = 7, usual = 30, longest = 30 }

-- By KeySpec: what such a key can be for, and its algorithms.
local ENCRYPT, SIGN, MAC = { ENCRYPT_DECRYPT = true }, { SIGN_VERIFY = true }, { GENERATE_VERIFY_MAC = true }
local RSA = { ENCRYPT_DECRYPT = true, SIGN_VERIFY = true }
local CURVE = { SIGN_VERIFY = true, KEY_AGREEMENT = true }
local SPECS = {
  SYMMETRIC_DEFAULT = ENCRYPT,
  RSA_2048 = RSA, RSA_3072 = RSA, RSA_4096 = RSA,
  ECC_NIST_P256 = CURVE, ECC_NIST_P384 = CURVE, ECC_NIST_P521 = CURVE, ECC_SECG_P256K1 = SIGN,
  HMAC_224 = MAC, HMAC_256 = MAC, HMAC_384 = MAC, HMAC_512 = MAC,
}

local function metadata(ctx, key)
  local state = entities.state(key)
  local encrypts = key.KeyUsage == "ENCRYPT_DECRYPT"
  local symmetric = key.KeySpec == "SYMMETRIC_DEFAULT"
  return {
    AWSAccountId = ctx.account,
    KeyId = key.KeyId,
    Arn = key.Arn,
    CreationDate = key.CreationDate,
    Enabled = state == "Enabled",
    Description = key.Description,
    KeyUsage = key.KeyUsage,
    KeyState = state,
    DeletionDate = key.DeletionDate,
    Origin = key.Origin,
    KeyManager = key.KeyManager,
    CustomerMasterKeySpec = key.KeySpec,
    KeySpec = key.KeySpec,
    EncryptionAlgorithms = encrypts and (symmetric and { "SYMMETRIC_DEFAULT" }
      or { "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256" }) or nil,
    MultiRegion = key.MultiRegion,
    MultiRegionConfiguration = key.MultiRegion and {
      MultiRegionKeyType = "PRIMARY", PrimaryKey = { Arn = key.Arn, Region = ctx.region }, ReplicaKeys = {},
    } or nil,
  }
end

local function check_spec(ctx, params)
  local spec = params.KeySpec or params.CustomerMasterKeySpec or "SYMMETRIC_DEFAULT"
  local usages = SPECS[spec]
  if not usages then
    invalid(ctx, spec, "keySpec", "Member must satisfy enum value set")
  elseif not params.KeyUsage and spec ~= "SYMMETRIC_DEFAULT" then
    fail(ctx, "ValidationException", "You must specify a KeyUsage value for all KMS keys except for symmetric "
      .. "encryption keys.")
  elseif not usages[params.KeyUsage or "ENCRYPT_DECRYPT"] then
    fail(ctx, "ValidationException", "KeyUsage %s is not compatible with KeySpec %s", params.KeyUsage, spec)
  elseif (params.Origin or "AWS_KMS") ~= "AWS_KMS" then
    fail(ctx, "UnsupportedOperationException", "Key material of the origin %s is not supported.", params.Origin)
  end
  return spec
end

-- There is no token: two equal calls make two keys.
function operations.CreateKey(ctx, params)
  local spec, policy, bindings = check_spec(ctx, params), policies.read(ctx, params)
  local key = entities.create_key(ctx, {
    KeySpec = spec,
    KeyUsage = params.KeyUsage,
    Description = params.Description,
    MultiRegion = params.MultiRegion,
    tags = tags.merged(ctx, {}, params.Tags),
    policy = policy,
    bindings = bindings,
  })
  return { KeyMetadata = metadata(ctx, key) }
end

function operations.DescribeKey(ctx, params)
  return { KeyMetadata = metadata(ctx, entities.seen(ctx, entities.find_any(ctx, params.KeyId))) }
end

function operations.ListKeys(ctx, params)
  local found = {}
  for id, key in entities.each_key(ctx) do
    if not ctx:fresh("key", id, entities.store(ctx)) then
      found[#found + 1] = { KeyId = id, KeyArn = key.Arn }
    end
  end
  return entities.listed(ctx, params, "Keys", found, function(key) return key.KeyId end, 1000, 100)
end

function operations.UpdateKeyDescription(ctx, params)
  local key = entities.check_state(ctx, entities.find_own(ctx, params.KeyId))
  entities.change(ctx, key, function() key.Description = params.Description end)
end

-- -- states -----------------------------------------------------------------------------------------------------------

local function set_enabled(enabled)
  return function(ctx, params)
    local key = entities.check_state(ctx, entities.find_own(ctx, params.KeyId))
    entities.change(ctx, key, function() key.Enabled = enabled end)
  end
end

operations.EnableKey = set_enabled(true)
operations.DisableKey = set_enabled(false)

function operations.ScheduleKeyDeletion(ctx, params)
  local key = entities.check_state(ctx, entities.find_own(ctx, params.KeyId))
  local days = params.PendingWindowInDays or WINDOW.usual
  if days < WINDOW.shortest or days > WINDOW.longest then
    invalid(ctx, days, "pendingWindowInDays", "Member must have value between %d and %d", WINDOW.shortest,
      WINDOW.longest)
  end
  entities.change(ctx, key, function() key.DeletionDate = ctx.now() + days * DAY end)
  return {
    KeyId = key.Arn, DeletionDate = key.DeletionDate, KeyState = entities.state(key), PendingWindowInDays = days,
  }
end

-- The key comes back disabled.
function operations.CancelKeyDeletion(ctx, params)
  local key = entities.find_own(ctx, params.KeyId)
  if entities.state(key) ~= "PendingDeletion" then
    fail(ctx, "KMSInvalidStateException", "%s is not pending deletion.", key.Arn)
  end
  entities.change(ctx, key, function() key.DeletionDate, key.Enabled = nil, false end)
  return { KeyId = key.Arn }
end

return { operations = operations }
