-- CloudFront distributions. Used by resources/cloudfront.lua.

local merged = require "infra.merged"
local observe = require "infra.handler.observe"
local read = require "infra.handler.read"
local wait = require "infra.handler.wait"

-- What CloudFront takes for what is not set. It is sent, because an update needs everything, and so a change by
-- somebody else to what the stack does not mention shows, instead of being overwritten unseen.
local BEHAVIOUR = {
  AllowedMethods = { "GET", "HEAD" }, CachedMethods = { "GET", "HEAD" }, Compress = false, SmoothStreaming = false,
  FieldLevelEncryptionId = "",
}
local FILL = {
  DistributionConfig = {
    Comment = "", DefaultRootObject = "", HttpVersion = "http2", IPV6Enabled = true, PriceClass = "PriceClass_All",
    WebACLId = "", Restrictions = { GeoRestriction = { RestrictionType = "none" } },
    ViewerCertificate = { CloudFrontDefaultCertificate = true },
  },
  DefaultCacheBehavior = BEHAVIOUR, CacheBehavior = BEHAVIOUR,
  Origin = { ConnectionAttempts = 3, ConnectionTimeout = 10, OriginPath = "", OriginShield = { Enabled = false } },
  CustomOriginConfig = { HTTPPort = 80, HTTPSPort = 443, OriginKeepaliveTimeout = 5, OriginReadTimeout = 30 },
}

local CACHED_METHODS = { "CachedMethods=AllowedMethods.CachedMethods" }

-- What was made seconds ago is not known everywhere: a certificate just issued, a web ACL, a function just published.
local CONSISTENCY = {
  { "InvalidViewerCertificate", 180, message = "doesn't exist" }, -- not: doesn't cover the names
  { "InvalidWebACLId", 300 },
  { "InvalidFunctionAssociation", 120 },
  { "EntityNotFound", 120 },
}

-- Only what is switched off everywhere can be deleted. The configuration goes back as it came.
local DISABLE = {
  "UpdateDistribution", send = { "Id", "@etag=IfMatch", "@config=DistributionConfig" },
  encode = function(params)
    params.DistributionConfig.Enabled = false
  end,
}

local function disable(op, scope)
  local live, err = observe.item(op, scope)
  if not live then
    return not err, err
  end
  if live.item.Distribution.DistributionConfig.Enabled then
    op.report("switching it off")
    local ok
    ok, err = op:send(DISABLE, merged(scope, live.values))
    if not ok then
      return nil, err
    end
    live = nil
  end
  return wait.ready(op, read.identity(op, scope), live, nil, "switched off, not yet everywhere")
end

return {
  identity = { "Id" },
  typical = { create = 240, update = 150, delete = 300 },
  form = {
    complete = true,
    fill = FILL,
    names = {
      DistributionConfig = { "IPV6Enabled=IsIPV6Enabled" }, Origin = { "OriginCustomHeaders=CustomHeaders" },
      DefaultCacheBehavior = CACHED_METHODS, CacheBehavior = CACHED_METHODS, GeoRestriction = { "Locations=Items" },
    },
    ordered = { "DistributionConfig.CacheBehaviors", "OriginGroupMembers.Items" },
    lower = { "DistributionConfig.Aliases" },
  },
  create = {
    "CreateDistributionWithTags",
    send = {
      "DistributionConfig=DistributionConfigWithTags.DistributionConfig",
      "@token=DistributionConfigWithTags.DistributionConfig.CallerReference",
    },
    idempotent = true, exists = { "DistributionAlreadyExists", "CNAMEAlreadyExists" }, retry = CONSISTENCY,
  },
  find = {
    "ListDistributions", list = "DistributionList.Items", next = "Marker=DistributionList.NextMarker",
    same = { "DistributionConfig.Comment=Comment" }, adopt = { "DistributionConfig.Aliases=Aliases.Items" },
    id = { "Id" },
  },
  hints = {
    { "CNAMEAlreadyExists", hint = "another distribution, of this account or of somebody else's, answers for this " ..
      "host name: remove it there, or take the other one over with { adopt = true }" },
  },
  read = {
    "GetDistribution", send = { "Id" },
    map = {
      "Id=Distribution.Id", "Arn=Distribution.ARN", "DomainName=Distribution.DomainName",
      "DistributionConfig=Distribution.DistributionConfig", "@config=Distribution.DistributionConfig",
      "@reference=Distribution.DistributionConfig.CallerReference", "@etag=ETag",
    },
  },
  state = { path = "Distribution.Status", ready = { "Deployed" }, limit = 5400 },
  facets = {
    {
      properties = { "DistributionConfig" },
      write = {
        "UpdateDistribution", retry = CONSISTENCY,
        send = { "Id", "@etag=IfMatch", "DistributionConfig", "@reference=DistributionConfig.CallerReference" },
      },
    },
  },
  tags = {
    arn = "arn:${Partition}:cloudfront::${Account}:distribution/${Id}",
    form = "list", create = "DistributionConfigWithTags.Tags.Items",
    set = { "TagResource", send = { "Arn=Resource" }, tags = "Tags.Items" },
    unset = { "UntagResource", send = { "Arn=Resource" }, keys = "TagKeys.Items" },
    read = { "ListTagsForResource", send = { "Arn=Resource" }, list = "Tags.Items" },
  },
  delete = {
    "DeleteDistribution", send = { "Id", "@etag=IfMatch" }, before = disable,
    retry = { { "DistributionNotDisabled", 120 } },
  },
  gone = { "NoSuchDistribution" },
}
