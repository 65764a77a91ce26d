-- CloudFront: distributions (cloudfront_distribution.lua), functions, origin access controls and the three kinds of
-- policies. The vocabulary is in handler/schema.lua.
--
-- Everything is changed as a whole and under an optimistic lock: what was read comes with an ETag, and a change that
-- carries an older one is refused.

local distribution = require "infra.resources.cloudfront_distribution"

local LOCK = { value = "@etag", stale = { "InvalidIfMatchVersion", "PreconditionFailed" } }

-- What a distribution has let go of stays "in use" until that is known at all edge locations.
local RELEASE <const> = 1200

local function cloudfront_type(spec)
  spec.service, spec.region, spec.lock = "cloudfront", "us-east-1", LOCK
  return spec
end

local types = {}

types["AWS::CloudFront::Distribution"] = cloudfront_type(distribution)

-- -- one configuration under a name -----------------------------------------------------------------------------------

-- Types whose calls differ in nothing but the name: Create, Get, Update and Delete of a KIND that is an Id, a
-- KINDConfig with a unique Name, and no tags. `listed` is where the list's items have the id and the name.
local function named(kind, plural, form, listed)
  local config = kind .. "Config"
  return cloudfront_type {
    identity = { "Id" },
    form = form,
    create = { "Create" .. kind, send = { config }, exists = { kind .. "AlreadyExists" } },
    find = {
      "List" .. plural, list = kind .. "List.Items", next = ("Marker=%sList.NextMarker"):format(kind),
      with = listed.with, same = { config .. ".Name=" .. listed.name }, id = { "Id=" .. listed.id },
    },
    same = { config },
    read = {
      "Get" .. kind, send = { "Id" },
      map = { ("Id=%s.Id"):format(kind), ("%s=%s.%s"):format(config, kind, config), "@etag=ETag" },
    },
    facets = {
      { properties = { config }, write = { "Update" .. kind, send = { "Id", "@etag=IfMatch", config } } },
    },
    delete = { "Delete" .. kind, send = { "Id", "@etag=IfMatch" }, retry = { { kind .. "InUse", RELEASE } } },
    gone = { "NoSuch" .. kind },
  }
end

local function policy(kind, plural, form)
  return named(kind, plural, form, {
    with = { Type = "custom" }, id = kind .. ".Id", name = ("%s.%sConfig.Name"):format(kind, kind),
  })
end

types["AWS::CloudFront::OriginAccessControl"] = named("OriginAccessControl", "OriginAccessControls", {
  fill = { OriginAccessControlConfig = { Description = "" } },
}, { id = "Id", name = "Name" })
types["AWS::CloudFront::OriginAccessControl"].replaces = function(_, before, after)
  return before.OriginAccessControlOriginType ~= after.OriginAccessControlOriginType
end

-- CloudFront compares names of headers without case.
local HEADERS = { lower = { "HeadersConfig.Headers" } }

types["AWS::CloudFront::CachePolicy"] = policy("CachePolicy", "CachePolicies", HEADERS)
types["AWS::CloudFront::OriginRequestPolicy"] = policy("OriginRequestPolicy", "OriginRequestPolicies", HEADERS)
types["AWS::CloudFront::ResponseHeadersPolicy"] = policy("ResponseHeadersPolicy", "ResponseHeadersPolicies", {
  lower = {
    "CustomHeader.Header", "RemoveHeader.Header", "AccessControlAllowHeaders.Items", "AccessControlExposeHeaders.Items",
  },
})

-- -- functions --------------------------------------------------------------------------------------------------------

-- A function exists twice, in the stage DEVELOPMENT, which changes work on and whose ETag they take, and in LIVE, which
-- is a copy made by publishing. AutoPublish says that both are to be the same.
local function code_of(stage, field)
  return {
    "GetFunction", send = { "Name" }, with = { Stage = stage }, map = { field }, absent = { "NoSuchFunctionExists" },
  }
end

types["AWS::CloudFront::Function"] = cloudfront_type {
  identity = { "Name" },
  name = { property = "Name", limit = 64 },
  defaults = { AutoPublish = false },
  form = {},
  create = {
    "CreateFunction", send = { "Name", "FunctionConfig", "FunctionCode" }, map = { "@etag=ETag" },
    exists = { "FunctionAlreadyExists" },
  },
  same = { "FunctionConfig" },
  read = {
    "DescribeFunction", send = { "Name" }, with = { Stage = "DEVELOPMENT" },
    map = {
      "Name=FunctionSummary.Name", "FunctionConfig=FunctionSummary.FunctionConfig",
      "FunctionARN=FunctionSummary.FunctionMetadata.FunctionARN",
      "FunctionMetadata.FunctionARN=FunctionSummary.FunctionMetadata.FunctionARN",
      "Stage=FunctionSummary.FunctionMetadata.Stage", "@etag=ETag",
    },
    gives = { "AutoPublish" },
    complete = function(values)
      values.AutoPublish = values["@live"] == values.FunctionCode
    end,
  },
  facets = {
    {
      properties = { "FunctionCode", "FunctionConfig" },
      write = { "UpdateFunction", send = { "Name", "@etag=IfMatch", "FunctionConfig", "FunctionCode" } },
      read = code_of("DEVELOPMENT", "FunctionCode"),
    },
    {
      properties = { "AutoPublish", "FunctionCode", "FunctionConfig" }, value = true,
      write = { "PublishFunction", send = { "Name", "@etag=IfMatch" } },
      read = code_of("LIVE", "@live=FunctionCode"),
    },
  },
  tags = {
    arn = "FunctionARN", form = "list",
    set = { "TagResource", send = { "FunctionARN=Resource" }, tags = "Tags.Items" },
    unset = { "UntagResource", send = { "FunctionARN=Resource" }, keys = "TagKeys.Items" },
    read = { "ListTagsForResource", send = { "FunctionARN=Resource" }, list = "Tags.Items" },
  },
  delete = { "DeleteFunction", send = { "Name", "@etag=IfMatch" }, retry = { { "FunctionInUse", RELEASE } } },
  gone = { "NoSuchFunctionExists" },
}

return types
