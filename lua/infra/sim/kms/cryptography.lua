-- What the simulated KMS does with symmetric keys. Used by infra.sim.kms.
--
-- A ciphertext is the id of its key, padded to a fixed length, and AES-256-GCM by host.crypto; the encryption context
-- is authenticated with it.

local crypto = require "host.crypto"
local entities = require "infra.sim.kms.entities"
local json = require "host.json"

local operations = {}
local fail = entities.fail

local ID_LENGTH = 40
local PLAINTEXT_LIMIT = 4096
local DATA_KEYS = { AES_128 = 16, AES_256 = 32 }
local ALGORITHM = "SYMMETRIC_DEFAULT"

-- The key, which must be one that encrypts, enabled.
local function ready(ctx, key)
  entities.check_state(ctx, key, true)
  if key.KeySpec ~= ALGORITHM then
    fail(ctx, "InvalidKeyUsageException", "%s key usage is %s with key spec %s, which is not valid for %s.", key.Arn,
      key.KeyUsage, key.KeySpec, ctx.operation)
  end
  return key
end

-- Keys of objects are encoded in order: equal contexts are equal texts.
local function additional_data(context)
  return json.encode(json.object(context or {}))
end

local function seal(key, plaintext, context)
  return ("%-" .. ID_LENGTH .. "s"):format(key.KeyId)
    .. crypto.encrypt(crypto.unhex(key.material), plaintext, additional_data(context))
end

-- The plaintext and the key it was sealed with. `wanted`: the key that the caller expects, or nil.
local function unseal(ctx, blob, context, wanted)
  local id = blob:sub(1, ID_LENGTH):match("^(%S+) *$")
  local key = id and entities.store(ctx):get("key", id)
  if not key then
    fail(ctx, "InvalidCiphertextException", "")
  elseif wanted and entities.find_any(ctx, wanted).KeyId ~= key.KeyId then
    fail(ctx, "IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this "
      .. "operation.")
  end
  ready(ctx, key)
  local plaintext = crypto.decrypt(crypto.unhex(key.material), blob:sub(ID_LENGTH + 1), additional_data(context))
  return plaintext or fail(ctx, "InvalidCiphertextException", ""), key
end

function operations.Encrypt(ctx, params)
  local key = ready(ctx, entities.find_any(ctx, params.KeyId))
  if params.Plaintext == "" or #params.Plaintext > PLAINTEXT_LIMIT then
    entities.invalid(ctx, "(sensitive)", "plaintext", "Member must have length between 1 and %d", PLAINTEXT_LIMIT)
  end
  return {
    CiphertextBlob = seal(key, params.Plaintext, params.EncryptionContext),
    KeyId = key.Arn,
    EncryptionAlgorithm = ALGORITHM,
  }
end

function operations.Decrypt(ctx, params)
  local plaintext, key = unseal(ctx, params.CiphertextBlob, params.EncryptionContext, params.KeyId)
  return { Plaintext = plaintext, KeyId = key.Arn, EncryptionAlgorithm = ALGORITHM }
end

function operations.ReEncrypt(ctx, params)
  local target = ready(ctx, entities.find_any(ctx, params.DestinationKeyId))
  local plaintext, source = unseal(ctx, params.CiphertextBlob, params.SourceEncryptionContext, params.SourceKeyId)
  return {
    CiphertextBlob = seal(target, plaintext, params.DestinationEncryptionContext),
    SourceKeyId = source.Arn,
    KeyId = target.Arn,
    SourceEncryptionAlgorithm = ALGORITHM,
    DestinationEncryptionAlgorithm = ALGORITHM,
  }
end

local function bytes(ctx, count)
  return crypto.unhex(ctx.unique(2 * count))
end

function operations.GenerateDataKey(ctx, params)
  local key = ready(ctx, entities.find_any(ctx, params.KeyId))
  local length = params.NumberOfBytes or DATA_KEYS[params.KeySpec]
  if (params.NumberOfBytes == nil) == (params.KeySpec == nil) then
    fail(ctx, "ValidationException", "Please specify either number of bytes or key spec.")
  elseif not length or length < 1 or length > 1024 then
    entities.invalid(ctx, params.KeySpec or length, "keySpec or numberOfBytes", "Member must be AES_128, AES_256 or "
      .. "between 1 and 1024")
  end
  local plaintext = bytes(ctx, length)
  return {
    Plaintext = plaintext, CiphertextBlob = seal(key, plaintext, params.EncryptionContext), KeyId = key.Arn,
  }
end

function operations.GenerateDataKeyWithoutPlaintext(ctx, params)
  local output = operations.GenerateDataKey(ctx, params)
  output.Plaintext = nil
  return output
end

function operations.GenerateRandom(ctx, params)
  return { Plaintext = bytes(ctx, params.NumberOfBytes or 32) }
end

return { operations = operations }
