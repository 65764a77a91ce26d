local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local merged = require "infra.merged"

-- A bucket in two regions, the first replicated to the second by `rules(destination)`; nil for no replication.
local function replicated(rules, options)
  options = options or {}
  return World.declare(function(stack)
    local replica = stack:resource("AWS::S3::Bucket", "replica", {
      BucketName = "demo-replica", VersioningConfiguration = { Status = "Enabled" },
    }, { region = "us-west-2" })
    local role = stack:resource("AWS::IAM::Role", "role", { AssumeRolePolicyDocument = {
      Version = "2012-10-17", Statement = { {
        Effect = "Allow", Principal = { Service = "s3.amazonaws.com" }, Action = "sts:AssumeRole",
      } },
    } })
    stack:resource("AWS::S3::Bucket", "source", {
      BucketName = "demo-source",
      VersioningConfiguration = not options.unversioned and { Status = "Enabled" } or nil,
      ReplicationConfiguration = rules and { Role = role.Arn, Rules = rules(replica.Arn) } or nil,
    })
  end)
end

local function rule(destination, more)
  return merged({ Id = "all", Status = "Enabled", Destination = { Bucket = destination }, Filter = { Prefix = "" } },
    more)
end

local function everything(destination)
  return { rule(destination) }
end

describe("the ReplicationConfiguration of AWS::S3::Bucket", function()
  local world

  before_each(function()
    world = World.new()
  end)
  after_each(function()
    world:close()
  end)

  it("is written after the versions and when its role is known, and is the same afterwards", function()
    local run = world:run(replicated(everything))
    local order = {}
    for i, name in ipairs(calls.changes(run)) do
      order[name] = i
    end
    assert.is_true(order.PutBucketReplication > order.PutBucketVersioning)
    assert.is_true(#calls.params(run, "PutBucketReplication") > 1)
    world:unchanged(replicated(everything))
  end)

  it("says of every rule with a filter what S3 insists on", function()
    local sent = calls.params(world:run(replicated(everything)), "PutBucketReplication")
    local first = sent[#sent].ReplicationConfiguration.Rules[1]
    assert.same({ "all", 1, "Disabled" }, { first.ID, first.Priority, first.DeleteMarkerReplication.Status })
  end)

  it("is sent in the API's names, and its rules have no order but their priorities", function()
    local function two(swapped)
      return function(destination)
        local tagged = rule(destination, { Id = "tagged", Priority = 2,
          DeleteMarkerReplication = { Status = "Disabled" },
          Filter = { And = { Prefix = "a/", TagFilters = { { Key = "k", Value = "v" } } } } })
        local plain = rule(destination, { Id = "plain", Priority = 1,
          DeleteMarkerReplication = { Status = "Enabled" }, Filter = { Prefix = "b/" } })
        return swapped and { plain, tagged } or { tagged, plain }
      end
    end
    local sent = calls.params(world:run(replicated(two())), "PutBucketReplication")
    assert.same({ Prefix = "a/", Tags = { { Key = "k", Value = "v" } } },
      sent[#sent].ReplicationConfiguration.Rules[1].Filter.And)
    world:unchanged(replicated(two(true)))
  end)

  it("is changed and removed in place", function()
    world:run(replicated(everything))
    local disabled = replicated(function(destination) return { rule(destination, { Status = "Disabled" }) } end)
    assert.same({ "PutBucketReplication" }, calls.changes(world:run(disabled)))
    assert.same({ "DeleteBucketReplication" }, calls.changes(world:run(replicated(nil))))
    world:unchanged(replicated(nil))
  end)

  it("goes before the versions that it needs", function()
    world:run(replicated(everything))
    local run = world:run(replicated(nil, { unversioned = true }))
    assert.same({ "DeleteBucketReplication", "PutBucketVersioning" }, calls.changes(run))
  end)

  it("does not keep the buckets from being deleted", function()
    world:run(replicated(everything))
    world:destroy(replicated(everything))
    assert.same({}, world:rows())
  end)
end)

describe("the encryption of AWS::S3::Bucket", function()
  it("is sent in the API's names", function()
    local world = World.new()
    local declaration = World.declare(function(stack)
      stack:resource("AWS::S3::Bucket", "b", { BucketEncryption = { ServerSideEncryptionConfiguration = { {
        ServerSideEncryptionByDefault = { SSEAlgorithm = "aws:kms", KMSMasterKeyID = "alias/x" },
        BucketKeyEnabled = true,
      } } } })
    end)
    assert.same({ Rules = { {
      ApplyServerSideEncryptionByDefault = { SSEAlgorithm = "aws:kms", KMSMasterKeyID = "alias/x" },
      BucketKeyEnabled = true,
    } } }, calls.params(world:run(declaration), "PutBucketEncryption")[1].ServerSideEncryptionConfiguration)
    world:unchanged(declaration)
    world:close()
  end)
end)
