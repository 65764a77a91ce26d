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

describe("AWS::Route53::RecordSet", function()
  -- One zone, and records by name: { properties, options }.
  local function declare(records, options)
    return World.declare(function(stack)
      local zone = stack:resource("AWS::Route53::HostedZone", "zone", { Name = "example.com" })
      for name, properties in pairs(records) do
        stack:resource("AWS::Route53::RecordSet", name, merged({ HostedZoneId = zone.Id }, properties), options)
      end
    end)
  end

  local function address(...)
    return { Name = "www.example.com", Type = "A", TTL = "60", ResourceRecords = { ... } }
  end

  local function alias(kind)
    return { Name = "www.example.com", Type = kind,
      AliasTarget = { DNSName = "D111.cloudfront.net", HostedZoneId = "Z2FDTNDATAQYW2" } }
  end

  local function records()
    local found = {}
    for _, record in ipairs(world:call("route53", "ListResourceRecordSets", { HostedZoneId = zones()[1].Id })
      .ResourceRecordSets) do
      if record.Type ~= "NS" and record.Type ~= "SOA" then
        found[#found + 1] = record
      end
    end
    return found
  end

  it("is waited for until it is in sync, and the same afterwards: names and values in any form", function()
    local forms = {
      plain = address("192.0.2.2", "192.0.2.1"),
      text = { Name = "Text.example.com.", Type = "TXT", TTL = "60", ResourceRecords = { "v=1 \"x\"", '"quoted"' } },
      any = { Name = "*.example.com", Type = "CNAME", TTL = "60", ResourceRecords = { "www.example.com" } },
      alias = { Name = "cdn.example.com", Type = "A", AliasTarget = alias("A").AliasTarget },
    }
    local run = world:run(declare(forms))
    assert.is_true(run.seconds >= 70 and run.seconds < 80)
    forms.plain = address("192.0.2.1", "192.0.2.2")
    world:unchanged(declare(forms))
    world:unchanged(declare(forms))
  end)

  it("cannot ask for CloudFront's health, which Route 53 refuses", function()
    local target = { DNSName = "d.cloudfront.net", HostedZoneId = "Z2FDTNDATAQYW2", EvaluateTargetHealth = true }
    local _, err = pcall(declare, { it = { Name = "a.example.com", Type = "A", AliasTarget = target } })
    assert.matches("EvaluateTargetHealth = false", tostring(err))
  end)

  it("splits long texts", function()
    local text = { Name = "t.example.com", Type = "TXT", TTL = "60", ResourceRecords = { ("x"):rep(300) } }
    world:run(declare { text = text })
    assert.equal(('"%s" "%s"'):format(("x"):rep(255), ("x"):rep(45)), records()[1].ResourceRecords[1].Value)
    world:unchanged(declare { text = text })
  end)

  it("is changed together with the others of its zone, in one call, with one wait", function()
    local run = world:run(declare { a = alias "A", aaaa = alias "AAAA" })
    local sent = calls.params(run, "ChangeResourceRecordSets")
    assert.equal(1, #sent)
    assert.equal(2, #sent[1].ChangeBatch.Changes)
    local changes = {}
    for _, params in ipairs(calls.params(run, "GetChange")) do
      changes[params.Id] = true
    end
    local ids = 0
    for _ in pairs(changes) do
      ids = ids + 1
    end
    assert.equal(2, ids) -- the zone's and the records'
    assert.equal(1, #calls.params(world:destroy(declare {}), "ChangeResourceRecordSets"))
  end)

  it("does not fail because of another one in the same world:call", function()
    world:run(declare {})
    world:call("route53", "ChangeResourceRecordSets", { HostedZoneId = zones()[1].Id, ChangeBatch = { Changes = { {
      Action = "CREATE", ResourceRecordSet = { Name = "a.example.com", Type = "A", TTL = 60,
        ResourceRecords = { { Value = "192.0.2.1" } } },
    } } } })
    local run = world:apply(declare {
      a = { Name = "a.example.com", Type = "A", TTL = "60", ResourceRecords = { "192.0.2.9" } },
      b = address "192.0.2.1",
    })
    assert.equal(1, #run.result.failures)
    assert.same({ "a", "AlreadyExists" }, { run.result.failures[1].resource, run.result.failures[1].code })
    assert.equal(2, #records())
  end)

  it("is not taken from somebody else, unless it is told to", function()
    world:run(declare {})
    local id = zones()[1].Id
    world:call("route53", "ChangeResourceRecordSets", { HostedZoneId = id, ChangeBatch = { Changes = { {
      Action = "CREATE", ResourceRecordSet = { Name = "www.example.com", Type = "A", TTL = 60,
        ResourceRecords = { { Value = "192.0.2.7" } } },
    } } } })
    assert.equal("AlreadyExists", world:failure(declare { it = address "192.0.2.1" }).code)
    assert.equal("192.0.2.7", records()[1].ResourceRecords[1].Value)
    local ours = World.declare(function(stack)
      local zone = stack:resource("AWS::Route53::HostedZone", "zone", { Name = "example.com" })
      stack:resource("AWS::Route53::RecordSet", "it", { HostedZoneId = zone.Id, Name = "www.example.com", Type = "A",
        TTL = "60", ResourceRecords = { "192.0.2.1" } }, { adopt = true })
    end)
    world:run(ours)
    assert.equal("192.0.2.1", records()[1].ResourceRecords[1].Value)
    world:unchanged(ours)
  end)

  it("is overwritten when it changes, also by another type, in one transaction", function()
    world:run(declare { it = address "192.0.2.1" })
    world:run(declare { it = address "192.0.2.2" })
    world:unchanged(declare { it = address "192.0.2.2" })
    local name = { Name = "www.example.com", Type = "CNAME", TTL = "60", ResourceRecords = { "example.org" } }
    local run = world:run(declare { it = name })
    local changes = calls.params(run, "ChangeResourceRecordSets")[1].ChangeBatch.Changes
    assert.same({ "DELETE", "A", "UPSERT", "CNAME" }, { changes[1].Action, changes[1].ResourceRecordSet.Type,
      changes[2].Action, changes[2].ResourceRecordSet.Type })
    assert.equal(1, #records())
    world:unchanged(declare { it = name })
    world:destroy(declare {})
    assert.same({}, zones())
  end)

  it("is another one under another name", function()
    world:run(declare { it = address "192.0.2.1" })
    local other = address "192.0.2.1"
    other.Name = "w3.example.com"
    assert.same({ it = "replace" }, world:planned(declare { it = other }))
  end)

  it("keeps the two records of a failover apart", function()
    local function half(role, value, check)
      return { Name = "www.example.com", Type = "A", TTL = "60", ResourceRecords = { value }, Failover = role,
        SetIdentifier = role:lower(), HealthCheckId = check }
    end
    local both = { primary = half("PRIMARY", "192.0.2.1", "check"), secondary = half("SECONDARY", "192.0.2.2") }
    world:run(declare(both))
    world:unchanged(declare(both))
    world:run(declare { primary = both.primary })
    assert.equal("PRIMARY", records()[1].Failover)
  end)

  it("is deleted exactly as it stands there, whoever changed it", function()
    world:run(declare { it = address "192.0.2.1" })
    world:call("route53", "ChangeResourceRecordSets", { HostedZoneId = zones()[1].Id, ChangeBatch = { Changes = { {
      Action = "UPSERT", ResourceRecordSet = { Name = "www.example.com", Type = "A", TTL = 300,
        ResourceRecords = { { Value = "192.0.2.9" } } },
    } } } })
    local interfered = false
    calls.with("route53", { ChangeResourceRecordSets = function(original, ctx, params)
      if not interfered then
        interfered = true
        ctx:fail("InvalidChangeBatch", "[the values provided do not match the current values]", 400)
      end
      return original(ctx, params)
    end }, function()
      world:run(declare {})
    end)
    assert.same({}, records())
  end)

  it("is deleted when it, or its whole zone, is gone already", function()
    world:run(declare { it = address "192.0.2.1" })
    local list = calls.failing(nil, { "NoSuchHostedZone", "none", 404 })
    calls.with("route53", { ListResourceRecordSets = list }, function()
      world:run(declare {})
    end)
    assert.equal(1, #world:rows())
  end)

  it("waits for other changes of the zone, and for a zone that is new", function()
    local change, tries = calls.failing({ "NoSuchHostedZone", "none", 404 }, { "PriorRequestNotComplete", "busy", 400 })
    calls.with("route53", { ChangeResourceRecordSets = change }, function()
      world:run(declare { it = address "192.0.2.1" })
    end)
    assert.equal(3, tries())
  end)

  it("is made once although the answer was lost, or after a crash", function()
    world:run(declare { it = address "192.0.2.1" }, calls.lose "ChangeResourceRecordSets")
    world:unchanged(declare { it = address "192.0.2.1" })
    world:destroy(declare {})
    world:apply(declare { it = address "192.0.2.1" }, calls.crash "ChangeResourceRecordSets")
    world:run(declare { it = address "192.0.2.1" })
    assert.equal(1, #records())
  end)

  it("reads a zone once, however many records it has", function()
    local many = {}
    for i = 1, 20 do
      local record = address "192.0.2.1"
      record.Name = ("r%d.example.com"):format(i)
      many["record-" .. i] = record
    end
    world:run(declare(many))
    local _, _, process = world:plan(declare(many))
    assert.equal(1, #calls.params(process, "ListResourceRecordSets"))
  end)
end)
