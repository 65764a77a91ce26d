local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local fs = require "host.fs"
local json = require "host.json"
local merged = require "infra.merged"
local program = require "spec.support.program"

local API <const> = "abc.execute-api.us-east-1.amazonaws.com"

local function declare(options, fields)
  return World.declare(function(stack)
    local edge = stack:layer("edge", options)
    stack:output("url", "https://" .. edge.domain)
  end, fields)
end

-- With everything that the reference architecture has.
local function complete(changes)
  return merged({
    domain = "app.example.com", zone = "create", protect_zone = false, api_endpoint = API, api_path = "/staging",
  }, changes)
end

local function of_type(declaration, resource_type)
  local found = {}
  for _, resource in pairs(declaration.resources) do
    if resource.type.name == resource_type then
      found[#found + 1] = resource
    end
  end
  table.sort(found, function(a, b) return a.address < b.address end)
  return found
end

local function properties(declaration, resource_type)
  local found = of_type(declaration, resource_type)
  assert.equal(1, #found)
  return found[1].properties
end

local function distribution(declaration)
  return properties(declaration, "AWS::CloudFront::Distribution").DistributionConfig
end

local function rules(declaration)
  return properties(declaration, "AWS::WAFv2::WebACL").Rules
end

-- The kinds of statement of which a statement is made, sorted.
local function kinds(statement)
  local found = {}
  for _, one in ipairs(statement.OrStatement and statement.OrStatement.Statements or { statement }) do
    found[#found + 1] = next(one)
  end
  table.sort(found)
  return found
end

describe("the layer edge", function()
  it("has the firewall of the architecture: eight rules in their order", function()
    local names, actions = {}, {}
    for i, rule in ipairs(rules(declare(complete()))) do
      assert.equal(i - 1, rule.Priority)
      names[i], actions[i] = rule.Name, next(rule.Action or rule.OverrideAction)
      assert.is_true(rule.VisibilityConfig.CloudWatchMetricsEnabled)
    end
    assert.same({
      "allow-health", "ip-reputation", "blocked-addresses", "rate-limit", "sql-injection", "cross-site-scripting",
      "size-limits", "bad-user-agents",
    }, names)
    assert.same({ "Allow", "None", "Block", "Block", "Block", "Block", "Block", "Block" }, actions)
    assert.same({ Allow = {} }, properties(declare(complete()), "AWS::WAFv2::WebACL").DefaultAction)
  end)

  it("has its figures and its fields by default", function()
    local all = rules(declare(complete()))
    local health = all[1].Statement.ByteMatchStatement
    assert.same({ "/health/", "EXACTLY", { UriPath = {} } },
      { health.SearchString, health.PositionalConstraint, health.FieldToMatch })
    assert.same({ Limit = 2000, EvaluationWindowSec = 300, AggregateKeyType = "IP" },
      all[4].Statement.RateBasedStatement)
    assert.same({ "SqliMatchStatement", "SqliMatchStatement", "SqliMatchStatement" }, kinds(all[5].Statement))
    assert.same({ "XssMatchStatement", "XssMatchStatement", "XssMatchStatement" }, kinds(all[6].Statement))
    local sizes = {}
    for i, statement in ipairs(all[7].Statement.OrStatement.Statements) do
      local limit = statement.SizeConstraintStatement
      assert.equal("GT", limit.ComparisonOperator)
      sizes[i] = { (next(limit.FieldToMatch)), limit.Size }
    end
    assert.same({ { "Body", 16384 }, { "UriPath", 2048 }, { "QueryString", 4096 } }, sizes)
    for _, statement in ipairs(all[8].Statement.OrStatement.Statements) do
      local match = statement.ByteMatchStatement
      assert.equal(match.SearchString:lower(), match.SearchString) -- it is compared with text in lower case
      assert.equal("user-agent", match.FieldToMatch.SingleHeader.Name)
    end
  end)

  it("takes a body that WAF does not look at to its end for too long", function()
    local function limit(max_body)
      local declaration = declare(complete { max_body = max_body })
      local body = rules(declaration)[7].Statement.OrStatement.Statements[1].SizeConstraintStatement
      assert.equal("MATCH", body.FieldToMatch.Body.OversizeHandling)
      return properties(declaration, "AWS::WAFv2::WebACL").AssociationConfig.RequestBody.CLOUDFRONT
        .DefaultSizeInspectionLimit
    end
    assert.same({ "KB_16", "KB_32", "KB_64" }, { limit(16384), limit(20000), limit(65536) })
    assert.matches("65536 bytes", tostring(select(2, pcall(limit, 65537))))
  end)

  it("blocks addresses of both versions of the protocol, and one bad agent as well as many", function()
    local declaration = declare(complete {
      blocked_addresses = { "192.0.2.0/24", "2001:db8::/32" }, bad_agents = { "SqlMap" },
    })
    assert.equal(2, #of_type(declaration, "AWS::WAFv2::IPSet"))
    assert.same({ "IPSetReferenceStatement", "IPSetReferenceStatement" }, kinds(rules(declaration)[3].Statement))
    assert.equal("sqlmap", rules(declaration)[8].Statement.ByteMatchStatement.SearchString)
  end)

  it("serves the frontend from its bucket, and the API's paths from the API", function()
    local config = distribution(declare(complete()))
    assert.same({
      Id = "api", DomainName = API, OriginPath = "/staging",
      CustomOriginConfig = { OriginProtocolPolicy = "https-only", OriginSSLProtocols = { "TLSv1.2" } },
    }, config.Origins[2])
    local default = config.DefaultCacheBehavior
    assert.same({ "frontend", "redirect-to-https", "658327ea-f89d-4fab-a63d-7e88639e58f6", "viewer-request" }, {
      default.TargetOriginId, default.ViewerProtocolPolicy, default.CachePolicyId,
      default.FunctionAssociations[1].EventType,
    })
    local paths = {}
    for i, behaviour in ipairs(config.CacheBehaviors) do
      paths[i] = behaviour.PathPattern
      assert.same({ "api", 7, "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "b689b0a8-53d0-40ab-baf2-68738e2966ac" }, {
        behaviour.TargetOriginId, #behaviour.AllowedMethods, behaviour.CachePolicyId, behaviour.OriginRequestPolicyId,
      })
    end
    assert.same({ "/api/*", "/health/*", "/Register/*", "/login/*", "/logout/*", "/admin/*" }, paths)
    assert.same({ "http2and3", true, "PriceClass_All", "TLSv1.2_2021", "sni-only" }, {
      config.HttpVersion, config.IPV6Enabled, config.PriceClass, config.ViewerCertificate.MinimumProtocolVersion,
      config.ViewerCertificate.SslSupportMethod,
    })
  end)

  it("lets only the distribution read the bucket, and only read", function()
    local statements = properties(declare(complete()), "AWS::S3::BucketPolicy").PolicyDocument.Statement
    local allowed = {}
    for _, statement in ipairs(statements) do
      allowed[#allowed + 1] = statement.Effect == "Allow" and statement or nil
    end
    assert.equal(1, #allowed)
    assert.same({ "s3:GetObject" }, allowed[1].Action)
    assert.same({ Service = "cloudfront.amazonaws.com" }, allowed[1].Principal)
    assert.matches("distribution/.*edge/distribution", allowed[1].Condition.StringEquals["AWS:SourceArn"])
  end)

  it("serves the frontend from a replica while its bucket does not answer", function()
    local declaration = declare(complete { replica_region = "us-west-2" })
    local config = distribution(declaration)
    local group = config.OriginGroups.Items[1]
    assert.same({ { OriginId = "frontend" }, { OriginId = "replica" } }, group.Members.Items)
    assert.equal(group.Id, config.DefaultCacheBehavior.TargetOriginId)
    assert.equal("api", config.CacheBehaviors[1].TargetOriginId)
    local frontend, replica = table.unpack(of_type(declaration, "AWS::S3::Bucket"))
    assert.same({ "us-east-1", "us-west-2" }, { frontend.region, replica.region })
    assert.equal(1, #frontend.properties.ReplicationConfiguration.Rules)
    for _, policy in ipairs(of_type(declaration, "AWS::S3::BucketPolicy")) do
      local statement = policy.properties.PolicyDocument.Statement[2]
      assert.same({ Service = "cloudfront.amazonaws.com" }, statement.Principal)
      assert.matches("distribution/.*edge/distribution", statement.Condition.StringEquals["AWS:SourceArn"])
    end
    local world = World.new()
    world:run(declaration)
    world:unchanged(declaration)
    world:destroy(declaration)
    assert.same({}, world:rows())
    world:close()
  end)

  it("is in us-east-1 with what belongs there, whatever the stack's region", function()
    local declaration = declare(complete(), { region = "eu-west-1" })
    for _, resource in pairs(declaration.resources) do
      local home = resource.type.name:find "^AWS::S3::" and "eu-west-1" or "us-east-1"
      assert.equal(home, resource.region, resource.address)
    end
  end)

  it("is built, changes nothing the second time, changes in place, and leaves nothing", function()
    local world = World.new()
    local run = world:run(declare(complete { aliases = { "www.app.example.com" } }))
    assert.equal("https://app.example.com", run.result.outputs.url)
    local function unchanged(options)
      world:unchanged(declare(complete(options)))
    end
    unchanged { aliases = { "www.app.example.com" } }
    local changed = { aliases = { "www.app.example.com" }, rate_limit = 500, price_class = "PriceClass_100" }
    assert.same({ "UpdateDistribution", "UpdateWebACL" }, (function()
      local names = calls.changes(world:run(declare(complete(changed))))
      table.sort(names)
      return names
    end)())
    unchanged(changed)
    world:destroy(declare(complete(changed)))
    assert.same({}, world:rows())
    world:run(declare(complete())) -- nothing of the first one is in the way
    world:close()
  end)

  it("finds the hosted zone by the domain, and leaves it alone", function()
    local world = World.new()
    world:as_other(function(call)
      assert(call("route53", "CreateHostedZone", { Name = "example.com", CallerReference = "1" }))
    end)
    world:run(declare(complete { zone = "lookup" }))
    world:destroy(declare(complete { zone = "lookup" }))
    local records = world:as_other(function(call)
      local zone = call("route53", "ListHostedZones").HostedZones[1]
      return call("route53", "ListResourceRecordSets", { HostedZoneId = zone.Id }).ResourceRecordSets
    end)
    assert.equal(2, #records) -- NS and SOA
    world:close()
  end)

  it("does without a domain and without an API", function()
    local declaration = declare {}
    local config = distribution(declaration)
    assert.same({ 1, 0, 0, { CloudFrontDefaultCertificate = true } },
      { #config.Origins, #config.CacheBehaviors, #config.Aliases, config.ViewerCertificate })
    for _, name in ipairs { "CertificateManager::Certificate", "Route53::RecordSet", "Route53::HostedZone" } do
      assert.same({}, of_type(declaration, "AWS::" .. name))
    end
    local world = World.new()
    assert.matches("^https://d%w+%.cloudfront%.net$", world:run(declaration).result.outputs.url)
    world:close()
  end)

  it("keeps a zone that it makes, unless it is told otherwise", function()
    assert.is_true(of_type(declare(complete { protect_zone = true }), "AWS::Route53::HostedZone")[1].options.protect)
  end)

  it("leaves out what it is told to leave out", function()
    local declaration = declare(complete { single_page = false, zone_id = "Z1", log_bucket = "logs.example.com" })
    assert.same({}, of_type(declaration, "AWS::CloudFront::Function"))
    assert.same({}, of_type(declaration, "AWS::Route53::HostedZone"))
    assert.equal("logs.example.com", distribution(declaration).Logging.Bucket)
  end)
end)

describe("the function for the single-page application's routes", function()
  it("serves index.html for every path that names no file", function()
    local source = assert(fs.read "lua/infra/layers/edge/spa_router.js")
    local paths = { "/", "/habits", "/habits/7/", "/a.b/c", "/index.html", "/assets/app.1f2e.js", "/favicon.ico" }
    local script = source .. ("console.log(JSON.stringify(%s.map(function (uri) {" ..
      "return handler({ request: { uri: uri } }).uri; })));"):format(json.encode(paths))
    local event = program.run { argv = { "node", "-e", script } }
    assert.equal(0, event.status, event.stderr)
    assert.same({
      "/index.html", "/index.html", "/index.html", "/index.html", "/index.html", "/assets/app.1f2e.js", "/favicon.ico",
    }, json.decode(event.stdout))
  end)

  it("is short enough for CloudFront", function()
    assert.is_true(fs.stat("lua/infra/layers/edge/spa_router.js").size < 10240)
  end)
end)
