-- Buckets of the simulated S3. Used by the other files of this folder.
--
-- Kept in the account's global store:
--   bucket            by name: { Name, CreationDate, Region, facets = { kind = configuration } }
--   grave             by name: { Region, deleted_at } of the last bucket that was called so
--   objects of NAME   by key: see s3/objects.lua
--   uploads of NAME   by upload id: see s3/multipart.lua

local crypto = require "host.crypto"

local Failure = require "infra.sim.failure"
local paging = require "infra.sim.paging"

local buckets = { operations = {} }
local operations = buckets.operations

-- Where it is not what the code suggests.
local STATUS = {
  BucketAlreadyOwnedByYou = 409, BucketNotEmpty = 409, OperationAborted = 409, InvalidBucketState = 409,
  PreconditionFailed = 412, NotModified = 304, MethodNotAllowed = 405, InvalidRange = 416,
}

-- Seconds for which the name of a deleted bucket is not to be had in another region.
local GRAVE_TIME = 60

-- Names that have been somebody else's since the beginning.
local TAKEN = { test = true, example = true, backup = true, logs = true, frontend = true }

--- Throws S3's error `code`; further arguments are string.format's.
buckets.fail = Failure.thrower(STATUS)

local fail = buckets.fail

--- Throws S3's answer to a body that its schema does not allow.
function buckets.malformed(ctx)
  fail(ctx, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
end

--- The bucket that a request is about, or S3's answer to one that is not there, not here, or not whose the caller
--- thinks.
function buckets.find(ctx, params)
  local name = params.Bucket
  local bucket = not ctx:fresh("bucket", name, ctx.global) and ctx.global:get("bucket", name)
  if not bucket then
    ctx:fail("NoSuchBucket", "The specified bucket does not exist", 404, { BucketName = name })
  elseif bucket.Region ~= ctx.region then
    ctx:fail("PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified "
      .. "endpoint. Please send all future requests to this endpoint.", 301, {
        Bucket = name,
        Endpoint = ("%s.s3.%s.amazonaws.com"):format(name, bucket.Region),
      }, { ["x-amz-bucket-region"] = bucket.Region })
  elseif params.ExpectedBucketOwner and params.ExpectedBucketOwner ~= ctx.account then
    fail(ctx, "AccessDenied", "Access Denied")
  end
  return bucket
end

function buckets.put(ctx, bucket)
  ctx.global:put("bucket", bucket.Name, bucket)
end

-- S3 User Guide, "Bucket naming rules".
local function valid_name(name)
  return #name >= 3 and #name <= 63 and name:find("^[a-z0-9][a-z0-9.-]*[a-z0-9]$") and not name:find("..", 1, true)
    and not name:find("^%d+%.%d+%.%d+%.%d+$") and not name:find("^xn%-%-") and not name:find("^sthree%-")
    and not name:find("%-s3alias$") and not name:find("%-%-ol%-s3$") and not name:find("%-%-x%-s3$")
end

-- The region of a bucket's location constraint has two old spellings.
local REGION_OF = { EU = "eu-west-1" }

local function check_location(ctx, constraint)
  local region = REGION_OF[constraint] or constraint
  if region == "us-east-1" then
    fail(ctx, "InvalidLocationConstraint", "The specified location-constraint is not valid")
  elseif (region or "us-east-1") ~= ctx.region then
    fail(ctx, "IllegalLocationConstraintException", "The %s location constraint is incompatible for the region "
      .. "specific endpoint this request was sent to.", region or "unspecified")
  end
end

local function check_name(ctx, name)
  local grave = ctx.global:get("grave", name)
  if not valid_name(name) then
    fail(ctx, "InvalidBucketName", "The specified bucket is not valid.")
  elseif TAKEN[name] then
    fail(ctx, "BucketAlreadyExists", "The requested bucket name is not available. The bucket namespace is shared by "
      .. "all users of the system. Please select a different name and try again.")
  elseif grave and grave.Region ~= ctx.region and ctx.now() < grave.deleted_at + GRAVE_TIME then
    fail(ctx, "OperationAborted", "A conflicting conditional operation is currently in progress against this resource. "
      .. "Please try again.")
  end
end

function buckets.arn(place, bucket)
  return ("arn:%s:s3:::%s"):format(place.partition, bucket.Name)
end

--- Adds a bucket with the facets that new ones have (s3/facets.lua hands them in as a function of the request).
function buckets.create(ctx, params, facets)
  local configuration = params.CreateBucketConfiguration or {}
  check_name(ctx, params.Bucket)
  check_location(ctx, configuration.LocationConstraint)
  local existing = ctx.global:get("bucket", params.Bucket)
  if existing and not (existing.Region == "us-east-1" and ctx.region == "us-east-1") then
    fail(ctx, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already "
      .. "own it.")
  elseif existing then -- the oldest region says yes to whoever has the bucket, and resets its access control list
    existing.facets.acl = nil
  end
  buckets.put(ctx, existing or {
    Name = params.Bucket,
    CreationDate = ctx.now(),
    Region = ctx.region,
    facets = facets(ctx, params),
  })
  return { Location = "/" .. params.Bucket }
end

function operations.HeadBucket(ctx, params)
  return { BucketRegion = buckets.find(ctx, params).Region, AccessPointAlias = false }
end

function operations.GetBucketLocation(ctx, params)
  local bucket = buckets.find(ctx, params)
  return { LocationConstraint = bucket.Region ~= "us-east-1" and bucket.Region or nil }
end

function operations.DeleteBucket(ctx, params)
  local bucket = buckets.find(ctx, params)
  if ctx.global:each("objects of " .. bucket.Name)() then
    fail(ctx, "BucketNotEmpty", "The bucket you tried to delete is not empty")
  end
  for id in ctx.global:each("uploads of " .. bucket.Name) do
    ctx.global:delete("uploads of " .. bucket.Name, id)
  end
  ctx.global:delete("bucket", bucket.Name)
  ctx.global:put("grave", bucket.Name, { Region = bucket.Region, deleted_at = ctx.now() })
end

--- The account as the owner of buckets and objects.
function buckets.owner(ctx)
  return { ID = crypto.hex(crypto.sha256(ctx.account)) }
end

function operations.ListBuckets(ctx, params)
  local found, prefix = {}, params.Prefix or ""
  for name, bucket in ctx.global:each("bucket") do
    if name:sub(1, #prefix) == prefix and (params.BucketRegion or bucket.Region) == bucket.Region then
      found[#found + 1] = {
        Name = name,
        CreationDate = bucket.CreationDate,
        BucketRegion = bucket.Region,
        BucketArn = buckets.arn(ctx, bucket),
      }
    end
  end
  local page, token = paging.page(ctx, found, function(bucket)
    return bucket.Name
  end, params.ContinuationToken, params.MaxBuckets or 10000)
  if not page then
    fail(ctx, "InvalidArgument", "The continuation token provided is incorrect")
  end
  return { Buckets = page, Owner = buckets.owner(ctx), ContinuationToken = token, Prefix = params.Prefix }
end

return buckets
