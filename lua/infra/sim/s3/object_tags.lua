-- Tags of objects in the simulated S3, which are kept with each version's attributes. Operations of infra.sim.s3.

local buckets = require "infra.sim.s3.buckets"
local facet_rules = require "infra.sim.s3.facet_rules"
local objects = require "infra.sim.s3.objects"

local object_tags = { operations = {} }
local operations = object_tags.operations

function operations.GetObjectTagging(ctx, params)
  local version, id = objects.find(ctx, buckets.find(ctx, params), params)
  return { VersionId = id, TagSet = version.attributes.tags or {} }
end

local function change(ctx, params, tags)
  local bucket = buckets.find(ctx, params)
  local version, id = objects.find(ctx, bucket, params)
  version.attributes.tags = tags
  objects.touch(ctx, bucket, params.Key)
  return { VersionId = id }
end

function operations.PutObjectTagging(ctx, params)
  return change(ctx, params, facet_rules.object_tagging(ctx, nil, params.Tagging).TagSet)
end

function operations.DeleteObjectTagging(ctx, params)
  return change(ctx, params, nil)
end

return object_tags
