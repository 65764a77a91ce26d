-- Distributions of the simulated CloudFront. Kept in the account's global store: kind "distribution" by id: { id, arn,
-- etag, config, deployed_at, changed_at, domain, tags }; kind "invalidation/ID" by id.

local json = require "host.json"

local defaults = require "infra.sim.cloudfront.defaults"
local versions = require "infra.sim.cloudfront.versions"

local distributions = { operations = {} }
local operations = distributions.operations

local DEPLOY_SECONDS <const> = 240
local INVALIDATION_SECONDS <const> = 60
local NOBODY = { Enabled = false, Quantity = 0 }

local function find(ctx, id)
  local found = ctx.global:get("distribution", id)
  if not found then
    ctx:fail("NoSuchDistribution", "The specified distribution does not exist.", 404)
  end
  return found
end

--- Every distribution's id and what its configuration refers to, for checks before something is deleted.
function distributions.uses(ctx, text)
  for _, found in ctx.global:each("distribution") do
    local busy = ctx.now() < found.deployed_at and found.previous or nil -- edges still have the old configuration
    if json.encode(found.config):find(text, 1, true) or busy and json.encode(busy):find(text, 1, true) then
      return true
    end
  end
  return false
end

local function status(ctx, found)
  return ctx.now() < found.deployed_at and "InProgress" or "Deployed"
end

local function render(ctx, found)
  return {
    Id = found.id, ARN = found.arn, Status = status(ctx, found), LastModifiedTime = found.changed_at,
    InProgressInvalidationBatches = 0, DomainName = found.domain, DistributionConfig = found.config,
    ActiveTrustedSigners = NOBODY, ActiveTrustedKeyGroups = NOBODY,
  }
end

local function answer(ctx, found)
  return {
    Distribution = render(ctx, found), ETag = found.etag,
    Location = "https://cloudfront.amazonaws.com/2020-05-31/distribution/" .. found.id,
  }
end

-- -- what is checked --------------------------------------------------------------------------------------------------

local function check_quantities(ctx, value)
  for _, inner in pairs(value) do
    if type(inner) == "table" then
      if inner.Quantity and inner.Quantity ~= #(inner.Items or {}) then
        ctx:fail("InconsistentQuantities", "The value of Quantity and the size of Items don't match.", 400)
      end
      check_quantities(ctx, inner)
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

local function check_behaviour(ctx, behaviour, origins)
  if not origins[behaviour.TargetOriginId] then
    ctx:fail("NoSuchOrigin", "One or more of your origins or origin groups do not exist.", 404)
  elseif (behaviour.CachePolicyId == nil) == (behaviour.ForwardedValues == nil) then
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

local function check(ctx, config, id)
  check_quantities(ctx, config)
  local origins = {}
  for _, origin in ipairs(config.Origins.Items or {}) do
    origins[origin.Id] = true
    local control = origin.OriginAccessControlId or ""
    if control ~= "" and not ctx.global:get("control", control) then
      ctx:fail("InvalidOriginAccessControl", "The origin access control is not valid.", 400)
    elseif (origin.S3OriginConfig == nil) == (origin.CustomOriginConfig == nil) then
      ctx:fail("InvalidOrigin", "An origin is either an S3 origin or a custom origin.", 400)
    end
  end
  check_behaviour(ctx, config.DefaultCacheBehavior, origins)
  for _, behaviour in ipairs((config.CacheBehaviors or {}).Items or {}) do
    check_behaviour(ctx, behaviour, origins)
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

-- -- the operations ---------------------------------------------------------------------------------------------------

local function create(ctx, config, tags)
  for _, other in ctx.global:each("distribution") do
    if other.config.CallerReference == config.CallerReference then
      ctx:fail("DistributionAlreadyExists", "The caller reference that you are using to create a distribution is " ..
        "associated with another distribution. Already exists: " .. other.id, 409)
    end
  end
  check(ctx, config)
  local id = versions.id(ctx)
  local found = {
    id = id, arn = ("arn:%s:cloudfront::%s:distribution/%s"):format(ctx.partition, ctx.account, id),
    etag = versions.id(ctx), config = defaults.complete(config), changed_at = ctx.now(), tags = tags,
    deployed_at = ctx.now() + DEPLOY_SECONDS, domain = "d" .. ctx.unique(13) .. ".cloudfront.net",
  }
  ctx.global:put("distribution", id, found)
  return answer(ctx, found)
