-- Staging: everything once, small, in us-east-1.
local infra = require "infra"

return infra.stack {
  project = "apprentice-final", environment = "staging", region = "us-east-1",
  owner = "platform",

  options = {
    domain = infra.default("bardhi.devops.konitron.com", "where the application is reached"),
    zone = infra.one_of({ "create", "lookup" }, "whether the domain's hosted zone is made here or is there already"),
    nat = infra.one_of({ "single", "per-az", "none" }, "NAT gateways"),
    alert_email = infra.optional("string", "who gets the alarms"),
  },

  build = function(stack, options)
    local network = stack:layer("network", { cidr = "10.20.0.0/16", nat = options.nat })
    local security = stack:layer("security", { vpc = network.vpc })
    local data = stack:layer("data", { network = network, security = security, domain = options.domain })
    local compute = stack:layer("compute", {
      network = network, security = security, domain = options.domain, parameter_path = data.path,
      secret_arn = data.secret.Id,
    })
    local edge = stack:layer("edge", {
      domain = options.domain, zone = options.zone, protect_zone = false, replica_region = "us-west-2",
      api_endpoint = compute.api_host, api_path = compute.api_path,
    })
    local observability = stack:layer("observability", {
      api = compute.api, stage = compute.stage, lambda = compute.lambda, cluster = data.cluster, cache = data.cache,
      alert_email = options.alert_email,
    })
    local cicd = stack:layer("cicd", {
      roles = security.roles, repository = compute.repository, lambda = compute.lambda, alias = compute.alias,
      bucket = edge.bucket, distribution = edge.distribution, domain = options.domain, topic = observability.topic,
    })
    stack:layer("dr", {
      cluster = data.cluster, cluster_key = data.key, role = security.roles.backup, topic = observability.topic,
      domain = options.domain,
    })

    stack:output("url", "https://" .. edge.domain)
    stack:output("distribution", edge.distribution.Id)
    if edge.zone then
      stack:output("name_servers", edge.zone.NameServers) -- to be entered where the domain above is kept
    end
    stack:output("api", compute.api_host)
    stack:output("repository", compute.repository.RepositoryUri)
    stack:output("frontend_bucket", edge.bucket.BucketName)
    stack:output("database", data.cluster["Endpoint.Address"])
    stack:output("cache", data.cache["Endpoint.Address"])
    stack:output("dashboard", observability.dashboard_url)
    for name, pipeline in pairs(cicd.pipelines) do
      stack:output(name .. "_pipeline", pipeline.Name)
    end
  end,
}
