-- Where visitors arrive: the frontend's bucket, and CloudFront in front of it and of the API, with a firewall, a
-- certificate and the names in the DNS.
--
--   local edge = stack:layer("edge", { domain = "app.example.com", api_endpoint = api_host, api_path = "/staging" })
--
-- Without a domain the distribution answers under CloudFront's own name; without an API it serves the frontend only.
-- Returns { bucket, replica (a bucket), distribution, web_acl, certificate, zone (where it is made here), zone_id,
-- domain (the host name to visit) }.

local infra = require "infra"
local joined = require "infra.joined"
local json = require "host.json"
local modules = require "host.modules"

local bucket = require "infra.layers.bucket"
local policy = require "infra.layers.policy"
local replication = require "infra.layers.edge.replication"
local web_acl = require "infra.layers.edge.web_acl"

local edge = {
  options = {
    domain = infra.optional("string", "the application's host name"),
    aliases = infra.default({}, "further host names, in the same hosted zone"),
    zone = infra.one_of({ "lookup", "create" }, "whether the hosted zone is there, to be found by name, or made"),
    zone_id = infra.optional("string", "the hosted zone, where its name does not say which"),
    protect_zone = infra.default(true, "whether a zone that is made here is kept from deletion: its name servers, " ..
      "which are entered elsewhere, never come back"),
    api_endpoint = infra.optional("string", "host name of the API, as in ID.execute-api.REGION.amazonaws.com"),
    api_path = infra.default("", "what the API has before every path, such as its stage: \"/staging\""),
    api_paths = infra.default({ "/api/*", "/health/*", "/Register/*", "/login/*", "/logout/*", "/admin/*" },
      "paths that go to the API, the first match counts"),
    single_page = infra.default(true, "whether paths that name no file are served by index.html"),
    price_class = infra.default("PriceClass_All", "which edge locations serve: PriceClass_All, _200 or _100"),
    http_version = infra.default("http2and3", "the newest HTTP that is spoken to visitors"),
    tls = infra.default("TLSv1.2_2021", "the oldest TLS that is spoken to visitors, where there is a domain"),
    log_bucket = infra.optional("string", "domain name of the bucket for access logs; none by default"),
    replica_region = infra.optional("string", "another region, where the frontend's files are copied to and served " ..
      "from while the bucket in the stack's own does not answer"),
    health_path = infra.default("/health/", "the path that the firewall never blocks"),
    rate_limit = infra.default(2000, "requests of one address in five minutes until it is blocked"),
    blocked_addresses = infra.default({}, "ranges that are blocked: \"192.0.2.0/24\", \"2001:db8::/32\""),
    bad_agents = infra.default({
      "sqlmap", "nikto", "nmap", "masscan", "zgrab", "gobuster", "dirbuster", "wpscan", "acunetix", "nessus",
    }, "parts of User-Agent headers that are blocked"),
    max_body = infra.default(16384, "bytes of a request's body until it is blocked, 65536 at most"),
    max_uri = infra.default(2048, "bytes of a path until it is blocked"),
    max_query = infra.default(4096, "bytes of a query until it is blocked"),
  },
}

-- AWS's own policies, the same in every account ("Use managed cache policies", "Use managed origin request policies" in
-- the CloudFront guide). API Gateway knows its API by the Host header, so the visitor's must not reach it.
local CACHING_OPTIMIZED <const> = "658327ea-f89d-4fab-a63d-7e88639e58f6"
local CACHING_DISABLED <const> = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
local ALL_VIEWER_EXCEPT_HOST <const> = "b689b0a8-53d0-40ab-baf2-68738e2966ac"

-- The hosted zone that every alias to CloudFront names.
local CLOUDFRONT_ZONE <const> = "Z2FDTNDATAQYW2"

local ALL_METHODS = { "GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE" }

local function names_of(options)
  return options.domain and joined({ options.domain }, options.aliases) or {}
end

-- The hosted zone's id, and the zone when it is made here.
local function hosted_zone(stack, options)
  if options.zone_id then
    return options.zone_id
  elseif options.zone == "create" then
    local made = stack:resource("AWS::Route53::HostedZone", "zone", { Name = options.domain },
      { protect = options.protect_zone })
    return made.Id, made
  end
  return stack:resource("Infra::HostedZone", "zone", { DomainName = options.domain }).Id
end

local function certificate(stack, names, zone)
  local validation = {}
  for i, name in ipairs(names) do
    validation[i] = { DomainName = name, HostedZoneId = zone }
  end
  return stack:resource("AWS::CertificateManager::Certificate", "certificate", {
    DomainName = names[1], SubjectAlternativeNames = json.array { table.unpack(names, 2) }, ValidationMethod = "DNS",
    DomainValidationOptions = validation,
  }, { region = "us-east-1" })
end

local function router(stack)
  local source = assert(modules.text "infra.layers.edge.spa_router")
  return stack:resource("AWS::CloudFront::Function", "spa-router", {
    FunctionCode = source, AutoPublish = true,
    FunctionConfig = { Comment = "the single-page application's routes", Runtime = "cloudfront-js-2.0" },
  })
end

-- What the frontend is served by: its bucket, or that and its replica.
local FRONTEND <const>, REPLICA <const>, EITHER <const> = "frontend", "replica", "frontend-or-replica"

local function frontend_behaviour(stack, options)
  local associations = json.array {}
  if options.single_page then
    associations[1] = { EventType = "viewer-request", FunctionARN = router(stack).FunctionARN }
  end
  return {
    TargetOriginId = options.replica_region and EITHER or FRONTEND, ViewerProtocolPolicy = "redirect-to-https",
    Compress = true, CachePolicyId = CACHING_OPTIMIZED, FunctionAssociations = associations,
  }
