-- CloudFormation's structures <-> the API's, on types whose models differ in every way that there is.

local form = require "infra.handler.form"
local json = require "host.json"
local models = require "infra.models"
local reference = require "infra.engine.reference"

local function of(type_name, service, call, field, rules)
  return form.of({ service = service, create = { call, send = { field } }, form = rules or {} },
    assert(models.type(type_name)))
end

local function distribution(rules)
  return of("AWS::CloudFront::Distribution", "cloudfront", "CreateDistributionWithTags",
    "DistributionConfig=DistributionConfigWithTags.DistributionConfig", rules)
end

local function record()
  return of("AWS::Route53::RecordSet", "route53", "ChangeResourceRecordSets",
    "ResourceRecords=ChangeBatch.Changes[].ResourceRecordSet.ResourceRecords")
end

-- That a value becomes what the API has, and comes back as it was.
local function both_ways(forms, name, value, api)
  assert.same(api, forms:encode(name, value))
  assert.same(value, forms:decode(name, api))
end

-- The same for a part of a distribution's configuration.
local function part_both_ways(value, api, rules)
  value.Comment, api.Comment = "", "" -- which the API requires
  both_ways(distribution(rules), "DistributionConfig", value, api)
end

describe("the form of a property", function()
  it("is left alone where the spec has none, or no call sends it", function()
    assert.is_nil(form.of({ service = "cloudfront", create = {} }, {}))
    assert.equal("x", record():encode("Name", "x"))
  end)

  it("wraps lists with their length, and leaves out the items of empty ones", function()
    part_both_ways({ Aliases = json.array { "b", "a" } }, { Aliases = { Quantity = 2, Items = { "b", "a" } } })
    part_both_ways({ Aliases = json.array {} }, { Aliases = { Quantity = 0 } })
  end)

  it("counts what CloudFormation has as a list of its own", function()
    part_both_ways(
      { Restrictions = { GeoRestriction = { RestrictionType = "whitelist", Locations = json.array { "AL", "DE" } } } },
      { Restrictions = { GeoRestriction = { RestrictionType = "whitelist", Quantity = 2, Items = { "AL", "DE" } } } },
      { names = { GeoRestriction = { "Locations=Items" } } })
  end)

  it("puts a value into the only member of a structure", function()
    both_ways(record(), "ResourceRecords", json.array { "192.0.2.1" }, { { Value = "192.0.2.1" } })
  end)

  it("finds members whose names differ in case, and those that stand elsewhere", function()
    part_both_ways({
      ViewerCertificate = { AcmCertificateArn = "arn", SslSupportMethod = "sni-only" },
      DefaultCacheBehavior = { AllowedMethods = json.array { "GET", "HEAD" }, CachedMethods = json.array { "GET" } },
    }, {
      ViewerCertificate = { ACMCertificateArn = "arn", SSLSupportMethod = "sni-only" },
      DefaultCacheBehavior = { AllowedMethods = {
        Quantity = 2, Items = { "GET", "HEAD" }, CachedMethods = { Quantity = 1, Items = { "GET" } },
      } },
    }, { names = { DefaultCacheBehavior = { "CachedMethods=AllowedMethods.CachedMethods" } } })
  end)

  it("makes texts of numbers where the API has texts, and numbers of texts again", function()
    part_both_ways({ CustomErrorResponses = json.array { { ErrorCode = 404, ResponseCode = 200 } } },
      { CustomErrorResponses = { Quantity = 1, Items = { { ErrorCode = 404, ResponseCode = "200" } } } })
    local sent = distribution():encode("DistributionConfig", { Enabled = "false", CustomErrorResponses = {
      { ErrorCode = "404" } } })
    assert.same({ false, 404 }, { sent.Enabled, sent.CustomErrorResponses.Items[1].ErrorCode })
  end)

  it("fills in what the API requires and CloudFormation has a default for", function()
    local origin = { Id = "a", DomainName = "b", CustomOriginConfig = { OriginProtocolPolicy = "https-only" } }
    local sent = distribution():encode("DistributionConfig", { Origins = { origin } })
    assert.equal("", sent.Comment)
    assert.same({ OriginProtocolPolicy = "https-only", HTTPPort = 80, HTTPSPort = 443 },
      sent.Origins.Items[1].CustomOriginConfig)
  end)

  it("says with a switch of the API's that a structure is there", function()
    local logging = distribution():encode("DistributionConfig", { Logging = { Bucket = "logs" } }).Logging
    assert.same({ Enabled = true, Bucket = "logs", IncludeCookies = false, Prefix = "" }, logging)
    local off = { Logging = { Enabled = false, Bucket = "", IncludeCookies = false, Prefix = "" } }
    assert.same({}, distribution():decode("DistributionConfig", off))
  end)

  it("sends empty lists and switches that are off where the call wants everything", function()
    local sent = distribution { complete = true }:encode("DistributionConfig", { DefaultCacheBehavior = {} })
    assert.same({ Quantity = 0 }, sent.Aliases)
    assert.same({ Enabled = false, Bucket = "", IncludeCookies = false, Prefix = "" }, sent.Logging)
    assert.same({ Enabled = false, Quantity = 0 }, sent.DefaultCacheBehavior.TrustedKeyGroups)
    assert.is_nil(sent.DefaultCacheBehavior.AllowedMethods) -- an empty one means nothing
    assert.is_nil(sent.Restrictions)
  end)

  it("sends and compares what is not set as what it means", function()
    local forms = distribution { fill = { DistributionConfig = { PriceClass = "PriceClass_All" } } }
    assert.equal("PriceClass_All", forms:encode("DistributionConfig", {}).PriceClass)
    assert.same({ PriceClass = "PriceClass_All" }, forms:canonical("DistributionConfig", {}))
    assert.same({ PriceClass = "x" }, forms:canonical("DistributionConfig", { PriceClass = "x" }))
  end)

  it("compares wrapped lists as sets, except those that have an order", function()
    local rules = { ordered = { "DistributionConfig.CacheBehaviors" }, lower = { "DistributionConfig.Aliases" } }
    local value = {
      Aliases = { "B", "a" }, CacheBehaviors = { { PathPattern = "/b" }, { PathPattern = "/a" } },
      Origins = { { Id = "b", DomainName = "x", OriginPath = "" }, { Id = "a", DomainName = "y" } },
    }
    local comparable = distribution(rules):canonical("DistributionConfig", value)
    assert.same({ "a", "b" }, comparable.Aliases)
    assert.equal("/b", comparable.CacheBehaviors[1].PathPattern)
    assert.equal("b", comparable.Origins[1].Id) -- by what AWS requires of them: what it adds changes no order
  end)

  it("leaves what is not known yet as it is", function()
    local unknown = reference.unknown("a", "B")
    local comparable = distribution():canonical("DistributionConfig", { Origins = { unknown }, Comment = unknown })
    assert.same({ unknown, unknown }, { comparable.Origins[1], comparable.Comment })
    assert.equal(unknown, distribution():canonical("DistributionConfig", unknown))
  end)

  it("reports members that the API does not know, with their place", function()
    local faults = {}
    distribution():check("DistributionConfig", {
      ViewerMtlsConfig = {}, Origins = { { Id = "a", VpcOriginConfig = {} } }, Comment = "",
    }, function(where, message)
      faults[#faults + 1] = where .. " " .. message:match "'%w+'"
    end)
    assert.same({ "DistributionConfig.Origins[1] 'VpcOriginConfig'", "DistributionConfig 'ViewerMtlsConfig'" }, faults)
  end)

  it("goes through structures that contain themselves", function()
    local acl = of("AWS::WAFv2::WebACL", "wafv2", "CreateWebACL", "Rules")
    local function nested(arn)
      local inner = { IPSetReferenceStatement = { [arn] = "arn" } }
      return { { Name = "r", Statement = { NotStatement = { Statement = inner } } } }
    end
    both_ways(acl, "Rules", json.array(nested "Arn"), nested "ARN")
  end)
end)
