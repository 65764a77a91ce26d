-- Tags of functions in the simulated Lambda. Operations of infra.sim.lambda.

local entities = require "infra.sim.lambda.entities"

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
      entities.invalid(ctx, "The tag %s is not valid: keys have 1 to 128 characters and do not begin with aws:, values "
        .. "have up to 256.", key)
    end
    merged[key] = value
  end
  for _ in pairs(merged) do
    count = count + 1
  end
  if count > LIMIT then
    entities.invalid(ctx, "A function can have up to %d tags.", LIMIT)
  end
  return merged
end

local function tagged(ctx, params)
  if not params.Resource:find("^arn:[%w-]+:lambda:") then
    entities.validation(ctx, params.Resource, "resource", "Member must be the ARN of a function")
  end
  local fn, qualifier = entities.find(ctx, { FunctionName = params.Resource })
  if qualifier then
    entities.invalid(ctx, "Tags on function aliases and versions are not supported. Please specify a function ARN.")
  end
  return fn
end

function operations.TagResource(ctx, params)
  local fn = tagged(ctx, params)
  fn.tags = tags.merged(ctx, fn.tags, params.Tags)
  entities.put(ctx, fn)
end

function operations.UntagResource(ctx, params)
  local fn = tagged(ctx, params)
  for _, key in ipairs(params.TagKeys) do
    fn.tags[key] = nil
  end
  entities.put(ctx, fn)
end

function operations.ListTags(ctx, params)
  return { Tags = tagged(ctx, params).tags }
end

return tags
