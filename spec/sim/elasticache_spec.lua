-- The simulated ElastiCache: what its API reference and the known traps of serverless caches say.

local caller = require "spec.sim.caller"
local merged = require "infra.merged"

local code = caller.code

-- Runs `body(cache, net, sleep, call)`: cache(operation, params); net = { subnets, group, default_group } in one VPC
-- with three zones, and other = a group of another VPC.
local function simulated(body, options)
  caller.run(options or {}, function(call, _, world)
    local function ec2(operation, params)
      return assert(call("ec2", operation, params))
    end
    local function vpc_with_group(block)
      local vpc = ec2("CreateVpc", { CidrBlock = block }).Vpc.VpcId
      return vpc, ec2("CreateSecurityGroup", { VpcId = vpc, GroupName = "cache", Description = "d" }).GroupId
    end
    local vpc, group = vpc_with_group "10.0.0.0/16"
    local _, other = vpc_with_group "10.1.0.0/16"
    local net = { vpc = vpc, group = group, other = other, subnets = {} }
    for i, zone in ipairs { "a", "b", "c" } do
      net.subnets[i] = ec2("CreateSubnet", {
        VpcId = vpc, CidrBlock = ("10.0.%d.0/28"):format(i), AvailabilityZone = "us-east-1" .. zone,
      }).Subnet.SubnetId
    end
    world.scheduler:sleep(60)
    body(function(operation, params)
      return call("elasticache", operation, params)
    end, net, function(seconds)
      world.scheduler:sleep(seconds)
    end, call)
  end)
end

local function create(cache, net, params)
  local all = merged({
    ServerlessCacheName = "App", Engine = "valkey", SubnetIds = net.subnets, SecurityGroupIds = { net.group },
  }, params)
  local output, err = cache("CreateServerlessCache", all)
  return output and output.ServerlessCache, err
end

local function current(cache, name)
  local output, err = cache("DescribeServerlessCaches", { ServerlessCacheName = name or "app" })
  return output and output.ServerlessCaches[1], err
end

local function modify(cache, params)
  params.ServerlessCacheName = "app"
  return cache("ModifyServerlessCache", params)
end

