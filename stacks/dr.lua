-- The failover side of the pilot light: what brings the application up in us-west-2 when us-east-1 is gone. The
-- database starts from the newest recovery point that was copied there (docs/RUNBOOK.md says how to find it), the
-- function runs the released image, and in the end the visitors are sent here, and back:
--
--   infra run stacks/dr.lua --set snapshot=arn:aws:rds:us-west-2:ACCOUNT:cluster-snapshot:awsbackup:copyjob-...
--   infra run stacks/dr.lua --set switch=true
--   infra run stacks/dr.lua --set switch=false
local infra = require "infra"

return infra.stack {
  project = "apprentice-final", environment = "dr", region = "us-west-2",
  owner = "platform",

  options = {
    snapshot = infra.optional("string", "the recovery point to restore the database from; without one it starts empty"),
    image = infra.optional("string", "the application's image: an OCI image layout on disk, or a URI in this " ..
      "region's ECR; without one the API answers the health check and nothing else"),
    domain = infra.default("bardhi.devops.konitron.com", "where the application is reached"),
    switch = infra.default(false, "whether the distribution that answers for the domain asks the API here"),
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
      secret_arn = data.secret.Id, image = options.image,
    })
    stack:layer("observability", {
      api = compute.api, stage = compute.stage, lambda = compute.lambda, cluster = data.cluster, cache = data.cache,
      alert_email = options.alert_email,
    })
    if options.switch then
      stack:resource("Infra::CloudFront::OriginSwitch", "switch", {
        Alias = options.domain, OriginId = "api", DomainName = compute.api_host, OriginPath = compute.api_path,
      }, { depends_on = { compute.stage } })
    end

    stack:output("health", compute.url .. "/health/")
    stack:output("database", data.cluster["Endpoint.Address"])
    stack:output("api", compute.api_host)
  end,
}
