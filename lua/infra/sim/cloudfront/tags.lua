-- Tags of the simulated CloudFront's distributions and functions, which are kept with them.

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
  for _, tag in ipairs(params.Tags.Items or {}) do
    found.tags[tag.Key] = tag.Value or ""
  end
  ctx.global:put(kind, key, found)
  return {}
end

function operations.UntagResource(ctx, params)
  local found, kind, key = find(ctx, params.Resource)
  for _, name in ipairs(params.TagKeys.Items or {}) do
    found.tags[name] = nil
  end
  ctx.global:put(kind, key, found)
  return {}
end

function operations.ListTagsForResource(ctx, params)
  local items = {}
  for name, value in pairs((find(ctx, params.Resource)).tags) do
    items[#items + 1] = { Key = name, Value = value }
  end
  table.sort(items, function(a, b) return a.Key < b.Key end)
  return { Tags = { Items = items } }
end

return tags
