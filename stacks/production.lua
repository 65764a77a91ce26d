-- Production: like staging, with a NAT gateway and a reader more, larger limits, longer logs, and nothing deleted by
-- accident.
local infra = require "infra"

return infra.stack {
  project = "apprentice-final", environment = "production", region = "us-east-1",
  owner = "platform",

  options = {
    domain = infra.default("habits.devops.konitron.com", "where the application is reached"),
    zone = infra.one_of({ "create", "lookup" }, "whether the domain's hosted zone is made here or is there already"),
    alert_email = infra.optional("string", "who gets the alarms"),
  },

  build = function(stack, options)
    local network = stack:layer("network", { cidr = "10.30.0.0/16", nat = "per-az", s3_endpoint = true })
    local security = stack:layer("security", { vpc = network.vpc })
    local data = stack:layer("data", {
      network = network, security = security, domain = options.domain, acu = { 1, 16 }, readers = 2, backup_days = 14,
      cache_gigabytes = { 1, 50 }, deletion_protection = true, log_days = 90,
    })
    local compute = stack:layer("compute", {
      network = network, security = security, domain = options.domain, parameter_path = data.path,
      secret_arn = data.secret.Id, log_days = 90, memory = 2048,
    })
    local edge = stack:layer("edge", {
      domain = options.domain, zone = options.zone, api_endpoint = compute.api_host, api_path = compute.api_path,
      replica_region = "us-west-2",
    })
    local observability = stack:layer("observability", {
      api = compute.api, stage = compute.stage, lambda = compute.lambda, cluster = data.cluster, cache = data.cache,
      cache_gigabytes = 50, alert_email = options.alert_email,
    })
    stack:layer("cicd", {
      roles = security.roles, repository = compute.repository, lambda = compute.lambda, alias = compute.alias,
      bucket = edge.bucket, distribution = edge.distribution, domain = options.domain, topic = observability.topic,
      log_days = 90,
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
    stack:output("repository", compute.repository.RepositoryUri)
    stack:output("database", data.cluster["Endpoint.Address"])
    stack:output("dashboard", observability.dashboard_url)
  end,
}
