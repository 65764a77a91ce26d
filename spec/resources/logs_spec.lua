local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local merged = require "infra.merged"

local world

before_each(function() world = World.new() end)
after_each(function() world:close() end)

local function declare(properties, options)
  return World.declare(function(stack)
    local all = merged({ LogGroupName = "/demo/app" }, properties)
    local group = stack:resource("AWS::Logs::LogGroup", "logs", all, options)
    stack:output("arn", group.Arn)
  end)
end

describe("AWS::Logs::LogGroup", function()
  it("is tagged by its ARN without the end that policies need", function()
    local run = world:run(declare { Tags = { a = "1" } })
    assert.matches(":log%-group:/demo/app:%*$", run.result.outputs.arn)
    run = world:run(declare { Tags = { b = "2" } })
    for _, operation in ipairs { "TagResource", "UntagResource" } do
      assert.matches(":log%-group:/demo/app$", calls.params(run, operation)[1].resourceArn)
    end
    world:unchanged(declare { Tags = { b = "2" } })
  end)

  it("is not taken for one whose name goes on", function()
    world:as_other(function(call)
      assert(call("logs", "CreateLogGroup", { logGroupName = "/demo/application" }))
    end)
    world:run(declare { RetentionInDays = 7 })
    world:as_other(function(call) assert(call("logs", "DeleteLogGroup", { logGroupName = "/demo/app" })) end)
    assert.same({ logs = "create" }, world:planned(declare { RetentionInDays = 7 }))
  end)

  it("keeps its logs for ever again when nothing else is declared", function()
    world:run(declare { RetentionInDays = 7 })
    local run = world:run(declare())
    assert.equal(1, #calls.params(run, "DeleteRetentionPolicy"))
    world:unchanged(declare())
  end)

  it("waits while somebody else changes it", function()
    local failing, tries = calls.failing({ "OperationAbortedException", "try again" })
    calls.with("logs", { PutRetentionPolicy = failing }, function() world:run(declare { RetentionInDays = 7 }) end)
    assert.equal(2, tries())
  end)

  it("is read with others, fifty in a call, whatever they are called and however many there are", function()
    world:as_other(function(call)
      for i = 1, 60 do
        assert(call("logs", "CreateLogGroup", { logGroupName = ("/aws/%d"):format(i) }))
      end
    end)
    local declaration = World.declare(function(stack)
      for i = 1, 51 do
        stack:resource("AWS::Logs::LogGroup", "g" .. i, { LogGroupName = ("%d/demo"):format(i) })
      end
    end)
    world:run(declaration)
    local _, _, process = world:plan(declaration)
    assert.equal(2, #calls.params(process, "DescribeLogGroups"))
    world:as_other(function(call) assert(call("logs", "DeleteLogGroup", { logGroupName = "7/demo" })) end)
    assert.same({ g7 = "create" }, world:planned(declaration))
  end)
end)

describe("AWS::SNS::Subscription", function()
  local function subscription(endpoint)
    return World.declare(function(stack)
      local topic = stack:resource("AWS::SNS::Topic", "topic")
      stack:resource("AWS::SNS::Subscription", "mail", { TopicArn = topic.TopicArn, Protocol = "email",
        Endpoint = endpoint })
    end)
  end

  it("that nobody has confirmed is no reason to wait, and is told at the end", function()
    local run = world:run(subscription "ops@example.com")
    assert.is_true(run.seconds < 10)
    assert.matches("ops@example.com must confirm", run.result.warnings[1])
    world:unchanged(subscription "ops@example.com")
  end)

  it("that nobody has confirmed cannot be removed, which is no failure", function()
    world:run(subscription "ops@example.com")
    world:destroy(subscription "ops@example.com")
    assert.same({}, world:rows())
  end)

  it("is made again for another address", function()
    world:run(subscription "ops@example.com")
    assert.same({ mail = "replace" }, world:planned(subscription "dev@example.com"))
  end)
end)
