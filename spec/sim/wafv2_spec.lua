-- The simulated WAFv2: what its API reference and its known traps say.

local caller = require "spec.sim.caller"
local merged = require "infra.merged"

local code = caller.code

local VISIBILITY = { SampledRequestsEnabled = true, CloudWatchMetricsEnabled = true, MetricName = "m" }

local function rule(name, priority, statement, action)
  return { Name = name, Priority = priority, Statement = statement, Action = action or { Block = {} },
    VisibilityConfig = VISIBILITY }
end

local function acl(rules, more)
  return merged({ Name = "acl", Scope = "CLOUDFRONT", DefaultAction = { Allow = {} }, Rules = rules,
    VisibilityConfig = VISIBILITY }, more)
end

describe("infra.sim.wafv2", function()
  it("has CloudFront's scope in us-east-1 only", function()
    caller.run({}, function(call)
      local elsewhere = { region = "eu-west-1" }
      assert.equal("WAFInvalidParameterException", code(call("wafv2", "CreateWebACL", acl {}, elsewhere)))
      assert(call("wafv2", "CreateWebACL", acl {}))
      assert.equal("WAFDuplicateItemException", code(call("wafv2", "CreateWebACL", acl {})))
    end)
  end)

  it("takes a change only from who has seen the last one", function()
    caller.run({}, function(call)
      local made = assert(call("wafv2", "CreateWebACL", acl {})).Summary
      local same = { Id = made.Id, LockToken = made.LockToken }
      local token = assert(call("wafv2", "UpdateWebACL", acl({}, same))).NextLockToken
      assert.equal("WAFOptimisticLockException", code(call("wafv2", "UpdateWebACL", acl({}, same))))
      assert(call("wafv2", "DeleteWebACL", { Name = "acl", Scope = "CLOUDFRONT", Id = made.Id, LockToken = token }))
      assert.equal("WAFNonexistentItemException", code(call("wafv2", "GetWebACL",
        { Name = "acl", Scope = "CLOUDFRONT", Id = made.Id })))
    end)
  end)

  it("checks rules, and completes them", function()
    caller.run({}, function(call)
      local rate = { RateBasedStatement = { Limit = 2000, AggregateKeyType = "IP" } }
      local reputation = "AWSManagedRulesAmazonIpReputationList"
      local group = { ManagedRuleGroupStatement = { VendorName = "AWS", Name = reputation } }
      assert.equal("WAFInvalidParameterException", code(call("wafv2", "CreateWebACL",
        acl { rule("a", 1, rate), rule("b", 1, rate) })))
      assert.equal("WAFInvalidParameterException", code(call("wafv2", "CreateWebACL", acl { rule("a", 1, group) })))
      assert.equal("WAFNonexistentItemException", code(call("wafv2", "CreateWebACL", acl { rule("a", 1,
        { IPSetReferenceStatement = { ARN = "arn:aws:wafv2:us-east-1:123456789012:global/ipset/x/y" } }) })))
      local made = assert(call("wafv2", "CreateWebACL", acl { rule("a", 1, rate) })).Summary
      local found = assert(call("wafv2", "GetWebACL", { Name = "acl", Scope = "CLOUDFRONT", Id = made.Id })).WebACL
      assert.equal(300, found.Rules[1].Statement.RateBasedStatement.EvaluationWindowSec)
    end)
  end)

  it("keeps an IP set while a rule uses it", function()
    caller.run({}, function(call)
      local request = { Name = "set", Scope = "CLOUDFRONT", IPAddressVersion = "IPV4", Addresses = { "10.0.0.0/0" } }
      assert.equal("WAFInvalidParameterException", code(call("wafv2", "CreateIPSet", request)))
      request.Addresses = { "192.0.2.0/24" }
      local set = assert(call("wafv2", "CreateIPSet", request)).Summary
      assert(call("wafv2", "CreateWebACL", acl { rule("a", 1, { IPSetReferenceStatement = { ARN = set.ARN } }) }))
      assert.equal("WAFAssociatedItemException", code(call("wafv2", "DeleteIPSet",
        { Name = "set", Scope = "CLOUDFRONT", Id = set.Id, LockToken = set.LockToken })))
    end)
  end)

  it("tags", function()
    caller.run({}, function(call)
      local made = assert(call("wafv2", "CreateWebACL", acl({}, { Tags = { { Key = "a", Value = "1" } } }))).Summary
      assert(call("wafv2", "TagResource", { ResourceARN = made.ARN, Tags = { { Key = "b", Value = "2" } } }))
      assert(call("wafv2", "UntagResource", { ResourceARN = made.ARN, TagKeys = { "a" } }))
      assert.same({ { Key = "b", Value = "2" } }, assert(call("wafv2", "ListTagsForResource",
        { ResourceARN = made.ARN })).TagInfoForResource.TagList)
    end)
  end)
end)
