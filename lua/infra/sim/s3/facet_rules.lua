-- What the simulated S3 checks in a bucket's configurations before it keeps them, and what it makes of them. Used by
-- infra.sim.s3.facets: function(ctx, bucket, configuration, params) -> the configuration as it will be read, or S3's
-- error.

local buckets = require "infra.sim.s3.buckets"
local merged = require "infra.merged"
local principals = require "infra.sim.iam.principals"
local uri = require "infra.aws.protocols.uri"

local facet_rules = {}
local fail, malformed = buckets.fail, buckets.malformed

local RULES_LIMIT = 1000

local function one_of(ctx, value, values)
  for _, allowed in ipairs(values) do
    if value == allowed then
      return value
    end
  end
  malformed(ctx)
end

-- The rules of a list with ids: generated where there is none, refused where one occurs twice.
local function with_ids(ctx, rules, name)
  local seen, result = {}, {}
  for i, rule in ipairs(rules) do
    local id = rule[name] and rule[name] ~= "" and rule[name] or ctx.unique(48, "abcdefghijklmnopqrstuvwxyz0123456789")
    if #id > 255 then
      fail(ctx, "InvalidArgument", "ID length should not exceed allowed limit of 255")
    elseif seen[id] then
      fail(ctx, "InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule")
    end
    seen[id] = true
    result[i] = merged(rule, { [name] = id })
  end
  return result
end

local function is_versioned(bucket)
  return (bucket.facets.versioning or {}).Status == "Enabled"
end

function facet_rules.versioning(ctx, bucket, configuration)
  if not configuration.Status then
    fail(ctx, "IllegalVersioningConfigurationException",
      "The Versioning element must be specified")
  end
  one_of(ctx, configuration.Status, { "Enabled", "Suspended" })
  if configuration.Status == "Suspended" and bucket.facets.replication then
    fail(ctx, "InvalidBucketState", "A replication configuration is present on this bucket, so the versioning state "
      .. "cannot be changed.")
  elseif configuration.Status == "Suspended" and bucket.facets.object_lock then
    fail(ctx, "InvalidBucketState", "An Object Lock configuration is present on this bucket, so the versioning state "
      .. "cannot be changed.")
  end
  return { Status = configuration.Status, MFADelete = configuration.MFADelete }
end

-- Omitted settings are false, not as they were.
function facet_rules.public_access_block(_, _, configuration)
  local block = {}
  for _, name in ipairs { "BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets" } do
    block[name] = configuration[name] or false
  end
  return block
end

function facet_rules.encryption(ctx, _, configuration)
  local rule = #configuration.Rules == 1 and configuration.Rules[1]
  local default = rule and rule.ApplyServerSideEncryptionByDefault
  if not rule then
    malformed(ctx)
  elseif default then
    one_of(ctx, default.SSEAlgorithm, { "AES256", "aws:kms", "aws:kms:dsse" })
    if default.KMSMasterKeyID and default.SSEAlgorithm == "AES256" then
      fail(ctx, "InvalidArgument", "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or "
        .. "aws:kms:dsse")
    end
  end
  return {
    Rules = {
      merged(rule, {
        ApplyServerSideEncryptionByDefault = default or { SSEAlgorithm = "AES256" },
        BucketKeyEnabled = rule.BucketKeyEnabled or false,
      }),
    },
  }
end

