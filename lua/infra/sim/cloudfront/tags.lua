-- Tags of the simulated CloudFront's distributions and functions, which are kept with them.

local tagging = require "infra.sim.tagging"

local tags = { operations = {} }
local operations = tags.operations

-- The object of an ARN, its kind and its key in the store.
local function find(ctx, arn)
  local kind, key = arn:match "^arn:[%w-]+:cloudfront::%d+:(%a+)/(.+)$"
  local found = (kind == "distribution" or kind == "function") and ctx.global:get(kind, key)
  if not found then
    ctx:fail("NoSuchResource", "A resource that was specified is not valid.", 404)
  end
  return found, kind, key
end

function operations.TagResource(ctx, params)
  local found, kind, key = find(ctx, params.Resource)
  found.tags = tagging.merge(found.tags, params.Tags.Items)
  ctx.global:put(kind, key, found)
  return {}
end

function operations.UntagResource(ctx, params)
  local found, kind, key = find(ctx, params.Resource)
  found.tags = tagging.without(found.tags, params.TagKeys.Items or {})
  ctx.global:put(kind, key, found)
  return {}
end

function operations.ListTagsForResource(ctx, params)
  return { Tags = { Items = tagging.list((find(ctx, params.Resource)).tags) } }
end

tags.tagged = { distribution = tagging.with_arn "arn", ["function"] = tagging.with_arn "arn" }

return tags
