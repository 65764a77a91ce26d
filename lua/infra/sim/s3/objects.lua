-- Objects of the simulated S3, with versions and delete markers. Used by the other files of this folder.
--
-- Kept in the account's global store, kind "objects of BUCKET", by key: { versions = array, newest first, of
--   { VersionId, LastModified, delete_marker } or
--   { VersionId, LastModified, ETag, Size, body = base64, attributes = ATTRIBUTES below and tags = TagSet, lock,
--     replication = what ReplicationStatus shows } }.
-- The version id of what was stored without versioning is "null".

local crypto = require "host.crypto"

local buckets = require "infra.sim.s3.buckets"
local facet_rules = require "infra.sim.s3.facet_rules"
local ranges = require "infra.sim.s3.ranges"
local replication = require "infra.sim.s3.replication"

local objects = { operations = {} }
local operations = objects.operations
local fail = buckets.fail

-- What an object keeps of the request that made it and gives back when it is read.
local ATTRIBUTES = {
  "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires", "Metadata",
  "StorageClass", "WebsiteRedirectLocation", "ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled",
}

local function kind(bucket)
  return "objects of " .. bucket.Name
end

local function versioning(bucket)
  return (bucket.facets.versioning or {}).Status
end

-- A version's id as answers carry it: not at all while the bucket never had versioning.
local function shown_id(bucket, version)
  return versioning(bucket) and version.VersionId or nil
end

local function keep(ctx, bucket, key, versions)
  if #versions > 0 then
    ctx.global:put(kind(bucket), key, { versions = versions })
  else
    ctx.global:delete(kind(bucket), key)
  end
end

