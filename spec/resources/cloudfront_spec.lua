-- Origin access controls, policies and functions; distributions have a file of their own.

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

local NAMED = {
  OriginAccessControl = {
    plural = "OriginAccessControls", flat = true,
    before = { OriginAccessControlOriginType = "s3", SigningBehavior = "always", SigningProtocol = "sigv4" },
    after = { OriginAccessControlOriginType = "s3", SigningBehavior = "never", SigningProtocol = "sigv4" },
  },
  CachePolicy = {
    plural = "CachePolicies",
    before = {
      DefaultTTL = 60, MaxTTL = 120, MinTTL = 0,
      ParametersInCacheKeyAndForwardedToOrigin = {
        EnableAcceptEncodingGzip = true, CookiesConfig = { CookieBehavior = "none" },
        HeadersConfig = { HeaderBehavior = "whitelist", Headers = { "X-B", "x-a" } },
        QueryStringsConfig = { QueryStringBehavior = "all" },
      },
    },
    after = {
      DefaultTTL = 30, MaxTTL = 120, MinTTL = 0,
      ParametersInCacheKeyAndForwardedToOrigin = {
        EnableAcceptEncodingGzip = true, CookiesConfig = { CookieBehavior = "none" },
        HeadersConfig = { HeaderBehavior = "whitelist", Headers = { "x-a", "x-b" } },
        QueryStringsConfig = { QueryStringBehavior = "all" },
      },
    },
  },
  OriginRequestPolicy = {
    plural = "OriginRequestPolicies",
    before = {
      CookiesConfig = { CookieBehavior = "whitelist", Cookies = { "b", "a" } },
      HeadersConfig = { HeaderBehavior = "none" }, QueryStringsConfig = { QueryStringBehavior = "none" },
    },
    after = {
      CookiesConfig = { CookieBehavior = "whitelist", Cookies = { "a" } },
      HeadersConfig = { HeaderBehavior = "none" }, QueryStringsConfig = { QueryStringBehavior = "none" },
    },
  },
  ResponseHeadersPolicy = {
    plural = "ResponseHeadersPolicies",
    before = {
      CustomHeadersConfig = { Items = { { Header = "X-Demo", Value = "1", Override = true } } },
      ServerTimingHeadersConfig = { Enabled = true, SamplingRate = 12.5 },
    },
    after = { RemoveHeadersConfig = { Items = { { Header = "Server" } } } },
  },
}

for kind, example in pairs(NAMED) do
  describe("AWS::CloudFront::" .. kind, function()
    local property = kind .. "Config"

    local function declare(config, options, name)
      return World.declare(function(stack)
        local all = merged({ Name = name or "demo" }, config)
        stack:resource("AWS::CloudFront::" .. kind, "it", { [property] = all }, options)
      end)
    end

    -- All that are not CloudFront's own.
    local function listed()
      local output = world:call("cloudfront", "List" .. example.plural, example.flat and {} or { Type = "custom" })
      return output[kind .. "List"].Items or {}
    end

    local function names()
      local found = {}
      for i, item in ipairs(listed()) do
        found[i] = item.Name or item[kind][property].Name
      end
      return found
    end

    it("is made, is the same afterwards, is changed in place and goes", function()
      local run = world:run(declare(example.before))
      assert.same({ "Create" .. kind }, calls.changes(run))
      world:unchanged(declare(example.before))
      assert.same({ "Update" .. kind }, calls.changes(world:run(declare(example.after))))
      world:unchanged(declare(example.after))
      assert.same({ "Delete" .. kind }, calls.changes(world:destroy(declare(example.after))))
      assert.same({}, names())
    end)

    it("is deleted with the newest ETag, once it is not in use any more", function()
      world:run(declare(example.before))
      local delete, tries = calls.failing({ kind .. "InUse", "in use", 409 }, { "PreconditionFailed", "stale", 412 })
      calls.with("cloudfront", { ["Delete" .. kind] = delete }, function()
        world:destroy(declare(example.before))
      end)
      assert.equal(3, tries())
    end)

    it("is found by its name when the answer was lost, or after a crash", function()
      world:run(declare(example.before), calls.lose("Create" .. kind))
      assert.same({ "demo" }, names())
      world:unchanged(declare(example.before))
      world:destroy(declare(example.before))
      world:apply(declare(example.before), calls.crash("Create" .. kind))
      world:run(declare(example.before))
      assert.same({ "demo" }, names())
    end)

    it("is not taken from somebody else, unless it is told to", function()
      local other = world:neighbour()
      other:run(declare(example.before))
      assert.equal("AlreadyExists", world:failure(declare(example.after)).code)
      world:run(declare(example.after, { adopt = true }))
      assert.same({ "demo" }, names())
      world:unchanged(declare(example.after))
      other:close()
    end)

    it("has been deleted when CloudFront does not know it", function()
      world:run(declare(example.before))
      local id = listed()[1].Id or listed()[1][kind].Id
      local etag = world:call("cloudfront", "Get" .. kind, { Id = id }).ETag
      world:call("cloudfront", "Delete" .. kind, { Id = id, IfMatch = etag })
      assert.same({ it = "create" }, world:planned(declare(example.before)))
    end)
  end)
