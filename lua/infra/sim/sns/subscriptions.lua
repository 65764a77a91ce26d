-- Subscriptions of the simulated SNS. Used by infra.sim.sns.

local json = require "host.json"
local merged = require "infra.merged"

local entities = require "infra.sim.sns.entities"

local operations = {}
local fail, invalid = entities.fail, entities.invalid
local checks = entities.checks

-- Seconds for which the token of a confirmation mail works.
local TOKEN_TIME = 2 * 86400

-- By protocol: what an endpoint looks like, the answer to others, and whether its owner has to confirm.
local EMAIL = { pattern = "^[^@%s]+@[^@%s.]+%.[^@%s]+$", answer = "Email address", confirm = true }
local PROTOCOLS = {
  ["email"] = EMAIL,
  ["email-json"] = EMAIL,
  ["http"] = { pattern = "^http://.", answer = "Endpoint must match the specified protocol", confirm = true },
  ["https"] = { pattern = "^https://.", answer = "Endpoint must match the specified protocol", confirm = true },
  ["sms"] = { pattern = "^%+?[%d-]+$", answer = "Invalid SMS endpoint: %s" },
  ["sqs"] = { pattern = "^arn:[%w-]+:sqs:", answer = "SQS endpoint ARN" },
  ["lambda"] = { pattern = "^arn:[%w-]+:lambda:", answer = "Lambda endpoint ARN" },
  ["application"] = { pattern = "^arn:[%w-]+:sns:", answer = "Application endpoint arn invalid:%s" },
  ["firehose"] = { pattern = "^arn:[%w-]+:firehose:", answer = "Firehose endpoint ARN" },
}

-- A value of an attribute as it is kept: "" takes these away (see entities.checked).
local ATTRIBUTES = {
  FilterPolicy = { check = checks.json, clears = true },
  FilterPolicyScope = { check = checks.one_of("MessageAttributes", "MessageBody") },
  RawMessageDelivery = { check = checks.one_of("true", "false") },
  DeliveryPolicy = { check = checks.json, clears = true },
  RedrivePolicy = { check = checks.json, clears = true },
  SubscriptionRoleArn = { clears = true },
}

-- Only bodies have structure: a nested filter needs their scope.
local function check_filter(ctx, attributes)
  local filter = attributes.FilterPolicy and json.decode(attributes.FilterPolicy) or {}
  for _, values in pairs(filter) do
    if type(values) == "table" and not json.is_array(values) and attributes.FilterPolicyScope ~= "MessageBody" then
      invalid(ctx, "FilterPolicy: Filter policy scope MessageAttributes does not support nested filter policy")
    end
  end
end

-- `existing` with `changes`, checked.
local function with(ctx, existing, changes)
  local attributes = merged(existing)
  for name, value in pairs(changes) do
    local row = ATTRIBUTES[name] or invalid(ctx, "AttributeName")
    attributes[name] = entities.checked(ctx, row, name, value)
  end
  check_filter(ctx, attributes)
  return attributes
end

-- The subscription with this ARN, or nil.
local function find(ctx, arn)
  local _, colons = arn:gsub(":", "")
  if colons < 5 then
    invalid(ctx, "SubscriptionArn Reason: An ARN must have at least 6 elements, not %d", colons + 1)
  end
  local subscription = ctx.store:get("subscription", arn)
  return subscription and entities.is_alive(ctx, subscription) and subscription or nil
end

local function check_endpoint(ctx, params)
  local protocol = PROTOCOLS[params.Protocol]
  if not protocol then
    invalid(ctx, "Amazon SNS does not support this protocol string: %s", params.Protocol)
  elseif not (params.Endpoint or ""):find(protocol.pattern) then
    invalid(ctx, protocol.answer, params.Endpoint or "")
  elseif params.Protocol == "firehose" and not (params.Attributes or {}).SubscriptionRoleArn then
    invalid(ctx, "Missing SubscriptionRoleArn subscription attribute")
  end
  return protocol
end

local function new_token(ctx, subscription)
  subscription.token, subscription.token_ends_at = ctx.unique(256), ctx.now() + TOKEN_TIME
end

local function same_attributes(wanted, existing)
  for name, value in pairs(wanted) do
    if existing[name] ~= value then
      return false
    end
  end
  return true
end

-- The subscription of this endpoint to the topic, or nil. Subscribing again means the same one, and sends a new mail.
local function existing_one(ctx, params)
  for _, subscription in ipairs(entities.subscriptions(ctx, params.TopicArn)) do
    if subscription.Protocol == params.Protocol and subscription.Endpoint == params.Endpoint then
      return subscription
    end
  end