end

function operations.CreateDistribution(ctx, params)
  return create(ctx, params.DistributionConfig, {})
end

function operations.CreateDistributionWithTags(ctx, params)
  local tags = {}
  for _, tag in ipairs(params.DistributionConfigWithTags.Tags.Items or {}) do
    tags[tag.Key] = tag.Value or ""
  end
  return create(ctx, params.DistributionConfigWithTags.DistributionConfig, tags)
end

function operations.GetDistribution(ctx, params)
  return answer(ctx, find(ctx, params.Id))
end

function operations.GetDistributionConfig(ctx, params)
  local found = find(ctx, params.Id)
  return { DistributionConfig = found.config, ETag = found.etag }
end

function operations.UpdateDistribution(ctx, params)
  local found, config = find(ctx, params.Id), params.DistributionConfig
  versions.check(ctx, found, params.IfMatch)
  if config.CallerReference ~= found.config.CallerReference then
    ctx:fail("IllegalUpdate", "The caller reference cannot be changed.", 400)
  end
  check(ctx, config, found.id)
  found.previous, found.config = found.config, defaults.complete(config)
  found.etag, found.changed_at, found.deployed_at = versions.id(ctx), ctx.now(), ctx.now() + DEPLOY_SECONDS
  ctx.global:put("distribution", found.id, found)
  return answer(ctx, found)
end

function operations.DeleteDistribution(ctx, params)
  local found = find(ctx, params.Id)
  versions.check(ctx, found, params.IfMatch)
  if found.config.Enabled or status(ctx, found) ~= "Deployed" then
    ctx:fail("DistributionNotDisabled", "The specified CloudFront distribution is not disabled. You must disable " ..
      "the distribution before you can delete it.", 409)
  end
  ctx.global:delete("distribution", found.id)
  return {}
end

function operations.ListDistributions(ctx, params)
  local items = {}
  for _, found in ctx.global:each("distribution") do
    local item = { Id = found.id, ARN = found.arn, Status = status(ctx, found), DomainName = found.domain,
      LastModifiedTime = found.changed_at }
    for name, value in pairs(found.config) do
      if name ~= "CallerReference" and name ~= "Logging" and name ~= "DefaultRootObject" then
        item[name] = value
      end
    end
    items[#items + 1] = item
  end
  return { DistributionList = versions.list(ctx, items, function(item) return item.Id end, params) }
end

local function render_invalidation(ctx, stored)
  return { Id = stored.Id, CreateTime = stored.at, InvalidationBatch = stored.batch,
    Status = ctx.now() - stored.at < INVALIDATION_SECONDS and "InProgress" or "Completed" }
end

function operations.CreateInvalidation(ctx, params)
  local found, batch = find(ctx, params.DistributionId), params.InvalidationBatch
  local kind = "invalidation/" .. found.id
  check_quantities(ctx, batch)
  for _, other in ctx.global:each(kind) do
    if other.batch.CallerReference == batch.CallerReference then
      if json.encode(other.batch) ~= json.encode(batch) then
        ctx:fail("InvalidationBatchAlreadyExists", "The caller reference belongs to another batch.", 400)
      end
      return { Invalidation = render_invalidation(ctx, other) }
    end
  end
  local stored = { Id = "I" .. ctx.unique(13), at = ctx.now(), batch = batch }
  ctx.global:put(kind, stored.Id, stored)
  return { Invalidation = render_invalidation(ctx, stored) }
end

function operations.GetInvalidation(ctx, params)
  local stored = ctx.global:get("invalidation/" .. find(ctx, params.DistributionId).id, params.Id)
  if not stored then
    ctx:fail("NoSuchInvalidation", "The specified invalidation does not exist.", 404)
  end
  return { Invalidation = render_invalidation(ctx, stored) }
end

return distributions
