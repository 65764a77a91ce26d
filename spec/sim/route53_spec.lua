-- The simulated Route 53 and ACM: what their API references and their known traps say.

local caller = require "spec.sim.caller"

local code = caller.code

local function simulated(body)
  caller.run({}, body)
end

local function zone_of(call, name, reference)
  return assert(call("route53", "CreateHostedZone", { Name = name, CallerReference = reference or "r" })).HostedZone.Id
end

local function change(call, zone, action, record)
  return call("route53", "ChangeResourceRecordSets", {
    HostedZoneId = zone, ChangeBatch = { Changes = { { Action = action, ResourceRecordSet = record } } },
  })
end

local function text(name, value)
  return { Name = name, Type = "TXT", TTL = 60, ResourceRecords = { { Value = '"' .. (value or "v") .. '"' } } }
end

describe("infra.sim.route53", function()
  it("knows a zone by its caller reference, even after it is gone", function()
    simulated(function(call)
      local zone = zone_of(call, "Example.COM")
      assert.equal("HostedZoneAlreadyExists", code(call("route53", "CreateHostedZone",
        { Name = "other.com", CallerReference = "r" })))
      local found = assert(call("route53", "GetHostedZone", { Id = zone }))
      assert.equal("example.com.", found.HostedZone.Name)
      assert.equal(4, #found.DelegationSet.NameServers)
      assert(call("route53", "DeleteHostedZone", { Id = zone }))
      assert.equal("NoSuchHostedZone", code(call("route53", "GetHostedZone", { Id = zone })))
      assert.equal("HostedZoneAlreadyExists", code(call("route53", "CreateHostedZone",
        { Name = "example.com", CallerReference = "r" })))
    end)
  end)

  it("deletes only zones with nothing but their own records", function()
    simulated(function(call)
      local zone = zone_of(call, "example.com")
      assert(change(call, zone, "CREATE", text "a.example.com"))
      assert.equal("HostedZoneNotEmpty", code(call("route53", "DeleteHostedZone", { Id = zone })))
    end)
  end)

  it("changes all or nothing, and deletes only what is named exactly", function()
    simulated(function(call)
      local zone = zone_of(call, "example.com")
      assert(change(call, zone, "CREATE", text "A.example.com"))
      assert.equal("InvalidChangeBatch", code(change(call, zone, "CREATE", text "a.example.com.")))
      assert.equal("InvalidChangeBatch", code(change(call, zone, "DELETE", text("a.example.com", "w"))))
      assert.equal("InvalidChangeBatch", code(change(call, zone, "DELETE", text "b.example.com")))
      assert.equal("InvalidChangeBatch", code(change(call, zone, "CREATE", text "a.example.org")))
      assert.equal("InvalidChangeBatch", code(call("route53", "ChangeResourceRecordSets", {
        HostedZoneId = zone, ChangeBatch = { Changes = {
          { Action = "CREATE", ResourceRecordSet = text "c.example.com" },
          { Action = "CREATE", ResourceRecordSet = text "a.example.com" },
        } },
      })))
      local sets = assert(call("route53", "ListResourceRecordSets", { HostedZoneId = zone })).ResourceRecordSets
      assert.equal(3, #sets)
      assert.equal("a.example.com.", sets[3].Name)
      assert(change(call, zone, "DELETE", text "a.example.com"))
    end)
  end)

  it("keeps aliases without TTL, and none to a distribution that asks for its health", function()
    simulated(function(call)
      local zone = zone_of(call, "example.com")
      local alias = { HostedZoneId = "Z2FDTNDATAQYW2", DNSName = "D1.cloudfront.net", EvaluateTargetHealth = true }
      assert.equal("InvalidChangeBatch", code(change(call, zone, "CREATE",
        { Name = "example.com", Type = "A", AliasTarget = alias })))
      alias.EvaluateTargetHealth = false
      assert(change(call, zone, "CREATE", { Name = "*.example.com", Type = "A", AliasTarget = alias }))
      local sets = assert(call("route53", "ListResourceRecordSets", { HostedZoneId = zone })).ResourceRecordSets
      assert.equal("\\052.example.com.", sets[3].Name)
      assert.equal("d1.cloudfront.net.", sets[3].AliasTarget.DNSName)
      assert.is_nil(sets[3].TTL)
    end)
  end)

  it("is in sync with all name servers after a while", function()
    simulated(function(call, _, world)
      local zone = zone_of(call, "example.com")
      local info = assert(change(call, zone, "UPSERT", text "a.example.com")).ChangeInfo
      assert.equal("PENDING", info.Status)
      world.scheduler:sleep(40)
      assert.equal("INSYNC", assert(call("route53", "GetChange", { Id = info.Id })).ChangeInfo.Status)
    end)
  end)

  it("makes a health check once per reference and configuration", function()
    simulated(function(call)
      local config = { Type = "HTTPS", FullyQualifiedDomainName = "example.com", ResourcePath = "/health/" }
      local first = assert(call("route53", "CreateHealthCheck", { CallerReference = "h", HealthCheckConfig = config }))
      local again = assert(call("route53", "CreateHealthCheck", { CallerReference = "h", HealthCheckConfig = config }))
      assert.equal(first.HealthCheck.Id, again.HealthCheck.Id)
      assert.equal(443, first.HealthCheck.HealthCheckConfig.Port)
      config.ResourcePath = "/"
      assert.equal("HealthCheckAlreadyExists", code(call("route53", "CreateHealthCheck",
        { CallerReference = "h", HealthCheckConfig = config })))
      local id = first.HealthCheck.Id
      assert.equal(2, assert(call("route53", "UpdateHealthCheck", { HealthCheckId = id, FailureThreshold = 5 }))
        .HealthCheck.HealthCheckVersion)
      assert.equal("HealthCheckVersionMismatch", code(call("route53", "UpdateHealthCheck",
        { HealthCheckId = id, HealthCheckVersion = 1, FailureThreshold = 4 })))
    end)
  end)
end)

describe("infra.sim.acm", function()
  local function describe_certificate(call, arn)
    return assert(call("acm", "DescribeCertificate", { CertificateArn = arn })).Certificate
  end

  it("issues a certificate when its records are in a zone of the domain", function()
    simulated(function(call, _, world)
      local zone = zone_of(call, "example.com")
      local arn = assert(call("acm", "RequestCertificate", {
        DomainName = "Example.com", SubjectAlternativeNames = { "*.example.com" }, ValidationMethod = "DNS",
        IdempotencyToken = "t",
      })).CertificateArn
      local again = { DomainName = "example.com", IdempotencyToken = "t" }
      assert.equal(arn, assert(call("acm", "RequestCertificate", again)).CertificateArn)
      assert.is_nil(describe_certificate(call, arn).DomainValidationOptions[1].ResourceRecord)
      world.scheduler:sleep(10)
      local options = describe_certificate(call, arn).DomainValidationOptions
      local record = options[1].ResourceRecord
      assert.same(record, options[2].ResourceRecord)
      world.scheduler:sleep(600)
      assert.equal("PENDING_VALIDATION", describe_certificate(call, arn).Status)
      assert(change(call, zone, "UPSERT", {
        Name = record.Name, Type = "CNAME", TTL = 300, ResourceRecords = { { Value = record.Value } },
      }))
      assert.equal("PENDING_VALIDATION", describe_certificate(call, arn).Status)
      world.scheduler:sleep(120)
      assert.equal("ISSUED", describe_certificate(call, arn).Status)
    end)
  end)

  it("gives up after three days, and forgets tokens after an hour", function()
    simulated(function(call, _, world)
      local request = { DomainName = "example.com", IdempotencyToken = "t" }
      local arn = assert(call("acm", "RequestCertificate", request)).CertificateArn
      world.scheduler:sleep(3700)
      assert.not_equal(arn, assert(call("acm", "RequestCertificate", request)).CertificateArn)
      world.scheduler:sleep(73 * 3600)
      assert.equal("VALIDATION_TIMED_OUT", describe_certificate(call, arn).Status)
      assert(call("acm", "DeleteCertificate", { CertificateArn = arn }))
      assert.equal("ResourceNotFoundException", code(call("acm", "DescribeCertificate", { CertificateArn = arn })))
    end)
  end)
end)
