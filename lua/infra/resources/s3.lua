-- S3 buckets and bucket policies. A bucket is its name and a number of configurations, each with calls of its own; only
-- the declared ones are read and written. The vocabulary is in handler/schema.lua.

local empty = require "infra.resources.s3_empty"
local joined = require "infra.joined"
local json = require "host.json"
local lifecycle = require "infra.resources.s3_lifecycle"

-- Writes to one bucket collide with each other, and a new bucket is not known everywhere at once.
local CONSISTENCY = {
  { "NoSuchBucket", 120 },
  { "OperationAborted", 1200 },
  { "MalformedPolicy", 120, message = "[Ii]nvalid principal" },
}

local BUCKET = { "BucketName=Bucket" }

local function bucket_and(field)
  return { "BucketName=Bucket", field }
end

-- What is left out of the request counts as false, and what AWS returns has all four.
local PUBLIC_ACCESS = { "BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets" }

local function complete_public_access(value)
  local complete = {}
  for _, name in ipairs(PUBLIC_ACCESS) do
    complete[name] = value[name] or false
  end
  return complete
end

-- Versions that were switched on, and a role that was made, seconds ago.
local REPLICATION_NOT_YET = {
  { "InvalidRequest", 300, message = "[Vv]ersioning" },
  { "InvalidRequest", 120, message = "[Rr]ole" },
  { "AccessDenied", 120 },
}

-- A rule with a filter must say what becomes of delete markers, and which rule comes first.
local function complete_replication(params)
  for i, rule in ipairs(params.ReplicationConfiguration.Rules) do
    if rule.Filter then
      rule.DeleteMarkerReplication = rule.DeleteMarkerReplication or { Status = "Disabled" }
      rule.Priority = rule.Priority or i
    end
  end
end

-- For a facet that has to be written at another place in the order.
local function nothing()
  return true
end

-- Rules apply by their priorities, wherever they stand.
local function by_priority(configuration)
  local rules = json.array(joined(configuration.Rules))
  table.sort(rules, function(a, b)
    if a.Priority ~= b.Priority then
      return (a.Priority or 0) < (b.Priority or 0)
    end
    return (a.Id or "") < (b.Id or "")
  end)
  return { Role = configuration.Role, Rules = rules }
end

local types = {}

