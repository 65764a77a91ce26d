-- Who is told when something is wrong, and what shows how it is going: the topic of all alarms with its subscriber, the
-- alarms, and the dashboard.
--
--   local observability = stack:layer("observability", {
--     api = compute.api, stage = compute.stage, lambda = compute.lambda, cluster = data.cluster, cache = data.cache,
--     alert_email = "ops@example.com",
--   })
--
-- What is not given is not watched; something that the stack does not declare is given by its name, as in
-- cluster = { DBClusterIdentifier = "main" }. Returns { topic, alarms (resources by name), dashboard, dashboard_url }.

local alarms = require "infra.layers.observability.alarms"
local dashboard = require "infra.layers.observability.dashboard"
local infra = require "infra"
local policy = require "infra.layers.policy"

local observability = {
  options = {
    alert_email = infra.optional("string", "who gets the alarms; nobody by default"),
    api = infra.optional("table", "the HTTP API to watch"),
    stage = infra.optional("table", "the API's stage; by default all its stages together"),
    lambda = infra.optional("table", "the Lambda function to watch"),
    cluster = infra.optional("table", "the Aurora cluster to watch"),
    cache = infra.optional("table", "the serverless cache to watch"),
    api_error_percent = infra.default(5, "alarm: more of the API's answers within 5 minutes are 5xx"),
    api_latency_ms = infra.default(500, "alarm: the API's answers take longer, on average over 5 minutes"),
    lambda_errors = infra.default(5, "alarm: more errors of the function within 60 s, twice in a row"),
    lambda_throttles = infra.default(0, "alarm: more refused invocations within 60 s"),
    aurora_connections = infra.default(80, "alarm: more connections, on average over 5 minutes"),
    aurora_cpu_percent = infra.default(80, "alarm: more of the CPU in use, on average over 5 minutes"),
    cache_load_percent = infra.default(80, "alarm: more of the cache's processing units in use over 5 minutes"),
    cache_ecpu = infra.default(30000,
      "processing units per second that count as 100 %: the cache's limit, or what one of its slots can do"),
    cache_memory_percent = infra.default(90, "alarm: more of the cache's storage in use, on average over 5 minutes"),
    cache_gigabytes = infra.default(10, "storage that counts as 100 %: the cache's limit"),
  },
}

-- Who publishes to the topic. Only CloudWatch says for which account it does.
local function topic_policy(stack, topic)
  local function publish(sid, service, condition)
    return policy.allow(sid, { "sns:Publish" }, { topic.TopicArn }, {
      principal = { Service = service }, condition = condition,
    })
  end
  stack:resource("AWS::SNS::TopicPolicy", "alerts-policy", {
    Topics = { topic.TopicArn },
    PolicyDocument = policy.document {
      publish("Alarms", "cloudwatch.amazonaws.com", { StringEquals = { ["aws:SourceAccount"] = stack.account } }),
      publish("Events", "events.amazonaws.com"),
    },
  })
end

function observability.build(stack, options)
  local topic = stack:resource("AWS::SNS::Topic", "alerts", { TopicName = stack.name .. "-alerts" })
  topic_policy(stack, topic)
  if options.alert_email then
    stack:resource("AWS::SNS::Subscription", "alerts-email", {
      TopicArn = topic.TopicArn, Protocol = "email", Endpoint = options.alert_email,
    })
  end
  return {
    topic = topic, alarms = alarms(stack, options, topic), dashboard = dashboard(stack, options),
    dashboard_url = ("https://%s.console.aws.amazon.com/cloudwatch/home?region=%s#dashboards/dashboard/%s-overview")
      :format(stack.region, stack.region, stack.name),
  }
end

return observability
