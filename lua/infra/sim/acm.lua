-- The simulated Certificate Manager: certificates validated by DNS. Behaviour is that of its API reference. A
-- certificate is issued once the simulated Route 53 has its validation records in a zone of the domain.
--
-- Kept in the region's store: kind "certificate" by ARN: { arn, DomainName, SubjectAlternativeNames, created_at, token,
-- validated_at = when the records were first seen, tags }.

local crypto = require "host.crypto"
local arns = require "infra.sim.arns"
local paging = require "infra.sim.paging"
local records = require "infra.sim.route53.records"
local set_of = require "infra.set_of"
local tagging = require "infra.sim.tagging"

local acm = {}

local RECORDS_SECONDS <const> = 5 -- until the validation records are known
local ISSUE_SECONDS <const> = 60 -- from the records' being there
local TIMEOUT_SECONDS <const> = 72 * 3600
local TOKEN_SECONDS <const> = 3600

local function record_for(arn, domain)
  local plain = domain:gsub("^%*%.", "") -- an apex and its wildcard share a record
  local digest = crypto.hex(crypto.sha256(arn:match "^.-:%d+:" .. plain))
  return {
    Name = ("_%s.%s."):format(digest:sub(1, 32), plain), Type = "CNAME",
    Value = ("_%s.%s.acm-validations.aws."):format(digest:sub(33, 64), digest:sub(1, 10)),
  }
end

-- Looks whether all validation records are there, and remembers when that was first seen.
local function settle(ctx, certificate)
  if certificate.validated_at then
    return
  end
  for _, domain in ipairs(certificate.SubjectAlternativeNames) do
    local record = record_for(certificate.arn, domain)
    if not records.has_cname(ctx, record.Name, record.Value) then
      return
    end
  end
  certificate.validated_at = ctx.now()
  ctx.store:put("certificate", certificate.arn, certificate)
end

--- The status of a certificate at this time.
local function status_of(ctx, certificate)
  settle(ctx, certificate)
  local validated = certificate.validated_at
  if validated and ctx.now() - validated >= ISSUE_SECONDS then
    return "ISSUED"
  elseif not validated and ctx.now() - certificate.created_at >= TIMEOUT_SECONDS then
    return "VALIDATION_TIMED_OUT"
  end
  return "PENDING_VALIDATION"
end

local function find(ctx, arn)
  local certificate = ctx.store:get("certificate", arn)
  if not certificate then
    ctx:fail("ResourceNotFoundException", ("Could not find certificate %s."):format(arn), 400)
  end
  return certificate
end