types["AWS::S3::Bucket"] = {
  service = "s3",
  identity = { "BucketName" },
  name = { property = "BucketName", limit = 63, lower = true },
  typical = { create = 2, delete = 2 },
  retry = CONSISTENCY,
  create = {
    "CreateBucket", send = BUCKET, look_first = true, exists = { "BucketAlreadyOwnedByYou" },
    encode = function(params, _, op)
      if op.region ~= "us-east-1" then -- there, naming the region is an error
        params.CreateBucketConfiguration = { LocationConstraint = op.region }
      end
    end,
  },
  read = {
    -- Cheaper than asking whether it is there first: this always has an answer.
    "GetBucketVersioning", send = BUCKET, absent = { "NoSuchBucket" }, map = { "VersioningConfiguration=." },
    decode = function(_, values, scope, op)
      local name, region = scope.BucketName, op.region
      values.BucketName = name
      values.DomainName = name .. ".s3.amazonaws.com"
      values.RegionalDomainName = ("%s.s3.%s.amazonaws.com"):format(name, region)
      values.DualStackDomainName = ("%s.s3.dualstack.%s.amazonaws.com"):format(name, region)
    end,
  },
  canonical = {
    PublicAccessBlockConfiguration = complete_public_access, LifecycleConfiguration = lifecycle.canonical,
    ReplicationConfiguration = by_priority,
  },
  form = {
    names = {
      BucketEncryption = { "ServerSideEncryptionConfiguration=Rules" },
      ServerSideEncryptionRule = { "ServerSideEncryptionByDefault=ApplyServerSideEncryptionByDefault" },
      ReplicationRuleFilter = { "TagFilter=Tag" }, ReplicationRuleAndOperator = { "TagFilters=Tags" },
    },
  },
  facets = {
    {
      properties = { "PublicAccessBlockConfiguration" },
      write = {
        "PutPublicAccessBlock", send = BUCKET,
        encode = function(params, scope)
          params.PublicAccessBlockConfiguration = complete_public_access(scope.PublicAccessBlockConfiguration)
        end,
      },
      clear = { "DeletePublicAccessBlock", send = BUCKET },
      read = { "GetPublicAccessBlock", send = BUCKET, map = { "PublicAccessBlockConfiguration" },
        absent = { "NoSuchPublicAccessBlockConfiguration" } },
    },
    {
      properties = { "OwnershipControls" },
      write = { "PutBucketOwnershipControls", send = bucket_and "OwnershipControls" },
      clear = { "DeleteBucketOwnershipControls", send = BUCKET },
      read = { "GetBucketOwnershipControls", send = BUCKET, map = { "OwnershipControls" },
        absent = { "OwnershipControlsNotFoundError" } },
    },
    {
      properties = { "BucketEncryption" },
      write = { "PutBucketEncryption", send = bucket_and "BucketEncryption=ServerSideEncryptionConfiguration" },
      clear = { "DeleteBucketEncryption", send = BUCKET },
      read = { "GetBucketEncryption", send = BUCKET, map = { "BucketEncryption=ServerSideEncryptionConfiguration" },
        absent = { "ServerSideEncryptionConfigurationNotFoundError" } },
    },
    {
      properties = { "ReplicationConfiguration" },
      write = nothing, clear = { "DeleteBucketReplication", send = BUCKET },
    },
    {
      properties = { "VersioningConfiguration" },
      write = { "PutBucketVersioning", send = bucket_and "VersioningConfiguration" },
      -- A bucket never becomes unversioned again.
      clear = { "PutBucketVersioning", send = BUCKET, with = { ["VersioningConfiguration.Status"] = "Suspended" } },
    },
    {
      properties = { "LifecycleConfiguration" },
      write = {
        "PutBucketLifecycleConfiguration", send = BUCKET,
        encode = function(params, scope)
          lifecycle.encode(params, scope.LifecycleConfiguration)
        end,
      },
      clear = { "DeleteBucketLifecycle", send = BUCKET },
      read = {
        "GetBucketLifecycleConfiguration", send = BUCKET, map = { "LifecycleConfiguration=." },
        decode = function(output, values)
          values.LifecycleConfiguration = lifecycle.decode(output)
        end,
        absent = { "NoSuchLifecycleConfiguration" },
      },
    },
    { -- needs versions, here and at the destination: set after them, removed before them
      properties = { "ReplicationConfiguration" },
      write = {
        "PutBucketReplication", send = bucket_and "ReplicationConfiguration", encode = complete_replication,
        retry = REPLICATION_NOT_YET,
      },
      clear = nothing,
      read = { "GetBucketReplication", send = BUCKET, map = { "ReplicationConfiguration" },
        absent = { "ReplicationConfigurationNotFoundError" } },
    },
  },
  tags = { -- the whole set at once
    form = "list", replace = true,
    set = { "PutBucketTagging", send = BUCKET, tags = "Tagging.TagSet" },
    read = { "GetBucketTagging", send = BUCKET, list = "TagSet", absent = { "NoSuchTagSet" } },
  },
  delete = { "DeleteBucket", send = BUCKET, before = empty, again = { "BucketNotEmpty" } },
  gone = { "NoSuchBucket" },
}

local POLICY = { "Bucket", "PolicyDocument=Policy" }

types["AWS::S3::BucketPolicy"] = {
  service = "s3",
  identity = { "Bucket" },
  retry = CONSISTENCY,
  create = { "PutBucketPolicy", send = POLICY, look_first = true, idempotent = true },
  same = { "PolicyDocument" },
  read = {
    "GetBucketPolicy", send = { "Bucket" }, absent = { "NoSuchBucketPolicy", "NoSuchBucket" },
    map = { "PolicyDocument=Policy" },
  },
  facets = { { properties = { "PolicyDocument" }, write = { "PutBucketPolicy", send = POLICY } } },
  delete = { "DeleteBucketPolicy", send = { "Bucket" } },
  gone = { "NoSuchBucket", "NoSuchBucketPolicy" },
}

return types
