-- What CloudFront fills into a distribution's configuration by itself, and the policies that are AWS's own. Used by the
-- other files of this folder. Facts are from the API reference and the developer guide.

local merged = require "infra.merged"

local defaults = {}

--- Ids of AWS's managed policies -> kind and name.
defaults.MANAGED = {
  ["658327ea-f89d-4fab-a63d-7e88639e58f6"] = { "cache", "Managed-CachingOptimized" },
  ["4135ea2d-6df8-44a3-9df3-4b5a84be39ad"] = { "cache", "Managed-CachingDisabled" },
  ["b2884449-e4de-46a7-ac36-70bc7f1ddd6d"] = { "cache", "Managed-CachingOptimizedForUncompressedObjects" },
  ["216adef6-5c7f-47e4-b989-5492eafa07d3"] = { "origin-request", "Managed-AllViewer" },
  ["b689b0a8-53d0-40ab-baf2-68738e2966ac"] = { "origin-request", "Managed-AllViewerExceptHostHeader" },
  ["88a5eaf4-2fd4-4709-b370-b4c650ea3fcf"] = { "origin-request", "Managed-CORS-S3Origin" },
  ["67f7725c-6f97-4210-82d7-5512b31e9d03"] = { "response-headers", "Managed-SecurityHeadersPolicy" },
  ["60669652-455b-4ae9-85a4-c4c02393f86c"] = { "response-headers", "Managed-SimpleCORS" },
  ["5cc3b908-e619-4b99-88e5-2cf7f45965bd"] = { "response-headers", "Managed-CORS-With-Preflight" },
}

local NONE = { Quantity = 0 }

local CONFIG = {
  Aliases = NONE, DefaultRootObject = "", OriginGroups = NONE, CacheBehaviors = NONE, CustomErrorResponses = NONE,
  PriceClass = "PriceClass_All", WebACLId = "", HttpVersion = "http2", IsIPV6Enabled = false, Staging = false,
  ContinuousDeploymentPolicyId = "",
  Logging = { Enabled = false, IncludeCookies = false, Bucket = "", Prefix = "" },
  Restrictions = { GeoRestriction = { RestrictionType = "none", Quantity = 0 } },
  ViewerCertificate = { CloudFrontDefaultCertificate = true, MinimumProtocolVersion = "TLSv1",
    CertificateSource = "cloudfront", SSLSupportMethod = "vip" },
}

local BEHAVIOUR = {
  Compress = false, SmoothStreaming = false, FieldLevelEncryptionId = "",
  TrustedSigners = { Enabled = false, Quantity = 0 }, TrustedKeyGroups = { Enabled = false, Quantity = 0 },
  LambdaFunctionAssociations = NONE, FunctionAssociations = NONE, GrpcConfig = { Enabled = false },
  AllowedMethods = { Quantity = 2, Items = { "HEAD", "GET" }, CachedMethods = { Quantity = 2,
    Items = { "HEAD", "GET" } } },
}

local ORIGIN = {
  OriginPath = "", CustomHeaders = NONE, ConnectionAttempts = 3, ConnectionTimeout = 10,
  OriginShield = { Enabled = false }, OriginAccessControlId = "",
}

local CUSTOM_ORIGIN = { OriginReadTimeout = 30, OriginKeepaliveTimeout = 5, HTTPPort = 80, HTTPSPort = 443 }

local function map(list, fn)
  local result = {}
  for i, item in ipairs(list or {}) do
    result[i] = fn(item)
  end
  return result
end

local function origin(value)
  local result = merged(ORIGIN, value)
  if value.CustomOriginConfig then
    result.CustomOriginConfig = merged(CUSTOM_ORIGIN, value.CustomOriginConfig)
  end
  return result
end

local function behaviour(value)
  return merged(BEHAVIOUR, value)
end

--- The configuration as GetDistribution shows it.
function defaults.complete(config)
  local result = merged(CONFIG, config)
  result.Origins = merged(config.Origins, { Items = map(config.Origins.Items, origin) })
  result.DefaultCacheBehavior = behaviour(config.DefaultCacheBehavior)
  if config.CacheBehaviors and config.CacheBehaviors.Items then
    result.CacheBehaviors = merged(config.CacheBehaviors, { Items = map(config.CacheBehaviors.Items, behaviour) })
  end
  local certificate = result.ViewerCertificate
  if certificate.ACMCertificateArn then -- told twice, the old way too
    result.ViewerCertificate = merged({ Certificate = certificate.ACMCertificateArn,
      CertificateSource = "acm", CloudFrontDefaultCertificate = false }, certificate)
  end
  return result
end

return defaults
