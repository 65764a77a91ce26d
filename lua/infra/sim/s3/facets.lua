-- The configurations of a bucket in the simulated S3, each with operations of its own: one table says what they are
-- called, what a new bucket has, and how S3 answers when there is none. Used by infra.sim.s3.

local acl = require "infra.sim.s3.acl"
local bucket_policy = require "infra.sim.s3.bucket_policy"
local buckets = require "infra.sim.s3.buckets"
local facet_rules = require "infra.sim.s3.facet_rules"
local tagging = require "infra.sim.tagging"

local facets = { operations = {} }
local operations = facets.operations

-- kind       the name in bucket.facets
-- name       what the operations are called: Put..., Get..., and Delete..., where that is not `delete`
-- member     the input's member with the configuration
-- wrapped    the output has the same member; else the configuration's members are the output's
-- initial    what a new bucket has
-- unset      what is answered when there is none; or
-- absent     the error answered then
-- rule       function(ctx, bucket, configuration, params) -> the configuration as S3 keeps it, or fails
local FACETS = {
  {
    kind = "versioning", name = "BucketVersioning", member = "VersioningConfiguration",
    unset = {}, rule = facet_rules.versioning,
  },
  {
    kind = "public_access_block", name = "PublicAccessBlock", delete = "DeletePublicAccessBlock",
    member = "PublicAccessBlockConfiguration", wrapped = true,
    initial = {
      BlockPublicAcls = true, IgnorePublicAcls = true, BlockPublicPolicy = true, RestrictPublicBuckets = true,
    },
    absent = { "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found" },
    rule = facet_rules.public_access_block,
  },
  {
    kind = "encryption", name = "BucketEncryption", delete = "DeleteBucketEncryption",
    member = "ServerSideEncryptionConfiguration", wrapped = true,
    unset = {
      Rules = { { ApplyServerSideEncryptionByDefault = { SSEAlgorithm = "AES256" }, BucketKeyEnabled = false } },
    },
    rule = facet_rules.encryption,
  },
  {
    kind = "ownership", name = "BucketOwnershipControls", delete = "DeleteBucketOwnershipControls",
    member = "OwnershipControls", wrapped = true,
    initial = { Rules = { { ObjectOwnership = "BucketOwnerEnforced" } } },
    absent = { "OwnershipControlsNotFoundError", "The bucket ownership controls were not found" },
    rule = facet_rules.ownership,
  },
  {
    kind = "policy", name = "BucketPolicy", delete = "DeleteBucketPolicy", member = "Policy",
    absent = { "NoSuchBucketPolicy", "The bucket policy does not exist" },
    rule = bucket_policy.rule, view = bucket_policy.view,
  },
  {
    kind = "lifecycle", name = "BucketLifecycleConfiguration", delete = "DeleteBucketLifecycle",
    member = "LifecycleConfiguration",
    absent = { "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist" },
    rule = facet_rules.lifecycle,
  },
  {
    kind = "replication", name = "BucketReplication", delete = "DeleteBucketReplication",
    member = "ReplicationConfiguration", wrapped = true,
    absent = { "ReplicationConfigurationNotFoundError", "The replication configuration was not found" },
    rule = facet_rules.replication,
  },
  {
    kind = "notification", name = "BucketNotificationConfiguration", member = "NotificationConfiguration",
    unset = {}, rule = facet_rules.notification,
  },
  {
    kind = "tagging", name = "BucketTagging", delete = "DeleteBucketTagging", member = "Tagging",
    absent = { "NoSuchTagSet", "The TagSet does not exist" },
    rule = facet_rules.tagging,
  },
  {
    kind = "cors", name = "BucketCors", delete = "DeleteBucketCors", member = "CORSConfiguration",
    absent = { "NoSuchCORSConfiguration", "The CORS configuration does not exist" },
    rule = facet_rules.cors,
  },
  { kind = "logging", name = "BucketLogging", member = "BucketLoggingStatus", unset = {}, rule = facet_rules.logging },
  {
    kind = "website", name = "BucketWebsite", delete = "DeleteBucketWebsite", member = "WebsiteConfiguration",
    absent = { "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration" },
  },
  {
    kind = "object_lock", name = "ObjectLockConfiguration", member = "ObjectLockConfiguration", wrapped = true,
    absent = { "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket" },
    rule = facet_rules.object_lock,
  },
  {
    kind = "accelerate", name = "BucketAccelerateConfiguration", member = "AccelerateConfiguration", unset = {},
  },
  {
    kind = "request_payment", name = "BucketRequestPayment", member = "RequestPaymentConfiguration",
    unset = { Payer = "BucketOwner" },
  },
}

local function put(facet)
  return function(ctx, params)
    local bucket = buckets.find(ctx, params)
    local configuration = params[facet.member] or {}
    if facet.rule then
      configuration = facet.rule(ctx, bucket, configuration, params)
    end
    bucket.facets[facet.kind] = configuration
    buckets.put(ctx, bucket)
    return configuration -- of which the model lets nearly nothing into the answer
  end
end

local function get(facet)
  return function(ctx, params)
    local bucket = buckets.find(ctx, params)
    local configuration = bucket.facets[facet.kind] or facet.unset
    if not configuration then
      buckets.fail(ctx, facet.absent[1], facet.absent[2])
    end
    if facet.view then
      return facet.view(ctx, configuration)
    end
    return facet.wrapped and { [facet.member] = configuration } or configuration
  end
end

local function delete(facet)
  return function(ctx, params)
    local bucket = buckets.find(ctx, params)
    bucket.facets[facet.kind] = nil
    buckets.put(ctx, bucket)
  end
end

for _, facet in ipairs(FACETS) do
  operations["Put" .. facet.name] = put(facet)
  operations["Get" .. facet.name] = get(facet)
  if facet.delete then
    operations[facet.delete] = delete(facet)
  end
end

-- What a new bucket has, by the request that makes it.
local function initial(ctx, params)
  local result = {}
  for _, facet in ipairs(FACETS) do
    result[facet.kind] = facet.initial
  end
  if params.ObjectOwnership then
    result.ownership = { Rules = { { ObjectOwnership = params.ObjectOwnership } } }
  end
  if params.ACL and params.ACL ~= "private" and not acl.allowed(result) then
    buckets.fail(ctx, "InvalidBucketAclWithObjectOwnership",
      "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
  end
  result.acl = acl.canned(ctx, params.ACL, result)
  if params.ObjectLockEnabledForBucket then
    result.versioning = { Status = "Enabled" }
    result.object_lock = { ObjectLockEnabled = "Enabled" }
  end
  local tags = (params.CreateBucketConfiguration or {}).Tags
  result.tagging = tags and #tags > 0 and facet_rules.tagging(ctx, nil, { TagSet = tags }) or nil
  return result
end

function operations.CreateBucket(ctx, params)
  return buckets.create(ctx, params, initial)
end

function operations.GetBucketPolicyStatus(ctx, params)
  local kept = buckets.find(ctx, params).facets.policy
  if not kept then
    buckets.fail(ctx, "NoSuchBucketPolicy", "The bucket policy does not exist")
  end
  return bucket_policy.status(kept)
end

facets.tagged = {
  bucket = function(place, bucket)
    return {
      arn = buckets.arn(place, bucket),
      tags = tagging.merge(nil, (bucket.facets.tagging or {}).TagSet),
      region = bucket.Region,
    }
  end,
}

return facets
