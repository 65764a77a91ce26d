-- Tags of repositories in the simulated ECR. Operations of infra.sim.ecr.

local entities = require "infra.sim.ecr.entities"

local tags = { operations = {} }
local operations = tags.operations

local LIMIT = 50

--- `existing` ({ key = value }) with the tags of a request, checked.
function tags.merged(ctx, existing, given)
  local merged, count = {}, 0
  for key, value in pairs(existing) do
    merged[key] = value
  end
  for _, tag in ipairs(given or {}) do
    local key, value = tag.Key or "", tag.Value or ""
    if key == "" or #key > 128 or #value > 256 or key:lower():find("^aws:") then
      entities.fail(ctx, "InvalidTagParameterException", "An invalid parameter has been specified. Tag keys can have a "
        .. "maximum character length of 128 characters and must not begin with aws:, tag values can have a maximum "
        .. "length of 256 characters.")
    end
    merged[key] = value
  end
  for _ in pairs(merged) do
    count = count + 1
  end
  if count > LIMIT then
    entities.fail(ctx, "TooManyTagsException", "The list of tags on the repository is over the limit. The maximum "
      .. "number of tags that can be applied to a repository is %d.", LIMIT)
  end
  return merged
end

local function by_arn(ctx, params)
  local registry, name = params.resourceArn:match("^arn:[%w-]+:ecr:[%w-]+:(%d+):repository/(.+)$")
  if not name then
    entities.invalid(ctx, "resourceArn", "must be the ARN of a repository")
  end
  return entities.find(ctx, name, registry)
end

function operations.TagResource(ctx, params)
  local repository = by_arn(ctx, params)
  repository.tags = tags.merged(ctx, repository.tags, params.tags)
  entities.put(ctx, repository)
end

function operations.UntagResource(ctx, params)
  local repository = by_arn(ctx, params)
  for _, key in ipairs(params.tagKeys) do
    repository.tags[key] = nil
  end
  entities.put(ctx, repository)
end

function operations.ListTagsForResource(ctx, params)
  local list = {}
  for key, value in pairs(by_arn(ctx, params).tags) do
    list[#list + 1] = { Key = key, Value = value }
  end
  table.sort(list, function(a, b) return a.Key < b.Key end)
  return { tags = list }
end

return tags
