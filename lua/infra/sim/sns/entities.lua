-- What the parts of the simulated SNS share: finding a topic or a subscription, failing, paging, checks of attribute
-- values. Used by the other files of this folder.
--
-- Kept in the region's store:
--   topic         by name: { TopicArn, fifo, attributes = { name = value }, bindings (of the policy, see
--                 infra.sim.iam.principals), tags = { key = value }, deleted = number of subscriptions that are gone }
--   subscription  by ARN: { SubscriptionArn, TopicArn, Protocol, Endpoint, Owner, principal (who subscribed),
--                 attributes, created_at, confirmed, authenticated, token, token_ends_at }

local json = require "host.json"

local Failure = require "infra.sim.failure"
local paging = require "infra.sim.paging"

local entities = {}

local PAGE = 100

-- Seconds after which a subscription that nobody confirmed is gone.
local PENDING_TIME = 3 * 86400

-- Where it is not what the code suggests.

--- Throws SNS's error `code`; further arguments are string.format's.
entities.fail = Failure.thrower()

local fail = entities.fail

function entities.invalid(ctx, message, ...)
  fail(ctx, "InvalidParameter", "Invalid parameter: " .. message, ...)
end

local invalid = entities.invalid

--- The name of the topic that an ARN means: "" for one of another account. `member`: the parameter that the ARN is in.
function entities.topic_name(ctx, arn, member)
  local parts = {}
  for part in (arn .. ":"):gmatch("([^:]*):") do
    parts[#parts + 1] = part
  end
  if #parts < 6 then
    invalid(ctx, "%s Reason: An ARN must have at least 6 elements, not %d", member, #parts)
  elseif parts[3] ~= "sns" or parts[4] ~= ctx.region then
    invalid(ctx, "%s", member)
  end
  return parts[5] == ctx.account and parts[6] or ""
end

--- The topic with this ARN, or nil.
function entities.topic(ctx, arn, member)
  local name = entities.topic_name(ctx, arn, member)
  return not ctx:fresh("topic", name) and ctx.store:get("topic", name) or nil
end

--- The same, or NotFound.
function entities.find_topic(ctx, arn)
  return entities.topic(ctx, arn, "TopicArn") or fail(ctx, "NotFound", "Topic does not exist")
end

function entities.put_topic(ctx, topic)
  ctx.store:put("topic", topic.TopicArn:match("[^:]*$"), topic)
end

--- Whether a subscription is confirmed, or can still be.
function entities.is_alive(ctx, subscription)
  return subscription.confirmed or ctx.now() < subscription.created_at + PENDING_TIME
end

--- All subscriptions, of one topic if `topic_arn` is given, in the order of their ARNs.
function entities.subscriptions(ctx, topic_arn)
  local found = {}
  for _, subscription in ctx.store:each("subscription") do
    if entities.is_alive(ctx, subscription) and (topic_arn or subscription.TopicArn) == subscription.TopicArn then
      found[#found + 1] = subscription
    end
  end
  return found
end

function entities.put_subscription(ctx, subscription)
  ctx.store:put("subscription", subscription.SubscriptionArn, subscription)
end

--- One page of a list; SNS's pages have 100 items, and nobody can ask for another size.
function entities.page(ctx, params, items, key)
  local page, token = paging.page(ctx, items, key, params.NextToken, PAGE)
  if not page then
    invalid(ctx, "NextToken Reason: The token is not valid")
  end
  return page, token
end

-- -- attributes -------------------------------------------------------------------------------------------------------

--- Checks of attribute values: function(ctx, name, value), failing or not.
entities.checks = {}

function entities.checks.json(ctx, name, value)
  if type(json.decode(value)) ~= "table" then
    invalid(ctx, "%s: failed to parse JSON.", name)
  end
end

--- The check that a value is one of these.
function entities.checks.one_of(...)
  local allowed = { ... }
  return function(ctx, name, value)
    for _, choice in ipairs(allowed) do
      if value == choice then
        return
      end
    end
    invalid(ctx, "%s: Invalid value [%s]. Valid values are: [%s]", name, value, table.concat(allowed, ", "))
  end
end

--- The value that an attribute gets: nil when "" takes it away. `row` = { check = one of the above, or of the same
--- form; clears = true when "" takes the attribute away }.
function entities.checked(ctx, row, name, value)
  if value == "" and row.clears then
    return nil
  elseif row.check then
    row.check(ctx, name, value)
  end
  return value
end

return entities
