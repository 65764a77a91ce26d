local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local merged = require "infra.merged"

local HOST <const> = "new.execute-api.us-west-2.amazonaws.com"

describe("Infra::CloudFront::OriginSwitch", function()
  local owner, world -- of the distribution, and of the switch; in one account

  local function distribution()
    return World.declare(function(stack)
      stack:layer("edge", { domain = "app.example.com", zone = "create", protect_zone = false,
        api_endpoint = "old.execute-api.us-east-1.amazonaws.com", api_path = "/staging" })
    end)
  end

  local function switch(changes)
    local properties = merged({ Alias = "App.Example.com", OriginId = "api", DomainName = HOST, OriginPath = "/dr" },
      changes)
    return World.declare(function(stack)
      stack:resource("Infra::CloudFront::OriginSwitch", "switch", properties)
    end)
  end

  local function nothing()
    return World.declare(function() end)
  end

  -- The configuration without what says when it was made.
  local function configuration()
    return owner:as_other(function(call)
      local id = call("cloudfront", "ListDistributions").DistributionList.Items[1].Id
      return assert(call("cloudfront", "GetDistributionConfig", { Id = id })).DistributionConfig
    end)
  end

  -- Where the API's paths go, and how the origin is talked to.
  local function target()
    local config, found = configuration(), nil
    for _, behaviour in ipairs(config.CacheBehaviors.Items) do
      for _, origin in ipairs(config.Origins.Items) do
        if origin.Id == behaviour.TargetOriginId then
          assert.is_true(found == nil or found.Id == origin.Id)
          found = origin
        end
      end
    end
    return { found.DomainName, found.OriginPath, found.CustomOriginConfig.OriginProtocolPolicy }
  end

  before_each(function()
    owner, world = World.new(), World.new()
    world.aws, world.processes = owner.aws, 1000
    owner:run(distribution())
  end)
  after_each(function()
    owner:close()
    world:close()
  end)

  it("points the behaviours to another host, and puts back exactly what was there", function()
    local before = configuration()
    world:run(switch())
    assert.same({ HOST, "/dr", "https-only" }, target())
    assert.equal("frontend", configuration().DefaultCacheBehavior.TargetOriginId)
    world:unchanged(switch())
    world:run(nothing())
    assert.same(before, configuration())
  end)

  it("follows its host in place", function()
    world:run(switch())
    assert.same({ "UpdateDistribution" },
      calls.changes(world:run(switch { DomainName = "other.example.org", OriginPath = "" })))
    assert.same({ "other.example.org", "", "https-only" }, target())
    assert.equal(3, configuration().Origins.Quantity)
  end)

  it("is settled after a crash and after lost answers, without a second origin", function()
    local before = configuration()
    assert.is_true(world:apply(switch(), calls.crash "UpdateDistribution").crashed)
    world:run(switch())
    assert.same({ HOST, "/dr", "https-only" }, target())
    assert.equal(3, configuration().Origins.Quantity)
    world:run(nothing(), calls.lose "UpdateDistribution")
    assert.same(before, configuration())
  end)

  it("is made on top of what somebody else changes at the same moment", function()
    local stale = calls.failing { "PreconditionFailed", "The request failed", 412 }
    calls.with("cloudfront", { UpdateDistribution = stale }, function()
      world:run(switch())
    end)
    assert.same({ HOST, "/dr", "https-only" }, target())
  end)

  it("is gone when the distribution's own stack has been run, and is made again", function()
    world:run(switch())
    owner:run(distribution())
    assert.equal("old.execute-api.us-east-1.amazonaws.com", target()[1])
    assert.same({ switch = "create" }, world:planned(switch()))
    assert.same({}, calls.changes(world:run(nothing())))
  end)

  it("says what is missing", function()
    local function failure(changes)
      return world:apply(switch(changes)).result.failures[1]
    end
    assert.equal("NoDistribution", failure({ Alias = "www.example.com" }).code)
    local err = failure { OriginId = "API" }
    assert.equal("NoOrigin", err.code)
    assert.matches("no origin API$", err.message)
    assert.equal("old.execute-api.us-east-1.amazonaws.com", target()[1])
  end)
end)
