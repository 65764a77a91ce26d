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

local function listed(operation, member)
  return world:call("wafv2", operation, { Scope = "CLOUDFRONT" })[member]
end

local function visibility(name)
  return { CloudWatchMetricsEnabled = true, SampledRequestsEnabled = true, MetricName = name }
end

local function agent_rule(priority, text)
  return {
    Name = "agent-" .. text, Priority = priority, Action = { Block = {} },
    VisibilityConfig = visibility("agent-" .. text),
    Statement = { ByteMatchStatement = {
      FieldToMatch = { SingleHeader = { Name = "User-Agent" } }, SearchString = text, PositionalConstraint = "CONTAINS",
      TextTransformations = { { Priority = 0, Type = "LOWERCASE" } },
    } },
  }
end

local function rate_rule(priority)
  return {
    Name = "rate", Priority = priority, Action = { Block = {} }, VisibilityConfig = visibility "rate",
    Statement = { RateBasedStatement = { Limit = 2000, AggregateKeyType = "IP" } },
  }
end

local function managed_rule(priority)
  return {
    Name = "managed", Priority = priority, OverrideAction = { None = {} }, VisibilityConfig = visibility "managed",
    Statement = { ManagedRuleGroupStatement = {
      VendorName = "AWS", Name = "AWSManagedRulesAmazonIpReputationList",
    } },
  }
end

