-- Tags of APIs and stages in the simulated API Gateway. Operations of infra.sim.apigatewayv2.

local entities = require "infra.sim.apigatewayv2.entities"

local tags = { operations = {} }
local operations = tags.operations

local LIMIT = 50

--- `existing` ({ key = value }) with the tags of a request, checked.
function tags.merged(ctx, existing, given)
  local merged, count = {}, 0
  for key, value in pairs(existing) do
    merged[key] = value
  end
  for key, value in pairs(given or {}) do
    if key == "" or #key > 128 or #value > 256 or key:lower():find("^aws:") then
      entities.bad_request(ctx, "Invalid tag %s: keys have 1 to 128 characters and do not begin with aws:, values have "
        .. "up to 256.", key)
    end
    merged[key] = value
  end
  for _ in pairs(merged) do
    count = count + 1
  end
  if count > LIMIT then
    entities.bad_request(ctx, "Number of tags exceeds the limit of %d.", LIMIT)
  end
  return merged
end

-- The object that an ARN means, and how to keep it.
local function tagged(ctx, params)
  local region, path = params.ResourceArn:match("^arn:[%w-]+:apigateway:([%w-]+)::/apis/(.+)$")
  if region ~= ctx.region then
    entities.bad_request(ctx, "Invalid resource ARN specified: %s", params.ResourceArn)
  end
  local id, stage_name = path:match("^([^/]+)/stages/([^/]+)$")
  local api = entities.api(ctx, id or path)
  if not stage_name then
    return api, function() ctx.store:put("api", api.ApiId, api) end
  end
  local stage = entities.find(ctx, api, "stage", stage_name)
  return stage, function() entities.put(ctx, api, "stage", stage) end
end

function operations.TagResource(ctx, params)
  local object, keep = tagged(ctx, params)
  object.Tags = tags.merged(ctx, object.Tags, params.Tags)
  keep()
end

function operations.UntagResource(ctx, params)
  local object, keep = tagged(ctx, params)
  for _, key in ipairs(params.TagKeys) do
    object.Tags[key] = nil
  end
  keep()
end

function operations.GetTags(ctx, params)
  return { Tags = (tagged(ctx, params)).Tags }
end

return tags
