-- Hosted zones, health checks and the look-up of zones; record sets have a file of their own.

local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local merged = require "infra.merged"

local world

before_each(function()
  world = World.new()
end)
after_each(function()
  world:close()
end)

local function zones()
  return world:call("route53", "ListHostedZones").HostedZones
end

describe("AWS::Route53::HostedZone", function()
  local function declare(name, changes, options)
    return World.declare(function(stack)
      stack:resource("AWS::Route53::HostedZone", "it", merged({ Name = name }, changes), options)
    end)
  end

  it("is waited for until all name servers know it, tagged, and the same afterwards", function()
    local run = world:run(declare "Example.com")
    assert.same({ "CreateHostedZone", "ChangeTagsForResource" }, calls.changes(run))
    assert.is_true(run.seconds >= 35 and run.seconds < 40)
    world:unchanged(declare "Example.com")
    world:unchanged(declare "example.com.")
  end)

  it("is found again although its tags are not known everywhere", function()
    local born = math.huge
    calls.with("route53", {
      CreateHostedZone = function(original, ctx, params)
        born = ctx.now()
        return original(ctx, params)
      end,
      ListTagsForResources = function(original, ctx, params)
        if ctx.now() < born + 10 then
          ctx:fail("NoSuchHostedZone", "No hosted zone found with ID: Z1", 404)
        end
        return original(ctx, params)
      end,
    }, function()
      world:run(declare "example.com", calls.lose "CreateHostedZone")
    end)
    world:unchanged(declare "example.com")
  end)

  it("has its comment and its tags changed in place, and its name replaced", function()
    world:run(declare("example.com", { HostedZoneConfig = { Comment = "one" } }))
    local changed = { HostedZoneConfig = { Comment = "two" }, HostedZoneTags = { A = "1" } }
    assert.same({ "UpdateHostedZoneComment", "ChangeTagsForResource" },
      calls.changes(world:run(declare("example.com", changed))))
    world:unchanged(declare("example.com", changed))
    world:run(declare("example.com", { HostedZoneTags = { A = "1" } }))
    assert.equal("", world:call("route53", "GetHostedZone", { Id = zones()[1].Id }).HostedZone.Config.Comment or "")
    assert.same({ it = "replace" }, world:planned(declare "example.org"))
  end)

  it("is never taken by its name alone: other zones may have it", function()
    local other = world:neighbour()
    other:run(declare "example.com")
    world:run(declare "example.com")
    assert.equal(2, #zones())
    other:close()
  end)

  it("is made once although the answer was lost, or after a crash: its reference tells", function()
    world:run(declare "example.com", calls.lose "CreateHostedZone")
    assert.equal(1, #zones())
    world:unchanged(declare "example.com")
    world:destroy(declare "example.com")
    world:call("route53", "CreateHostedZone", { Name = "example.com", CallerReference = "somebody else's" })
    world:apply(declare "example.com", calls.crash "CreateHostedZone")
    world:run(declare "example.com")
    assert.equal(2, #zones())
    world:unchanged(declare "example.com")
  end)

  it("is taken over by its name when told to, and only when it is clear which", function()
    world:call("route53", "CreateHostedZone", { Name = "example.com", CallerReference = "1" })
    world:run(declare("example.com", {}, { adopt = true }))
    assert.equal(1, #zones())
    world:unchanged(declare "example.com")
    world:destroy(declare "example.com")
    world:call("route53", "CreateHostedZone", { Name = "example.com", CallerReference = "2" })
    world:call("route53", "CreateHostedZone", { Name = "example.com", CallerReference = "3" })
    assert.equal("SeveralCandidates", world:failure(declare("example.com", {}, { adopt = true })).code)
  end)

  it("is not deleted while it has records of others: they are named", function()
    world:run(declare "example.com")
    world:call("route53", "ChangeResourceRecordSets", { HostedZoneId = zones()[1].Id, ChangeBatch = { Changes = { {
      Action = "CREATE", ResourceRecordSet = { Name = "www.example.com", Type = "A", TTL = 60,
        ResourceRecords = { { Value = "192.0.2.1" } } },
    } } } })
    local run = world:apply(declare "example.com", { destroy = true })
    assert.equal("HostedZoneNotEmpty", run.result.failures[1].code)
    assert.matches("www%.example%.com%. A", run.result.failures[1].message)
    assert.equal(0, #calls.params(run, "DeleteHostedZone"))
  end)

end)

describe("AWS::Route53::HealthCheck", function()
  local function declare(changes, more)
    return World.declare(function(stack)
      local config = {
        Type = "HTTPS", FullyQualifiedDomainName = "example.com", ResourcePath = "/health/", RequestInterval = 30,
      }
      for name, value in pairs(changes or {}) do
        config[name] = value or nil
      end
      stack:resource("AWS::Route53::HealthCheck", "it", merged({ HealthCheckConfig = config }, more))
    end)
  end

  local function checks()
    return world:call("route53", "ListHealthChecks").HealthChecks
  end

  it("is the same afterwards, also with what Route 53 fills in", function()
    assert.same({ "CreateHealthCheck", "ChangeTagsForResource" }, calls.changes(world:run(declare())))
    world:unchanged(declare())
    local regions = { Regions = { "us-west-2", "us-east-1", "eu-west-1" } }
    world:run(declare(regions))
    world:unchanged(declare { Regions = { "eu-west-1", "us-east-1", "us-west-2" } })
  end)

  it("is changed in place but for its kind and its interval", function()
    world:run(declare())
    local run = world:run(declare { FailureThreshold = 5 })
    local sent = calls.params(run, "UpdateHealthCheck")[1]
    assert.same({ 5, 1 }, { sent.FailureThreshold, sent.HealthCheckVersion })
    assert.is_nil(sent.Type)
    assert.same({ it = "replace" }, world:planned(declare { RequestInterval = 10 }))
    assert.same({ it = "replace" }, world:planned(declare { Type = "HTTP" }))
    assert.same({ it = "replace" }, world:planned(declare { MeasureLatency = true }))
  end)

  it("empties what is not declared any more by name", function()
    world:run(declare())
    local run = world:run(declare { ResourcePath = false })
    local emptied = table.concat(calls.params(run, "UpdateHealthCheck")[1].ResetElements, " ")
    assert.matches("ResourcePath", emptied)
    assert.not_matches("FullyQualifiedDomainName", emptied)
    world:unchanged(declare { ResourcePath = false })
  end)

  it("takes the newest version when it has to", function()
    world:run(declare())
    local update, tries = calls.failing { "HealthCheckVersionMismatch", "stale", 409 }
    calls.with("route53", { UpdateHealthCheck = update }, function()
      world:run(declare { FailureThreshold = 5 })
    end)
    assert.equal(2, tries())
  end)

  it("is made once although the answer was lost, or after a crash: its reference tells", function()
    world:run(declare(), calls.lose "CreateHealthCheck")
    assert.equal(1, #checks())
    world:destroy(declare())
    world:apply(declare(), calls.crash "CreateHealthCheck")
    world:run(declare())
    assert.equal(1, #checks())
    world:unchanged(declare())
  end)

  it("is read with many others in one call, and so are their tags", function()
    local many = World.declare(function(stack)
      for i = 1, 12 do
        stack:resource("AWS::Route53::HealthCheck", "check-" .. i,
          { HealthCheckConfig = { Type = "TCP", IPAddress = "198.51.100." .. i, Port = 443 } })
      end
    end)
    world:run(many)
    local _, _, process = world:plan(many)
    assert.equal(1, #calls.params(process, "ListHealthChecks"))
    assert.equal(2, #calls.params(process, "ListTagsForResources")) -- of ten each
  end)

  it("goes after the records that it decides about", function()
    local declaration = World.declare(function(stack)
      local zone = stack:resource("AWS::Route53::HostedZone", "zone", { Name = "example.com" })
      local check = stack:resource("AWS::Route53::HealthCheck", "check",
        { HealthCheckConfig = { Type = "HTTPS", FullyQualifiedDomainName = "example.com" } })
      stack:resource("AWS::Route53::RecordSet", "primary", {
        HostedZoneId = zone.Id, Name = "www.example.com", Type = "A", TTL = "60", ResourceRecords = { "192.0.2.1" },
        Failover = "PRIMARY", SetIdentifier = "p", HealthCheckId = check.HealthCheckId,
      })
    end)
    world:run(declaration)
    local order = calls.changes(world:destroy(declaration))
    assert.equal("ChangeResourceRecordSets", order[1])
  end)
end)

describe("Infra::HostedZone", function()
  local function declare(domain)
    return World.declare(function(stack)
      local zone = stack:resource("Infra::HostedZone", "zone", { DomainName = domain })
      stack:output("id", zone.Id)
    end)
  end

  it("is the public zone of the longest name that the domain is in", function()
    world:call("route53", "CreateHostedZone", { Name = "example.com", CallerReference = "1" })
    local nearer = world:call("route53", "CreateHostedZone",
      { Name = "app.example.com", CallerReference = "2" }).HostedZone
    world:call("route53", "CreateHostedZone", { Name = "other.com", CallerReference = "3" })
    local run = world:run(declare "www.App.example.com")
    assert.equal(nearer.Id:match "[^/]+$", run.result.outputs.id)
    world:unchanged(declare "www.App.example.com")
    world:destroy(declare "www.App.example.com")
    assert.equal(3, #zones())
  end)

  it("says when there is none, or when it cannot tell which", function()
    assert.equal("NoHostedZone", world:failure(declare "example.com").code)
    world:call("route53", "CreateHostedZone", { Name = "example.com", CallerReference = "1" })
    world:call("route53", "CreateHostedZone", { Name = "example.com", CallerReference = "2" })
    assert.equal("SeveralHostedZones", world:failure(declare "example.com").code)
  end)
end)