describe("AWS::WAFv2::WebACL", function()
  local function declare(changes, options, fields)
    return World.declare(function(stack)
      local properties = merged({
        Scope = "CLOUDFRONT", DefaultAction = { Allow = {} }, VisibilityConfig = visibility "demo",
        Rules = { agent_rule(2, "sqlmap"), rate_rule(1), managed_rule(0) },
      }, changes)
      stack:resource("AWS::WAFv2::WebACL", "it", properties, options)
    end, fields)
  end

  it("is made in us-east-1 for CloudFront, and in the stack's region otherwise", function()
    local fields = { region = "eu-west-1" }
    assert.equal("us-east-1", declare({}, nil, fields).resources.it.region)
    assert.equal("eu-west-1", declare({ Scope = "REGIONAL" }, nil, fields).resources.it.region)
    world:run(declare({}, nil, fields))
    assert.equal(1, #listed("ListWebACLs", "WebACLs"))
  end)

  it("is the same afterwards: rules by priority, headers without case, AWS's defaults ignored", function()
    local run = world:run(declare())
    local sent = calls.params(run, "CreateWebACL")[1].Rules[1].Statement.ByteMatchStatement
    assert.equal("user-agent", sent.FieldToMatch.SingleHeader.Name)
    assert.equal("sqlmap", sent.SearchString)
    world:unchanged(declare())
    world:unchanged(declare { Rules = { managed_rule(0), rate_rule(1), agent_rule(2, "sqlmap") } })
  end)

  it("is changed as a whole, and loses what is not declared any more", function()
    local first = { Description = "a web ACL", TokenDomains = { "example.com" } }
    world:run(declare(first))
    local second = calls.params(world:run(declare { Description = "a web ACL" }), "UpdateWebACL")[1]
    assert.same({ "a web ACL" }, { second.Description, second.TokenDomains })
    local run = world:run(declare { Rules = { rate_rule(0) } })
    assert.equal(1, #calls.params(run, "UpdateWebACL"))
    world:unchanged(declare { Rules = { rate_rule(0) } })
  end)

  it("keeps the rule of Shield Advanced, and does not show it", function()
    local shield = managed_rule(10000000)
    shield.Name = "ShieldMitigationRuleGroup_123456789012_uuid_1"
    calls.with("wafv2", { GetWebACL = function(original, ctx, params)
      local output = original(ctx, params)
      local acl = merged(output.WebACL)
      acl.Rules = table.move(acl.Rules, 1, #acl.Rules, 2, { shield })
      return { WebACL = acl, LockToken = output.LockToken }
    end }, function()
      world:run(declare())
      world:unchanged(declare())
      local sent = calls.params(world:run(declare { Rules = { rate_rule(0) } }), "UpdateWebACL")[1].Rules
      assert.same({ "rate", shield.Name }, { sent[1].Name, sent[2].Name })
    end)
  end)

  it("takes a new lock token when it has to, and refuses when somebody changed the rules", function()
    world:run(declare())
    local function update_by_other(change)
      local done = false
      return { UpdateWebACL = function(original, ctx, params)
        if not done then
          done = true
          for key, acl in ctx.store:each "WebACL" do
            change(acl)
            ctx.store:put("WebACL", key, acl)
          end
          ctx:fail("WAFOptimisticLockException", "somebody was there", 400)
        end
        return original(ctx, params)
      end }
    end
    calls.with("wafv2", update_by_other(function() end), function()
      world:run(declare { Rules = { rate_rule(0) } })
    end)
    world:unchanged(declare { Rules = { rate_rule(0) } })
    local change = update_by_other(function(acl)
      acl.value.DefaultAction = { Block = {} }
    end)
    calls.with("wafv2", change, function()
      assert.equal("ChangedMeanwhile", world:failure(declare()).code)
    end)
  end)

  it("waits for what it refers to, and does not take that for its own absence", function()
    local create, tries = calls.failing({ "WAFUnavailableEntityException", "not yet", 400 },
      { "WAFNonexistentItemException", "the IP set does not exist", 400 })
    calls.with("wafv2", { CreateWebACL = create }, function()
      world:run(declare())
    end)
    assert.equal(3, tries())
  end)

  it("is deleted once no distribution has it any more", function()
    world:run(declare())
    local delete, tries = calls.failing({ "WAFAssociatedItemException", "in use", 400 },
      { "WAFOptimisticLockException", "stale", 400 })
    calls.with("wafv2", { DeleteWebACL = delete }, function()
      world:destroy(declare())
    end)
    assert.equal(3, tries())
    assert.same({}, listed("ListWebACLs", "WebACLs"))
  end)

  it("is found by its name when the answer was lost, or after a crash", function()
    world:run(declare(), calls.lose "CreateWebACL")
    assert.equal(1, #listed("ListWebACLs", "WebACLs"))
    world:destroy(declare())
    world:apply(declare(), calls.crash "CreateWebACL")
    world:run(declare())
    assert.equal(1, #listed("ListWebACLs", "WebACLs"))
    world:unchanged(declare())
  end)

  it("is not taken from somebody else, unless it is told to", function()
    local other = world:neighbour()
    other:run(declare())
    assert.equal("AlreadyExists", world:failure(declare { Rules = { rate_rule(0) } }).code)
    world:run(declare({ Rules = { rate_rule(0) } }, { adopt = true }))
    world:unchanged(declare { Rules = { rate_rule(0) } })
    other:close()
  end)

  it("is another one under another name", function()
    world:run(declare())
    assert.same({ it = "replace" }, world:planned(declare { Name = "other" }))
  end)

  it("refuses statements that the calls do not have, when the stack is read", function()
    local rule = rate_rule(0)
    rule.Statement = { AsnMatchStatement = { AsnList = { 64500 } } }
    local _, err = pcall(declare, { Rules = { rule } })
    assert.matches("cannot set 'AsnMatchStatement'", tostring(err))
  end)

  it("changes tags in place", function()
    world:run(declare())
    assert.same({ "TagResource" }, calls.changes(world:run(declare { Tags = { A = "1" } })))
    assert.same({ "UntagResource" }, calls.changes(world:run(declare())))
    world:unchanged(declare())
  end)
end)

describe("AWS::WAFv2::IPSet", function()
  local function declare(addresses, changes)
    return World.declare(function(stack)
      local properties = merged({ Scope = "CLOUDFRONT", IPAddressVersion = "IPV4", Addresses = addresses }, changes)
      stack:resource("AWS::WAFv2::IPSet", "it", properties)
    end)
  end

  it("has its addresses in any order", function()
    world:run(declare { "192.0.2.0/24", "198.51.100.7/32" })
    world:unchanged(declare { "198.51.100.7/32", "192.0.2.0/24" })
    assert.same({ "UpdateIPSet" }, calls.changes(world:run(declare {})))
    world:unchanged(declare {})
  end)

  it("has IPv6 addresses in any form", function()
    local returned = {
      "2001:0db8:0000:0000:0000:0000:0000:0000/32", "0000:0000:0000:0000:0000:0000:0000:0001/128",
    }
    calls.with("wafv2", { GetIPSet = function(original, ctx, params)
      local output = original(ctx, params)
      output.IPSet.Addresses = returned
      return output
    end }, function()
      local declaration = declare({ "2001:DB8::/32", "::1/128" }, { IPAddressVersion = "IPV6" })
      world:run(declaration)
      world:unchanged(declaration)
    end)
  end)

  it("cannot have everybody's address, which WAF refuses", function()
    assert.matches("two halves", tostring(select(2, pcall(declare, { "0.0.0.0/0" }))))
  end)

  it("is another one for the other version", function()
    world:run(declare { "192.0.2.0/24" })
    local plan = assert(world:plan(declare({}, { IPAddressVersion = "IPV6", Name = "v6" })))
    assert.same({ it = "replace" }, World.actions(plan))
  end)

  it("goes after the web ACL that refers to it", function()
    local declaration = World.declare(function(stack)
      local set = stack:resource("AWS::WAFv2::IPSet", "set",
        { Scope = "CLOUDFRONT", IPAddressVersion = "IPV4", Addresses = {} })
      local rule = rate_rule(0)
      rule.Statement = { IPSetReferenceStatement = { Arn = set.Arn } }
      stack:resource("AWS::WAFv2::WebACL", "acl", {
        Scope = "CLOUDFRONT", DefaultAction = { Allow = {} }, VisibilityConfig = visibility "demo", Rules = { rule },
      })
    end)
    world:run(declaration)
    world:unchanged(declaration)
    assert.same({ "DeleteWebACL", "DeleteIPSet" }, calls.changes(world:destroy(declaration)))
  end)

  it("is found by its name when the answer was lost, or after a crash", function()
    world:run(declare {}, calls.lose "CreateIPSet")
    world:destroy(declare {})
    world:apply(declare {}, calls.crash "CreateIPSet")
    world:run(declare {})
    assert.equal(1, #listed("ListIPSets", "IPSets"))
  end)
end)