-- The versions of a key without the one of this id, and that one.
local function without(ctx, bucket, key, id)
  local left, gone = {}, nil
  for _, version in ipairs((ctx.global:get(kind(bucket), key) or { versions = {} }).versions) do
    if version.VersionId == id then
      gone = version
    else
      left[#left + 1] = version
    end
  end
  return left, gone
end

-- Puts a version on top; without versioning it takes the place of the one without an id.
local function push(ctx, bucket, key, version)
  local versioned = versioning(bucket) == "Enabled"
  version.VersionId = versioned and ctx.unique(32, "0123456789abcdefghijklmnopqrstuvwxyz") or "null"
  version.LastModified = ctx.now()
  replication.begin(ctx, bucket, key, version)
  local versions = without(ctx, bucket, key, version.VersionId)
  table.insert(versions, 1, version)
  keep(ctx, bucket, key, versions)
end

--- Keeps what was changed in versions of a key.
function objects.touch(ctx, bucket, key)
  ctx.global:put(kind(bucket), key, ctx.global:get(kind(bucket), key))
end

--- Brings replicas to their buckets that are due by now; to be called before every operation.
function objects.replicate(ctx)
  replication.advance(ctx, function(bucket, key, id)
    local _, version = without(ctx, bucket, key, id)
    if version then -- its status is about to change
      objects.touch(ctx, bucket, key)
    end
    return version
  end, function(bucket, key, replica)
    local versions = without(ctx, bucket, key, replica.VersionId)
    table.insert(versions, 1, replica)
    keep(ctx, bucket, key, versions)
  end)
end

-- -- locks ------------------------------------------------------------------------------------------------------------

local function retention_end(ctx, retention)
  return ctx.now() + 86400 * ((retention.Days or 0) + 365 * (retention.Years or 0))
end

-- Object Lock: what the request says, else the bucket's default.
local function lock_of(ctx, bucket, params)
  local rule = (bucket.facets.object_lock or {}).Rule
  local retention = rule and rule.DefaultRetention
  if params.ObjectLockMode or params.ObjectLockLegalHoldStatus then
    if not bucket.facets.object_lock then
      fail(ctx, "InvalidRequest", "Bucket is missing Object Lock Configuration")
    end
    return {
      mode = params.ObjectLockMode,
      ends_at = params.ObjectLockRetainUntilDate,
      held = params.ObjectLockLegalHoldStatus == "ON",
    }
  end
  return retention and { mode = retention.Mode, ends_at = retention_end(ctx, retention) }
end

local function is_locked(ctx, version, bypass)
  local lock = version.lock
  return lock ~= nil and (lock.held
    or (lock.ends_at or 0) > ctx.now() and not (bypass and lock.mode == "GOVERNANCE"))
end

-- -- writing ----------------------------------------------------------------------------------------------------------

--- What an object is to keep of the request that makes it.
function objects.attributes(ctx, bucket, params)
  local attributes = {}
  for _, name in ipairs(ATTRIBUTES) do
    attributes[name] = params[name]
  end
  local encryption = bucket.facets.encryption
  local default = encryption and encryption.Rules[1].ApplyServerSideEncryptionByDefault or { SSEAlgorithm = "AES256" }
  attributes.ServerSideEncryption = params.ServerSideEncryption or default.SSEAlgorithm
  attributes.SSEKMSKeyId = params.SSEKMSKeyId or default.KMSMasterKeyID
  attributes.ContentType = params.ContentType or "binary/octet-stream"
  attributes.tags = params.Tagging and facet_rules.header_tags(ctx, params.Tagging)
  return attributes
end

-- Conditional writes: "only if there is none", "only if it is still this one".
local function check_conditions(ctx, bucket, params)
  local object = ctx.global:get(kind(bucket), params.Key)
  local current = object and not object.versions[1].delete_marker and object.versions[1]
  if params.IfMatch and not current then
    fail(ctx, "NoSuchKey", "The specified key does not exist.")
  elseif (params.IfNoneMatch and current) or (params.IfMatch and params.IfMatch ~= current.ETag) then
    fail(ctx, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
  end
end

--- Makes `body` the current version of params.Key. `etag` and `attributes`: see above. Returns what the answer to a
--- write carries.
function objects.write(ctx, bucket, params, body, etag, attributes)
  check_conditions(ctx, bucket, params)
  local version = {
    ETag = etag,
    Size = #body,
    body = crypto.base64(body),
    attributes = attributes,
    lock = lock_of(ctx, bucket, params),
  }
  push(ctx, bucket, params.Key, version)
  return {
    ETag = etag,
    VersionId = shown_id(bucket, version),
    ServerSideEncryption = attributes.ServerSideEncryption,
    SSEKMSKeyId = attributes.SSEKMSKeyId,
  }
end

function operations.PutObject(ctx, params)
  local bucket = buckets.find(ctx, params)
  local body = params.Body or ""
  local etag = ('"%s"'):format(crypto.hex(crypto.md5(body)))
  return objects.write(ctx, bucket, params, body, etag, objects.attributes(ctx, bucket, params))
end

-- -- reading ----------------------------------------------------------------------------------------------------------

--- The version that a request means: params.VersionId, or the newest; and its id as answers carry it.
function objects.find(ctx, bucket, params)
  local object = ctx.global:get(kind(bucket), params.Key)
  if not params.VersionId then
    local current = object and object.versions[1]
    if not current or current.delete_marker then
      ctx:fail("NoSuchKey", "The specified key does not exist.", 404, { Key = params.Key })
    end
    return current, shown_id(bucket, current)
  end
  local _, version = without(ctx, bucket, params.Key, params.VersionId)
  if not version then
    ctx:fail("NoSuchVersion", "The specified version does not exist.", 404,
      { Key = params.Key, VersionId = params.VersionId })
  elseif version.delete_marker then
    fail(ctx, "MethodNotAllowed", "The specified method is not allowed against this resource.")
  end
  return version, shown_id(bucket, version)
end

function operations.HeadObject(ctx, params)
  local bucket = buckets.find(ctx, params)
  local version, id = objects.find(ctx, bucket, params)
  if params.IfMatch and params.IfMatch ~= version.ETag then
    fail(ctx, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
  elseif params.IfNoneMatch == version.ETag
    or (params.IfModifiedSince and not params.IfNoneMatch and version.LastModified <= params.IfModifiedSince) then
    fail(ctx, "NotModified", "Not Modified")
  end
  local output = {
    AcceptRanges = "bytes",
    ContentLength = version.Size,
    ETag = version.ETag,
    LastModified = version.LastModified,
    VersionId = id, ReplicationStatus = version.replication,
  }
  for _, name in ipairs(ATTRIBUTES) do
    output[name] = version.attributes[name]
  end
  return output
end

function operations.GetObject(ctx, params)
  local output = operations.HeadObject(ctx, params)
  local version = objects.find(ctx, buckets.find(ctx, params), params)
  output.Body, output.ContentRange = ranges.take(ctx, params.Range, crypto.unbase64(version.body))
  local tags = version.attributes.tags or {}
  output.ContentLength, output.TagCount = #output.Body, tags[1] and #tags
  return output
end

-- -- deleting ---------------------------------------------------------------------------------------------------------

local MESSAGES = {
  AccessDenied = "Access Denied because object protected by object lock.",
  InternalError = "We encountered an internal error. Please try again.",
}

-- Without a version id this deletes nothing once versioning was switched on: it puts a marker on top. What is not there
-- counts as deleted. Returns the version that is gone or was made; or nil and an error code.
local function remove(ctx, bucket, params)
  if not params.VersionId and versioning(bucket) then
    local marker = { delete_marker = true }
    push(ctx, bucket, params.Key, marker)
    return marker
  end
  local versions, gone = without(ctx, bucket, params.Key, params.VersionId or "null")
  if gone and is_locked(ctx, gone, params.BypassGovernanceRetention) then
    return nil, "AccessDenied"
  elseif gone then
    keep(ctx, bucket, params.Key, versions)
  end
  return gone or { VersionId = params.VersionId }
end

function operations.DeleteObject(ctx, params)
  local bucket = buckets.find(ctx, params)
  local version, code = remove(ctx, bucket, params)
  if not version then
    fail(ctx, code, MESSAGES[code])
  end
  return { VersionId = shown_id(bucket, version), DeleteMarker = version.delete_marker }
end

local DELETE_LIMIT = 1000

-- What goes wrong with single keys stands in an answer that succeeds.
function operations.DeleteObjects(ctx, params)
  local bucket = buckets.find(ctx, params)
  local request, deleted, problems = params.Delete, {}, {}
  if #request.Objects == 0 or #request.Objects > DELETE_LIMIT then
    buckets.malformed(ctx)
  end
  for i, object in ipairs(request.Objects) do
    local version, code = nil, "InternalError"
    if not (ctx.partial_batch and i == #request.Objects) then
      version, code = remove(ctx, bucket, {
        Key = object.Key,
        VersionId = object.VersionId,
        BypassGovernanceRetention = params.BypassGovernanceRetention,
      })
    end
    if not version then
      problems[#problems + 1] = {
        Key = object.Key, VersionId = object.VersionId, Code = code, Message = MESSAGES[code],
      }
    elseif not request.Quiet then
      deleted[#deleted + 1] = {
        Key = object.Key,
        VersionId = object.VersionId,
        DeleteMarker = version.delete_marker,
        DeleteMarkerVersionId = version.delete_marker and version.VersionId or nil,
      }
    end
  end
  return { Deleted = deleted, Errors = problems }
end

return objects
