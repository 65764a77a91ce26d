-- Tags of caches and snapshots in the simulated ElastiCache; they can be read and changed only while the thing is
-- available. Used by the other files of infra.sim.elasticache.

local entities = require "infra.sim.elasticache.entities"
local tagging = require "infra.sim.tagging"

local tags = { operations = {} }

local RULES = {
  fail = entities.fail,
  length = { "InvalidParameterValue", "Tag keys must be between 1 and 128 characters long, values at most 256." },
  reserved = { "InvalidParameterValue", "Tag keys must not begin with aws:." },
  number = { "TagQuotaPerResourceExceeded", "The quota of %d tags for a resource is exceeded." },
}

--- `existing` ({ key = value }) with the tags of a request, checked.
tags.merged = tagging.merger(RULES)

local function list(object)
  return { TagList = tagging.list(object.tags) }
end

function tags.operations.AddTagsToResource(ctx, params)
  local object, kind = entities.by_arn(ctx, params.ResourceName)
  object.tags = tags.merged(ctx, object.tags, params.Tags)
  entities.put(ctx, kind, object)
  return list(object)
end

function tags.operations.RemoveTagsFromResource(ctx, params)
  local object, kind = entities.by_arn(ctx, params.ResourceName)
  for _, key in ipairs(params.TagKeys) do
    if object.tags[key] == nil then
      entities.fail(ctx, "TagNotFound", "The resource has no tag with the key %s.", key)
    end
  end
  object.tags = tagging.without(object.tags, params.TagKeys)
  entities.put(ctx, kind, object)
  return list(object)
end

function tags.operations.ListTagsForResource(ctx, params)
  return list((entities.by_arn(ctx, params.ResourceName)))
end

tags.tagged = { cache = tagging.with_arn "ARN", snapshot = tagging.with_arn "ARN" }

return tags
