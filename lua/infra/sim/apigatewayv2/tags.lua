-- Tags of APIs and stages in the simulated API Gateway. Operations of infra.sim.apigatewayv2.

local entities = require "infra.sim.apigatewayv2.entities"
local tagging = require "infra.sim.tagging"

local tags = { operations = {} }

local INVALID <const> = "Invalid tag %s: keys have 1 to 128 characters and do not begin with aws:, values have up "
  .. "to 256."

local RULES = {
  fail = entities.fail,
  length = { "BadRequestException", INVALID },
  reserved = { "BadRequestException", INVALID },
  number = { "BadRequestException", "Number of tags exceeds the limit of %d." },
}

--- `existing` ({ key = value }) with the tags of a request, checked.
tags.merged = tagging.merger(RULES)

-- The object that an ARN means, and how to keep it.
local function find(ctx, params)
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

tagging.add_operations(tags.operations, {
  names = { "TagResource", "UntagResource", "GetTags" },
  find = find, tags = "Tags", rules = RULES,
  answer = function(map) return { Tags = map } end,
})

tags.tagged = {
  api = function(place, api) return { arn = entities.arn(place, api.ApiId), tags = api.Tags } end,
  stage = function(place, stage, api_id)
    return { arn = entities.arn(place, api_id, stage.StageName), tags = stage.Tags }
  end,
}

return tags
