-- The layer edge, and what Route 53 has besides, on an emulator that others wrote, with the built program: built,
-- changed, destroyed. moto lacks CloudFront's functions, and it forgets which origin is a bucket and how that is
-- reached: so there is no function here, and the distribution is the one thing that a second run changes. Certificates
-- are issued after a minute there, without proof: they are left to the simulated AWS.

local fs = require "host.fs"
local json = require "host.json"
local moto = require "spec.support.moto"
local program = require "spec.support.program"
local temporary = require "spec.support.temporary"

local INFRA = fs.real_path "/proc/self/exe"

local STACK <const> = [[
local infra = require "infra"
return infra.stack {
  project = "demo", environment = "test", region = "eu-west-1",
  options = { rate = infra.default(2000, "requests"), ttl = infra.default("60", "seconds") },
  build = function(stack, options)
    local edge = stack:layer("edge", {
      single_page = false, rate_limit = options.rate, blocked_addresses = { "192.0.2.0/24" },
      api_endpoint = "abc.execute-api.eu-west-1.amazonaws.com", api_path = "/staging",
    })
    local zone = stack:resource("AWS::Route53::HostedZone", "zone", { Name = "example.com" })
    local check = stack:resource("AWS::Route53::HealthCheck", "check", {
      HealthCheckConfig = { Type = "HTTPS", FullyQualifiedDomainName = "example.com", ResourcePath = "/health/" },
    })
    stack:resource("AWS::Route53::RecordSet", "primary", {
      HostedZoneId = zone.Id, Name = "www.example.com", Type = "CNAME", TTL = options.ttl,
      ResourceRecords = { edge.distribution.DomainName },
      Failover = "PRIMARY", SetIdentifier = "primary", HealthCheckId = check.HealthCheckId,
    })
    stack:output("url", "https://" .. edge.domain)
  end,
}
]]

describe("the layer edge on moto", function()
  if not moto.installed() then
    pending(moto.MISSING)
    return
  end

  local server, environment
  local directory, remove = temporary()
  local stack, state = directory .. "/stack.lua", directory .. "/stack.db"
  assert(fs.write(stack, STACK))

  local function infra(...)
    local event = program.run { argv = { INFRA, ... }, environment = environment }
    assert.equal(0, event.status, event.stdout .. event.stderr)
    return event.stdout
  end

  local function run(...)
    return infra("run", stack, "--yes", "--state", state, ...)
  end

  local function aws(...)
    return assert(json.decode(infra("aws", ...)))
  end

  -- What a plan would do: { address = action }.
  local function plan(...)
    local actions = {}
    for _, change in ipairs(json.decode(infra("plan", stack, "--json", "--state", state, ...)).changes) do
      actions[change.address] = change.action ~= "none" and change.action or nil
    end
    return actions
  end

  setup(function()
    server = moto.start()
    environment = {
      AWS_ENDPOINT_URL = server.url, AWS_ACCESS_KEY_ID = "test", AWS_SECRET_ACCESS_KEY = "test",
      AWS_CONFIG_FILE = "/dev/null", AWS_SHARED_CREDENTIALS_FILE = "/dev/null", AWS_DEFAULT_REGION = "us-east-1",
    }
  end)

  teardown(function()
    server.stop()
    remove()
  end)

  it("is built, and is the same afterwards but for what moto forgets", function()
    assert.matches("9 created", run())
    assert.same({ ["edge/distribution"] = "update" }, plan())
  end)

  it("changes in place", function()
    assert.same({ ["edge/distribution"] = "update", ["edge/web-acl"] = "update", primary = "update" },
      plan("--set", "rate=500", "--set", "ttl=120"))
    run("--set", "rate=500", "--set", "ttl=120")
    local acl = aws("wafv2", "ListWebACLs", "Scope=CLOUDFRONT").WebACLs[1]
    local rules = aws("wafv2", "GetWebACL", "Scope=CLOUDFRONT", "Id=" .. acl.Id, "Name=" .. acl.Name).WebACL.Rules
    assert.equal(500, rules[4].Statement.RateBasedStatement.Limit)
    assert.same({ ["edge/distribution"] = "update" }, plan("--set", "rate=500", "--set", "ttl=120"))
  end)

  it("is destroyed", function()
    infra("destroy", stack, "--yes", "--state", state)
    assert.equal(0, aws("cloudfront", "ListDistributions").DistributionList.Quantity)
    assert.same({}, aws("route53", "ListHostedZones").HostedZones)
    assert.same({}, aws("wafv2", "ListIPSets", "Scope=CLOUDFRONT").IPSets)
  end)
end)
