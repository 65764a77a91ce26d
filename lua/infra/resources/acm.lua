-- Certificates of the AWS Certificate Manager. The vocabulary is in handler/schema.lua.
--
-- A certificate whose DomainValidationOptions name hosted zones proves by itself that the domains are its own
-- (acm_validation.lua), after having looked whether that can work at all (acm_delegation.lua). One without needs a
-- person, who is told what to enter where. CloudFront takes certificates of us-east-1 only: { region = "us-east-1" }.

local delegation = require "infra.resources.acm_delegation"
local json = require "host.json"
local merged = require "infra.merged"
local validation = require "infra.resources.acm_validation"

-- "RSA-2048" in answers is "RSA_2048" in requests.
local function key_algorithm(value)
  return (value:gsub("%-", "_"))
end

-- One option for each domain, in whatever order they are given.
local function by_domain(options)
  local result = {}
  for _, option in ipairs(options) do
    local name = (option.DomainName or ""):lower()
    result[name] = merged(option, { DomainName = name })
  end
  return result
end

-- The names without the certificate's own, which AWS adds.
local function further_names(names, siblings)
  local own, result = (siblings.DomainName or ""):lower(), json.array {}
  for _, name in ipairs(names) do
    if name:lower() ~= own then
      result[#result + 1] = name:lower()
    end
  end
  table.sort(result)
  return result
end

-- ACM has no place for hosted zones; of the options it takes those that say who gets mail.
local function encode(params, scope)
  for _, option in ipairs(scope.DomainValidationOptions or {}) do
    if option.ValidationDomain then
      params.DomainValidationOptions = params.DomainValidationOptions or json.array {}
      table.insert(params.DomainValidationOptions,
        { DomainName = option.DomainName, ValidationDomain = option.ValidationDomain })
    elseif option.HostedZoneId then
      params.ValidationMethod = params.ValidationMethod or "DNS"
    end
  end
end

return {
  ["AWS::CertificateManager::Certificate"] = {
    service = "acm",
    identity = { "CertificateArn" },
    typical = { create = 90, delete = 2 },
    retry = { { "ConflictException", 60 }, { "RequestInProgressException", 60 } },
    defaults = {
      KeyAlgorithm = "RSA_2048", CertificateTransparencyLoggingPreference = "ENABLED",
      SubjectAlternativeNames = json.array {},
    },
    canonical = {
      DomainName = string.lower, SubjectAlternativeNames = further_names, KeyAlgorithm = key_algorithm,
      DomainValidationOptions = by_domain,
    },
    create_first = true, -- what uses it needs one at any time
    create = {
      "RequestCertificate",
      send = {
        "DomainName", "SubjectAlternativeNames", "ValidationMethod", "KeyAlgorithm", "CertificateAuthorityArn",
        "CertificateTransparencyLoggingPreference=Options.CertificateTransparencyLoggingPreference",
        "@token=IdempotencyToken",
      },
      covers = { "DomainValidationOptions" }, encode = encode, before = delegation.check, idempotent = true,
    },
    -- The token is remembered for an hour; later only the ownership tag tells.
    find = {
      "ListCertificates", list = "CertificateSummaryList", next = "NextToken", same = { "DomainName" },
      with = validation.ALL_KEY_TYPES, id = { "CertificateArn" },
    },
    read = {
      "DescribeCertificate", send = { "CertificateArn" }, item = "Certificate",
      map = {
        "CertificateArn", "DomainName", "SubjectAlternativeNames", "KeyAlgorithm", "CertificateAuthorityArn",
        "CertificateTransparencyLoggingPreference=Options.CertificateTransparencyLoggingPreference",
        "ValidationMethod=DomainValidationOptions[1].ValidationMethod",
      },
    },
    state = {
      path = "Status", ready = { "ISSUED" }, failed = { "FAILED", "VALIDATION_TIMED_OUT", "REVOKED", "EXPIRED" },
      message = "FailureReason", limit = 4500, prepare = validation.prove,
      explain = {
        CAA_ERROR = "a CAA record of the domain, or of one above it, does not let Amazon issue certificates: add " ..
          "0 issue \"amazon.com\"",
        NO_AVAILABLE_CONTACTS = "nobody can be asked by e-mail whether the certificate is wanted: use DNS validation",
        DOMAIN_NOT_ALLOWED = "the domain is on a list of unsafe domains: ask AWS Support",
        INVALID_PUBLIC_DOMAIN = "there is no such public domain",
      },
    },
    facets = {
      {
        properties = { "CertificateTransparencyLoggingPreference" },
        write = {
          "UpdateCertificateOptions",
          send = {
            "CertificateArn",
            "CertificateTransparencyLoggingPreference=Options.CertificateTransparencyLoggingPreference",
          },
        },
      },
    },
    tags = {
      arn = "CertificateArn",
      form = "list", create = "Tags",
      set = { "AddTagsToCertificate", send = { "CertificateArn" }, tags = "Tags" },
      unset = { "RemoveTagsFromCertificate", send = { "CertificateArn" }, keys = "Tags", form = "list" },
      read = { "ListTagsForCertificate", send = { "CertificateArn" }, list = "Tags" },
    },
    -- A distribution that let go of it counts as a user for a while.
    delete = {
      "DeleteCertificate", send = { "CertificateArn" }, before = validation.release,
      retry = { { "ResourceInUseException", 300 } },
    },
    gone = { "ResourceNotFoundException" },
  },
}