--- Who uses a certificate: ARNs of distributions.
local function users(ctx, arn)
  local using = {}
  for _, distribution in ctx.sim.store:view("cloudfront", ctx.account):each("distribution") do
    local viewer = distribution.config.ViewerCertificate or {}
    if viewer.ACMCertificateArn == arn then
      using[#using + 1] = distribution.arn
    end
  end
  return using
end

local function render(ctx, certificate)
  local status = status_of(ctx, certificate)
  local options = {}
  for i, domain in ipairs(certificate.SubjectAlternativeNames) do
    options[i] = {
      DomainName = domain, ValidationDomain = domain, ValidationMethod = "DNS",
      ValidationStatus = status == "ISSUED" and "SUCCESS" or "PENDING_VALIDATION",
    }
    if ctx.now() - certificate.created_at >= RECORDS_SECONDS then
      options[i].ResourceRecord = record_for(certificate.arn, domain)
    end
  end
  return {
    CertificateArn = certificate.arn, DomainName = certificate.DomainName, Status = status, Type = "AMAZON_ISSUED",
    SubjectAlternativeNames = certificate.SubjectAlternativeNames, DomainValidationOptions = options,
    CreatedAt = certificate.created_at, KeyAlgorithm = certificate.KeyAlgorithm:gsub("_", "-", 1),
    InUseBy = users(ctx, certificate.arn), RenewalEligibility = status == "ISSUED" and "ELIGIBLE" or "INELIGIBLE",
    IssuedAt = status == "ISSUED" and certificate.validated_at + ISSUE_SECONDS or nil,
    Options = { CertificateTransparencyLoggingPreference = certificate.transparency },
  }
end

local function with_domain(domain, names)
  local list, seen = { domain }, { [domain] = true }
  for _, name in ipairs(names or {}) do
    name = name:lower()
    if not seen[name] then
      seen[name], list[#list + 1] = true, name
    end
  end
  return list
end

local TAG_RULES = {
  fail = function(ctx, code, message, ...) ctx:fail(code, message:format(...), 400) end,
  length = { "InvalidTagException", "Tag keys have 1 to 128 characters, values up to 256." },
  reserved = { "InvalidTagException", "Tag keys starting with aws: are reserved." },
  number = { "TooManyTagsException", "A certificate can have up to %d tags." },
}

function acm.RequestCertificate(ctx, params)
  local domain = params.DomainName:lower()
  if not domain:find "^[%w*][%w.*-]*%.[%w-]+$" then
    ctx:fail("InvalidDomainValidationOptionsException", ("The domain name %s is not valid."):format(domain), 400)
  end
  local names = with_domain(domain, params.SubjectAlternativeNames)
  for _, certificate in ctx.store:each("certificate") do
    if params.IdempotencyToken and certificate.token == params.IdempotencyToken
      and certificate.DomainName == domain and ctx.now() - certificate.created_at < TOKEN_SECONDS then
      return { CertificateArn = certificate.arn }
    end
  end
  local arn = arns.of(ctx, "acm", "certificate/" .. ctx.uuid())
  ctx.store:put("certificate", arn, {
    arn = arn, DomainName = domain, SubjectAlternativeNames = names, created_at = ctx.now(),
    token = params.IdempotencyToken, KeyAlgorithm = params.KeyAlgorithm or "RSA_2048",
    transparency = (params.Options or {}).CertificateTransparencyLoggingPreference or "ENABLED",
    tags = tagging.checked(ctx, {}, params.Tags, TAG_RULES),
  })
  return { CertificateArn = arn }
end

function acm.DescribeCertificate(ctx, params)
  if ctx:fresh("certificate", params.CertificateArn) then
    ctx:fail("ResourceNotFoundException", ("Could not find certificate %s."):format(params.CertificateArn), 400)
  end
  return { Certificate = render(ctx, find(ctx, params.CertificateArn)) }
end

function acm.ListCertificates(ctx, params)
  local list, wanted = {}, set_of(params.CertificateStatuses)
  local shown = set_of((params.Includes or {}).keyTypes or { "RSA_1024", "RSA_2048" }) -- others only when asked for
  for arn, certificate in ctx.store:each("certificate") do
    if (next(wanted) == nil or wanted[status_of(ctx, certificate)]) and shown[certificate.KeyAlgorithm] then
      list[#list + 1] = { CertificateArn = arn, DomainName = certificate.DomainName }
    end
  end
  local page, token = paging.page(ctx, list, function(item) return item.CertificateArn end, params.NextToken,
    params.MaxItems or 1000)
  if not page then
    ctx:fail("InvalidArgsException", "The token is not valid.", 400)
  end
  return { CertificateSummaryList = page, NextToken = token }
end

function acm.UpdateCertificateOptions(ctx, params)
  local certificate = find(ctx, params.CertificateArn)
  certificate.transparency = params.Options.CertificateTransparencyLoggingPreference or certificate.transparency
  ctx.store:put("certificate", certificate.arn, certificate)
  return {}
end

function acm.DeleteCertificate(ctx, params)
  local certificate = find(ctx, params.CertificateArn)
  if #users(ctx, certificate.arn) > 0 then
    ctx:fail("ResourceInUseException", ("Certificate %s is in use."):format(certificate.arn), 400)
  end
  ctx.store:delete("certificate", certificate.arn)
  return {}
end

function acm.AddTagsToCertificate(ctx, params)
  local certificate = find(ctx, params.CertificateArn)
  certificate.tags = tagging.checked(ctx, certificate.tags, params.Tags, TAG_RULES)
  ctx.store:put("certificate", certificate.arn, certificate)
  return {}
end

function acm.RemoveTagsFromCertificate(ctx, params)
  local certificate = find(ctx, params.CertificateArn)
  for _, tag in ipairs(params.Tags) do
    if tag.Value == nil or certificate.tags[tag.Key] == tag.Value then
      certificate.tags[tag.Key] = nil
    end
  end
  ctx.store:put("certificate", certificate.arn, certificate)
  return {}
end

function acm.ListTagsForCertificate(ctx, params)
  return { Tags = tagging.list(find(ctx, params.CertificateArn).tags) }
end

acm.tagged = { certificate = tagging.with_arn "arn" }

return acm
