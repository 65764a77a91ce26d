-- What S3 does to those who manage buckets, and how the handlers meet it.

local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local merged = require "infra.merged"

local world

before_each(function() world = World.new() end)
after_each(function() world:close() end)

local function declare(properties, options, more)
  return World.declare(function(stack)
    local all = merged({ BucketName = "demo-files" }, properties)
    local bucket = stack:resource("AWS::S3::Bucket", "bucket", all, options)
    if more then
      more(stack, bucket)
    end
  end)
end

local function ask(operation, params)
  return world:as_other(function(call)
    params.Bucket = "demo-files"
    return (call("s3", operation, params))
  end)
end

describe("AWS::S3::Bucket", function()
  it("names no region in us-east-1, and any other one", function()
    local run = world:run(declare())
    assert.is_nil(calls.params(run, "CreateBucket")[1].CreateBucketConfiguration)
    world:destroy(declare())
    run = world:run(declare(nil, { region = "eu-west-1" }))
    assert.equal("eu-west-1", calls.params(run, "CreateBucket")[1].CreateBucketConfiguration.LocationConstraint)
    world:unchanged(declare(nil, { region = "eu-west-1" }))
  end)

  it("that exists is not taken over, although S3 would let it happen in us-east-1", function()
    for _, region in ipairs { "us-east-1", "eu-west-1" } do
      world:as_other(function(call, session)
        session.client.region = region
        assert(call("s3", "CreateBucket", { Bucket = "theirs-" .. region, CreateBucketConfiguration =
          region ~= "us-east-1" and { LocationConstraint = region } or nil }))
      end)
      local declaration = declare({ BucketName = "theirs-" .. region }, { region = region })
      local run = world:apply(declaration)
      assert.equal("AlreadyExists", run.result.failures[1].code)
      assert.same({}, world:rows())
    end
  end)

  it("that exists is not taken over after a crash that sent nothing", function()
    world:as_other(function(call) assert(call("s3", "CreateBucket", { Bucket = "demo-files" })) end)
    local run = world:apply(declare(), { crash_commit = 1, when = "after" })
    assert.is_true(run.crashed)
    run = world:apply(declare())
    assert.equal("AlreadyExists", run.result.failures[1].code)
  end)

  it("of somebody else is told as such", function()
    local run = world:apply(declare { BucketName = "example" })
    assert.equal("BucketAlreadyExists", run.result.failures[1].code)
  end)

  it("waits while S3 is not done with the last one of its name", function()
    local failing, tries = calls.failing({ "OperationAborted", "in progress", 409 },
      { "OperationAborted", "in progress", 409 })
    calls.with("s3", { CreateBucket = failing }, function() world:run(declare()) end)
    assert.equal(3, tries())
  end)

  it("has all four members of its public access block, false where they are not declared", function()
    local partial = { PublicAccessBlockConfiguration = { BlockPublicAcls = true } }
    local run = world:run(declare(partial))
    assert.same({ BlockPublicAcls = true, BlockPublicPolicy = false, IgnorePublicAcls = false,
      RestrictPublicBuckets = false }, calls.params(run, "PutPublicAccessBlock")[1].PublicAccessBlockConfiguration)
    world:unchanged(declare(partial))
    assert.same({ bucket = "update" }, world:planned(declare { PublicAccessBlockConfiguration = {
      BlockPublicAcls = true, BlockPublicPolicy = true } }))
  end)

  it("can only suspend its versions", function()
    world:run(declare { VersioningConfiguration = { Status = "Enabled" } })
    assert.same({ bucket = "update" }, world:planned(declare()))
    world:run(declare())
    assert.equal("Suspended", ask("GetBucketVersioning", {}).Status)
    world:unchanged(declare())
  end)

  it("takes its facets back when they are not declared any more", function()
    world:run(declare {
      LifecycleConfiguration = { Rules = { { Id = "a", Status = "Enabled", ExpirationInDays = 1 } } },
      OwnershipControls = { Rules = { { ObjectOwnership = "BucketOwnerPreferred" } } },
    })
    world:run(declare())
    assert.is_nil(ask("GetBucketLifecycleConfiguration", {}))
    assert.is_nil(ask("GetBucketOwnershipControls", {}))
    world:unchanged(declare())
  end)

  it("has tags of which only the whole set can be written", function()
    local run = world:run(declare { Tags = { a = "1", b = "2" } })
    assert.equal(1, #calls.params(run, "PutBucketTagging"))
    world:run(declare { Tags = { b = "3" } })
    local tags = {}
    for _, tag in ipairs(ask("GetBucketTagging", {}).TagSet) do
      tags[tag.Key] = tag.Value
    end
    assert.is_nil(tags.a)
    assert.equal("3", tags.b)
    assert.equal(world:rows()[1].token, tags["infra:id"])
  end)

  it("is not gone because somebody may not look", function()
    world:run(declare())
    calls.with("s3", { GetBucketVersioning = function(_, ctx)
      ctx:fail("AccessDenied", "Access Denied", 403)
    end }, function()
      local plan, err = world:plan(declare())
      assert.is_nil(plan)
      assert.equal("bucket", err.resource)
    end)
  end)
end)

describe("a bucket with objects", function()
  local versioned = declare { VersioningConfiguration = { Status = "Enabled" } }

  local function fill(count)
    world:as_other(function(call)
      for i = 1, count do
        assert(call("s3", "PutObject", { Bucket = "demo-files", Key = ("object %d+&<"):format(i), Body = "x" }))
      end
      assert(call("s3", "PutObject", { Bucket = "demo-files", Key = "object 1+&<", Body = "again" }))
      assert(call("s3", "DeleteObject", { Bucket = "demo-files", Key = "object 2+&<" }))
    end)
  end

  it("is emptied of all versions and delete markers first", function()
    world:run(versioned)
    fill(5)
    world:destroy(versioned)
    assert.same({}, world:census())
  end)

  it("is emptied page by page, and again where S3 failed", function()
    world:run(versioned)
    fill(5)
    local run = world:destroy(versioned, { faults = { schedule = {
      { fault = "short_page", operation = "ListObjectVersions", times = 3 },
      { fault = "partial_batch", operation = "DeleteObjects", times = 2 },
    } } })
    assert.is_true(#calls.params(run, "DeleteObjects") > 2)
    assert.same({}, world:census())
  end)

  it("may hold keys that XML cannot name", function()
    world:run(declare())
    world:as_other(function(call)
      assert(call("s3", "PutObject", { Bucket = "demo-files", Key = "bell\7", Body = "x" }))
      assert(call("s3", "PutObject", { Bucket = "demo-files", Key = "plain", Body = "x" }))
    end)
    local run = world:destroy(declare())
    assert.equal("bell\7", calls.params(run, "DeleteObject")[1].Key)
    assert.same({}, world:census())
  end)

  it("that is filled again meanwhile is emptied again", function()
    world:run(declare())
    local times = 0
    calls.with("s3", { DeleteBucket = function(original, ctx, params)
      times = times + 1
      if times == 1 then
        require("infra.sim.s3").PutObject(ctx, { Bucket = "demo-files", Key = "late", Body = "x" })
      end
      return original(ctx, params)
    end }, function() world:destroy(declare()) end)
    assert.equal(2, times)
    assert.same({}, world:census())
  end)

  it("under Object Lock is told with the object", function()
    world:run(declare())
    world:as_other(function(call)
      assert(call("s3", "PutObject", { Bucket = "demo-files", Key = "kept", Body = "x" }))
    end)
    calls.with("s3", { DeleteObjects = function()
      return { Errors = { { Key = "kept", Code = "AccessDenied", Message = "Access Denied" } } }
    end }, function()
      local run = world:apply(declare(), { destroy = true })
      assert.equal("AccessDenied", run.result.failures[1].code)
      assert.matches("kept", run.result.failures[1].message)
    end)
  end)
end)

describe("AWS::S3::BucketPolicy", function()
  local function policy(bucket_arn, principal)
    return { Version = "2012-10-17", Statement = { { Sid = "a", Effect = "Allow", Principal = principal,
      Action = "s3:GetObject", Resource = bucket_arn .. "/*" } } }
  end

  local function with_policy(principal, options)
    return declare(nil, nil, function(stack, bucket)
      stack:resource("AWS::S3::BucketPolicy", "policy", { Bucket = bucket.BucketName,
        PolicyDocument = policy(bucket.Arn, principal) }, options)
    end)
  end

  it("waits for a principal that is too new to be known", function()
    local declaration = declare(nil, nil, function(stack, bucket)
      local role = stack:resource("AWS::IAM::Role", "role", { AssumeRolePolicyDocument = { Version = "2012-10-17",
        Statement = { { Effect = "Allow", Action = "sts:AssumeRole",
          Principal = { Service = "lambda.amazonaws.com" } } } } })
      stack:resource("AWS::S3::BucketPolicy", "policy", { Bucket = bucket.BucketName,
        PolicyDocument = policy(bucket.Arn, { AWS = role.Arn }) })
    end)
    local run = world:run(declaration)
    assert.is_true(#calls.params(run, "PutBucketPolicy") > 1)
    world:unchanged(declaration)
  end)

  it("does not overwrite somebody else's, unless it is told to", function()
    world:run(declare())
    world:as_other(function(call)
      assert(call("s3", "PutBucketPolicy", { Bucket = "demo-files", Policy = require("host.json").encode(
        policy("arn:aws:s3:::demo-files", { AWS = "123456789012" })) }))
    end)
    local other = { Service = "logging.s3.amazonaws.com" }
    local run = world:apply(with_policy(other))
    assert.equal("AlreadyExists", run.result.failures[1].code)
    world:run(with_policy(other, { adopt = true }))
    world:unchanged(with_policy(other))
  end)

  it("that is there already, word for word, is nobody else's", function()
    world:run(with_policy { AWS = "123456789012" })
    world:with_process(with_policy { AWS = "123456789012" }, {}, function(process)
      process.store:write "DELETE FROM resource WHERE address = 'policy'"
      assert(process.store:commit())
    end)
    world:run(with_policy { AWS = "123456789012" })
  end)
end)
