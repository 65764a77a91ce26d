local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local json = require "host.json"
local merged = require "infra.merged"

describe("AWS::ElastiCache::ServerlessCache", function()
  local world

  before_each(function()
    world = World.new()
  end)
  after_each(function()
    world:close()
  end)

  -- A cache in a VPC of its own; groups = names of its security groups.
  local function declare(properties, options, groups)
    return World.declare(function(stack)
      local vpc = stack:resource("AWS::EC2::VPC", "vpc", { CidrBlock = "10.0.0.0/16" })
      local subnets = {}
      for i, zone in ipairs { "us-east-1a", "us-east-1b" } do
        subnets[i] = stack:resource("AWS::EC2::Subnet", "subnet-" .. i, {
          VpcId = vpc.VpcId, AvailabilityZone = zone, CidrBlock = ("10.0.%d.0/24"):format(i),
        }).SubnetId
      end
      local all = {
        ServerlessCacheName = "Demo-Cache", Engine = "redis", MajorEngineVersion = "7", SubnetIds = subnets,
        SecurityGroupIds = {},
      }
      for i, name in ipairs(groups or { "one" }) do
        all.SecurityGroupIds[i] = stack:resource("AWS::EC2::SecurityGroup", name, {
          GroupDescription = name, VpcId = vpc.VpcId,
        }).GroupId
      end
      local cache = stack:resource("AWS::ElastiCache::ServerlessCache", "cache", merged(all, properties), options)
      stack:output("address", cache.Endpoint.Address .. ":" .. cache.Endpoint.Port)
      stack:output("reader_port", cache.ReaderEndpoint.Port)
    end)
  end

  local LIMITS = { DataStorage = { Minimum = 1, Maximum = 10, Unit = "GB" } }

  local function unchanged(...)
    world:unchanged(declare(...))
  end

  local function modifications(run)
    local fields = {}
    for i, params in ipairs(calls.params(run, "ModifyServerlessCache")) do
      local names = {}
      for name in pairs(params) do
        names[#names + 1] = name ~= "ServerlessCacheName" and name or nil
      end
      table.sort(names)
      fields[i] = table.concat(names, "+")
    end
    return fields
  end

  it("is waited for until its endpoint is known, and is the same afterwards", function()
    local run = world:run(declare { CacheUsageLimits = LIMITS, SnapshotRetentionLimit = 1 })
    assert.matches("^demo%-cache.*:6379$", run.result.outputs.address)
    assert.equal("6380", run.result.outputs.reader_port)
    unchanged { CacheUsageLimits = LIMITS, SnapshotRetentionLimit = 1 }
  end)

  it("is polled around the time that it takes, and read with one call for all", function()
    local run = world:run(declare {})
    assert.is_true(#calls.params(run, "DescribeServerlessCaches") < 16)
    local _, _, process = world:plan(declare {})
    assert.equal(1, #calls.params(process, "DescribeServerlessCaches"))
  end)

  it("changes one setting per call, each when the one before is done", function()
    world:run(declare { CacheUsageLimits = LIMITS })
    local more = { DataStorage = { Minimum = 1, Maximum = 20, Unit = "GB" } }
    local wanted = { CacheUsageLimits = more, Description = "sessions", SnapshotRetentionLimit = 2 }
    local run = world:run(declare(wanted, nil, { "one", "two" }))
    assert.same({ "Description", "CacheUsageLimits", "SecurityGroupIds", "SnapshotRetentionLimit" }, modifications(run))
    for _, call in ipairs(run.calls) do -- not by trying until ElastiCache lets it through
      assert.is_nil(call.operation == "ModifyServerlessCache" and call.code or nil)
    end
    unchanged(wanted, nil, { "two", "one" })
  end)

  it("goes back to AWS's defaults where there are any, and keeps what AWS chose", function()
    world:run(declare { Description = "d", SnapshotRetentionLimit = 2, DailySnapshotTime = "03:00" })
    assert.same({ "Description", "SnapshotRetentionLimit" }, modifications(world:run(declare {})))
    unchanged {}
  end)

  it("is replaced for what cannot change: a limit less, another key, older versions", function()
    world:run(declare { CacheUsageLimits = LIMITS, Engine = "valkey", MajorEngineVersion = "8" })
    for _, properties in ipairs {
      { Engine = "valkey", MajorEngineVersion = "8" },
      { CacheUsageLimits = { DataStorage = { Maximum = 10, Unit = "GB" } }, Engine = "valkey",
        MajorEngineVersion = "8" },
      { CacheUsageLimits = LIMITS, Engine = "valkey", MajorEngineVersion = "7" },
      { CacheUsageLimits = LIMITS, Engine = "redis", MajorEngineVersion = "8" },
    } do
      assert.equal("replace", world:planned(declare(properties)).cache)
    end
  end)

  describe("upgraded", function()
    local upgraded = { Engine = "valkey", MajorEngineVersion = "8" }
    -- The engine of the simulated cache is fixed.
    local function on_new_engine(refuse, fn)
      local now = { Engine = "redis", MajorEngineVersion = "7" }
      calls.with("elasticache", {
        ModifyServerlessCache = function(_, ctx, params)
          if refuse and params.Engine and params.MajorEngineVersion then
            ctx:fail("InvalidParameterCombination",
              "Serverless Cache modifications only support modifying one field per request")
          end
          for name in pairs(now) do
            now[name] = params[name] or now[name]
          end
          return {}
        end,
        DescribeServerlessCaches = function(original, ctx, params)
          local output = original(ctx, params)
          for _, cache in ipairs(output.ServerlessCaches) do
            cache.Engine, cache.MajorEngineVersion = now.Engine, now.MajorEngineVersion
          end
          return output
        end,
      }, fn)
    end

    it("changes engine and version in place, together", function()
      world:run(declare {})
      on_new_engine(false, function()
        assert.same({ "Engine+MajorEngineVersion" }, modifications(world:run(declare(upgraded))))
        unchanged(upgraded)
      end)
    end)

    it("changes one after the other, should ElastiCache insist", function()
      world:run(declare {})
      on_new_engine(true, function()
        assert.same({ "Engine+MajorEngineVersion", "Engine", "MajorEngineVersion" },
          modifications(world:run(declare(upgraded))))
        unchanged(upgraded)
      end)
    end)
  end)

  it("detaches its user group", function()
    world:run(declare {})
    local group, sent = "users", {}
    calls.with("elasticache", {
      DescribeServerlessCaches = function(original, ctx, params)
        local output = original(ctx, params)
        output.ServerlessCaches[1].UserGroupId = group
        return output
      end,
      ModifyServerlessCache = function(_, _, params)
        sent[#sent + 1] = params.RemoveUserGroup or params.UserGroupId
        group = params.UserGroupId
        return {}
      end,
    }, function()
      world:run(declare { UserGroupId = "others" })
      world:run(declare {})
      assert.same({ "others", true }, sent)
      unchanged {}
    end)
  end)

  it("survives how AWS writes it: states in capitals, blank descriptions, no word of the default key", function()
    world:run(declare {})
    calls.with("elasticache", {
      DescribeServerlessCaches = function(original, ctx, params)
        local output = original(ctx, params)
        local cache = output.ServerlessCaches[1]
        cache.Status, cache.Description, cache.KmsKeyId = cache.Status:upper(), " ", nil
        cache.FullEngineVersion = "7.9"
        table.sort(cache.SubnetIds, function(a, b) return a > b end)
        return output
      end,
    }, function()
      unchanged {}
    end)
  end)

  it("is deleted and waited for, with the snapshot that was asked for; its groups go after it", function()
    world:run(declare { FinalSnapshotName = "last" })
    local run = world:destroy(declare {})
    assert.equal("last", calls.params(run, "DeleteServerlessCache")[1].FinalSnapshotName)
    assert.same({}, world:rows())
    local gone_at, deleted_at
    for i, call in ipairs(run.calls) do
      gone_at = call.operation == "DescribeServerlessCaches" and i or gone_at
      deleted_at = deleted_at or call.operation == "DeleteSecurityGroup" and i
    end
    assert.is_true(gone_at < deleted_at)
  end)

  it("is deleted when it can be, and when its interfaces let go", function()
    world:run(declare {})
    local refuse, tries = calls.failing({ "DependencyViolation", "not now" },
      { "InvalidServerlessCacheStateFault", "not now" }, { "InvalidServerlessCacheStateFault", "not now" })
    calls.with("elasticache", { DeleteServerlessCache = refuse }, function()
      world:destroy(declare {})
    end)
    assert.equal(4, tries())
  end)

  it("waits for one of its name that is still being deleted, and so does a run after a crash", function()
    world:run(declare {})
    world:apply(declare {}, { destroy = true, faults = { schedule = { {
      fault = "crash", operation = "DeleteServerlessCache",
    } } } })
    local plan = assert(world:plan(declare {}, { destroy = true }))
    assert.equal("delete", World.actions(plan).cache)
    world:run(declare {})
    unchanged {}
    world:destroy(declare {})
    assert.same({}, world:rows())
  end)

  it("is not made twice when the answer is lost, and not taken from somebody else", function()
    local lost = calls.lose "CreateServerlessCache"
    local run = world:run(declare {}, lost)
    assert.equal(1, #calls.params(run, "CreateServerlessCache"))
    local other = world:neighbour()
    local failed = other:apply(World.declare(function(stack)
      stack:resource("AWS::ElastiCache::ServerlessCache", "cache", {
        ServerlessCacheName = "demo-cache", Engine = "redis",
      })
    end))
    assert.equal("AlreadyExists", failed.result.failures[1].code)
    other:close()
  end)

  it("waits for what is seconds old: the role of an account's first cache, subnets, groups", function()
    local tries = 0
    local failures = {
      { "ServiceLinkedRoleNotFoundFault", "not yet" }, { "InvalidGroup.NotFound", "The security group does not exist" },
      { "InvalidParameterValue", "Some input subnets in :[subnet-1] are invalid." },
      { "InvalidParameterValue", "Some security groups are invalid: sg-1" },
    }
    calls.with("elasticache", {
      CreateServerlessCache = function(original, ctx, params)
        tries = tries + 1
        if failures[tries] then
          ctx:fail(table.unpack(failures[tries]))
        end
        return original(ctx, params)
      end,
    }, function()
      world:run(declare {})
    end)
    assert.equal(5, tries)
  end)

  it("is made anew in the next run when ElastiCache could not make it", function()
    calls.with("elasticache", {
      DescribeServerlessCaches = function(original, ctx, params)
        local output = original(ctx, params)
        for _, cache in ipairs(output.ServerlessCaches) do
          cache.Status = cache.Status == "available" and "create-failed" or cache.Status
        end
        return output
      end,
    }, function()
      local failed = world:apply(declare {})
      assert.matches("create%-failed", failed.result.failures[1].message)
      assert.equal("replace", world:planned(declare {}).cache)
    end)
  end)

  it("refuses when planning what ElastiCache would refuse", function()
    for message, properties in pairs {
      ["Maximum must be 1000 to 15000000"] = { CacheUsageLimits = { ECPUPerSecond = { Maximum = 500 } } },
      ["must be 0 to 35"] = { SnapshotRetentionLimit = 36 },
      ["cannot set 'Endpoint'"] = { Endpoint = json.null },
    } do
      assert.error_matches(function()
        declare(properties)
      end, message)
    end
  end)
end)
