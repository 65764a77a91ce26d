-- The simulated CloudFront: what its API reference and its known traps say.

local caller = require "spec.sim.caller"
local merged = require "infra.merged"

local code = caller.code

local CACHING_DISABLED <const> = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"

local function config(more)
  return merged({
    CallerReference = "r", Comment = "", Enabled = true,
    Origins = { Quantity = 1, Items = { { Id = "api", DomainName = "example.com",
      CustomOriginConfig = { HTTPPort = 80, HTTPSPort = 443, OriginProtocolPolicy = "https-only" } } } },
    DefaultCacheBehavior = { TargetOriginId = "api", ViewerProtocolPolicy = "redirect-to-https",
      CachePolicyId = CACHING_DISABLED },
  }, more)
end

local function create(call, more)
  return call("cloudfront", "CreateDistribution", { DistributionConfig = config(more) })
end

describe("infra.sim.cloudfront distributions", function()
  it("are known by their caller reference", function()
    caller.run({}, function(call)
      local made = assert(create(call)).Distribution
      local again, err = create(call)
      assert.equal("DistributionAlreadyExists", code(again, err))
      assert.truthy(err.message:find(made.Id, 1, true))
    end)
  end)

  it("take minutes to deploy, and go only when they are disabled and deployed", function()
    caller.run({}, function(call, _, world)
      local made = assert(create(call))
      assert.equal("InProgress", made.Distribution.Status)
      local id = made.Distribution.Id
      assert.equal("DistributionNotDisabled", code(call("cloudfront", "DeleteDistribution",
        { Id = id, IfMatch = made.ETag })))
      local changed = assert(call("cloudfront", "UpdateDistribution",
        { Id = id, IfMatch = made.ETag, DistributionConfig = config { Enabled = false } }))
      assert.equal("PreconditionFailed", code(call("cloudfront", "UpdateDistribution",
        { Id = id, IfMatch = made.ETag, DistributionConfig = config() })))
      assert.equal("DistributionNotDisabled", code(call("cloudfront", "DeleteDistribution",
        { Id = id, IfMatch = changed.ETag })))
      world.scheduler:sleep(300)
      assert.equal("Deployed", assert(call("cloudfront", "GetDistribution", { Id = id })).Distribution.Status)
      assert(call("cloudfront", "DeleteDistribution", { Id = id, IfMatch = changed.ETag }))
      assert.equal("NoSuchDistribution", code(call("cloudfront", "GetDistribution", { Id = id })))
    end)
  end)

  it("may ask two origins in turn, for what can be asked twice", function()
    caller.run({}, function(call)
      local function grouped(members, methods)
        local items = {}
        for i, id in ipairs(members) do
          items[i] = { OriginId = id }
        end
        local origin = config().Origins.Items[1]
        return create(call, {
          Origins = { Quantity = 2, Items = { origin, { Id = "other", DomainName = "other.example.com",
            CustomOriginConfig = origin.CustomOriginConfig } } },
          OriginGroups = { Quantity = 1, Items = { { Id = "either",
            FailoverCriteria = { StatusCodes = { Quantity = 1, Items = { 503 } } },
            Members = { Quantity = #items, Items = items } } } },
          DefaultCacheBehavior = { TargetOriginId = "either", ViewerProtocolPolicy = "redirect-to-https",
            CachePolicyId = CACHING_DISABLED, AllowedMethods = { Quantity = #methods, Items = methods } },
        })
      end
      assert.equal("NoSuchOrigin", code(grouped({ "api", "third" }, { "GET", "HEAD" })))
      assert.equal("InvalidArgument", code(grouped({ "api" }, { "GET", "HEAD" })))
      assert.equal("InvalidArgument", code(grouped({ "api", "other" },
        { "GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE" })))
      assert(grouped({ "api", "other" }, { "GET", "HEAD" }))
    end)
  end)

  it("refuse what does not fit together", function()
    caller.run({}, function(call)
      assert.equal("InconsistentQuantities", code(create(call, { Aliases = { Quantity = 2, Items = { "a.com" } } })))
      assert.equal("InvalidViewerCertificate", code(create(call, { Aliases = { Quantity = 1, Items = { "a.com" } } })))
      assert.equal("InvalidWebACLId", code(create(call, { WebACLId = "arn:aws:wafv2:us-east-1:1:global/webacl/a/b" })))
      assert.equal("NoSuchOrigin", code(create(call, { DefaultCacheBehavior = {
        TargetOriginId = "other", ViewerProtocolPolicy = "https-only", CachePolicyId = CACHING_DISABLED } })))
      assert.equal("NoSuchCachePolicy", code(create(call, { DefaultCacheBehavior = {
        TargetOriginId = "api", ViewerProtocolPolicy = "https-only", CachePolicyId = "none" } })))
    end)
  end)

  it("show what was left out", function()
    caller.run({}, function(call)
      local shown = assert(create(call)).Distribution.DistributionConfig
      assert.equal("PriceClass_All", shown.PriceClass)
      assert.equal(3, shown.Origins.Items[1].ConnectionAttempts)
      assert.equal(30, shown.Origins.Items[1].CustomOriginConfig.OriginReadTimeout)
      assert.same({ Quantity = 0 }, shown.Aliases)
    end)
  end)
end)

describe("infra.sim.cloudfront functions", function()
  local REQUEST = { Name = "f", FunctionConfig = { Comment = "", Runtime = "cloudfront-js-2.0" }, FunctionCode = "x" }

  it("have two stages with an ETag each", function()
    caller.run({}, function(call)
      local made = assert(call("cloudfront", "CreateFunction", REQUEST))
      assert.equal("FunctionAlreadyExists", code(call("cloudfront", "CreateFunction", REQUEST)))
      assert.equal("NoSuchFunctionExists", code(call("cloudfront", "DescribeFunction", { Name = "f", Stage = "LIVE" })))
      assert(call("cloudfront", "PublishFunction", { Name = "f", IfMatch = made.ETag }))
      local live = assert(call("cloudfront", "DescribeFunction", { Name = "f", Stage = "LIVE" }))
      assert.not_equal(made.ETag, live.ETag)
      assert.equal("x", assert(call("cloudfront", "GetFunction", { Name = "f", Stage = "LIVE" })).FunctionCode)
      assert(call("cloudfront", "DeleteFunction", { Name = "f", IfMatch = made.ETag }))
    end)
  end)

  it("must be published before a distribution uses them, and stay while it does", function()
    caller.run({}, function(call)
      local made = assert(call("cloudfront", "CreateFunction", REQUEST))
      local behaviour = {
        TargetOriginId = "api", ViewerProtocolPolicy = "https-only", CachePolicyId = CACHING_DISABLED,
        FunctionAssociations = { Quantity = 1, Items = { { EventType = "viewer-request",
          FunctionARN = made.FunctionSummary.FunctionMetadata.FunctionARN } } },
      }
      assert.equal("InvalidFunctionAssociation", code(create(call, { DefaultCacheBehavior = behaviour })))
      assert(call("cloudfront", "PublishFunction", { Name = "f", IfMatch = made.ETag }))
      assert(create(call, { DefaultCacheBehavior = behaviour }))
      assert.equal("FunctionInUse", code(call("cloudfront", "DeleteFunction", { Name = "f", IfMatch = made.ETag })))
    end)
  end)
end)

describe("infra.sim.cloudfront policies", function()
  it("have unique names, and stay while a distribution uses them", function()
    caller.run({}, function(call, _, world)
      local request = { OriginAccessControlConfig = { Name = "oac", SigningProtocol = "sigv4",
        SigningBehavior = "always", OriginAccessControlOriginType = "s3" } }
      local made = assert(call("cloudfront", "CreateOriginAccessControl", request))
      assert.equal("OriginAccessControlAlreadyExists", code(call("cloudfront", "CreateOriginAccessControl", request)))
      local id = made.OriginAccessControl.Id
      local distribution = assert(create(call, { Origins = { Quantity = 1, Items = { { Id = "api",
        DomainName = "b.s3.us-east-1.amazonaws.com", OriginAccessControlId = id,
        S3OriginConfig = { OriginAccessIdentity = "" } } } } }))
      local delete = { Id = id, IfMatch = made.ETag }
      assert.equal("OriginAccessControlInUse", code(call("cloudfront", "DeleteOriginAccessControl", delete)))
      assert(call("cloudfront", "UpdateDistribution", { Id = distribution.Distribution.Id, IfMatch = distribution.ETag,
        DistributionConfig = config() }))
      assert.equal("OriginAccessControlInUse", code(call("cloudfront", "DeleteOriginAccessControl", delete)))
      world.scheduler:sleep(300)
      assert(call("cloudfront", "DeleteOriginAccessControl", delete))
    end)
  end)
end)