end

function operations.Subscribe(ctx, params)
  local topic = entities.find_topic(ctx, params.TopicArn)
  local protocol = check_endpoint(ctx, params)
  local attributes = with(ctx, {}, params.Attributes or {})
  local subscription = existing_one(ctx, params)
  if subscription and not same_attributes(attributes, subscription.attributes) then
    invalid(ctx, "Attributes Reason: Subscription already exists with different attributes")
  end
  subscription = subscription or {
    SubscriptionArn = topic.TopicArn .. ":" .. ctx.uuid(),
    TopicArn = topic.TopicArn,
    Protocol = params.Protocol,
    Endpoint = params.Endpoint,
    Owner = ctx.account,
    principal = ctx.caller.arn,
    attributes = attributes,
    created_at = ctx.now(),
    confirmed = not protocol.confirm,
    authenticated = not protocol.confirm,
  }
  if not subscription.confirmed then
    new_token(ctx, subscription)
  end
  entities.put_subscription(ctx, subscription)
  local shown = subscription.confirmed or params.ReturnSubscriptionArn
  return { SubscriptionArn = shown and subscription.SubscriptionArn or "pending confirmation" }
end

function operations.ConfirmSubscription(ctx, params)
  local topic = entities.find_topic(ctx, params.TopicArn)
  for _, subscription in ipairs(entities.subscriptions(ctx, topic.TopicArn)) do
    if subscription.token == params.Token and ctx.now() < subscription.token_ends_at then
      subscription.confirmed = true
      subscription.authenticated = params.AuthenticateOnUnsubscribe == "true"
      entities.put_subscription(ctx, subscription)
      return { SubscriptionArn = subscription.SubscriptionArn }
    end
  end
  invalid(ctx, "Token")
end

-- Taking away what is gone is no error; what nobody confirmed cannot be taken away, it goes by itself.
function operations.Unsubscribe(ctx, params)
  local subscription = find(ctx, params.SubscriptionArn)
  if subscription and not subscription.confirmed then
    invalid(ctx, "SubscriptionArn Reason: Cannot unsubscribe a subscription that is pending confirmation")
  elseif subscription then
    ctx.store:delete("subscription", subscription.SubscriptionArn)
    local topic = ctx.store:get("topic", entities.topic_name(ctx, subscription.TopicArn, "TopicArn"))
    if topic then
      topic.deleted = topic.deleted + 1
      entities.put_topic(ctx, topic)
    end
  end
end

function operations.GetSubscriptionAttributes(ctx, params)
  local subscription = find(ctx, params.SubscriptionArn) or fail(ctx, "NotFound", "Subscription does not exist")
  local all = merged({
    SubscriptionArn = subscription.SubscriptionArn,
    TopicArn = subscription.TopicArn,
    Protocol = subscription.Protocol,
    Endpoint = subscription.Endpoint,
    Owner = subscription.Owner,
    SubscriptionPrincipal = subscription.principal,
    PendingConfirmation = tostring(not subscription.confirmed),
    ConfirmationWasAuthenticated = tostring(subscription.authenticated),
    RawMessageDelivery = "false",
    FilterPolicyScope = subscription.attributes.FilterPolicy and "MessageAttributes",
  }, subscription.attributes)
  return { Attributes = all }
end

function operations.SetSubscriptionAttributes(ctx, params)
  local subscription = find(ctx, params.SubscriptionArn) or fail(ctx, "NotFound", "Subscription does not exist")
  subscription.attributes = with(ctx, subscription.attributes, {
    [params.AttributeName] = params.AttributeValue or "",
  })
  entities.put_subscription(ctx, subscription)
end

local function listed(ctx, params, topic_arn)
  local page, token = entities.page(ctx, params, entities.subscriptions(ctx, topic_arn), function(subscription)
    return subscription.SubscriptionArn
  end)
  local output = { Subscriptions = {}, NextToken = token }
  for i, subscription in ipairs(page) do
    output.Subscriptions[i] = {
      SubscriptionArn = subscription.confirmed and subscription.SubscriptionArn or "PendingConfirmation",
      Owner = subscription.Owner,
      Protocol = subscription.Protocol,
      Endpoint = subscription.Endpoint,
      TopicArn = subscription.TopicArn,
    }
  end
  return output
end

function operations.ListSubscriptions(ctx, params)
  return listed(ctx, params)
end

function operations.ListSubscriptionsByTopic(ctx, params)
  return listed(ctx, params, entities.find_topic(ctx, params.TopicArn).TopicArn)
end

return { operations = operations }
