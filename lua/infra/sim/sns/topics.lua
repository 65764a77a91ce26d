-- Topics of the simulated SNS: making, tagging, listing, deleting, publishing. Used by infra.sim.sns.

local json = require "host.json"

local attributes = require "infra.sim.sns.attributes"
local entities = require "infra.sim.sns.entities"

local operations = {}
local fail, invalid = entities.fail, entities.invalid

local TAGS_LIMIT = 50
local MESSAGE_LIMIT = 256 * 1024

local function merge_tags(ctx, existing, tags)
  local merged, given, count = {}, {}, 0
  for key, value in pairs(existing) do
    merged[key] = value
  end
  for _, tag in ipairs(tags or {}) do
    if given[tag.Key] then
      invalid(ctx, "Duplicated keys are not allowed.")
    end
    given[tag.Key], merged[tag.Key] = true, tag.Value
  end
  for _ in pairs(merged) do
    count = count + 1
  end
  if count > TAGS_LIMIT then
    fail(ctx, "TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded")
  end
  return merged
end

local function check_name(ctx, name, fifo)
  local plain = fifo and name:match("^(.+)%.fifo$") or not fifo and name
  if fifo and not plain then
    invalid(ctx, "Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII "
      .. "letters, numbers, underscores, and hyphens, and must be between 1 and 256 characters long.")
  elseif not plain:find("^[%w_-]+$") or #name > 256 then
    invalid(ctx, "Topic Name")
  end
end

local function same(a, b)
  for key, value in pairs(a) do
    if b[key] ~= value then
      return false
    end
  end
  return true
end

-- Creating what exists is no error, as long as it is what would have been created.
local function check_same(ctx, existing, wanted, params)
  if not same(wanted.attributes, attributes.all(ctx, existing)) then
    invalid(ctx, "Attributes Reason: Topic already exists with different attributes")
  elseif params.Tags and #params.Tags > 0
    and not (same(wanted.tags, existing.tags) and same(existing.tags, wanted.tags)) then
    invalid(ctx, "Tags Reason: Topic already exists with different tags")
  end
end

function operations.CreateTopic(ctx, params)
  local given = params.Attributes or {}
  local topic = {
    TopicArn = ("arn:%s:sns:%s:%s:%s"):format(ctx.partition, ctx.region, ctx.account, params.Name),
    fifo = given.FifoTopic == "true",
    attributes = {},
    bindings = {},
    tags = merge_tags(ctx, {}, params.Tags),
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
    MessageId = entities.uuid(ctx),
    SequenceNumber = topic.fifo and ("1%019d"):format(ctx.now() // 1) or nil,
  }
end

-- -- tags -------------------------------------------------------------------------------------------------------------

local function tagged(ctx, params)
  return entities.topic(ctx, params.ResourceArn, "ResourceArn")
    or fail(ctx, "ResourceNotFound", "Resource does not exist")
end

function operations.TagResource(ctx, params)
  local topic = tagged(ctx, params)
  topic.tags = merge_tags(ctx, topic.tags, params.Tags)
  entities.put_topic(ctx, topic)
end

function operations.UntagResource(ctx, params)
  local topic = tagged(ctx, params)
  for _, key in ipairs(params.TagKeys) do
    topic.tags[key] = nil
  end
  entities.put_topic(ctx, topic)
end

function operations.ListTagsForResource(ctx, params)
  local list = {}
  for key, value in pairs(tagged(ctx, params).tags) do
    list[#list + 1] = { Key = key, Value = value }
  end
  table.sort(list, function(a, b) return a.Key < b.Key end)
  return { Tags = list }
end

return { operations = operations }