end

local function api_behaviours(options)
  local behaviours = json.array {}
  for i, pattern in ipairs(options.api_endpoint and options.api_paths or {}) do
    behaviours[i] = {
      PathPattern = pattern, TargetOriginId = "api", ViewerProtocolPolicy = "redirect-to-https", Compress = true,
      AllowedMethods = ALL_METHODS, CachePolicyId = CACHING_DISABLED, OriginRequestPolicyId = ALL_VIEWER_EXCEPT_HOST,
    }
  end
  return behaviours
end

local function bucket_origin(id, from, access)
  return {
    Id = id, OriginAccessControlId = access.Id, S3OriginConfig = { OriginAccessIdentity = "" },
    DomainName = from.RegionalDomainName, -- a new bucket's global name redirects for hours
  }
end

-- `buckets`: { frontend, replica (nil without one) }.
local function origins(stack, options, buckets)
  local access = stack:resource("AWS::CloudFront::OriginAccessControl", "frontend-access", {
    OriginAccessControlConfig = {
      Name = stack.name .. "-frontend", OriginAccessControlOriginType = "s3", SigningBehavior = "always",
      SigningProtocol = "sigv4",
    },
  })
  local result = { bucket_origin(FRONTEND, buckets.frontend, access) }
  if buckets.replica then
    result[1].ConnectionAttempts, result[1].ConnectionTimeout = 1, 5 -- seconds that visitors wait for the replica
    result[2] = bucket_origin(REPLICA, buckets.replica, access)
  end
  if options.api_endpoint then
    result[#result + 1] = {
      Id = "api", DomainName = options.api_endpoint, OriginPath = options.api_path,
      CustomOriginConfig = { OriginProtocolPolicy = "https-only", OriginSSLProtocols = { "TLSv1.2" } },
    }
  end
  return result
end

local function quantified(items)
  return { Quantity = #items, Items = items }
end

-- The edges fail over by themselves, request by request: neither a person nor AWS's API is needed. CloudFront does so
-- for GET, HEAD and OPTIONS only, so the API cannot be in such a group (Infra::CloudFront::OriginSwitch moves it).
local function origin_groups(buckets)
  return buckets.replica and quantified {
    {
      Id = EITHER, FailoverCriteria = { StatusCodes = quantified { 500, 502, 503, 504 } },
      Members = quantified { { OriginId = FRONTEND }, { OriginId = REPLICA } },
    },
  } or nil
end

local function distribution(stack, options, buckets, parts)
  return stack:resource("AWS::CloudFront::Distribution", "distribution", {
    DistributionConfig = {
      Enabled = true, Comment = stack.name, Aliases = json.array(names_of(options)), DefaultRootObject = "index.html",
      HttpVersion = options.http_version, IPV6Enabled = true, PriceClass = options.price_class,
      Origins = origins(stack, options, buckets), OriginGroups = origin_groups(buckets),
      DefaultCacheBehavior = frontend_behaviour(stack, options),
      CacheBehaviors = api_behaviours(options), WebACLId = parts.web_acl.Arn,
      Logging = options.log_bucket and { Bucket = options.log_bucket, Prefix = stack.name .. "/" } or nil,
      ViewerCertificate = parts.certificate and {
        AcmCertificateArn = parts.certificate.CertificateArn, SslSupportMethod = "sni-only",
        MinimumProtocolVersion = options.tls,
      } or { CloudFrontDefaultCertificate = true },
    },
  })
end

-- Only this distribution reads the bucket; nobody else does, and nobody lists it.
local function readable_by(stack, what, reader)
  local arn = "arn:" .. stack.partition .. ":cloudfront::" .. stack.account .. ":distribution/" .. reader.Id
  local statement = policy.allow("CloudFront", { "s3:GetObject" }, { what.Arn .. "/*" }, {
    condition = { StringEquals = { ["AWS:SourceArn"] = arn } },
  })
  statement.Principal = { Service = "cloudfront.amazonaws.com" }
  return statement
end

local function alias_records(stack, options, zone, target)
  for i, name in ipairs(names_of(options)) do
    for _, kind in ipairs { "A", "AAAA" } do
      stack:resource("AWS::Route53::RecordSet", ("alias-%s%s"):format(kind:lower(), i > 1 and "-" .. i or ""), {
        HostedZoneId = zone, Name = name, Type = kind,
        AliasTarget = { DNSName = target.DomainName, HostedZoneId = CLOUDFRONT_ZONE, EvaluateTargetHealth = false },
      })
    end
  end
end

-- Declares the frontend's bucket and who reads it and its replica (nil without one): the distribution.
local function frontend(stack, options, parts, replica)
  local name = stack.name .. "-frontend"
  local extra = replica and { ReplicationConfiguration = replication(stack, name, replica) }
  parts.bucket = bucket(stack, "frontend", name, extra, function(made)
    parts.distribution = distribution(stack, options, { frontend = made, replica = replica }, parts)
    return { readable_by(stack, made, parts.distribution) }
  end)
end

function edge.build(stack, options)
  local parts = { web_acl = web_acl(stack, options), domain = options.domain }
  if options.domain then
    parts.zone_id, parts.zone = hosted_zone(stack, options)
    parts.certificate = certificate(stack, names_of(options), parts.zone_id)
  end
  if options.replica_region then
    parts.replica = bucket(stack, "replica", stack.name .. "-frontend-replica", nil, function(replica)
      frontend(stack, options, parts, replica)
      return { readable_by(stack, replica, parts.distribution) }
    end, { region = options.replica_region })
  else
    frontend(stack, options, parts)
  end
  alias_records(stack, options, parts.zone_id, parts.distribution)
  parts.domain = parts.domain or parts.distribution.DomainName
  return parts
end

return edge
