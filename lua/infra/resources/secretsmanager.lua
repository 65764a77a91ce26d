-- Secrets Manager: secrets, given or generated. The vocabulary is in handler/schema.lua.
--
-- A value is generated once, when the secret is created: what GenerateSecretString says later is for the next one. It
-- passes through the memory of one request and is never read back; others name it by a dynamic reference
-- (handler/dynamic).
--
-- A deleted secret can be restored for 30 days and keeps its name that long; with recoverable = false it goes at once.
-- Secrets are read one by one: the list of all may be five minutes old.

local json = require "host.json"
local key_id = require "infra.resources.kms_key_id"
local random_password = require "infra.resources.random_password"

local ID = { "Id=SecretId" }
local DEFAULT_KEY <const> = "alias/aws/secretsmanager" -- where it is used, nothing is said of a key
local SCHEDULED <const> = "scheduled for deletion"

-- The value, which only the request may see.
local function reveal(params, scope, op)
  if scope.GenerateSecretString then
    local value, err = random_password.generate(op, scope.GenerateSecretString)
    if not value then
      return nil, err
    end
    params.SecretString = value
  end
  return params
end

local function check(properties, report)
  local name, generated = properties.Name, properties.GenerateSecretString
  if type(name) == "string" and name:find("%-%w%w%w%w%w%w$") then
    report("Name", "must not end with a hyphen and six characters: ARNs do, and would be mistaken for it")
  end
  if generated ~= nil and properties.SecretString ~= nil then
    report("SecretString", "must not be given where the value is generated")
  elseif type(generated) == "table" then
    random_password.check("GenerateSecretString", generated, report)
  end
end

-- -- replicas ---------------------------------------------------------------------------------------------------------

local function by_region(replicas)
  local result = {}
  for _, replica in ipairs(replicas or {}) do
    result[replica.Region] = replica.KmsKeyId or DEFAULT_KEY
  end
  return result
end

local function remove_replicas(op, id, regions)
  table.sort(regions)
  if #regions == 0 then
    return true
  end
  return op:mutate({ "RemoveRegionsFromReplication" }, { SecretId = id, RemoveReplicaRegions = json.array(regions) })
end

-- A replica with another key is made anew.
local function write_replicas(op, scope, live)
  local wanted, present = by_region(scope.ReplicaRegions), by_region(live.values.ReplicaRegions)
  local old, new = {}, json.array {}
  for region, key in pairs(present) do
    if not (wanted[region] and key_id(wanted[region], key)) then
      old[#old + 1], present[region] = region, nil
    end
  end
  for _, replica in ipairs(scope.ReplicaRegions or {}) do
    if not present[replica.Region] then
      new[#new + 1] = replica
    end
  end
  local ok, err = remove_replicas(op, scope.Id, old)
  if not ok or #new == 0 then
    return ok, err
  end
  return op:mutate({ "ReplicateSecretToRegions" }, { SecretId = scope.Id, AddReplicaRegions = new })
end

local function remove_all_replicas(op, scope)
  local secret, err = op:get({ "DescribeSecret" }, { SecretId = scope.Id })
  if not secret then
    return err.code == "ResourceNotFoundException", err
  end
  local regions = {}
  for i, replica in ipairs(secret.ReplicationStatus or {}) do
    regions[i] = replica.Region
  end
  return remove_replicas(op, scope.Id, regions)
end

return {
  ["AWS::SecretsManager::Secret"] = {
    service = "secretsmanager",
    identity = { "Id" },
    name = { property = "Name", limit = 512 },
    typical = { create = 1, update = 1, delete = 1 },
    secrets = { "SecretString" },
    check = check,
    defaults = { Description = "", KmsKeyId = DEFAULT_KEY, ReplicaRegions = json.array {} },
    accepts = {
      KmsKeyId = function(wanted, live)
        return (wanted == DEFAULT_KEY) == (live == DEFAULT_KEY) and key_id(wanted, live)
      end,
    },
    sets = { "ReplicaRegions" },
    recorded = { "GenerateSecretString" },
    retry = { -- the key, or the secret itself, is seconds old
      { "EncryptionFailure", 120 }, { "DecryptionFailure", 120 }, { "ResourceNotFoundException", 60 },
    },
    create = {
      "CreateSecret", send = { "Name", "Description", "KmsKeyId", "SecretString", "ReplicaRegions=AddReplicaRegions" },
      reveal = reveal, exists = { "ResourceExistsException" },
      retry = { -- one of this name is still being destroyed
        { "InvalidRequestException", 120, message = SCHEDULED },
        { "InvalidRequestException", 120, message = "was deleted" },
      },
    },
    hints = {
      {
        "InvalidRequestException", message = SCHEDULED,
        hint = "bring it back with `infra aws secretsmanager RestoreSecret SecretId=NAME` and take it over with " ..
          "{ adopt = true }, or delete it for good with ForceDeleteWithoutRecovery=true",
      },
    },
    -- Secrets Manager takes the name wherever it takes the ARN.
    derive = function(scope)
      return { Id = scope.Name }
    end,
    read = {
      "DescribeSecret", send = ID, map = { "Id=ARN", "Name", "Description", "KmsKeyId" }, gives = { "ReplicaRegions" },
      pick = function(secret)
        if not secret.DeletedDate then
          return secret
        end
      end,
      decode = function(secret, values)
        values.ReplicaRegions = json.array {}
        for i, replica in ipairs(secret.ReplicationStatus or {}) do
          values.ReplicaRegions[i] = { Region = replica.Region, KmsKeyId = replica.KmsKeyId }
        end
      end,
    },
    facets = {
      {
        properties = { "Description", "KmsKeyId", "SecretString" }, partial = true,
        write = { "UpdateSecret", send = { "Id=SecretId", "Description", "KmsKeyId", "SecretString" } },
      },
      { properties = { "ReplicaRegions" }, write = write_replicas },
    },
    tags = {
      form = "list", create = "Tags", read = "Tags",
      set = { "TagResource", send = ID, tags = "Tags" },
      unset = { "UntagResource", send = ID, keys = "TagKeys" },
    },
    delete = {
      "DeleteSecret", send = ID, before = remove_all_replicas,
      encode = function(params, _, op)
        params.ForceDeleteWithoutRecovery = op.recoverable == false or nil
      end,
      absent = { { "InvalidRequestException", message = "deletion" } },
      retry = { { "InvalidRequestException", 120, message = "replica" } }, -- they take a while to go
    },
    gone = { "ResourceNotFoundException" },
  },
}
