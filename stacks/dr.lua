-- The failover side of the pilot light: what brings the application up in us-west-2 when us-east-1 is gone. The
-- database starts from the newest recovery point that was copied there (docs/RUNBOOK.md says how to find it):
--
--   infra run stacks/dr.lua --set snapshot=arn:aws:rds:us-west-2:ACCOUNT:cluster-snapshot:awsbackup:copyjob-...
local infra = require "infra"

return infra.stack {
  project = "apprentice-final", environment = "dr", region = "us-west-2",
  owner = "platform",

  options = {
    snapshot = infra.optional("string", "the recovery point to restore the database from; without one it starts empty"),
    domain = infra.default("bardhi.devops.konitron.com", "where the application is reached"),
    switch = infra.default(false, "whether visitors are sent here: takes over the domain, whose zone must exist"),
    alert_email = infra.optional("string", "who gets the alarms"),
  },

  build = function(stack, options)
    local network = stack:layer("network", { cidr = "10.40.0.0/16" })
    local security = stack:layer("security", { vpc = network.vpc })
    local data = stack:layer("data", {
      network = network, security = security, domain = options.domain, snapshot = options.snapshot,
    })
    local compute = stack:layer("compute", {
      network = network, security = security, domain = options.domain, parameter_path = data.path,
      secret_arn = data.secret.Id,
    })
    local edge = stack:layer("edge", {
      domain = options.switch and options.domain or nil, api_endpoint = compute.api_host, api_path = compute.api_path,
    })
    stack:layer("observability", {
      api = compute.api, stage = compute.stage, lambda = compute.lambda, cluster = data.cluster, cache = data.cache,
      alert_email = options.alert_email,
    })

    stack:output("url", "https://" .. edge.domain)
    stack:output("database", data.cluster["Endpoint.Address"])
    stack:output("api", compute.api_host)
  end,
}
