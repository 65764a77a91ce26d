-- SNS topics, their policies, and subscriptions. The vocabulary is in handler/schema.lua.

local json = require "host.json"
local read = require "infra.handler.read"

local PROPAGATION = {
  { "InvalidParameter", 120, message = "[Pp]rincipal" }, -- one that is seconds old is refused in policies
  { "AuthorizationError", 120 }, -- where tags decide who may do what, and they are seconds old
}

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
  create = {
    "CreateTopic", send = { "TopicName=Name" }, exists = { { "InvalidParameter", message = "already exists" } },
  },
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
    arn = "TopicArn", form = "list", create = "Tags",
    set = { "TagResource", send = { "TopicArn=ResourceArn" }, tags = "Tags" },
    unset = { "UntagResource", send = { "TopicArn=ResourceArn" }, keys = "TagKeys" },
    read = { "ListTagsForResource", send = { "TopicArn=ResourceArn" }, list = "Tags",
      absent = { "ResourceNotFound", "ResourceNotFoundException" } },
  },
  delete = { "DeleteTopic", send = { "TopicArn" } },
  gone = { "NotFound", "NotFoundException" },
}

-- A topic always has a policy: this one, until another is set and again when that is removed.
local function default_policy(arn, account)
  return json.encode {
    Version = "2008-10-17", Id = "__default_policy_ID",
    Statement = json.array {
      {
        Sid = "__default_statement_ID", Effect = "Allow", Principal = { AWS = "*" }, Resource = arn,
        Action = json.array {
          "SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission",
          "SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish",
        },
        Condition = { StringEquals = { ["AWS:SourceOwner"] = account } },
      },
    },
  }
end

local function set_policy(call)
  call[1], call.send, call.with = "SetTopicAttributes", { "PolicyDocument=AttributeValue" },
    { AttributeName = "Policy" }
  function call.encode(params, scope)
    params.TopicArn = scope.Topics[1]
  end
  return call
end

types["AWS::SNS::TopicPolicy"] = {
  service = "sns",
  identity = { "Id" },
  retry = PROPAGATION,
  check = function(properties, report)
    if #properties.Topics ~= 1 then
      report("Topics", "must be one: declare a policy for each")
    end
  end,
  typical = { create = 1, update = 1, delete = 1 },
  derive = function(scope)
    return { Id = scope.Topics[1] }
  end,
  create = set_policy { idempotent = true, covers = { "Topics" } },
  read = {
    "GetTopicAttributes", send = { "Id=TopicArn" }, item = "Attributes", map = { "PolicyDocument=Policy" },
    gives = { "Topics" },
    decode = function(attributes, values, scope)
      values.Id = attributes.TopicArn or scope.Topics[1]
      values.Topics = json.array { values.Id }
    end,
  },
  facets = { { properties = { "PolicyDocument" }, write = set_policy {} } },
  delete = {
    "SetTopicAttributes", send = { "Id=TopicArn" }, with = { AttributeName = "Policy" },
    encode = function(params, scope, op)
      params.AttributeValue = default_policy(scope.Id, op.context.account)
    end,
  },
  gone = { "NotFound", "NotFoundException" },
}

-- By what it subscribes. Of one that nobody has confirmed yet the list does not tell the ARN; it disappears by itself.
local function find_subscription(op, scope)
  local output, err = op.context.client:all("sns", "ListSubscriptionsByTopic", { TopicArn = scope.TopicArn },
    { region = op.region })
  for _, one in ipairs(output and output.Subscriptions or {}) do
    if one.Protocol == scope.Protocol and one.Endpoint == scope.Endpoint and one.SubscriptionArn:find "^arn:" then
      return one
    end
  end
  return nil, err and not read.entry(op.spec.gone, err) and err or nil
end

types["AWS::SNS::Subscription"] = {
  service = "sns",
  identity = { "Arn" },
  retry = PROPAGATION,
  find = find_subscription,
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
