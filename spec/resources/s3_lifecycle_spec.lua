local World = require "spec.engine.world"
local lifecycle = require "infra.resources.s3_lifecycle"
local merged = require "infra.merged"

local function same(a, b)
  assert.same(lifecycle.canonical { Rules = a }, lifecycle.canonical { Rules = b })
end

describe("lifecycle rules", function()
  it("mean the same in both of CloudFormation's forms", function()
    same({ { Status = "Enabled", NoncurrentVersionExpirationInDays = 5 } },
      { { Status = "Enabled", NoncurrentVersionExpiration = { NoncurrentDays = 5 } } })
    same({ { Status = "Enabled", Transition = { StorageClass = "GLACIER", TransitionInDays = 1 } } },
      { { Status = "Enabled", Transitions = { { StorageClass = "GLACIER", TransitionInDays = 1 } } } })
    same({ { Status = "Enabled", Prefix = "", ExpirationDate = "2030-01-01" } },
      { { Status = "Enabled", ExpirationDate = "2030-01-01T00:00:00Z" } })
  end)

  it("have no order, also when S3 makes up their ids", function()
    local one, two = { Status = "Enabled", Prefix = "a/", ExpirationInDays = 1 }, { Status = "Enabled", Prefix = "b/",
      ExpirationInDays = 2 }
    local function with_id(rule, id)
      return merged({ Id = id }, rule)
    end
    local plain = lifecycle.canonical { Rules = { one, two } }
    local live = lifecycle.canonical { Rules = { with_id(two, "1"), with_id(one, "2") } }
    for i = 1, 2 do
      assert.equal(plain.Rules[i].Prefix, live.Rules[i].Prefix)
    end
  end)

  it("of every kind are the same afterwards", function()
    local world = World.new()
    local declaration = World.declare(function(stack)
      stack:resource("AWS::S3::Bucket", "bucket", {
        VersioningConfiguration = { Status = "Enabled" },
        LifecycleConfiguration = { Rules = {
          { Status = "Enabled", ExpirationInDays = 30 },
          { Status = "Enabled", Prefix = "logs/", ExpirationDate = "2030-01-01T00:00:00Z" },
          { Id = "tagged", Status = "Enabled", TagFilters = { { Key = "a", Value = "b" } }, ExpirationInDays = 1 },
          { Id = "both", Status = "Enabled", Prefix = "x/", TagFilters = { { Key = "a", Value = "b" },
            { Key = "c", Value = "d" } }, ObjectSizeGreaterThan = 1000, ExpirationInDays = 1 },
          { Id = "old", Status = "Enabled", Prefix = "old/", NoncurrentVersionExpirationInDays = 7,
            NoncurrentVersionTransitions = { { StorageClass = "GLACIER", TransitionInDays = 3 } } },
          { Id = "cold", Status = "Disabled", Prefix = "cold/", Transition = { StorageClass = "GLACIER",
            TransitionInDays = 60 }, AbortIncompleteMultipartUpload = { DaysAfterInitiation = 1 } },
        } },
      })
    end)
    world:run(declaration)
    local plan = assert(world:plan(declaration))
    world:close()
    assert.same({}, plan.by_address.bucket.differences)
  end)
end)
