-- Staging: everything once, small, in us-east-1.
local infra = require "infra"

return infra.stack {
  project = "apprentice-final", environment = "staging", region = "us-east-1",
  owner = "platform",

  options = {
    domain = infra.default("bardhi.devops.konitron.com", "where the application is reached"),
    nat = infra.one_of({ "single", "per-az", "none" }, "NAT gateways"),
    alert_email = infra.optional("string", "who gets the alarms"),
  },

  build = function(stack, options)
    local network = stack:layer("network", { cidr = "10.20.0.0/16", nat = options.nat })
    stack:layer("security", { vpc = network.vpc })
    local data = stack:layer("data", { domain = options.domain })
    stack:layer("compute")
    local edge = stack:layer("edge")
    local cicd = stack:layer("cicd")
    local observability = stack:layer("observability", { alert_email = options.alert_email })

    stack:output("vpc", network.vpc.VpcId)
    stack:output("frontend_bucket", edge.bucket.BucketName)
    stack:output("artifact_bucket", cicd.artifacts.BucketName)
    stack:output("parameter_path", data.path)
    stack:output("alerts", observability.topic.TopicArn)
  end,
}
