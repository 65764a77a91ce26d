-- Topics of the simulated SNS: making, tagging, listing, deleting, publishing. Used by infra.sim.sns.

local json = require "host.json"

local arns = require "infra.sim.arns"
local attributes = require "infra.sim.sns.attributes"
local entities = require "infra.sim.sns.entities"
local structures = require "infra.sim.structures"
local tagging = require "infra.sim.tagging"

local operations = {}
local fail, invalid = entities.fail, entities.invalid

local MESSAGE_LIMIT = 256 * 1024

local TAG_RULES = {
  fail = entities.fail,
  duplicate = { "InvalidParameter", "Invalid parameter: Duplicated keys are not allowed." },
  number = { "TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded" },
}

local function check_name(ctx, name, fifo)
  local plain = fifo and name:match("^(.+)%.fifo$") or not fifo and name
  if fifo and not plain then
    invalid(ctx, "Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII "
      .. "letters, numbers, underscores, and hyphens, and must be between 1 and 256 characters long.")
  elseif not plain:find("^[%w_-]+$") or #name > 256 then
    invalid(ctx, "Topic Name")
  end
end

-- Creating what exists is no error, as long as it is what would have been created.
local function check_same(ctx, existing, wanted, params)
  if not structures.within(wanted.attributes, attributes.all(ctx, existing)) then
    invalid(ctx, "Attributes Reason: Topic already exists with different attributes")
  elseif params.Tags and #params.Tags > 0
    and not structures.same(wanted.tags, existing.tags) then
    invalid(ctx, "Tags Reason: Topic already exists with different tags")
  end
end

function operations.CreateTopic(ctx, params)
  local given = params.Attributes or {}
  local topic = {
    TopicArn = arns.of(ctx, "sns", params.Name),
    fifo = given.FifoTopic == "true",
    attributes = {},
    bindings = {},
    tags = tagging.checked(ctx, {}, params.Tags, TAG_RULES),
    deleted = 0,
  }
  check_name(ctx, params.Name, topic.fifo)
  for name, value in pairs(given) do
    if name ~= "FifoTopic" then
      attributes.set(ctx, topic, name, value)
    end
  end
  local existing = ctx.store:get("topic", params.Name)
  if existing then
    check_same(ctx, existing, topic, params)
  else
    entities.put_topic(ctx, topic)
  end
  return { TopicArn = topic.TopicArn }
end

-- Deleting what is gone is no error. Subscriptions go with their topic, except those that wait for their confirmation.
function operations.DeleteTopic(ctx, params)
  local name = entities.topic_name(ctx, params.TopicArn, "TopicArn")
  for _, subscription in ipairs(entities.subscriptions(ctx, params.TopicArn)) do
    if subscription.confirmed then
      ctx.store:delete("subscription", subscription.SubscriptionArn)
    end
  end
  ctx.store:delete("topic", name)
end

function operations.ListTopics(ctx, params)
  local found = {}
  for _, topic in ctx.store:each("topic") do
    found[#found + 1] = { TopicArn = topic.TopicArn }
  end
  local page, token = entities.page(ctx, params, found, function(topic) return topic.TopicArn end)
  return { Topics = page, NextToken = token }
end

function operations.Publish(ctx, params)
  local arn = params.TopicArn or params.TargetArn
    or invalid(ctx, "TopicArn or TargetArn Reason: no value for required parameter")
  local topic = entities.find_topic(ctx, arn)
  if params.Message == "" then
    invalid(ctx, "Empty message")
  elseif #params.Message > MESSAGE_LIMIT then
    invalid(ctx, "Message too long")
  elseif topic.fifo and not params.MessageGroupId then
    invalid(ctx, "The MessageGroupId parameter is required for FIFO topics")
  elseif params.MessageStructure == "json" then
    entities.checks.json(ctx, "Message Structure", params.Message)
    if json.decode(params.Message).default == nil then
      invalid(ctx, "Message Structure - No default entry in JSON message body")
    end
  end
  return {
    MessageId = ctx.uuid(),
    SequenceNumber = topic.fifo and ("1%019d"):format(ctx.now() // 1) or nil,
  }
end

-- -- tags -------------------------------------------------------------------------------------------------------------

tagging.add_operations(operations, {
  find = function(ctx, params)
    local topic = entities.topic(ctx, params.ResourceArn, "ResourceArn")
      or fail(ctx, "ResourceNotFound", "Resource does not exist")
    return topic, function() entities.put_topic(ctx, topic) end
  end,
  rules = TAG_RULES,
})

return { operations = operations, tagged = { topic = tagging.with_arn "TopicArn" } }