function facet_rules.ownership(ctx, bucket, configuration)
  local rule = #configuration.Rules == 1 and configuration.Rules[1] or malformed(ctx)
  one_of(ctx, rule.ObjectOwnership, { "BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter" })
  if rule.ObjectOwnership == "BucketOwnerEnforced" and bucket.facets.acl and #bucket.facets.acl.Grants > 1 then
    fail(ctx, "InvalidBucketAclWithObjectOwnership",
      "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
  end
  return configuration
end

local ACTIONS = {
  "Expiration", "Transitions", "NoncurrentVersionTransitions", "NoncurrentVersionExpiration",
  "AbortIncompleteMultipartUpload",
}

local function has_any(rule, names)
  for _, name in ipairs(names) do
    if rule[name] ~= nil then
      return true
    end
  end
  return false
end

-- An empty filter reads back as an empty prefix.
function facet_rules.lifecycle(ctx, _, configuration, params)
  local rules = configuration.Rules or {}
  if #rules == 0 or #rules > RULES_LIMIT then
    malformed(ctx)
  end
  for i, rule in ipairs(rules) do
    one_of(ctx, rule.Status, { "Enabled", "Disabled" })
    if (rule.Filter == nil) == (rule.Prefix == nil) then
      malformed(ctx)
    elseif not has_any(rule, ACTIONS) then
      fail(ctx, "InvalidRequest", "At least one action needs to be specified in a rule.")
    end
    if rule.Filter and next(rule.Filter) == nil then
      rules[i] = merged(rule, { Filter = { Prefix = "" } })
    end
  end
  return {
    Rules = with_ids(ctx, rules, "ID"),
    TransitionDefaultMinimumObjectSize = params.TransitionDefaultMinimumObjectSize or "all_storage_classes_128K",
  }
end

-- A rule with a filter is of the second version of the schema, which knows no defaults.
local function check_replication_rule(ctx, rule, priorities)
  one_of(ctx, rule.Status, { "Enabled", "Disabled" })
  if rule.Filter then
    for _, name in ipairs { "Priority", "DeleteMarkerReplication" } do
      if not rule[name] then
        fail(ctx, "InvalidRequest", "%s must be specified for this version of Cross Region Replication configuration "
          .. "schema. Please refer to S3 Developer Guide for more information.", name)
      end
    end
    if priorities[rule.Priority] then
      fail(ctx, "InvalidRequest", "Found duplicate priority in replication configuration")
    end
    priorities[rule.Priority] = true
  end
end

function facet_rules.replication(ctx, bucket, configuration)
  if not is_versioned(bucket) then
    fail(ctx, "InvalidRequest", "Versioning must be 'Enabled' on the bucket to apply a replication configuration")
  end
  if not principals.assumable_by(ctx, configuration.Role, "s3.amazonaws.com", buckets.arn(ctx, bucket)) then
    fail(ctx, "InvalidRequest", "S3 does not have permission to assume the role %s", configuration.Role)
  end
  local priorities = {}
  for _, rule in ipairs(configuration.Rules) do
    check_replication_rule(ctx, rule, priorities)
    local name = (rule.Destination.Bucket or ""):match("^arn:[%w-]+:s3:::(.+)$")
    local destination = name and ctx.global:get("bucket", name)
    if not name then
      malformed(ctx)
    elseif not destination then
      fail(ctx, "InvalidRequest", "Destination bucket must exist.")
    elseif not is_versioned(destination) then
      fail(ctx, "InvalidRequest", "Destination bucket must have versioning enabled.")
    end
  end
  return merged(configuration, { Rules = with_ids(ctx, configuration.Rules, "ID") })
end

-- The lists of a notification configuration, and the names of filters as they come back.
local TARGETS = { "TopicConfigurations", "QueueConfigurations", "LambdaFunctionConfigurations" }
local FILTER_NAMES = { prefix = "Prefix", suffix = "Suffix" }

local function with_filter_names(ctx, target)
  local key = target.Filter and target.Filter.Key
  if not key then
    return target
  end
  local rules = {}
  for i, rule in ipairs(key.FilterRules or {}) do
    local name = FILTER_NAMES[(rule.Name or ""):lower()]
      or fail(ctx, "InvalidArgument", "filter rule name must be either prefix or suffix")
    rules[i] = { Name = name, Value = rule.Value }
  end
  return merged(target, { Filter = { Key = { FilterRules = rules } } })
end

function facet_rules.notification(ctx, _, configuration)
  local result = { EventBridgeConfiguration = configuration.EventBridgeConfiguration }
  for _, list in ipairs(TARGETS) do
    if configuration[list] then
      result[list] = {}
      for i, target in ipairs(with_ids(ctx, configuration[list], "Id")) do
        result[list][i] = with_filter_names(ctx, target)
      end
    end
  end
  return result
end

-- A rule for tags, of which there may be so many.
local function tagging(limit, too_many)
  return function(ctx, _, configuration)
    local seen = {}
    for _, tag in ipairs(configuration.TagSet) do
      if seen[tag.Key] then
        fail(ctx, "InvalidTag", "Cannot provide multiple Tags with the same key")
      elseif tag.Key:find("^aws:") then
        fail(ctx, "InvalidTag", "System tags cannot be added/updated by requester")
      elseif #tag.Key > 128 or #tag.Value > 256 or tag.Key == "" then
        fail(ctx, "InvalidTag", "The TagKey or TagValue you have provided is invalid")
      end
      seen[tag.Key] = true
    end
    if #configuration.TagSet > limit then
      fail(ctx, "BadRequest", too_many, limit)
    end
    return configuration
  end
end

facet_rules.tagging = tagging(50, "Bucket tag count cannot be greater than %d")
facet_rules.object_tagging = tagging(10, "Object tags cannot be greater than %d")

--- The header x-amz-tagging, which has the form of a query string, as an object's TagSet.
function facet_rules.header_tags(ctx, text)
  local tags = {}
  for i, field in ipairs(uri.decode_form(text)) do
    tags[i] = { Key = field[1], Value = field[2] }
  end
  return facet_rules.object_tagging(ctx, nil, { TagSet = tags }).TagSet
end

local METHODS = { GET = true, PUT = true, POST = true, DELETE = true, HEAD = true }

function facet_rules.cors(ctx, _, configuration)
  for _, rule in ipairs(configuration.CORSRules) do
    for _, method in ipairs(rule.AllowedMethods) do
      if not METHODS[method] then
        fail(ctx, "InvalidRequest", "Found unsupported HTTP method in CORS config. Unsupported method is %s", method)
      end
    end
  end
  return configuration
end

function facet_rules.logging(ctx, bucket, configuration)
  local target = configuration.LoggingEnabled
  if target then
    local found = ctx.global:get("bucket", target.TargetBucket)
    if not found then
      fail(ctx, "InvalidTargetBucketForLogging", "The target bucket for logging does not exist")
    elseif found.Region ~= bucket.Region then
      fail(ctx, "CrossLocationLoggingProhibited", "Cross S3 location logging not allowed.")
    end
  end
  return configuration
end

function facet_rules.object_lock(ctx, bucket, configuration)
  if not is_versioned(bucket) then
    fail(ctx, "InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
  end
  return configuration
end

return facet_rules
