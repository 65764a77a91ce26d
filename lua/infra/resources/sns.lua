-- SNS topics and subscriptions. The vocabulary is in handler/schema.lua.

-- A principal that is seconds old is refused in policies.
local PROPAGATION = { { "InvalidParameter", 120, message = "[Pp]rincipal" } }

-- Topic properties that are attributes for the API: one call each.
local ATTRIBUTES = { "DisplayName", "KmsMasterKeyId", "TracingConfig", "SignatureVersion" }

local function attribute_facet(name)
  return {
    properties = { name },
    write = {
      "SetTopicAttributes", send = { "TopicArn", name .. "=AttributeValue" }, with = { AttributeName = name },
    },
    clear = { "SetTopicAttributes", send = { "TopicArn" }, with = { AttributeName = name, AttributeValue = "" } },
  }
end

local topic_facets = {}
for i, name in ipairs(ATTRIBUTES) do
  topic_facets[i] = attribute_facet(name)
end

local types = {}

types["AWS::SNS::Topic"] = {
  service = "sns",
  identity = { "TopicArn" },
  name = { property = "TopicName", limit = 256 },
  retry = PROPAGATION,
  defaults = { DisplayName = "", KmsMasterKeyId = "", SignatureVersion = "1", TracingConfig = "PassThrough" },
  -- Repeating it with the same tags is safe; with other tags SNS says that there is one already.
  create = { "CreateTopic", send = { "TopicName=Name" }, exists = { "InvalidParameter" } },
  derive = function(scope, op)
    return { TopicArn = ("arn:%s:sns:%s:%s:%s"):format(op.context.partition, op.region, op.context.account,
      scope.TopicName) }
  end,
  read = {
    "GetTopicAttributes", send = { "TopicArn" }, item = "Attributes",
    map = { "TopicArn", "DisplayName", "KmsMasterKeyId", "TracingConfig", "SignatureVersion" },
    gives = { "TopicName" },
    decode = function(_, values)
      values.TopicName = values.TopicArn and values.TopicArn:match("[^:]+$")
    end,
  },
  facets = topic_facets,
  tags = {
    form = "list", create = "Tags",
    set = { "TagResource", send = { "TopicArn=ResourceArn" }, tags = "Tags" },
    unset = { "UntagResource", send = { "TopicArn=ResourceArn" }, keys = "TagKeys" },
    read = { "ListTagsForResource", send = { "TopicArn=ResourceArn" }, list = "Tags",
      absent = { "ResourceNotFound", "ResourceNotFoundException" } },
  },
  delete = { "DeleteTopic", send = { "TopicArn" } },
  gone = { "NotFound", "NotFoundException" },
}

types["AWS::SNS::Subscription"] = {
  service = "sns",
  identity = { "Arn" },
  retry = PROPAGATION,
  create = {
    "Subscribe", send = { "TopicArn", "Protocol", "Endpoint" }, with = { ReturnSubscriptionArn = true },
    map = { "Arn=SubscriptionArn" }, idempotent = true,
  },
  read = {
    "GetSubscriptionAttributes", send = { "Arn=SubscriptionArn" }, item = "Attributes",
    map = { "Arn=SubscriptionArn", "TopicArn", "Protocol", "Endpoint", "PendingConfirmation" },
  },
  -- An unconfirmed one cannot be removed and disappears by itself after three days.
  delete = { "Unsubscribe", send = { "Arn=SubscriptionArn" }, absent = { "InvalidParameter" } },
  gone = { "NotFound", "NotFoundException" },
  warn = function(values, properties)
    if properties.Protocol:find("^email") and values.PendingConfirmation ~= "false" then
      return ("%s must confirm the subscription that AWS has sent by e-mail"):format(properties.Endpoint)
    end
  end,
}

return types
