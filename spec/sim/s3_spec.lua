-- The simulated S3: what its API reference and its known traps say of buckets, their configurations and objects.

local caller = require "spec.sim.caller"
local crypto = require "host.crypto"
local json = require "host.json"

local Failure = require "infra.sim.failure"
local checksums = require "infra.sim.s3.checksums"
local chunked = require "infra.sim.s3.chunked"

local function simulated(body, options)
  caller.run(options or {}, body)
end

local function code(output, err)
  assert.is_nil(output)
  return err.code
end

local function problem(output, err, response)
  assert.is_nil(output)
  return { err.code, response.status }
end

-- Runs `body(s3, call, world)` with a bucket called "the-bucket"; s3(operation, params) adds the bucket's name.
local function with_bucket(body)
  simulated(function(call, _, world)
    assert(call("s3", "CreateBucket", { Bucket = "the-bucket" }))
    body(function(operation, params, how)
      params = params or {}
      params.Bucket = params.Bucket or "the-bucket"
      return call("s3", operation, params, how)
    end, call, world)
  end)
end

describe("infra.sim.s3 buckets", function()
  it("wants the location to be that of the endpoint, and none in us-east-1", function()
    simulated(function(call)
      local function create(name, location, region)
        local params = { Bucket = name, CreateBucketConfiguration = location and { LocationConstraint = location } }
        return call("s3", "CreateBucket", params, { region = region })
      end
      assert.equal("InvalidLocationConstraint", code(create("b-1", "us-east-1")))
      assert.equal("IllegalLocationConstraintException", code(create("b-1", "eu-west-1")))
      assert.equal("IllegalLocationConstraintException", code(create("b-1", nil, "eu-west-1")))
      assert(create("b-1"))
      assert(create("b-2", "eu-west-1", "eu-west-1"))
      assert.equal("", assert(call("s3", "GetBucketLocation", { Bucket = "b-1" })).LocationConstraint or "")
      assert.equal("eu-west-1",
        assert(call("s3", "GetBucketLocation", { Bucket = "b-2" }, { region = "eu-west-1" })).LocationConstraint)
    end)
  end)

  it("refuses names that cannot be, and names of others", function()
    simulated(function(call)
      for _, name in ipairs { "ab", "Upper", "a..b", "192.168.0.1", "xn--a", "a_b", "end-" } do
        assert.equal("InvalidBucketName", code(call("s3", "CreateBucket", { Bucket = name })), name)
      end
      assert.same({ "BucketAlreadyExists", 409 }, problem(call("s3", "CreateBucket", { Bucket = "test" })))
    end)
  end)

  it("creates a bucket once, except in us-east-1, where it says yes again", function()
    simulated(function(call)
      assert(call("s3", "CreateBucket", { Bucket = "b-1" }))
      assert(call("s3", "CreateBucket", { Bucket = "b-1" }))
      local west = { region = "us-west-2" }
      local params = { Bucket = "b-2", CreateBucketConfiguration = { LocationConstraint = "us-west-2" } }
      assert(call("s3", "CreateBucket", params, west))
      assert.same({ "BucketAlreadyOwnedByYou", 409 }, problem(call("s3", "CreateBucket", params, west)))
      assert.same({ "BucketAlreadyOwnedByYou", 409 }, problem(call("s3", "CreateBucket", { Bucket = "b-2" })))
    end)
  end)

  it("keeps a deleted bucket's name from other regions for a while", function()
    simulated(function(call, _, world)
      local west = { region = "us-west-2" }
      local params = { Bucket = "b-1", CreateBucketConfiguration = { LocationConstraint = "us-west-2" } }
      assert(call("s3", "CreateBucket", { Bucket = "b-1" }))
      assert(call("s3", "DeleteBucket", { Bucket = "b-1" }))
      assert.same({ "OperationAborted", 409 }, problem(call("s3", "CreateBucket", params, west)))
      world.scheduler:sleep(120)
      assert(call("s3", "CreateBucket", params, west))
    end)
  end)

  it("sends callers to a bucket's region", function()
    simulated(function(call)
      local west = { region = "us-west-2" }
      assert(call("s3", "CreateBucket", {
        Bucket = "b-1", CreateBucketConfiguration = { LocationConstraint = "us-west-2" },
      }, west))
      assert.same({ "PermanentRedirect", 301 }, problem(call("s3", "GetBucketVersioning", { Bucket = "b-1" })))
      assert.equal("us-west-2", assert(call("s3", "HeadBucket", { Bucket = "b-1" }, west)).BucketRegion)
      assert.equal(404, problem(call("s3", "HeadBucket", { Bucket = "b-2" }))[2])
    end)
  end)

  it("lists the account's buckets of all regions", function()
    simulated(function(call)
      assert(call("s3", "CreateBucket", { Bucket = "b-1" }))
      assert(call("s3", "CreateBucket", {
        Bucket = "a-1", CreateBucketConfiguration = { LocationConstraint = "us-west-2" },
      }, { region = "us-west-2" }))
      local names = {}
      for _, bucket in ipairs(assert(call("s3", "ListBuckets")).Buckets) do
        names[#names + 1] = bucket.Name
      end
      assert.same({ "a-1", "b-1" }, names)
      assert.equal(1, #assert(call("s3", "ListBuckets", { BucketRegion = "us-west-2" })).Buckets)
    end)
  end)

  it("deletes no bucket that has so much as a delete marker", function()
    with_bucket(function(s3)
      assert(s3("PutBucketVersioning", { VersioningConfiguration = { Status = "Enabled" } }))
      local marker = assert(s3("DeleteObject", { Key = "never there" }))
      assert.is_true(marker.DeleteMarker)
      assert.same({ "BucketNotEmpty", 409 }, problem(s3("DeleteBucket")))
      assert(s3("DeleteObject", { Key = "never there", VersionId = marker.VersionId }))
      assert(s3("DeleteBucket"))
      assert.same({ "NoSuchBucket", 404 }, problem(s3("GetBucketVersioning")))
    end)
  end)
end)

describe("infra.sim.s3 configurations", function()
  it("are there from the beginning, or answer with a code of their own", function()
    with_bucket(function(s3)
      assert.same({}, assert(s3("GetBucketVersioning")))
      local block = assert(s3("GetPublicAccessBlock")).PublicAccessBlockConfiguration
      assert.same({
        BlockPublicAcls = true, IgnorePublicAcls = true, BlockPublicPolicy = true, RestrictPublicBuckets = true,
      }, block)
      local encryption = assert(s3("GetBucketEncryption")).ServerSideEncryptionConfiguration
      assert.equal("AES256", encryption.Rules[1].ApplyServerSideEncryptionByDefault.SSEAlgorithm)
      local ownership = assert(s3("GetBucketOwnershipControls")).OwnershipControls
      assert.equal("BucketOwnerEnforced", ownership.Rules[1].ObjectOwnership)
      assert(s3("GetBucketNotificationConfiguration"))
      assert(s3("GetBucketLogging"))
      for operation, absent in pairs {
        GetBucketPolicy = "NoSuchBucketPolicy",
        GetBucketLifecycleConfiguration = "NoSuchLifecycleConfiguration",
        GetBucketReplication = "ReplicationConfigurationNotFoundError",
        GetBucketTagging = "NoSuchTagSet",
        GetBucketCors = "NoSuchCORSConfiguration",
        GetBucketWebsite = "NoSuchWebsiteConfiguration",
        GetObjectLockConfiguration = "ObjectLockConfigurationNotFoundError",
      } do
        assert.same({ absent, 404 }, problem(s3(operation)))
      end
    end)
  end)

  it("go away when they are deleted, but for encryption, which goes back", function()
    with_bucket(function(s3)
      assert(s3("DeletePublicAccessBlock"))
      assert.same({ "NoSuchPublicAccessBlockConfiguration", 404 }, problem(s3("GetPublicAccessBlock")))
      assert(s3("DeleteBucketOwnershipControls"))
      assert.same({ "OwnershipControlsNotFoundError", 404 }, problem(s3("GetBucketOwnershipControls")))
      assert(s3("PutBucketEncryption", {
        ServerSideEncryptionConfiguration = {
          Rules = { { ApplyServerSideEncryptionByDefault = { SSEAlgorithm = "aws:kms" }, BucketKeyEnabled = true } },
        },
      }))
      assert(s3("DeleteBucketEncryption"))
      local rule = assert(s3("GetBucketEncryption")).ServerSideEncryptionConfiguration.Rules[1]
      assert.same({ "AES256", false }, { rule.ApplyServerSideEncryptionByDefault.SSEAlgorithm, rule.BucketKeyEnabled })
      assert(s3("DeleteBucketLifecycle"))
    end)
  end)

  it("refuse a body without a digest, and one with a wrong one", function()
    local function check(operation, headers)
      local done, failure = pcall(checksums.check, {
        fail = function(_, ...) Failure.raise(...) end,
      }, operation, { headers = headers, body = "body" })
      return done or failure.code
    end
    assert.equal("InvalidRequest", check("PutBucketTagging", {}))
    assert.equal("InvalidRequest", check("DeleteObjects", {}))
    assert.is_true(check("PutBucketNotificationConfiguration", {}))
    assert.is_true(check("PutObject", {}))
    local digests = {
      ["content-md5"] = crypto.md5, ["x-amz-checksum-sha1"] = crypto.sha1, ["x-amz-checksum-sha256"] = crypto.sha256,
      ["x-amz-checksum-crc32"] = function(body) return string.pack(">I4", crypto.crc32(body)) end,
    }
    for name, digest in pairs(digests) do
      assert.is_true(check("PutBucketTagging", { [name] = crypto.base64(digest("body")) }))
      assert.equal("BadDigest", check("PutObject", { [name] = crypto.base64(digest("other")) }))
    end
    assert.equal("InvalidDigest", check("PutObject", { ["content-md5"] = "short" }))
    assert.is_true(check("PutBucketTagging", { ["x-amz-checksum-crc32c"] = "AAAAAA==" }))
  end)

  it("take omitted public access settings for false", function()
    with_bucket(function(s3)
      assert(s3("PutPublicAccessBlock", { PublicAccessBlockConfiguration = { BlockPublicAcls = true } }))
      assert.same({
        BlockPublicAcls = true, IgnorePublicAcls = false, BlockPublicPolicy = false, RestrictPublicBuckets = false,
      }, assert(s3("GetPublicAccessBlock")).PublicAccessBlockConfiguration)
    end)
  end)

  it("know no access control lists while the owner is enforced", function()
    with_bucket(function(s3)
      assert.equal("AccessControlListNotSupported", code(s3("PutBucketAcl", { ACL = "log-delivery-write" })))
      assert.equal("InvalidBucketAclWithObjectOwnership",
        code(s3("CreateBucket", { Bucket = "b-2", ACL = "public-read" })))
      assert(s3("PutBucketOwnershipControls", {
        OwnershipControls = { Rules = { { ObjectOwnership = "BucketOwnerPreferred" } } },
      }))
      assert.equal("AccessDenied", code(s3("PutBucketAcl", { ACL = "public-read" })))
      assert(s3("PutBucketAcl", { ACL = "log-delivery-write" }))
      assert.equal(3, #assert(s3("GetBucketAcl")).Grants)
    end)
  end)

  it("check a policy's principals, resources and actions", function()
    with_bucket(function(s3)
      local function put(changes)
        local statement = {
          Effect = "Allow", Principal = { Service = "cloudfront.amazonaws.com" }, Action = "s3:GetObject",
          Resource = "arn:aws:s3:::the-bucket/*",
        }
        for name, value in pairs(changes) do
          statement[name] = value
        end
        return s3("PutBucketPolicy", { Policy = json.encode { Version = "2012-10-17", Statement = { statement } } })
      end
      for message, changes in pairs {
        ["Invalid principal in policy"] = { Principal = { AWS = "arn:aws:iam::123456789012:role/nobody" } },
        ["Policy has invalid resource"] = { Resource = "arn:aws:s3:::other/*" },
        ["Policy has invalid action"] = { Action = "ec2:RunInstances" },
        ["Action does not apply to any resource(s) in statement"] = { Action = "s3:ListBucket" },
      } do
        local _, err = put(changes)
        assert.same({ "MalformedPolicy", message }, { err.code, err.message })
      end
      assert.equal("MalformedPolicy", code(s3("PutBucketPolicy", { Policy = "no" })))
      assert(put {})
      assert.matches("cloudfront", assert(s3("GetBucketPolicy")).Policy)
    end)
  end)

  it("block public policies as long as they are told to", function()
    with_bucket(function(s3)
      local function put(condition)
        local statement = {
          Effect = "Allow", Principal = "*", Action = "s3:GetObject", Resource = "arn:aws:s3:::the-bucket/*",
          Condition = condition,
        }
        return s3("PutBucketPolicy", { Policy = json.encode { Version = "2012-10-17", Statement = { statement } } })
      end
      assert.same({ "AccessDenied", 403 }, problem(put()))
      assert(put { StringEquals = { ["aws:SourceVpce"] = "vpce-1" } })
      assert.is_false(assert(s3("GetBucketPolicyStatus")).PolicyStatus.IsPublic)
      assert(s3("DeletePublicAccessBlock"))
      assert(put())
      assert.is_true(assert(s3("GetBucketPolicyStatus")).PolicyStatus.IsPublic)
    end)
  end)

  it("complete lifecycle rules", function()
    with_bucket(function(s3)
      local function put(rule)
        return s3("PutBucketLifecycleConfiguration", { LifecycleConfiguration = { Rules = { rule } } })
      end
      assert.equal("MalformedXML", code(put { Status = "Enabled", Expiration = { Days = 1 } }))
      assert.equal("InvalidRequest", code(put { Status = "Enabled", Filter = {} }))
      assert(put { Status = "Enabled", Filter = {}, Expiration = { Days = 30 } })
      local read = assert(s3("GetBucketLifecycleConfiguration"))
      assert.equal("all_storage_classes_128K", read.TransitionDefaultMinimumObjectSize)
      assert.same({ Prefix = "" }, read.Rules[1].Filter)
      assert.matches("^%w+$", read.Rules[1].ID)
    end)
  end)

  it("replicate only between versioned buckets, and then versioning stays", function()
    with_bucket(function(s3, call, world)
      local versioned = { Status = "Enabled" }
      local whole = { Filter = { Prefix = "" }, Priority = 1, DeleteMarkerReplication = { Status = "Disabled" } }
      local function put(rule)
        rule.Status, rule.Destination = "Enabled", { Bucket = "arn:aws:s3:::copy-of-it" }
        local role = "arn:aws:iam::123456789012:role/r"
        return s3("PutBucketReplication", { ReplicationConfiguration = { Role = role, Rules = { rule } } })
      end
      local function refused(message, rule)
        local _, err = put(rule or whole)
        assert.equal("InvalidRequest", err.code)
        assert.matches(message, err.message)
      end
      refused("^Versioning must be 'Enabled'")
      assert(s3("PutBucketVersioning", { VersioningConfiguration = versioned }))
      local trust = { Effect = "Allow", Principal = { Service = "s3.amazonaws.com" }, Action = "sts:AssumeRole" }
      assert(call("iam", "CreateRole", {
        RoleName = "r", AssumeRolePolicyDocument = json.encode { Version = "2012-10-17", Statement = { trust } },
      }))
      refused("permission to assume")
      world.scheduler:sleep(20)
      refused("^Destination bucket must exist")
      assert(s3("CreateBucket", { Bucket = "copy-of-it" }))
      refused("^Destination bucket must have versioning")
      assert(s3("PutBucketVersioning", { Bucket = "copy-of-it", VersioningConfiguration = versioned }))
      refused("must be specified for this version", { Filter = { Prefix = "" } })
      assert(put(whole))
      assert.same({ "InvalidBucketState", 409 },
        problem(s3("PutBucketVersioning", { VersioningConfiguration = { Status = "Suspended" } })))
      assert(s3("DeleteBucketReplication"))
      assert(s3("PutBucketVersioning", { VersioningConfiguration = { Status = "Suspended" } }))
      assert.equal("Suspended", assert(s3("GetBucketVersioning")).Status)
    end)
  end)

  it("name what notifications leave nameless", function()
    with_bucket(function(s3)
      assert(s3("PutBucketNotificationConfiguration", {
        NotificationConfiguration = {
          EventBridgeConfiguration = {},
          TopicConfigurations = {
            {
              TopicArn = "arn:aws:sns:us-east-1:123456789012:t", Events = { "s3:ObjectCreated:*" },
              Filter = { Key = { FilterRules = { { Name = "prefix", Value = "in/" } } } },
            },
          },
        },
      }))
      local read = assert(s3("GetBucketNotificationConfiguration"))
      assert.same({}, read.EventBridgeConfiguration)
      assert.equal("Prefix", read.TopicConfigurations[1].Filter.Key.FilterRules[1].Name)
      assert.is_string(read.TopicConfigurations[1].Id)
    end)
  end)

  it("replace tags as a whole and keep system tags from callers", function()
    with_bucket(function(s3)
      assert(s3("PutBucketTagging", { Tagging = { TagSet = { { Key = "a", Value = "1" } } } }))
      assert(s3("PutBucketTagging", { Tagging = { TagSet = { { Key = "c", Value = "é<&" } } } }))
      assert.same({ { Key = "c", Value = "é<&" } }, assert(s3("GetBucketTagging")).TagSet)
      assert.equal("InvalidTag", code(s3("PutBucketTagging", {
        Tagging = { TagSet = { { Key = "aws:x", Value = "" } } },
      })))
      assert(s3("DeleteBucketTagging"))
      assert.equal("NoSuchTagSet", code(s3("GetBucketTagging")))
    end)
  end)
end)

describe("infra.sim.s3 objects", function()
  it("are stored and read as bytes", function()
    with_bucket(function(s3)
      local bytes = "\0\1\255 <é>"
      local put = assert(s3("PutObject", {
        Key = "a b/é+%", Body = bytes, ContentType = "text/html", CacheControl = "no-cache", Metadata = { kind = "x" },
      }))
      assert.equal('"' .. crypto.hex(crypto.md5(bytes)) .. '"', put.ETag)
      assert.is_nil(put.VersionId)
      local read = assert(s3("GetObject", { Key = "a b/é+%" }))
      assert.equal(bytes, read.Body)
      assert.same({ #bytes, "text/html", "no-cache", "x", "AES256" }, {
        read.ContentLength, read.ContentType, read.CacheControl, read.Metadata.kind, read.ServerSideEncryption,
      })
      assert.equal(#bytes, assert(s3("HeadObject", { Key = "a b/é+%" })).ContentLength)
      assert.same({ "NoSuchKey", 404 }, problem(s3("GetObject", { Key = "a b" })))
    end)
  end)

  it("come out of the chunks in which clients stream them", function()
    local function decoded(body, length)
      return chunked.decode {
        body = body,
        headers = { ["x-amz-decoded-content-length"] = length, ["content-encoding"] = "aws-chunked,gzip" },
      }
    end
    local request = decoded("5\r\nhello\r\n1;chunk-signature=0\r\n!\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n", "6")
    assert.same({ "hello!", "AAAA", "gzip" },
      { request.body, request.headers["x-amz-checksum-crc32"], request.headers["content-encoding"] })
    assert.equal("", decoded("0\r\n\r\n", "0").body)
    for _, broken in ipairs { "", "5\r\nhel", "5\r\nhello\r\n", "x\r\n", "0\r\n\r\n", "ffffffffffffffff\r\n" } do
      assert.is_nil(decoded(broken, "5"))
    end
  end)

  it("are written only if the condition holds", function()
    with_bucket(function(s3)
      local params = { Key = "lock", Body = "1", IfNoneMatch = "*" }
      assert(s3("PutObject", params))
      assert.same({ "PreconditionFailed", 412 }, problem(s3("PutObject", params)))
      assert(s3("DeleteObject", { Key = "lock" }))
      assert(s3("PutObject", params))
    end)
  end)

  it("hide behind a marker when they are deleted", function()
    with_bucket(function(s3)
      assert(s3("PutObject", { Key = "k", Body = "before versioning" }))
      assert(s3("PutBucketVersioning", { VersioningConfiguration = { Status = "Enabled" } }))
      local second = assert(s3("PutObject", { Key = "k", Body = "2" })).VersionId
      local marker = assert(s3("DeleteObject", { Key = "k" })).VersionId
      assert.equal("NoSuchKey", code(s3("GetObject", { Key = "k" })))
      assert.equal("before versioning", assert(s3("GetObject", { Key = "k", VersionId = "null" })).Body)
      assert.same({ "MethodNotAllowed", 405 }, problem(s3("GetObject", { Key = "k", VersionId = marker })))
      assert.same({ "NoSuchVersion", 404 }, problem(s3("GetObject", { Key = "k", VersionId = "0" })))
      assert.equal(0, assert(s3("ListObjectsV2")).KeyCount)
      assert.is_true(assert(s3("DeleteObject", { Key = "k", VersionId = marker })).DeleteMarker)
      assert.equal(second, assert(s3("GetObject", { Key = "k" })).VersionId)
    end)
  end)

  it("go page by page, keys in URL encoding", function()
    with_bucket(function(s3)
      assert(s3("PutBucketVersioning", { VersioningConfiguration = { Status = "Enabled" } }))
      for _, key in ipairs { "a b", "a b", "a b", "c/é", "d" } do
        assert(s3("PutObject", { Key = key, Body = "x" }))
      end
      assert(s3("DeleteObject", { Key = "d" }))
      local pages, marker = 0, {}
      repeat
        local page = assert(s3("ListObjectVersions", {
          MaxKeys = 2, EncodingType = "url", KeyMarker = marker.NextKeyMarker,
          VersionIdMarker = marker.NextVersionIdMarker,
        }))
        local doomed = {}
        for _, list in ipairs { page.Versions or {}, page.DeleteMarkers or {} } do
          for _, version in ipairs(list) do
            local key = version.Key:gsub("%+", " "):gsub("%%(%x%x)", function(hex)
              return string.char(tonumber(hex, 16))
            end)
            doomed[#doomed + 1] = { Key = key, VersionId = version.VersionId }
          end
        end
        local gone = assert(s3("DeleteObjects", { Delete = { Objects = doomed, Quiet = true } }))
        assert.same({}, { gone.Deleted, gone.Errors })
        pages, marker = pages + 1, page
        if marker.NextKeyMarker then
          marker.NextKeyMarker = marker.NextKeyMarker:gsub("%+", " "):gsub("%%C3%%A9", "é")
        end
      until not page.IsTruncated
      assert.equal(3, pages)
      assert(s3("DeleteBucket"))
    end)
  end)

  it("that cannot be deleted are named in an answer that succeeds", function()
    with_bucket(function(s3)
      assert(s3("CreateBucket", { Bucket = "locked-one", ObjectLockEnabledForBucket = true }))
      local version = assert(s3("PutObject", {
        Bucket = "locked-one", Key = "k", Body = "x", ObjectLockMode = "COMPLIANCE",
        ObjectLockRetainUntilDate = 4102444800,
      })).VersionId
      local result = assert(s3("DeleteObjects", {
        Bucket = "locked-one", BypassGovernanceRetention = true,
        Delete = { Objects = { { Key = "k", VersionId = version }, { Key = "missing", VersionId = version } } },
      }))
      assert.same({ "missing", "k", "AccessDenied" },
        { result.Deleted[1].Key, result.Errors[1].Key, result.Errors[1].Code })
      local one_too_many = {}
      for i = 1, 1001 do
        one_too_many[i] = { Key = "k" .. i }
      end
      assert.equal("MalformedXML", code(s3("DeleteObjects", { Delete = { Objects = one_too_many } })))
    end)
  end)

  it("are listed by prefix and delimiter, in pages", function()
    with_bucket(function(s3)
      for _, key in ipairs { "a/1", "a/2", "b", "c/1", "d" } do
        assert(s3("PutObject", { Key = key, Body = key }))
      end
      local first = assert(s3("ListObjectsV2", { Delimiter = "/", MaxKeys = 2 }))
      assert.same({ "a/", "b", 2, true }, {
        first.CommonPrefixes[1].Prefix, first.Contents[1].Key, first.KeyCount, first.IsTruncated,
      })
      local second = assert(s3("ListObjectsV2", { Delimiter = "/", ContinuationToken = first.NextContinuationToken }))
      assert.same({ "c/", "d", false },
        { second.CommonPrefixes[1].Prefix, second.Contents[1].Key, second.IsTruncated })
      assert.equal(2, assert(s3("ListObjectsV2", { Prefix = "a/" })).KeyCount)
      assert.equal("InvalidArgument", code(s3("ListObjectsV2", { ContinuationToken = "x" })))
    end)
  end)

  it("are uploaded in parts", function()
    with_bucket(function(s3)
      local id = assert(s3("CreateMultipartUpload", { Key = "k", ContentType = "text/plain" })).UploadId
      local big = ("x"):rep(5 * 1024 * 1024)
      local parts = {}
      for number, body in ipairs { big, "end" } do
        local etag = assert(s3("UploadPart", { Key = "k", UploadId = id, PartNumber = number, Body = body })).ETag
        parts[number] = { PartNumber = number, ETag = etag }
      end
      assert.equal(2, #assert(s3("ListParts", { Key = "k", UploadId = id })).Parts)
      assert.equal("k", assert(s3("ListMultipartUploads")).Uploads[1].Key)
      local function complete(list)
        return s3("CompleteMultipartUpload", { Key = "k", UploadId = id, MultipartUpload = { Parts = list } })
      end
      assert.equal("InvalidPartOrder", code(complete { parts[2], parts[1] }))
      assert.equal("InvalidPart", code(complete { { PartNumber = 1, ETag = '"0"' } }))
      assert.matches('%-2"$', assert(complete(parts)).ETag)
      assert.equal(big .. "end", assert(s3("GetObject", { Key = "k" })).Body)
      assert.same({ "NoSuchUpload", 404 }, problem(s3("AbortMultipartUpload", { Key = "k", UploadId = id })))
    end)
  end)
end)
