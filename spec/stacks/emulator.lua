-- All layers together, with what an emulator may lack as options (spec/emulator/lacks.lua): the specs of spec/emulator
-- run it. What an emulator may lack only together with other things is declared once more on its own.
local bucket = require "infra.layers.bucket"
local infra = require "infra"
local pipeline = require "infra.layers.cicd.pipeline"
local replication = require "infra.layers.edge.replication"

local CONNECTION <const> = "arn:aws:codeconnections:eu-west-1:123456789012:connection/" ..
  "e88c2a6a-4a5c-4f6e-a0a2-7f2b8f1d5d4f"

local function declare_alone(stack, options, edge, roles, artifacts)
  if not options.replica then
    local copy = bucket(stack, "copy", stack.name .. "-copy", nil, nil, { region = "us-west-2" })
    local original = stack.name .. "-original"
    bucket(stack, "original", original, { ReplicationConfiguration = replication(stack, original, copy) })
  end
  stack:resource("AWS::Route53::RecordSet", "primary", {
    HostedZoneId = edge.zone_id, Name = "www." .. options.domain, Type = "CNAME", TTL = options.ttl,
    ResourceRecords = { edge.distribution.DomainName }, Failover = "PRIMARY", SetIdentifier = "primary",
  })
  pipeline(stack, "release", {
    role = roles.codepipeline, artifacts = artifacts, project = { Name = stack.name .. "-release" },
    connection_arn = CONNECTION, repository = "apprentice-final/backend", branch = "main", approval = true,
  })
end

return infra.stack {
  project = "apprentice-final", environment = "staging", region = "eu-west-1",
  owner = "platform",

  options = {
    domain = infra.default("bardhi.devops.konitron.com", "where the application is reached"),
    cache = infra.default(true, "whether there is a cache"),
    push = infra.default(true, "whether the image is pushed"),
    single_page = infra.default(true, "whether CloudFront runs a function"),
    replica = infra.default(true, "whether the frontend has a replica"),
    connect = infra.default(true, "whether a connection is made"),
    keep = infra.default(true, "whether backups are kept from everybody"),

    readers = infra.default(1, "instances beside the database's writer"),
    most = infra.default(4, "the database's capacity"),
    rate = infra.default(2000, "requests until an address is blocked"),
    ttl = infra.default("60", "seconds that a record may be remembered"),
    public_cidr = infra.default("10.20.1.0/24", "the second public subnet's range"),
  },

  build = function(stack, options)
    local domain = options.domain
    local network = stack:layer("network", {
      cidr = "10.20.0.0/16", s3_endpoint = true,
      public_cidrs = { "10.20.0.0/24", options.public_cidr },
    })
    local security = stack:layer("security", { vpc = network.vpc })
    local data = stack:layer("data", {
      network = network, security = security, domain = domain, cache = options.cache, readers = options.readers,
      acu = { 0.5, options.most },
    })
    local compute = stack:layer("compute", {
      network = network, security = security, domain = domain, parameter_path = data.path, secret_arn = data.secret.Id,
      image = not options.push and ("%s.dkr.ecr.%s.amazonaws.com/%s:1"):format(stack.account, stack.region, stack.name)
        or nil,
    })
    local edge = stack:layer("edge", {
      domain = domain, zone = "create", protect_zone = false, single_page = options.single_page,
      replica_region = options.replica and "us-west-2" or nil, api_endpoint = compute.api_host,
      api_path = compute.api_path, rate_limit = options.rate, blocked_addresses = { "192.0.2.0/24" },
    })
    local observability = stack:layer("observability", {
      api = compute.api, stage = compute.stage, lambda = compute.lambda, cluster = data.cluster, cache = data.cache,
      alert_email = "ops@example.com",
    })
    local cicd = stack:layer("cicd", {
      roles = security.roles, repository = compute.repository, lambda = compute.lambda, alias = compute.alias,
      bucket = edge.bucket, distribution = edge.distribution, domain = domain, topic = observability.topic,
      connection_arn = not options.connect and CONNECTION or nil,
    })
    local dr = stack:layer("dr", {
      cluster = data.cluster, cluster_key = data.key, role = security.roles.backup, topic = observability.topic,
      domain = domain, keep = options.keep,
    })
    declare_alone(stack, options, edge, security.roles, cicd.artifacts)

    stack:output("vpc", network.vpc.VpcId)
    stack:output("key", data.key.KeyId)
    stack:output("api", compute.api.ApiId)
    stack:output("zone", edge.zone_id)
    stack:output("distribution", edge.distribution.Id)
    stack:output("plan", dr.plan.BackupPlanId)
    stack:output("topic", observability.topic.TopicArn)
  end,
}
