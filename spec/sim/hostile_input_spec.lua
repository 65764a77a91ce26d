-- Calls that no careful client makes and some client sends: the simulated AWS refuses them in AWS's words, and is never
-- itself the one who fails.

local caller = require "spec.sim.caller"
local wire_errors = require "infra.sim.wire.errors"

local PLAN = { BackupPlanName = "daily", Rules = { {
  RuleName = "daily", TargetBackupVaultName = "vault", ScheduleExpression = "every day",
} } }
local IP_SET = {
  Name = "set", Scope = "REGIONAL", IPAddressVersion = "IPV4", Addresses = { "192.0.2.0/24" },
}

describe("hostile input", function()
  it("is refused with the service's own code", function()
    for _, case in ipairs {
      { "backup", "CreateBackupPlan", { BackupPlan = PLAN }, "InvalidParameterValueException" },
      { "events", "DescribeRule", { Name = "rule", EventBusName = "bus/" }, "ResourceNotFoundException" },
      { "route53", "ListTagsForResource", { ResourceType = "zone", ResourceId = "Z1" }, "InvalidInput" },
    } do
      caller.run({}, function(call)
        assert.equal(case[4], (caller.code(call(case[1], case[2], case[3]))), case[2])
      end)
    end
  end)

  it("stands in messages only as far as a message can carry it", function()
    for _, dialect in ipairs { "rest-json", "query" } do
      local failure = { code = "NotFound", message = "no a\0\xff" }
      wire_errors.complete(dialect, failure)
      local _, _, body = wire_errors.encode(dialect, failure, "request")
      assert.truthy(body:find("no a??", 1, true), body)
    end
  end)

  it("that asks for pages of nothing gets one", function()
    caller.run({}, function(call)
      assert(call("wafv2", "CreateIPSet", IP_SET))
      assert.same({ IPSets = {} }, call("wafv2", "ListIPSets", { Scope = "REGIONAL", Limit = 0 }))
    end)
  end)
end)
