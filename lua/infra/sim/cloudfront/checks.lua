-- What the simulated CloudFront checks of a distribution's configuration. Used by distributions.lua.

local defaults = require "infra.sim.cloudfront.defaults"

local checks = {}

--- Fails where a Quantity is not the number of its Items.
function checks.quantities(ctx, value)
  for _, inner in pairs(value) do
    if type(inner) == "table" then
      if inner.Quantity and inner.Quantity ~= #(inner.Items or {}) then
        ctx:fail("InconsistentQuantities", "The value of Quantity and the size of Items don't match.", 400)
      end
      checks.quantities(ctx, inner)
    end
  end
end

local function covers(names, alias)
  for _, name in ipairs(names) do
    if name == alias or name:sub(1, 2) == "*." and name:sub(2) == alias:match "^[^.]+(.*)$" then
      return true
    end
  end
  return false
end

local function check_certificate(ctx, config)
  local arn = (config.ViewerCertificate or {}).ACMCertificateArn
  local aliases = (config.Aliases or {}).Items or {}
  if not arn then
    if #aliases > 0 then
      ctx:fail("InvalidViewerCertificate", "To add an alternate domain name (CNAME) to a CloudFront distribution, " ..
        "you must attach a trusted certificate.", 400)
    end
    return
  end
  local certificate = arn:find(":us-east-1:", 1, true) and ctx:of("acm", "us-east-1"):get("certificate", arn)
  local issued = certificate and certificate.validated_at and ctx.now() >= certificate.validated_at + 60
  if not issued then
    ctx:fail("InvalidViewerCertificate", "The specified SSL certificate doesn't exist, isn't in us-east-1 region, " ..
      "isn't valid, or doesn't include a valid certificate chain.", 400)
  end
  for _, alias in ipairs(aliases) do
    if not covers(certificate.SubjectAlternativeNames, alias) then
      ctx:fail("InvalidViewerCertificate", "The certificate that is attached to your distribution doesn't cover the " ..
        "alternate domain name (CNAME) that you're trying to add.", 400)
    end
  end
end

local function check_acl(ctx, config)
  local arn = config.WebACLId or ""
  if arn == "" then
    return
  end
  for _, acl in ctx:of("wafv2", "us-east-1"):each("WebACL") do
    if acl.ARN == arn and acl.scope == "CLOUDFRONT" then
      return
    end
  end
  ctx:fail("InvalidWebACLId", "Web ACL is not accessible by the requester.", 400)
end

local POLICIES = {
  CachePolicyId = { "cache", "NoSuchCachePolicy" },
  OriginRequestPolicyId = { "origin-request", "NoSuchOriginRequestPolicy" },
  ResponseHeadersPolicyId = { "response-headers", "NoSuchResponseHeadersPolicy" },
}

-- CloudFront answers from a group's second origin what can be asked twice, and nothing else.
local IN_GROUPS = { GET = true, HEAD = true, OPTIONS = true }

local function check_group(ctx, group, targets)
  local members = group.Members.Items or {}
  if #members ~= 2 then
    ctx:fail("InvalidArgument", "The parameter Members must contain exactly 2 origins.", 400)
  end
  for _, member in ipairs(members) do
    if not targets[member.OriginId] then
      ctx:fail("NoSuchOrigin", "One or more of your origins or origin groups do not exist.", 404)
    end
  end
  targets[group.Id] = "group"
end

-- `targets`: id -> "origin" or "group".
local function check_target(ctx, behaviour, targets)
  local target = targets[behaviour.TargetOriginId]
  if not target then
    ctx:fail("NoSuchOrigin", "One or more of your origins or origin groups do not exist.", 404)
  end
  for _, method in ipairs(target == "group" and (behaviour.AllowedMethods or {}).Items or {}) do
    if not IN_GROUPS[method] then
      ctx:fail("InvalidArgument", "The parameter AllowedMethods cannot include POST, PUT, PATCH, or DELETE for a " ..
        "cached behavior associated with an origin group.", 400)
    end
  end
end

local function check_behaviour(ctx, behaviour, targets)
  check_target(ctx, behaviour, targets)
  if (behaviour.CachePolicyId == nil) == (behaviour.ForwardedValues == nil) then
    ctx:fail("InvalidArgument", "The parameter ForwardedValues cannot be used when a cache policy is associated to " ..
      "the cache behavior, and one of them is required.", 400)
  end
  for member, policy in pairs(POLICIES) do
    local id = behaviour[member]
    if id and not (defaults.MANAGED[id] or ctx.global:get("policy/" .. policy[1], id)) then
      ctx:fail(policy[2], "The policy does not exist.", 404)
    end
  end
  for _, association in ipairs((behaviour.FunctionAssociations or {}).Items or {}) do
    local fn = ctx.global:get("function", association.FunctionARN:match "[^/]+$")
    if not (fn and fn.live) then
      ctx:fail("InvalidFunctionAssociation", "A CloudFront function association is invalid: it is not published.", 400)
    end
  end
end

--- Fails unless `config`, of the distribution `id` (nil: of a new one), is one that CloudFront accepts.
function checks.configuration(ctx, config, id)
  checks.quantities(ctx, config)
  local targets = {}
  for _, origin in ipairs(config.Origins.Items or {}) do
    targets[origin.Id] = "origin"
    local control = origin.OriginAccessControlId or ""
    if control ~= "" and not ctx.global:get("control", control) then
      ctx:fail("InvalidOriginAccessControl", "The origin access control is not valid.", 400)
    elseif (origin.S3OriginConfig == nil) == (origin.CustomOriginConfig == nil) then
      ctx:fail("InvalidOrigin", "An origin is either an S3 origin or a custom origin.", 400)
    end
  end
  for _, group in ipairs((config.OriginGroups or {}).Items or {}) do
    check_group(ctx, group, targets)
  end
  check_behaviour(ctx, config.DefaultCacheBehavior, targets)
  for _, behaviour in ipairs((config.CacheBehaviors or {}).Items or {}) do
    check_behaviour(ctx, behaviour, targets)
  end
  check_certificate(ctx, config)
  check_acl(ctx, config)
  for _, other in ctx.global:each("distribution") do
    for _, alias in ipairs((other.config.Aliases or {}).Items or {}) do
      if other.id ~= id and covers((config.Aliases or {}).Items or {}, alias) then
        ctx:fail("CNAMEAlreadyExists", "One or more of the CNAMEs you provided are already associated with a " ..
          "different resource.", 409)
      end
    end
  end
end

return checks
