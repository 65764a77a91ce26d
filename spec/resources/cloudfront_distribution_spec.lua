local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local merged = require "infra.merged"

local world

before_each(function()
  world = World.new()
end)
after_each(function()
  world:close()
end)

-- A stack with one resource, "it".
local function declare(type_name, properties, options, fields)
  return World.declare(function(stack)
    stack:resource(type_name, "it", properties, options)
  end, fields)
end

local function config_of(id)
  return world:call("cloudfront", "GetDistribution", { Id = id }).Distribution.DistributionConfig
end

local function only_distribution()
  return world:as_other(function(call)
    local items = assert(call("cloudfront", "ListDistributions")).DistributionList.Items
    assert.equal(1, #items)
    return items[1]
  end)
end

-- What another client makes of the distribution's configuration.
local function edit(change)
  world:as_other(function(call)
    local id = call("cloudfront", "ListDistributions").DistributionList.Items[1].Id
    local output = call("cloudfront", "GetDistributionConfig", { Id = id })
    change(output.DistributionConfig)
    assert(call("cloudfront", "UpdateDistribution",
      { Id = id, IfMatch = output.ETag, DistributionConfig = output.DistributionConfig }))
  end)
end

describe("AWS::CloudFront::Distribution", function()
  local function distribution(changes, options, fields)
    local config = merged({
      Enabled = true, Comment = "demo",
      Origins = {
        { Id = "b", DomainName = "b.example.org", CustomOriginConfig = { OriginProtocolPolicy = "https-only" } },
        { Id = "a", DomainName = "a.example.org", CustomOriginConfig = { OriginProtocolPolicy = "https-only" } },
      },
      DefaultCacheBehavior = {
        TargetOriginId = "a", ViewerProtocolPolicy = "https-only", AllowedMethods = { "HEAD", "GET" },
        CachePolicyId = "658327ea-f89d-4fab-a63d-7e88639e58f6",
      },
    }, changes)
    return declare("AWS::CloudFront::Distribution", { DistributionConfig = config }, options, fields)
  end

  it("says everything that CloudFront wants, with CloudFront's defaults and its own quantities", function()
    local run = world:run(distribution())
    local sent = calls.params(run, "CreateDistributionWithTags")[1].DistributionConfigWithTags.DistributionConfig
    assert.same({ Quantity = 0 }, sent.Aliases)
    assert.same({ Quantity = 0 }, sent.CacheBehaviors)
    assert.same({ Enabled = false, Quantity = 0 }, sent.DefaultCacheBehavior.TrustedSigners)
    assert.same({ Enabled = false, IncludeCookies = false, Bucket = "", Prefix = "" }, sent.Logging)
    assert.same({ GeoRestriction = { RestrictionType = "none", Quantity = 0 } }, sent.Restrictions)
    assert.same({
      Quantity = 2, Items = { "HEAD", "GET" }, CachedMethods = { Quantity = 2, Items = { "GET", "HEAD" } },
    }, sent.DefaultCacheBehavior.AllowedMethods)
    assert.same({ true, "PriceClass_All", "http2" }, { sent.IsIPV6Enabled, sent.PriceClass, sent.HttpVersion })
    assert.same({ 80, 443 }, { sent.Origins.Items[1].CustomOriginConfig.HTTPPort,
      sent.Origins.Items[1].CustomOriginConfig.HTTPSPort })
  end)

  it("is the same afterwards: origins, methods and names in any order and in any case", function()
    world:run(distribution())
    world:unchanged(distribution())
    local plan = assert(world:plan(distribution { Origins = {
      { Id = "a", DomainName = "a.example.org", CustomOriginConfig = { OriginProtocolPolicy = "https-only" } },
      { Id = "b", DomainName = "b.example.org", CustomOriginConfig = { OriginProtocolPolicy = "https-only" } },
    } }))
    assert.same({}, World.actions(plan))
  end)

  it("keeps the order of cache behaviours", function()
    local function behaviours(...)
      local list = {}
      for i, path in ipairs { ... } do
        list[i] = { PathPattern = path, TargetOriginId = "a", ViewerProtocolPolicy = "allow-all",
          CachePolicyId = "658327ea-f89d-4fab-a63d-7e88639e58f6" }
      end
      return distribution { CacheBehaviors = list }
    end
    world:run(behaviours("/a/*", "/*"))
    world:unchanged(behaviours("/a/*", "/*"))
    assert.same({ it = "update" }, world:planned(behaviours("/*", "/a/*")))
  end)

  it("lives in us-east-1, whatever the stack's region", function()
    world:run(distribution({}, nil, { region = "eu-west-1" }))
    assert.equal("us-east-1", world:rows()[1].region)
    world:unchanged(distribution({}, nil, { region = "eu-central-1" }))
  end)

  it("is changed as a whole, with the newest ETag and its own reference", function()
    world:run(distribution())
    local run = world:run(distribution { Comment = "other", PriceClass = "PriceClass_100" })
    assert.same({ "UpdateDistribution" }, calls.changes(run))
    local config = config_of(only_distribution().Id)
    assert.same({ "other", "PriceClass_100", 2 }, { config.Comment, config.PriceClass, config.Origins.Quantity })
    world:unchanged(distribution { Comment = "other", PriceClass = "PriceClass_100" })
    world:run(distribution { Comment = "other" }) -- back to CloudFront's default
    assert.equal("PriceClass_All", config_of(only_distribution().Id).PriceClass)
  end)

  it("shows what somebody else set although the stack does not mention it, and puts it back", function()
    world:run(distribution())
    edit(function(config)
      config.PriceClass = "PriceClass_200"
    end)
    local plan = assert(world:plan(distribution()))
    assert.same({ it = "update" }, World.actions(plan))
    assert.same({ PriceClass = "PriceClass_200" }, { PriceClass = plan.by_address.it.differences[1].before.PriceClass })
    world:run(distribution())
    world:unchanged(distribution())
  end)

  -- Another client changes the distribution after the plan was made, before our update arrives.
  local function with_interference(change, fn)
    local done = false
    calls.with("cloudfront", { UpdateDistribution = function(original, ctx, params)
      if not done and params.DistributionConfig.Comment == "ours" then
        done = true
        for _, found in ctx.global:each("distribution") do
          change(found)
          found.etag = "E2OTHER"
          ctx.global:put("distribution", found.id, found)
        end
      end
      return original(ctx, params)
    end }, fn)
  end

  it("is not overwritten when somebody else changed it since the plan", function()
    world:run(distribution())
    with_interference(function(found)
      found.config.PriceClass = "PriceClass_200"
    end, function()
      local err = world:failure(distribution { Comment = "ours" })
      assert.equal("ChangedMeanwhile", err.code)
      assert.equal("PriceClass_200", config_of(only_distribution().Id).PriceClass)
    end)
  end)

  it("is changed when only the ETag is another one", function()
    world:run(distribution())
    with_interference(function() end, function()
      world:run(distribution { Comment = "ours" })
      assert.equal("ours", config_of(only_distribution().Id).Comment)
    end)
  end)

  it("waits for what is not known everywhere yet: certificate, web ACL, function", function()
    for code, message in pairs {
      InvalidViewerCertificate = "The specified SSL certificate doesn't exist or isn't valid.",
      InvalidWebACLId = "Web ACL is not accessible.", InvalidFunctionAssociation = "It is not published.",
    } do
      local create, tries = calls.failing({ code, message, 400 }, { code, message, 400 })
      calls.with("cloudfront", { CreateDistributionWithTags = create }, function()
        world:run(distribution())
      end)
      assert.equal(3, tries())
      world:destroy(distribution())
    end
  end)

  it("does not wait for a certificate that does not cover its names", function()
    local message = "The certificate doesn't cover the alternate domain name."
    local create, tries = calls.failing({ "InvalidViewerCertificate", message, 400 })
    calls.with("cloudfront", { CreateDistributionWithTags = create }, function()
      assert.equal("InvalidViewerCertificate", world:failure(distribution()).code)
    end)
    assert.equal(1, tries())
  end)

  it("does not take a wrong policy for a distribution that is gone", function()
    world:run(distribution())
    local wrong = { TargetOriginId = "a", ViewerProtocolPolicy = "https-only", CachePolicyId = "wrong" }
    assert.equal("NoSuchCachePolicy", world:failure(distribution { DefaultCacheBehavior = wrong }).code)
    assert.equal(1, #world:rows())
  end)

  it("is waited for until it is deployed, and then found in that state", function()
    local run = world:run(distribution())
    assert.is_true(run.seconds >= 240 and run.seconds < 255)
  end)

  it("is switched off, waited for and deleted with the ETag of that", function()
    world:run(distribution())
    local run = world:destroy(distribution())
    assert.same({ "UpdateDistribution", "DeleteDistribution" }, calls.changes(run))
    assert.equal(1, #calls.params(run, "DeleteDistribution")) -- no refusal on the way
    assert.is_true(run.seconds > 240)
  end)

  it("is deleted although CloudFront still says that it is not disabled, or that its ETag is wrong", function()
    world:run(distribution())
    local delete, tries = calls.failing({ "DistributionNotDisabled", "not disabled", 409 },
      { "PreconditionFailed", "the request failed", 412 })
    calls.with("cloudfront", { DeleteDistribution = delete }, function()
      world:destroy(distribution())
    end)
    assert.equal(3, tries())
    assert.same({}, world:rows())
  end)

  it("is deleted when it is gone already", function()
    world:run(distribution())
    calls.with("cloudfront", { DeleteDistribution = calls.failing { "NoSuchDistribution", "none", 404 } }, function()
      world:destroy(distribution())
    end)
    assert.same({}, world:rows())
  end)

  it("is made once although the answer was lost", function()
    world:run(distribution(), calls.lose "CreateDistributionWithTags")
    only_distribution()
    world:unchanged(distribution())
  end)

  it("is found again after a crash, by the reference of the create", function()
    world:apply(distribution(), calls.crash "CreateDistributionWithTags")
    world:run(distribution())
    only_distribution()
    world:unchanged(distribution())
  end)

  it("names the one in its way, and takes it over when told to", function()
    local with_alias = { Aliases = { "Example.com" } }
    local function without_certificates(fn) -- which are not what this is about
      calls.with("cloudfront", {
        CreateDistributionWithTags = function(original, ctx, params)
          local config = params.DistributionConfigWithTags.DistributionConfig
          for _, other in ctx.global:each("distribution") do
            if other.aliased and config.Aliases.Quantity > 0 then
              ctx:fail("CNAMEAlreadyExists", "already associated", 409)
            end
          end
          local aliases = config.Aliases
          config.Aliases = { Quantity = 0 }
          local output = original(ctx, params)
          local made = ctx.global:get("distribution", output.Distribution.Id)
          made.config.Aliases, made.aliased = aliases, true
          ctx.global:put("distribution", made.id, made)
          return output
        end,
        UpdateDistribution = function(original, ctx, params)
          local aliases = params.DistributionConfig.Aliases
          params.DistributionConfig.Aliases = { Quantity = 0 }
          local output = original(ctx, params)
          local made = ctx.global:get("distribution", params.Id)
          made.config.Aliases = aliases
          ctx.global:put("distribution", made.id, made)
          return output
        end,
      }, fn)
    end
    without_certificates(function()
      local other = world:neighbour()
      other:run(distribution(with_alias))
      local err = world:failure(distribution(with_alias))
      assert.equal("AlreadyExists", err.code)
      local ours = { Aliases = { "example.com" }, PriceClass = "PriceClass_100" }
      world:run(distribution(ours, { adopt = true }))
      assert.equal("PriceClass_100", config_of(only_distribution().Id).PriceClass)
      world:unchanged(distribution(ours))
      other:close()
    end)
  end)

  it("refuses members that the calls do not have, when the stack is read", function()
    local err = select(2, pcall(distribution, { ViewerMtlsConfig = { Mode = "required" } }))
    assert.matches("cannot set 'ViewerMtlsConfig'", tostring(err))
  end)

  it("changes tags in place", function()
    world:run(distribution())
    local tagged = World.declare(function(stack)
      local properties = distribution().resources.it.properties
      properties.Tags = { A = "1" }
      stack:resource("AWS::CloudFront::Distribution", "it", properties)
    end)
    assert.same({ "TagResource" }, calls.changes(world:run(tagged)))
    world:unchanged(tagged)
  end)
end)
