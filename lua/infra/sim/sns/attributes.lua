-- Attributes of topics in the simulated SNS. Used by infra.sim.sns.

local json = require "host.json"
local merged = require "infra.merged"

local entities = require "infra.sim.sns.entities"
local policy = require "infra.sim.policy"
local principals = require "infra.sim.iam.principals"

local attributes = { operations = {} }
local operations = attributes.operations
local checks, invalid = entities.checks, entities.invalid

local FORM = {
  invalid = "Policy Error: null",
  needs = { { "Effect" }, { "Principal" }, { "Action" } },
  service = "sns",
  foreign = "Policy statement action out of service scope!",
}

local function check_policy(ctx, _, value)
  local document, problem = policy.parse(value, FORM)
  if not document then
    invalid(ctx, "%s", problem)
  elseif not principals.bind(ctx, document) then
    invalid(ctx, "Policy Error: PrincipalNotFound")
  end
end

local function check_display_name(ctx, name, value)
  if #value > 100 then
    invalid(ctx, "%s must be at most 100 characters long", name)
  end
end

local boolean = checks.one_of("true", "false")

-- What can be set: check = how values are checked; clears = "" takes the attribute away; fifo = for such topics only.
local ATTRIBUTES = {
  DisplayName = { check = check_display_name },
  Policy = { check = check_policy },
  DeliveryPolicy = { check = checks.json, clears = true },
  KmsMasterKeyId = { clears = true },
  TracingConfig = { check = checks.one_of("PassThrough", "Active") },
  SignatureVersion = { check = checks.one_of("1", "2") },
  ContentBasedDeduplication = { check = boolean, fifo = true },
  FifoThroughputScope = { check = checks.one_of("Topic", "MessageGroup"), fifo = true },
  ArchivePolicy = { check = checks.json, clears = true, fifo = true },
}
for _, protocol in ipairs { "HTTP", "Firehose", "Lambda", "Application", "SQS" } do
  ATTRIBUTES[protocol .. "SuccessFeedbackRoleArn"] = { clears = true }
  ATTRIBUTES[protocol .. "FailureFeedbackRoleArn"] = { clears = true }
  ATTRIBUTES[protocol .. "SuccessFeedbackSampleRate"] = { clears = true }
end

--- Sets an attribute of `topic`, or fails.
function attributes.set(ctx, topic, name, value)
  local row = ATTRIBUTES[name]
  if not row or (row.fifo and not topic.fifo) then
    invalid(ctx, "AttributeName")
  end
  topic.attributes[name] = entities.checked(ctx, row, name, value)
  if name == "Policy" then
    topic.bindings = principals.bind(ctx, policy.decode(value))
  end
end

-- What a topic has of itself.
local function default_policy(ctx, arn)
  return json.encode {
    Version = "2008-10-17",
    Id = "__default_policy_ID",
    Statement = {
      {
        Sid = "__default_statement_ID",
        Effect = "Allow",
        Principal = { AWS = "*" },
        Action = {
          "SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission",
          "SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish",
        },
        Resource = arn,
        Condition = { StringEquals = { ["AWS:SourceOwner"] = ctx.account } },
      },
    },
  }
end

local EFFECTIVE_DELIVERY_POLICY = json.encode {
  http = {
    defaultHealthyRetryPolicy = {
      minDelayTarget = 20, maxDelayTarget = 20, numRetries = 3, numMaxDelayRetries = 0, numNoDelayRetries = 0,
      numMinDelayRetries = 0, backoffFunction = "linear",
    },
    disableSubscriptionOverrides = false,
    defaultRequestPolicy = { headerContentType = "text/plain; charset=UTF-8" },
  },
}

--- All attributes, without the counters of subscriptions.
function attributes.all(ctx, topic)
  local all = merged({
    TopicArn = topic.TopicArn,
    Owner = ctx.account,
    DisplayName = "",
    Policy = default_policy(ctx, topic.TopicArn),
    EffectiveDeliveryPolicy = topic.attributes.DeliveryPolicy or EFFECTIVE_DELIVERY_POLICY,
    FifoTopic = topic.fifo and "true" or nil,
    ContentBasedDeduplication = topic.fifo and "false" or nil,
  }, topic.attributes)
  all.Policy = principals.render(ctx, all.Policy, topic.bindings)
  return all
end

function operations.GetTopicAttributes(ctx, params)
  local topic = entities.find_topic(ctx, params.TopicArn)
  local all = attributes.all(ctx, topic)
  local count = { pending = 0, confirmed = 0 }
  for _, subscription in ipairs(entities.subscriptions(ctx, topic.TopicArn)) do
    local state = subscription.confirmed and "confirmed" or "pending"
    count[state] = count[state] + 1
  end
  all.SubscriptionsPending = tostring(count.pending)
  all.SubscriptionsConfirmed = tostring(count.confirmed)
  all.SubscriptionsDeleted = tostring(topic.deleted)
  return { Attributes = all }
end

function operations.SetTopicAttributes(ctx, params)
  local topic = entities.find_topic(ctx, params.TopicArn)
  attributes.set(ctx, topic, params.AttributeName, params.AttributeValue or "")
  entities.put_topic(ctx, topic)
end

return attributes
