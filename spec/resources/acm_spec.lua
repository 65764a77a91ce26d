local Client = require "infra.aws.client"
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

-- A zone that somebody made, { id, servers }.
local function make_zone(name)
  local output = world:call("route53", "CreateHostedZone", { Name = name, CallerReference = name })
  return { id = output.HostedZone.Id:match "[^/]+$", servers = output.DelegationSet.NameServers }
end

local function put_record(zone, name, kind, values)
  local records = {}
  for i, value in ipairs(values) do
    records[i] = { Value = value }
  end
  world:call("route53", "ChangeResourceRecordSets", { HostedZoneId = zone.id, ChangeBatch = { Changes = { {
    Action = "UPSERT", ResourceRecordSet = { Name = name, Type = kind, TTL = 60, ResourceRecords = records },
  } } } })
end

-- The validation records in a zone.
local function proofs(zone)
  local found = {}
  local output = world:call("route53", "ListResourceRecordSets", { HostedZoneId = zone.id })
  for _, record in ipairs(output.ResourceRecordSets) do
    found[#found + 1] = record.Type == "CNAME" and record.Name or nil
  end
  return found
end

local function certificates()
  return world:call("acm", "ListCertificates").CertificateSummaryList
end

-- A certificate "it" for names in `zone` (nil: somebody enters the records).
local function declare(zone, names, changes, options, fields)
  return World.declare(function(stack)
    local properties, validation = { DomainName = names[1], ValidationMethod = "DNS" }, {}
    if names[2] then
      properties.SubjectAlternativeNames = { table.unpack(names, 2) }
    end
    for i, name in ipairs(zone and names or {}) do
      validation[i] = { DomainName = name, HostedZoneId = zone.id }
    end
    properties.DomainValidationOptions = zone and validation or nil
    stack:resource("AWS::CertificateManager::Certificate", "it", merged(properties, changes), options)
  end, fields)
end

describe("AWS::CertificateManager::Certificate", function()
  it("proves its domains by itself, is waited for, and is the same afterwards", function()
    local zone = make_zone "example.com"
    local run = world:run(declare(zone, { "Example.com", "*.example.com", "www.example.com" }))
    assert.same({ "RequestCertificate", "ChangeResourceRecordSets" }, calls.changes(run))
    assert.equal(2, #proofs(zone)) -- the apex and the wildcard have the same
    assert.is_true(run.seconds >= 65 and run.seconds < 80)
    world:unchanged(declare(zone, { "example.com", "www.example.com", "*.example.com" }))
    world:unchanged(declare(zone, { "example.com", "example.com", "*.example.com", "www.example.com" }))
  end)

  it("understands the names of key algorithms in answers", function()
    local zone = make_zone "example.com"
    local elliptic = { KeyAlgorithm = "EC_prime256v1" }
    world:run(declare(zone, { "example.com" }, elliptic))
    world:unchanged(declare(zone, { "example.com" }, elliptic))
    local plan = assert(world:plan(declare(zone, { "example.com" }, { KeyAlgorithm = "RSA_2048" })))
    assert.same({ it = "replace" }, World.actions(plan))
  end)

  it("has its options and tags changed in place", function()
    local zone = make_zone "example.com"
    world:run(declare(zone, { "example.com" }))
    local changed = { CertificateTransparencyLoggingPreference = "DISABLED", Tags = { A = "1" } }
    assert.same({ "UpdateCertificateOptions", "AddTagsToCertificate" },
      calls.changes(world:run(declare(zone, { "example.com" }, changed))))
    world:unchanged(declare(zone, { "example.com" }, changed))
  end)

  it("is replaced before the old one goes, and the record that both need stays", function()
    local zone = make_zone "example.com"
    world:run(declare(zone, { "example.com" }))
    local more = declare(zone, { "example.com", "www.example.com" })
    local run = world:run(more)
    local order = calls.changes(run)
    assert.same({ "RequestCertificate", "DeleteCertificate" }, { order[1], order[#order] })
    assert.equal(2, #proofs(zone))
    assert.equal(1, #certificates())
    world:unchanged(more)
  end)

  it("takes its records along when it goes", function()
    local zone = make_zone "example.com"
    world:run(declare(zone, { "example.com", "*.example.com" }))
    world:destroy(declare(zone, { "example.com" }))
    assert.same({}, certificates())
    assert.same({}, proofs(zone))
  end)

  it("leaves records that certificates of others need, and does not miss those that are gone", function()
    local zone = make_zone "example.com"
    local other = world:neighbour()
    other:run(declare(zone, { "example.com" }))
    world:run(declare(zone, { "example.com" }))
    world:destroy(declare(zone, { "example.com" }))
    assert.equal(1, #proofs(zone))
    for _, name in ipairs(proofs(zone)) do
      local found = world:call("route53", "ListResourceRecordSets", { HostedZoneId = zone.id, StartRecordName = name,
        StartRecordType = "CNAME", MaxItems = "1" }).ResourceRecordSets[1]
      world:call("route53", "ChangeResourceRecordSets", { HostedZoneId = zone.id, ChangeBatch = { Changes = { {
        Action = "DELETE", ResourceRecordSet = found } } } })
    end
    other:destroy(declare(zone, { "example.com" }))
    assert.same({}, certificates())
    other:close()
  end)

  it("goes together with its records also when two for the same domain go at once", function()
    local zone = make_zone "example.com"
    local two = World.declare(function(stack)
      for i = 1, 2 do
        stack:resource("AWS::CertificateManager::Certificate", "certificate-" .. i, {
          DomainName = "example.com",
          DomainValidationOptions = { { DomainName = "example.com", HostedZoneId = zone.id } },
        })
      end
    end)
    world:run(two)
    assert.equal(1, #proofs(zone))
    world:destroy(two)
    assert.same({}, proofs(zone))
  end)

  it("is made once although the answer was lost: the same token", function()
    local zone = make_zone "example.com"
    world:run(declare(zone, { "example.com" }), calls.lose "RequestCertificate")
    assert.equal(1, #certificates())
    world:unchanged(declare(zone, { "example.com" }))
  end)

  it("is found by its tag after a crash, among others of its name, whatever its key", function()
    local zone = make_zone "example.com"
    world:call("acm", "RequestCertificate", { DomainName = "example.com", KeyAlgorithm = "EC_prime256v1" })
    local ours = declare(zone, { "example.com" }, { KeyAlgorithm = "EC_prime256v1" })
    world:apply(ours, calls.crash "RequestCertificate")
    local run = world:run(ours)
    assert.equal(0, #calls.params(run, "RequestCertificate"))
    assert.equal(1, #proofs(zone)) -- which the crash had left undone
    world:unchanged(ours)
  end)

  it("is taken over by its name when told to", function()
    local zone = make_zone "example.com"
    world:call("acm", "RequestCertificate", { DomainName = "example.com" })
    world:run(declare(zone, { "example.com" }, {}, { adopt = true }))
    assert.equal(1, #certificates())
    world:unchanged(declare(zone, { "example.com" }))
  end)

  it("is not known everywhere at once", function()
    local zone = make_zone "example.com"
    local none = { "ResourceNotFoundException", "could not find certificate", 400 }
    calls.with("acm", { DescribeCertificate = calls.failing(none, none) }, function()
      world:run(declare(zone, { "example.com" }))
    end)
  end)

  it("says what somebody has to enter where no zone is named", function()
    local told
    world:apply(declare(nil, { "example.com" }, {}, { timeouts = { create = 100 } }), { event = function(event)
      told = told or event.text and event.text:match "enter the record (_%x+%.example%.com%. CNAME %g+)"
    end })
    assert.is_string(told)
    local err = world:failure(declare(nil, { "example.com" }, {}, { timeouts = { create = 100 } }))
    assert.equal("WaitTimeout", err.code)
  end)

  it("fails with the reason when ACM gives up, and is replaced by the next run", function()
    local zone = make_zone "example.com"
    calls.with("acm", { DescribeCertificate = function(original, ctx, params)
      local output = original(ctx, params)
      output.Certificate.Status, output.Certificate.FailureReason = "FAILED", "CAA_ERROR"
      return output
    end }, function()
      local err = world:failure(declare(zone, { "example.com" }))
      assert.equal("Failed", err.code)
      assert.matches("CAA_ERROR: a CAA record", err.message)
      assert.same({ it = "replace" }, world:planned(declare(zone, { "example.com" })))
    end)
  end)

  it("is deleted once nothing uses it, and says what does when that does not end", function()
    local zone = make_zone "example.com"
    world:run(declare(zone, { "example.com" }))
    local function in_use(times)
      local count = 0
      return { DescribeCertificate = function(original, ctx, params)
        local output = original(ctx, params)
        count = count + 1
        output.Certificate.InUseBy = count <= times and { "arn:aws:cloudfront::1:distribution/E1" } or {}
        return output
      end }
    end
    calls.with("acm", in_use(math.huge), function()
      local run = world:apply(declare(zone, { "example.com" }), { destroy = true })
      assert.equal("CertificateInUse", run.result.failures[1].code)
      assert.matches("distribution/E1", run.result.failures[1].message)
      assert.equal(1, #proofs(zone)) -- it may still have to be renewed
    end)
    calls.with("acm", in_use(4), function()
      world:destroy(declare(zone, { "example.com" }))
    end)
    assert.same({}, certificates())
  end)

  it("is deleted although ACM says for a while that it is in use", function()
    local zone = make_zone "example.com"
    world:run(declare(zone, { "example.com" }))
    local delete, tries = calls.failing({ "ResourceInUseException", "in use", 400 },
      { "ConflictException", "busy", 400 })
    calls.with("acm", { DeleteCertificate = delete }, function()
      world:destroy(declare(zone, { "example.com" }))
    end)
    assert.equal(3, tries())
  end)

  it("is asked for where it is declared", function()
    assert.equal("us-east-1", declare(nil, { "example.com" }, {}, { region = "us-east-1" }, { region = "eu-west-1" })
      .resources.it.region)
  end)
end)

describe("a certificate that can never be issued", function()
  local function refused(code, declaration)
    local err, run = world:failure(declaration)
    assert.equal(code, err and err.code)
    assert.equal(0, #calls.params(run, "RequestCertificate"))
    return err
  end

  it("is refused where the zone above does not delegate to the zone, or to another one", function()
    local parent, zone = make_zone "example.com", make_zone "app.example.com"
    local err = refused("ZoneNotDelegated", declare(zone, { "app.example.com" }))
    assert.matches(zone.servers[1], err.hint, 1, true)
    put_record(parent, "app.example.com", "NS", { "ns1.example.net.", "ns2.example.net." })
    refused("ZoneNotDelegated", declare(zone, { "app.example.com" }))
    put_record(parent, "app.example.com", "NS", { zone.servers[1] .. ".", zone.servers[2] .. "." })
    world:run(declare(zone, { "app.example.com" }))
  end)

  it("is said to need a delegation where none can be seen, and not where one can", function()
    local function told(declaration)
      local texts = {}
      world:apply(declaration, { event = function(event)
        texts[#texts + 1] = event.lasting and event.text or nil
      end })
      return texts
    end
    local zone = make_zone "example.com"
    local texts = told(declare(zone, { "example.com", "www.example.com" }))
    assert.equal(1, #texts)
    assert.matches("example.com. must be delegated to " .. table.concat(zone.servers, ", "), texts[1], 1, true)
    local below = make_zone "app.example.com"
    put_record(zone, "app.example.com", "NS", below.servers)
    assert.same({}, told(declare(below, { "app.example.com" })))
  end)

  it("is refused where the domain is registered here with other name servers", function()
    local zone = make_zone "example.com"
    local send = Client.call
    function Client.call(client, service, ...) -- which is not simulated
      if service == "route53domains" then
        return { Nameservers = { { Name = "ns1.example.net" } } }
      end
      return send(client, service, ...)
    end
    finally(function()
      Client.call = send
    end)
    refused("ZoneNotDelegated", declare(zone, { "example.com" }))
    Client.call = send
    world:run(declare(zone, { "example.com" }))
  end)

  it("is refused where the zone delegates the domain further", function()
    local zone = make_zone "example.com"
    put_record(zone, "app.example.com", "NS", { "ns1.example.net." })
    refused("ZoneNotDelegated", declare(zone, { "www.app.example.com" }))
    world:run(declare(zone, { "www.example.com" }))
  end)

  it("is refused where the zone is not the domain's, is private, or is not there", function()
    local zone = make_zone "example.com"
    refused("WrongZone", declare(zone, { "example.org" }))
    calls.with("route53", { GetHostedZone = function(original, ctx, params)
      local output = original(ctx, params)
      output.HostedZone.Config = { PrivateZone = true }
      return output
    end }, function()
      refused("PrivateZone", declare(zone, { "example.com" }))
    end)
    refused("NoSuchHostedZone", declare({ id = "ZNONE" }, { "example.com" }))
  end)

  it("is refused where the nearest CAA record leaves Amazon out", function()
    local zone = make_zone "example.com"
    put_record(zone, "example.com", "CAA", { '0 issue "letsencrypt.org"' })
    refused("CertificateForbidden", declare(zone, { "www.example.com" }))
    put_record(zone, "www.example.com", "CAA", { '0 issue "amazontrust.com"', '0 issuewild ";"' })
    refused("CertificateForbidden", declare(zone, { "*.www.example.com" }))
    world:run(declare(zone, { "www.example.com" }))
  end)
end)
