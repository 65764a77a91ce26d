-- The layers of the staging stack, as far as moto has the services. It lacks serverless caches, CloudFront's functions
-- and policies, image layers of ECR, stages of HTTP APIs that change, CodeConnections, updates of CodeBuild projects
-- and of backup plans, and backup selections: the layers compute and edge, the pipelines, and the backups of dr.
local bucket = require "infra.layers.bucket"
local infra = require "infra"

return infra.stack {
  project = "apprentice-final", environment = "staging", region = "us-east-1",
  owner = "platform",

  options = { domain = infra.default("bardhi.devops.konitron.com", "where the application is reached") },

  build = function(stack, options)
    local network = stack:layer("network", { cidr = "10.20.0.0/16" })
    local security = stack:layer("security", { vpc = network.vpc })
    local data = stack:layer("data", { network = network, security = security, domain = options.domain, cache = false })
    local observability = stack:layer("observability", { alert_email = "ops@example.com", cluster = data.cluster })
    local cicd = stack:layer("cicd", {})
    stack:layer("dr", { domain = options.domain, topic = observability.topic })
    local frontend = bucket(stack, "frontend", stack.name .. "-frontend")

    stack:output("vpc", network.vpc.VpcId)
    stack:output("frontend_bucket", frontend.BucketName)
    stack:output("artifact_bucket", cicd.artifacts.BucketName)
  end,
}
