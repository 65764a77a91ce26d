-- The simulated SNS: what its API reference and its known traps say of topics and subscriptions.

local caller = require "spec.sim.caller"
local json = require "host.json"
local merged = require "infra.merged"

local code = caller.code

-- Runs `body(sns, arn, sim, world)` with a topic called "alerts"; sns(operation, params).
local function with_topic(body)
  caller.run({}, function(call, sim, world)
    local function sns(operation, params)
      return call("sns", operation, params)
    end
    body(sns, assert(sns("CreateTopic", { Name = "alerts" })).TopicArn, sim, world)
  end)
end

local function attributes(sns, arn)
  return assert(sns("GetTopicAttributes", { TopicArn = arn })).Attributes
end

describe("infra.sim.sns topics", function()
  it("creates again what is the same, and nothing else", function()
    with_topic(function(sns, arn)
      local tags = { { Key = "a", Value = "1" } }
      assert.equal("arn:aws:sns:us-east-1:123456789012:alerts", arn)
      assert.equal(arn, assert(sns("CreateTopic", { Name = "alerts" })).TopicArn)
      local _, err = sns("CreateTopic", { Name = "alerts", Tags = tags })
      assert.same({ "InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different tags" },
        { err.code, err.message })
      _, err = sns("CreateTopic", { Name = "alerts", Attributes = { DisplayName = "x" } })
      assert.matches("Topic already exists with different attributes", err.message)
      assert(sns("TagResource", { ResourceArn = arn, Tags = tags }))
      assert(sns("SetTopicAttributes", { TopicArn = arn, AttributeName = "DisplayName", AttributeValue = "x" }))
      assert(sns("CreateTopic", { Name = "alerts", Tags = tags, Attributes = { DisplayName = "x" } }))
    end)
  end)

  it("checks names", function()
    with_topic(function(sns)
      assert.equal("InvalidParameter", code(sns("CreateTopic", { Name = "a.b" })))
      assert.equal("InvalidParameter", code(sns("CreateTopic", { Name = ("x"):rep(257) })))
      assert.equal("InvalidParameter", code(sns("CreateTopic", { Name = "a.fifo" })))
      assert.equal("InvalidParameter", code(sns("CreateTopic", { Name = "a", Attributes = { FifoTopic = "true" } })))
      local arn = assert(sns("CreateTopic", { Name = "a.fifo", Attributes = { FifoTopic = "true" } })).TopicArn
      assert.equal("true", attributes(sns, arn).FifoTopic)
      assert.equal("InvalidParameter", code(sns("Publish", { TopicArn = arn, Message = "x" })))
    end)
  end)

  it("has a policy of its own until it gets another", function()
    with_topic(function(sns, arn)
      local own = json.decode(attributes(sns, arn).Policy)
      assert.equal("123456789012", own.Statement[1].Condition.StringEquals["AWS:SourceOwner"])
      local function put(principal)
        return sns("SetTopicAttributes", {
          TopicArn = arn, AttributeName = "Policy", AttributeValue = json.encode {
            Version = "2012-10-17",
            Statement = { { Effect = "Allow", Principal = principal, Action = "sns:Publish", Resource = arn } },
          },
        })
      end
      local _, err = put { AWS = "arn:aws:iam::123456789012:role/nobody" }
      assert.same({ "InvalidParameter", "Invalid parameter: Policy Error: PrincipalNotFound" },
        { err.code, err.message })
      assert(put { Service = "cloudwatch.amazonaws.com" })
      assert.matches("cloudwatch", attributes(sns, arn).Policy)
      assert.equal("InvalidParameter", code(sns("SetTopicAttributes", {
        TopicArn = arn, AttributeName = "Policy", AttributeValue = "{}",
      })))
    end)
  end)

  it("forgets its key when that is set to nothing", function()
    with_topic(function(sns, arn)
      local function set(name, value)
        return sns("SetTopicAttributes", { TopicArn = arn, AttributeName = name, AttributeValue = value })
      end
      assert(set("KmsMasterKeyId", "alias/aws/sns"))
      assert.equal("alias/aws/sns", attributes(sns, arn).KmsMasterKeyId)
      assert(set("KmsMasterKeyId", ""))
      assert.is_nil(attributes(sns, arn).KmsMasterKeyId)
      assert.equal("InvalidParameter", code(set("Colour", "red")))
      assert.equal("InvalidParameter", code(set("TracingConfig", "On")))
      assert.equal("InvalidParameter", code(set("ContentBasedDeduplication", "true")))
    end)
  end)

  it("is deleted as often as one likes", function()
    with_topic(function(sns, arn)
      assert(sns("DeleteTopic", { TopicArn = arn }))
      assert(sns("DeleteTopic", { TopicArn = arn }))
      local _, err, response = sns("GetTopicAttributes", { TopicArn = arn })
      assert.same({ "NotFound", 404 }, { err.code, response.status })
      assert.equal("ResourceNotFound", code(sns("ListTagsForResource", { ResourceArn = arn })))
      assert.equal("InvalidParameter", code(sns("GetTopicAttributes", { TopicArn = "alerts" })))
    end)
  end)

  it("lists a hundred at a time", function()
    with_topic(function(sns)
      for i = 1, 100 do
        assert(sns("CreateTopic", { Name = "t" .. i }))
      end
      local first = assert(sns("ListTopics"))
      assert.equal(100, #first.Topics)
      local second = assert(sns("ListTopics", { NextToken = first.NextToken }))
      assert.same({ 1, nil }, { #second.Topics, second.NextToken })
    end)
  end)

  it("publishes what has a message", function()
    with_topic(function(sns, arn)
      assert.matches("^%x+%-%x+%-%x+%-%x+%-%x+$", assert(sns("Publish", { TopicArn = arn, Message = "x" })).MessageId)
      assert.equal("InvalidParameter", code(sns("Publish", { TopicArn = arn, Message = "" })))
      assert.equal("InvalidParameter", code(sns("Publish", {
        TopicArn = arn, Message = '{"email":"x"}', MessageStructure = "json",
      })))
      assert.equal("NotFound", code(sns("Publish", { TopicArn = arn .. "2", Message = "x" })))
    end)
  end)
end)

describe("infra.sim.sns e-mail subscriptions", function()
  local function subscribe(sns, arn, changes)
    return sns("Subscribe", merged({ TopicArn = arn, Protocol = "email", Endpoint = "me@example.com" }, changes))
  end

  local function token_of(sim, arn)
    return sim.store:view("sns", "123456789012", "us-east-1"):get("subscription", arn).token
  end

  it("wait for a person, under an ARN for those who ask for it", function()
    with_topic(function(sns, arn)
      assert.equal("pending confirmation", assert(subscribe(sns, arn)).SubscriptionArn)
      local subscription = assert(subscribe(sns, arn, { ReturnSubscriptionArn = true })).SubscriptionArn
      assert.equal(subscription, assert(subscribe(sns, arn, { ReturnSubscriptionArn = true })).SubscriptionArn)
      assert.matches("^" .. arn:gsub("%p", "%%%0") .. ":%x+%-", subscription)
      local listed = assert(sns("ListSubscriptionsByTopic", { TopicArn = arn })).Subscriptions
      assert.same({ 1, "PendingConfirmation", "me@example.com" },
        { #listed, listed[1].SubscriptionArn, listed[1].Endpoint })
      assert.equal("true",
        assert(sns("GetSubscriptionAttributes", { SubscriptionArn = subscription })).Attributes.PendingConfirmation)
      assert.equal("1", attributes(sns, arn).SubscriptionsPending)
      assert.equal("InvalidParameter", code(subscribe(sns, arn, { Endpoint = "nobody" })))
    end)
  end)

  it("cannot be taken back while they wait, and vanish after three days", function()
    with_topic(function(sns, arn, _, world)
      local subscription = assert(subscribe(sns, arn, { ReturnSubscriptionArn = true })).SubscriptionArn
      local _, err = sns("Unsubscribe", { SubscriptionArn = subscription })
      assert.equal("InvalidParameter", err.code)
      assert.matches("pending confirmation", err.message)
      assert.equal("InvalidParameter", code(sns("Unsubscribe", { SubscriptionArn = "PendingConfirmation" })))
      assert(sns("DeleteTopic", { TopicArn = arn }))
      assert.equal(1, #assert(sns("ListSubscriptions")).Subscriptions)
      world.scheduler:sleep(3 * 86400)
      assert.equal("NotFound", code(sns("GetSubscriptionAttributes", { SubscriptionArn = subscription })))
      assert.equal(0, #assert(sns("ListSubscriptions")).Subscriptions)
      assert(sns("Unsubscribe", { SubscriptionArn = subscription }))
    end)
  end)

  it("are confirmed with a token that works for two days", function()
    with_topic(function(sns, arn, sim, world)
      local subscription = assert(subscribe(sns, arn, { ReturnSubscriptionArn = true })).SubscriptionArn
      local token = token_of(sim, subscription)
      assert.equal("InvalidParameter", code(sns("ConfirmSubscription", { TopicArn = arn, Token = "guess" })))
      world.scheduler:sleep(2 * 86400)
      assert.equal("InvalidParameter", code(sns("ConfirmSubscription", { TopicArn = arn, Token = token })))
      assert(subscribe(sns, arn))
      token = token_of(sim, subscription)
      assert.equal(subscription, assert(sns("ConfirmSubscription", { TopicArn = arn, Token = token })).SubscriptionArn)
      assert.equal(subscription, assert(subscribe(sns, arn)).SubscriptionArn)
      world.scheduler:sleep(10 * 86400)
      assert.equal("1", attributes(sns, arn).SubscriptionsConfirmed)
      assert(sns("Unsubscribe", { SubscriptionArn = subscription }))
      assert(sns("Unsubscribe", { SubscriptionArn = subscription }))
      assert.equal("1", attributes(sns, arn).SubscriptionsDeleted)
    end)
  end)
end)

describe("infra.sim.sns subscriptions", function()
  it("of queues and functions need no confirmation", function()
    with_topic(function(sns, arn)
      local params = { TopicArn = arn, Protocol = "sqs", Endpoint = "arn:aws:sqs:us-east-1:123456789012:q" }
      local subscription = assert(sns("Subscribe", params)).SubscriptionArn
      assert.matches("^arn:", subscription)
      params.Attributes = { RawMessageDelivery = "true" }
      assert.equal("InvalidParameter", code(sns("Subscribe", params)))
      assert(sns("DeleteTopic", { TopicArn = arn }))
      assert.equal("NotFound", code(sns("GetSubscriptionAttributes", { SubscriptionArn = subscription })))
    end)
  end)

  it("filter bodies by structure, attributes only by values", function()
    with_topic(function(sns, arn)
      local subscription = assert(sns("Subscribe", {
        TopicArn = arn, Protocol = "lambda", Endpoint = "arn:aws:lambda:us-east-1:123456789012:function:f",
      })).SubscriptionArn
      local function set(name, value)
        return sns("SetSubscriptionAttributes", {
          SubscriptionArn = subscription, AttributeName = name, AttributeValue = value,
        })
      end
      local nested = '{"a":{"b":["c"]}}'
      assert.equal("InvalidParameter", code(set("FilterPolicy", nested)))
      assert(set("FilterPolicyScope", "MessageBody"))
      assert(set("FilterPolicy", nested))
      assert.equal("InvalidParameter", code(set("FilterPolicyScope", "MessageAttributes")))
      assert(set("FilterPolicy", ""))
      assert(set("FilterPolicyScope", "MessageAttributes"))
      assert.equal("InvalidParameter", code(set("Colour", "red")))
    end)
  end)
end)
