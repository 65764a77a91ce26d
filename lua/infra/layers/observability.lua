-- Who is told when something is wrong: the topic of all alarms and its subscribers.
--
-- Returns { topic }.

local infra = require "infra"

return {
  options = { alert_email = infra.optional("string", "who gets the alarms; nobody by default") },
  build = function(stack, options)
    local topic = stack:resource("AWS::SNS::Topic", "alerts", { TopicName = stack.name .. "-alerts" })
    if options.alert_email then
      stack:resource("AWS::SNS::Subscription", "alerts-email", {
        TopicArn = topic.TopicArn, Protocol = "email", Endpoint = options.alert_email,
      })
    end
    return { topic = topic }
  end,
}
