local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local json = require "host.json"
local merged = require "infra.merged"

local TOPIC <const> = "arn:aws:sns:us-east-1:123456789012:alerts"
local PATTERN = { source = { "aws.backup" }, detail = { state = { "FAILED", "ABORTED" } } }

local function target(id, more)
  return merged({ Id = id, Arn = TOPIC }, more)
end

local function rule(properties, options)
  return World.declare(function(stack)
    local all = { EventPattern = PATTERN, Targets = { target "alerts" } }
    for name, value in pairs(properties or {}) do
      all[name] = value ~= json.null and value or nil
    end
    stack:resource("AWS::Events::Rule", "failures", all, options)
  end)
end

describe("AWS::Events::Rule", function()
  local world

  before_each(function()
    world = World.new()
  end)
  after_each(function()
    world:close()
  end)

  -- What somebody else does to the rule.
  local function meddle(operation, params)
    world:as_other(function(call)
      params.Rule = "demo-test-failures"
      assert(call("events", operation, params))
    end)
  end

  it("is created with its targets, and is the same afterwards, however its pattern is written", function()
    local run = world:run(rule())
    assert.same({ "PutRule", "PutTargets" }, calls.changes(run))
    assert.same(PATTERN, json.decode(calls.params(run, "PutRule")[1].EventPattern))
    world:unchanged(rule())
    local text = '{ "detail": { "state": ["FAILED", "ABORTED"] }, "source": ["aws.backup"] }'
    world:unchanged(rule { EventPattern = text, State = "ENABLED" })
  end)

  it("is put as a whole: what is not declared any more is gone", function()
    world:run(rule { Description = "old", State = "DISABLED" })
    local run = world:run(rule())
    local sent = calls.params(run, "PutRule")[1]
    assert.same({ "", "ENABLED" }, { sent.Description, sent.State })
    world:unchanged(rule())
  end)

  it("puts and removes targets by their ids, also those that somebody else has put there", function()
    world:run(rule { Targets = { target "a", target "b" } })
    meddle("PutTargets", { Targets = { target "foreign" } })
    local wanted = rule { Targets = { target("c"), target("b", { Input = '{"x":1}' }) } }
    assert.same({ failures = "update" }, world:planned(wanted))
    local run = world:run(wanted)
    local removed = calls.params(run, "RemoveTargets")[1].Ids
    table.sort(removed)
    assert.same({ "a", "foreign" }, removed)
    world:unchanged(wanted)
    world:unchanged(rule { Targets = { target("b", { Input = '{"x":1}' }), target("c") } })
  end)

  it("has failed when EventBridge says 200 and lists a target as failed", function()
    calls.with("events", {
      PutTargets = function()
        return { FailedEntryCount = 1, FailedEntries = { {
          TargetId = "alerts", ErrorCode = "LimitExceeded", ErrorMessage = "no more targets",
        } } }
      end,
    }, function()
      local failure = world:apply(rule()).result.failures[1]
      assert.same({ "LimitExceeded", "no more targets" }, { failure.code, failure.message })
    end)
    assert.same({ "PutTargets" }, calls.changes(world:run(rule())))
  end)

  it("tries a target again that failed for a reason that passes", function()
    local count = 0
    calls.with("events", {
      PutTargets = function(original, ctx, params)
        count = count + 1
        return count < 3 and { FailedEntryCount = 1, FailedEntries = { {
          TargetId = "alerts", ErrorCode = "ConcurrentModificationException", ErrorMessage = "busy",
        } } } or original(ctx, params)
      end,
    }, function()
      world:run(rule())
    end)
    assert.equal(3, count)
  end)

  it("sends ten targets in a call at most", function()
    local targets = {}
    for i = 1, 23 do
      targets[i] = target("t" .. i)
    end
    calls.with("events", { PutTargets = function() return {} end }, function()
      local sizes = {}
      for i, params in ipairs(calls.params(world:run(rule { Targets = targets }), "PutTargets")) do
        sizes[i] = #params.Targets
      end
      assert.same({ 10, 10, 3 }, sizes)
    end)
  end)

  it("is deleted after all its targets, and waits until EventBridge has noticed that", function()
    world:run(rule())
    meddle("PutTargets", { Targets = { target "foreign" } })
    local failure = { "ValidationException", "Rule can't be deleted since it has targets.", 400 }
    local refuse = calls.failing(failure, failure)
    calls.with("events", { DeleteRule = refuse }, function()
      local run = world:destroy(rule())
      assert.equal(2, #calls.params(run, "RemoveTargets")[1].Ids)
    end)
    assert.same({}, world:rows())
  end)

  it("does not take over somebody else's of its name, unless it is told to", function()
    world:as_other(function(call)
      assert(call("events", "PutRule", { Name = "demo-test-failures", ScheduleExpression = "rate(1 day)" }))
    end)
    assert.equal("AlreadyExists", world:apply(rule()).result.failures[1].code)
    world:run(rule({}, { adopt = true }))
    world:unchanged(rule({}, { adopt = true }))
  end)

  it("is put again when the answer is lost, and gets tags by their own call later", function()
    world:run(rule { Tags = { A = "1" } },
      calls.lose("PutRule"))
    assert.same({ "TagResource" }, calls.changes(world:run(rule { Tags = { A = "2" } })))
    world:unchanged(rule { Tags = { A = "2" } })
  end)

  it("waits for a role that is too new to be known", function()
    local declaration = World.declare(function(stack)
      local role = stack:resource("AWS::IAM::Role", "role", { AssumeRolePolicyDocument = {
        Version = "2012-10-17", Statement = { {
          Effect = "Allow", Principal = { Service = "events.amazonaws.com" }, Action = "sts:AssumeRole",
        } },
      } })
      stack:resource("AWS::Events::Rule", "rule", { ScheduleExpression = "rate(1 day)", RoleArn = role.Arn })
    end)
    local run = world:run(declaration)
    assert.is_true(#calls.params(run, "PutRule") > 1)
  end)

  it("is refused before anything is sent: without a cause, with a pattern that is none, with one that is too long",
    function()
      local function fault(properties)
        local ok, err = pcall(rule, properties)
        assert.is_false(ok)
        return tostring(err)
      end
      assert.matches("EventPattern or ScheduleExpression is required", fault { EventPattern = json.null })
      assert.matches("must be a JSON document", fault { EventPattern = "source = aws.backup" })
      assert.matches("4096 characters at most", fault { EventPattern = { source = { ("x"):rep(4100) } } })
    end)
end)
