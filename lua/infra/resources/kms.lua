-- KMS keys and their aliases. The vocabulary is in handler/schema.lua.
--
-- A key has no name and its create no token: a lost one is found by its ownership tag. KMS is eventually consistent:
-- the next call that needs a change says so, and is repeated. Deleting a key makes everything encrypted under it
-- unreadable, so a deletion is only scheduled, for the longest time unless PendingWindowInDays says otherwise; a key in
-- that state counts as gone.

local json = require "host.json"

local CONSISTENCY = {
  { "NotFoundException", 120 },
  { "DisabledException", 60 }, -- just enabled
  { "MalformedPolicyDocumentException", 120 }, -- a principal that is seconds old
  { "ConcurrentModificationException", 60 },
}

local KEY = { "KeyId" }

local types = {}

local function has_tag(tags, key, value)
  for _, tag in ipairs(tags) do
    if tag.TagKey == key and tag.TagValue == value then
      return true
    end
  end
  return false
end

-- The key with this generation's ownership tag: every key of the account is asked, because the index of tagged
-- resources may lag for minutes. Keys whose policy keeps us out are somebody else's.
local function find_by_tag(op)
  local client, where = op.context.client, { region = op.region }
  local keys, err = client:all("kms", "ListKeys", {}, where)
  if not keys then
    return nil, err
  end
  local found, problem
  local jobs = {}
  for i, key in ipairs(keys.Keys or {}) do
    jobs[i] = function()
      local output, refused = client:all("kms", "ListResourceTags", { KeyId = key.KeyId }, where)
      if output and has_tag(output.Tags or {}, "infra:id", op.token) then
        found = key
      elseif refused and refused.code ~= "AccessDeniedException" and refused.code ~= "NotFoundException" then
        problem = refused
      end
    end
  end
  op.context.scheduler:all(jobs)
  if not found then
    return nil, problem
  end
  local output
  output, err = op:get({ "DescribeKey" }, { KeyId = found.KeyId })
  return output and output.KeyMetadata, err
end

-- What KMS gives to a key without a policy of its own.
local function default_policy(op)
  local root = ("arn:%s:iam::%s:root"):format(op.context.partition, op.context.account)
  return json.encode {
    Version = "2012-10-17", Id = "key-default-1",
    Statement = json.array {
      {
        Sid = "Enable IAM User Permissions", Effect = "Allow", Principal = { AWS = root }, Action = "kms:*",
        Resource = "*",
      },
    },
  }
end

local MIN_PERIOD <const>, MAX_PERIOD <const> = 90, 2560 -- days between rotations

local function check_key(properties, report)
  local period = properties.RotationPeriodInDays
  if period and properties.EnableKeyRotation ~= true then
    report("RotationPeriodInDays", "needs EnableKeyRotation = true")
  elseif math.type(period) == "integer" and (period < MIN_PERIOD or period > MAX_PERIOD) then
    report("RotationPeriodInDays", ("must be %d to %d days, is %d"):format(MIN_PERIOD, MAX_PERIOD, period))
  end
end

types["AWS::KMS::Key"] = {
  service = "kms",
  identity = KEY,
  check = check_key,
  typical = { create = 2, update = 1, delete = 1 },
  retry = CONSISTENCY,
  defaults = {
    Description = "", Enabled = true, EnableKeyRotation = false, RotationPeriodInDays = 365,
    KeySpec = "SYMMETRIC_DEFAULT", KeyUsage = "ENCRYPT_DECRYPT", MultiRegion = false, Origin = "AWS_KMS",
  },
  recorded = { "BypassPolicyLockoutSafetyCheck", "PendingWindowInDays" },
  create = {
    "CreateKey",
    send = {
      "KeyPolicy=Policy", "Description", "KeySpec", "KeyUsage", "MultiRegion", "Origin",
      "BypassPolicyLockoutSafetyCheck",
    },
    result = "KeyMetadata", appears = 60,
  },
  find = find_by_tag,
  read = {
    "DescribeKey", send = KEY, item = "KeyMetadata",
    map = { "KeyId", "Arn", "Description", "Enabled", "KeySpec", "KeyUsage", "MultiRegion", "Origin" },
  },
  -- Rotation can be changed only while the key is enabled: enabling goes first, disabling last.
  facets = {
    { properties = { "Enabled" }, value = true, write = { "EnableKey", send = KEY } },
    {
      properties = { "KeyPolicy" },
      write = {
        "PutKeyPolicy", send = { "KeyId", "KeyPolicy=Policy", "BypassPolicyLockoutSafetyCheck" },
        with = { PolicyName = "default" },
      },
      clear = {
        "PutKeyPolicy", send = KEY, with = { PolicyName = "default" },
        encode = function(params, _, op)
          params.Policy = default_policy(op)
        end,
      },
      read = { "GetKeyPolicy", send = KEY, with = { PolicyName = "default" }, map = { "KeyPolicy=Policy" } },
    },
    { properties = { "Description" }, write = { "UpdateKeyDescription", send = { "KeyId", "Description" } } },
    {
      properties = { "EnableKeyRotation", "RotationPeriodInDays" }, value = true,
      write = { "EnableKeyRotation", send = { "KeyId", "RotationPeriodInDays" } },
      read = {
        "GetKeyRotationStatus", send = KEY, map = { "EnableKeyRotation=KeyRotationEnabled", "RotationPeriodInDays" },
        absent = { "UnsupportedOperationException" }, -- asymmetric keys
      },
    },
    { properties = { "EnableKeyRotation" }, value = false, write = { "DisableKeyRotation", send = KEY } },
    { properties = { "Enabled" }, value = false, write = { "DisableKey", send = KEY } },
  },
  tags = {
    form = "list", key = "TagKey", value = "TagValue", create = "Tags",
    set = { "TagResource", send = KEY, tags = "Tags" },
    unset = { "UntagResource", send = KEY, keys = "TagKeys" },
    read = { "ListResourceTags", send = KEY, list = "Tags" },
  },
  state = {
    path = "KeyState", ready = { "Enabled", "Disabled" }, gone = { "PendingDeletion", "PendingReplicaDeletion" },
    limit = 300, flip = 60,
  },
  delete = {
    "ScheduleKeyDeletion", send = { "KeyId", "PendingWindowInDays" },
    absent = { { "KMSInvalidStateException", message = "pending deletion" } },
  },
  gone = { "NotFoundException" },
}

-- Aliases take no tags. One that points to the wanted key is what the create would have made.
types["AWS::KMS::Alias"] = {
  service = "kms",
  identity = { "AliasName" },
  typical = { create = 1, update = 1, delete = 1 },
  retry = CONSISTENCY,
  same = { "TargetKeyId" },
  canonical = {
    TargetKeyId = function(key)
      return key:match("key/(.+)$") or key
    end,
  },
  check = function(properties, report)
    local name = properties.AliasName
    if type(name) == "string" and (not name:find "^alias/" or name:find "^alias/aws/") then
      report("AliasName", "must start with alias/, and not with alias/aws/, which is AWS's")
    end
  end,
  create = { "CreateAlias", send = { "AliasName", "TargetKeyId" }, exists = { "AlreadyExistsException" } },
  read = {
    "ListAliases", list = "Aliases", key = "AliasName", all = true, map = { "AliasName", "TargetKeyId" },
  },
  facets = { { properties = { "TargetKeyId" }, write = { "UpdateAlias", send = { "AliasName", "TargetKeyId" } } } },
  delete = { "DeleteAlias", send = { "AliasName" } },
  gone = { "NotFoundException" },
}

return types