end

describe("AWS::CloudFront::OriginAccessControl", function()
  it("is another one for another kind of origin", function()
    local function declare(origin)
      return World.declare(function(stack)
        stack:resource("AWS::CloudFront::OriginAccessControl", "it", { OriginAccessControlConfig = {
          Name = "demo-" .. origin, OriginAccessControlOriginType = origin, SigningBehavior = "always",
          SigningProtocol = "sigv4",
        } })
      end)
    end
    world:run(declare "s3")
    assert.same({ it = "replace" }, world:planned(declare "lambda"))
  end)
end)

describe("AWS::CloudFront::Function", function()
  local CODE <const> = "function handler(event) { return event.request; }"

  local function declare(changes, options)
    return World.declare(function(stack)
      local properties = merged({
        FunctionCode = CODE, AutoPublish = true, FunctionConfig = { Comment = "demo", Runtime = "cloudfront-js-2.0" },
      }, changes)
      stack:resource("AWS::CloudFront::Function", "it", properties, options)
    end)
  end

  local function code(stage)
    return world:call("cloudfront", "GetFunction", { Name = "demo-test-it", Stage = stage }).FunctionCode
  end

  it("is made and published, and is the same afterwards", function()
    local run = world:run(declare())
    assert.same({ "CreateFunction", "PublishFunction", "TagResource" }, calls.changes(run))
    assert.equal(CODE, code "LIVE")
    world:unchanged(declare())
  end)

  it("is published after each change, with the ETag of that", function()
    world:run(declare())
    local run = world:run(declare { FunctionCode = CODE .. "\n" })
    assert.same({ "UpdateFunction", "PublishFunction" }, calls.changes(run))
    assert.equal(1, #calls.params(run, "PublishFunction")) -- no refusal on the way
    assert.equal(CODE .. "\n", code "LIVE")
    world:unchanged(declare { FunctionCode = CODE .. "\n" })
  end)

  it("is not published when that is not wanted", function()
    world:run(declare { AutoPublish = false })
    world:unchanged(declare { AutoPublish = false })
    assert.same({ "PublishFunction" }, calls.changes(world:run(declare())))
    world:unchanged(declare())
  end)

  it("shows what somebody else changed and did not publish, and what somebody published", function()
    world:run(declare())
    local described = world:call("cloudfront", "DescribeFunction", { Name = "demo-test-it", Stage = "DEVELOPMENT" })
    world:call("cloudfront", "UpdateFunction", { Name = "demo-test-it", IfMatch = described.ETag,
      FunctionCode = "other", FunctionConfig = described.FunctionSummary.FunctionConfig })
    assert.same({ "UpdateFunction", "PublishFunction" }, calls.changes(world:run(declare())))
    world:unchanged(declare())
  end)

  it("is deleted once no distribution has it any more", function()
    world:run(declare())
    local delete, tries = calls.failing({ "FunctionInUse", "in use", 409 }, { "FunctionInUse", "in use", 409 })
    calls.with("cloudfront", { DeleteFunction = delete }, function()
      world:destroy(declare())
    end)
    assert.equal(3, tries())
  end)

  it("is found by its name when the answer was lost, or after a crash before it was published", function()
    world:run(declare(), calls.lose "CreateFunction")
    assert.equal(CODE, code "LIVE")
    world:unchanged(declare())
    world:destroy(declare())
    world:apply(declare(), calls.crash "CreateFunction")
    world:run(declare())
    assert.equal(CODE, code "LIVE")
    world:unchanged(declare())
  end)

  it("is not taken from somebody else, unless it is told to", function()
    local other = world:neighbour()
    other:run(declare())
    assert.equal("AlreadyExists", world:failure(declare { FunctionCode = "other" }).code)
    world:run(declare({ FunctionCode = "other" }, { adopt = true }))
    assert.equal("other", code "LIVE")
    world:unchanged(declare { FunctionCode = "other" })
    other:close()
  end)

  it("is another one under another name", function()
    world:run(declare())
    assert.same({ it = "replace" }, world:planned(declare { Name = "other" }))
  end)
end)
