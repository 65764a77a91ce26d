-- A small stack for the specs of the verbs, with an option for everything that they change about it.
local infra = require "infra"

return infra.stack {
  project = "small", environment = "spec", region = "us-east-1",

  options = {
    label = infra.default("one", "the topic's display name"),
    parameters = infra.default(2, "how many parameters there are"),
    action = infra.default("s3:GetObject", "what the role may do"),
    protect = infra.default(false, "whether the topic is protected"),
    password = infra.optional("string", "a secret"),
    broken = infra.default(false, "whether building fails"),
  },

  build = function(stack, options)
    if options.broken then
      error "this stack is broken"
    end
    local topic = stack:resource("AWS::SNS::Topic", "topic", { DisplayName = options.label },
      { protect = options.protect })
    for i = 1, options.parameters do
      stack:resource("AWS::SSM::Parameter", "parameter-" .. i, { Type = "String", Value = topic.TopicArn .. "/" .. i })
    end
    stack:resource("AWS::IAM::Role", "role", {
      AssumeRolePolicyDocument = {
        Version = "2012-10-17",
        Statement = { {
          Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole",
        } },
      },
      Policies = { {
        PolicyName = "files",
        PolicyDocument = {
          Version = "2012-10-17",
          Statement = { {
            Effect = "Allow", Action = { "s3:ListBucket", options.action }, Resource = "arn:aws:s3:::a-bucket-of-ours",
          } },
        },
      } },
    })
    if options.password then
      stack:resource("AWS::SSM::Parameter", "password", { Type = "String", Value = infra.secret(options.password) })
      stack:output("password", infra.secret(options.password))
    end
    stack:output("topic", topic)
    stack:output("numbers", { 1, 2 })
  end,
}
