-- The simulated S3: what its API reference and its known traps say of buckets and their configurations.

local crypto = require "host.crypto"
local json = require "host.json"
local Failure = require "infra.sim.failure"
local checksums = require "infra.sim.s3.checksums"
local bucket = require "spec.sim.s3.bucket"
local merged = require "infra.merged"

local simulated, code, problem, with_bucket = bucket.simulated, bucket.code, bucket.problem, bucket.with_bucket

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
      for _, listed in ipairs(assert(call("s3", "ListBuckets")).Buckets) do
        names[#names + 1] = listed.Name
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
        local statement = merged({
          Effect = "Allow", Principal = { Service = "cloudfront.amazonaws.com" }, Action = "s3:GetObject",
          Resource = "arn:aws:s3:::the-bucket/*",
        }, changes)
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
