local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local json = require "host.json"

local function policy(sid)
  return { Version = "2012-10-17", Statement = { {
    Sid = sid, Effect = "Allow", Principal = { Service = "cloudwatch.amazonaws.com" }, Action = "sns:Publish",
    Resource = "arn:aws:sns:us-east-1:123456789012:demo-test-alerts",
  } } }
end

local function declare(document)
  return World.declare(function(stack)
    local topic = stack:resource("AWS::SNS::Topic", "alerts", {})
    if document then
      stack:resource("AWS::SNS::TopicPolicy", "policy", { Topics = { topic.TopicArn }, PolicyDocument = document })
    end
  end)
end

describe("AWS::SNS::TopicPolicy", function()
  local world

  before_each(function()
    world = World.new()
  end)
  after_each(function()
    world:close()
  end)

  it("is set, is the same afterwards, and changes in place", function()
    world:run(declare(policy "A"))
    world:unchanged(declare(policy "A"))
    assert.same({ "SetTopicAttributes" }, calls.changes(world:run(declare(policy "B"))))
    world:unchanged(declare(policy "B"))
  end)

  it("leaves SNS's own policy behind when it goes: a topic always has one", function()
    local function of_topic(operation)
      return world:as_other(function(call)
        return json.decode(assert(call("sns", operation,
          { TopicArn = "arn:aws:sns:us-east-1:123456789012:demo-test-alerts" })).Attributes.Policy)
      end)
    end
    world:run(declare())
    local own = of_topic "GetTopicAttributes"
    world:run(declare(policy "A"))
    world:run(declare())
    assert.same(own, of_topic "GetTopicAttributes")
  end)

  it("is put back when somebody has removed it, and survives a lost answer", function()
    world:run(declare(policy "A"), calls.lose("SetTopicAttributes"))
    world:as_other(function(call)
      assert(call("sns", "SetTopicAttributes", { TopicArn = "arn:aws:sns:us-east-1:123456789012:demo-test-alerts",
        AttributeName = "Policy", AttributeValue = json.encode(policy "theirs") }))
    end)
    assert.same({ policy = "update" }, world:planned(declare(policy "A")))
    world:run(declare(policy "A"))
    world:unchanged(declare(policy "A"))
    world:destroy(declare(policy "A"))
    assert.same({}, world:rows())
  end)

  it("waits for a principal that is too new to be known", function()
    local failure = { "InvalidParameter", "Invalid parameter: Policy Error: PrincipalNotFound", 400 }
    local refuse, refused = calls.failing(failure, failure)
    calls.with("sns", { SetTopicAttributes = refuse }, function()
      world:run(declare(policy "A"))
    end)
    assert.equal(3, refused())
  end)

  it("is for one topic", function()
    local ok, err = pcall(World.declare, function(stack)
      stack:resource("AWS::SNS::TopicPolicy", "policy", { Topics = { "a", "b" }, PolicyDocument = policy "A" })
    end)
    assert.is_false(ok)
    assert.matches("Topics must be one: declare a policy for each", tostring(err))
  end)
end)

describe("AWS::SNS::Topic", function()
  local world

  before_each(function()
    world = World.new()
  end)
  after_each(function()
    world:close()
  end)

  local function topic(properties, options)
    return World.declare(function(stack)
      stack:resource("AWS::SNS::Topic", "alerts", properties, options)
    end)
  end

  it("is created with its name and tags alone, and gets its attributes one by one", function()
    local run = world:run(topic { DisplayName = "Alerts", SignatureVersion = "2" })
    assert.is_nil(calls.params(run, "CreateTopic")[1].Attributes)
    assert.equal(2, #calls.params(run, "SetTopicAttributes"))
    world:unchanged(topic { DisplayName = "Alerts", SignatureVersion = "2" })
    run = world:run(topic { DisplayName = "Alarms" })
    local sent = {}
    for i, params in ipairs(calls.params(run, "SetTopicAttributes")) do
      sent[i] = params.AttributeName .. " = " .. params.AttributeValue
    end
    assert.same({ "DisplayName = Alarms", "SignatureVersion = 1" }, sent)
    world:unchanged(topic { DisplayName = "Alarms" })
  end)

  it("is not taken from somebody else, unless it is told to", function()
    world:as_other(function(call)
      assert(call("sns", "CreateTopic", { Name = "demo-test-alerts", Tags = { { Key = "Owner", Value = "them" } } }))
    end)
    local failure = world:apply(topic {}).result.failures[1]
    assert.equal("AlreadyExists", failure.code)
    world:run(topic({}, { adopt = true }))
    world:unchanged(topic({}, { adopt = true }))
  end)

  it("is the same one when the answer was lost", function()
    world:run(topic {}, calls.lose "CreateTopic")
    world:unchanged(topic {})
  end)
end)