describe("infra.sim.elasticache creating", function()
  it("takes minutes, and has endpoints only then", function()
    simulated(function(cache, net, sleep)
      local made = assert(create(cache, net))
      assert.same({ "app", "creating", "arn:aws:elasticache:us-east-1:123456789012:serverlesscache:app" },
        { made.ServerlessCacheName, made.Status, made.ARN })
      assert.is_nil(made.Endpoint)
      assert.equal("InvalidServerlessCacheStateFault", code(modify(cache, { Description = "d" })))
      assert.equal("InvalidServerlessCacheStateFault",
        code(cache("ListTagsForResource", { ResourceName = made.ARN })))
      assert.equal("InvalidServerlessCacheStateFault",
        code(cache("DeleteServerlessCache", { ServerlessCacheName = "app" })))
      sleep(120)
      made = assert(current(cache, "APP"))
      assert.equal("available", made.Status)
      assert.matches("^app%-%w+%.serverless%.use1%.cache%.amazonaws%.com$", made.Endpoint.Address)
      assert.same({ 6379, 6380 }, { made.Endpoint.Port, made.ReaderEndpoint.Port })
      assert.same({ "8", "", 0 }, { made.MajorEngineVersion, made.Description, made.SnapshotRetentionLimit })
      assert.is_nil(made.KmsKeyId)
      assert.is_nil(made.CacheUsageLimits)
      assert.is_nil(made.DailySnapshotTime)
    end)
  end)

  it("knows one cache of a name, in any case", function()
    simulated(function(cache, net)
      assert(create(cache, net))
      local _, err = create(cache, net, { ServerlessCacheName = "APP" })
      assert.equal("ServerlessCacheAlreadyExistsFault", err.code)
      assert.equal("ServerlessCacheNotFoundFault", code(current(cache, "none")))
    end)
  end)

  it("refuses what cannot be", function()
    simulated(function(cache, net)
      for expected, all in pairs {
        InvalidParameterValue = {
          { ServerlessCacheName = ("x"):rep(41) },
          { ServerlessCacheName = "a--b" },
          { Engine = "mysql" },
          { MajorEngineVersion = "6" },
          { SubnetIds = {} },
          { SubnetIds = { net.subnets[1] } },
          { SubnetIds = { net.subnets[1], "subnet-0123456789abcdef0" } },
          { SecurityGroupIds = { "sg-0123456789abcdef0" } },
          { SnapshotRetentionLimit = 36 },
          { DailySnapshotTime = "24:00" },
          { KmsKeyId = "alias/none" },
          { CacheUsageLimits = { ECPUPerSecond = { Maximum = 999 } } },
          { CacheUsageLimits = { DataStorage = { Maximum = 1, Minimum = 2, Unit = "GB" } } },
        },
        UserGroupNotFound = { { UserGroupId = "none" } },
      } do
        for i, params in ipairs(all) do
          local made, err = create(cache, net, params)
          assert.is_nil(made)
          assert.equal(expected, err.code, expected .. " " .. i)
        end
      end
      assert.same({}, assert(cache("DescribeServerlessCaches")).ServerlessCaches)
    end)
  end)

  it("fails for good when security groups and subnets do not fit", function()
    simulated(function(cache, net, sleep)
      assert(create(cache, net, { SecurityGroupIds = { net.other } }))
      sleep(120)
      assert.equal("create-failed", assert(current(cache)).Status)
      assert.equal("InvalidServerlessCacheStateFault", code(modify(cache, { Description = "d" })))
      assert(cache("DeleteServerlessCache", { ServerlessCacheName = "app" }))
    end)
  end)

  it("takes the VPC's default group, and gives snapshots a time", function()
    simulated(function(cache, net)
      local made = assert(create(cache, net, { SecurityGroupIds = {}, SnapshotRetentionLimit = 1 }))
      assert.equal(1, #made.SecurityGroupIds)
      assert.not_equal(net.group, made.SecurityGroupIds[1])
      assert.matches("^%d%d:%d%d$", made.DailySnapshotTime)
    end)
  end)
end)

describe("infra.sim.elasticache changing", function()
  local function with_cache(body)
    simulated(function(cache, net, sleep, call)
      assert(create(cache, net, { CacheUsageLimits = { DataStorage = { Maximum = 10, Unit = "GB" } } }))
      sleep(120)
      body(cache, net, sleep, call)
    end)
  end

  it("takes one field per call, and minutes for it", function()
    with_cache(function(cache, _, sleep)
      local expected, message = code(modify(cache, { Description = "d", SnapshotRetentionLimit = 1 }))
      assert.equal("InvalidParameterCombination", expected)
      assert.matches("one field per request", message)
      assert.equal("modifying", assert(modify(cache, { Description = "d" })).ServerlessCache.Status)
      assert.equal("InvalidServerlessCacheStateFault", code(modify(cache, { SnapshotRetentionLimit = 1 })))
      sleep(120)
      local changed = assert(current(cache))
      assert.same({ "available", "d" }, { changed.Status, changed.Description })
      assert(modify(cache, { SnapshotRetentionLimit = 1 }))
      sleep(120)
      changed = assert(current(cache))
      assert.equal(1, changed.SnapshotRetentionLimit)
      assert.is_string(changed.DailySnapshotTime)
    end)
  end)

  it("refuses to change nothing", function()
    with_cache(function(cache, net)
      for _, params in ipairs {
        {}, { Description = "" }, { SecurityGroupIds = { net.group } },
        { CacheUsageLimits = {} }, { RemoveUserGroup = true },
      } do
        local expected, message = code(modify(cache, params))
        assert.equal("InvalidParameterCombination", expected)
        assert.matches("No modifications were requested", message)
      end
    end)
  end)

  it("counts all usage limits as one field, and leaves those that are not mentioned", function()
    with_cache(function(cache, _, sleep)
      assert(modify(cache, { CacheUsageLimits = { ECPUPerSecond = { Maximum = 5000 } } }))
      sleep(120)
      assert.same({ DataStorage = { Maximum = 10, Unit = "GB" }, ECPUPerSecond = { Maximum = 5000 } },
        assert(current(cache)).CacheUsageLimits)
    end)
  end)
end)

describe("infra.sim.elasticache deleting", function()
  it("keeps the security group and the subnets busy until it is over", function()
    simulated(function(cache, net, sleep, call)
      assert(create(cache, net))
      sleep(120)
      assert.equal("DependencyViolation", code(call("ec2", "DeleteSecurityGroup", { GroupId = net.group })))
      assert.equal("DependencyViolation", code(call("ec2", "DeleteSubnet", { SubnetId = net.subnets[1] })))
      local deleted = assert(cache("DeleteServerlessCache", {
        ServerlessCacheName = "app", FinalSnapshotName = "Last",
      })).ServerlessCache
      assert.equal("deleting", deleted.Status)
      local _, err = create(cache, net)
      assert.equal("ServerlessCacheAlreadyExistsFault", err.code)
      assert.equal("DependencyViolation", code(call("ec2", "DeleteSecurityGroup", { GroupId = net.group })))
      sleep(150)
      assert.equal("ServerlessCacheNotFoundFault", code(current(cache)))
      assert(call("ec2", "DeleteSecurityGroup", { GroupId = net.group }))
      assert(call("ec2", "DeleteSubnet", { SubnetId = net.subnets[1] }))
      local left = assert(cache("DescribeServerlessCacheSnapshots")).ServerlessCacheSnapshots
      assert.same({ "last", "available" }, { left[1].ServerlessCacheSnapshotName, left[1].Status })
    end)
  end)

  it("moves to other security groups when told so", function()
    simulated(function(cache, net, sleep, call)
      local second = assert(call("ec2", "CreateSecurityGroup", {
        VpcId = net.vpc, GroupName = "second", Description = "d",
      })).GroupId
      assert(create(cache, net))
      sleep(120)
      assert.equal("InvalidParameterValue", code(modify(cache, { SecurityGroupIds = { net.other } })))
      assert(modify(cache, { SecurityGroupIds = { second } }))
      assert(call("ec2", "DeleteSecurityGroup", { GroupId = net.group }))
      sleep(120)
      assert.same({ second }, assert(current(cache)).SecurityGroupIds)
    end)
  end)
end)

describe("infra.sim.elasticache snapshots", function()
  it("are taken, copied, restored and deleted, each name once", function()
    simulated(function(cache, net, sleep)
      local function take(name)
        return cache("CreateServerlessCacheSnapshot", {
          ServerlessCacheName = "app", ServerlessCacheSnapshotName = name,
        })
      end
      assert(create(cache, net))
      assert.equal("InvalidServerlessCacheStateFault", code(take "one"))
      sleep(120)
      local arn = assert(take "one").ServerlessCacheSnapshot.ARN
      assert.equal("ServerlessCacheSnapshotAlreadyExistsFault", code(take "ONE"))
      assert.equal("InvalidServerlessCacheSnapshotStateFault",
        code(cache("DeleteServerlessCacheSnapshot", { ServerlessCacheSnapshotName = "one" })))
      sleep(60)
      assert(cache("CopyServerlessCacheSnapshot", {
        SourceServerlessCacheSnapshotName = "one", TargetServerlessCacheSnapshotName = "two",
      }))
      assert(create(cache, net, { ServerlessCacheName = "restored", SnapshotArnsToRestore = { arn } }))
      local _, err = create(cache, net, { ServerlessCacheName = "other", SnapshotArnsToRestore = { arn .. "x" } })
      assert.equal("ServerlessCacheSnapshotNotFoundFault", err.code)
      assert(cache("DeleteServerlessCacheSnapshot", { ServerlessCacheSnapshotName = "one" }))
      sleep(10)
      local left = assert(cache("DescribeServerlessCacheSnapshots", { ServerlessCacheName = "app" }))
      assert.same({ 1, "two" },
        { #left.ServerlessCacheSnapshots, left.ServerlessCacheSnapshots[1].ServerlessCacheSnapshotName })
    end)
  end)
end)

describe("infra.sim.elasticache tags", function()
  it("go by ARN, and miss what is not there", function()
    simulated(function(cache, net, sleep)
      local arn = assert(create(cache, net, { Tags = { { Key = "b", Value = "1" } } })).ARN
      sleep(120)
      local tag = { Key = "a", Value = "2" }
      assert.same({ tag, { Key = "b", Value = "1" } },
        assert(cache("AddTagsToResource", { ResourceName = arn, Tags = { tag } })).TagList)
      assert.equal("TagNotFound", code(cache("RemoveTagsFromResource", { ResourceName = arn, TagKeys = { "c" } })))
      assert.same({ tag },
        assert(cache("RemoveTagsFromResource", { ResourceName = arn, TagKeys = { "b" } })).TagList)
      assert.equal("InvalidARN", code(cache("ListTagsForResource", { ResourceName = "app" })))
      assert.equal("InvalidParameterValue",
        code(cache("AddTagsToResource", { ResourceName = arn, Tags = { { Key = "aws:x", Value = "1" } } })))
    end)
  end)
end)

describe("infra.sim.elasticache lists", function()
  it("has pages", function()
    simulated(function(cache, net)
      for i = 1, 3 do
        assert(create(cache, net, { ServerlessCacheName = "app" .. i }))
      end
      local page = assert(cache("DescribeServerlessCaches", { MaxResults = 2 }))
      assert.equal(2, #page.ServerlessCaches)
      page = assert(cache("DescribeServerlessCaches", { MaxResults = 2, NextToken = page.NextToken }))
      assert.same({ "app3" }, { page.ServerlessCaches[1].ServerlessCacheName, page.NextToken })
      assert.equal("InvalidParameterValue", code(cache("DescribeServerlessCaches", { MaxResults = 51 })))
    end)
  end)
end)
