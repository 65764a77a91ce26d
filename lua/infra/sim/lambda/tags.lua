-- Tags of functions in the simulated Lambda. Operations of infra.sim.lambda.

local entities = require "infra.sim.lambda.entities"
local tagging = require "infra.sim.tagging"

local tags = { operations = {} }

local INVALID <const> = "The tag %s is not valid: keys have 1 to 128 characters and do not begin with aws:, values "
  .. "have up to 256."

local RULES = {
  fail = entities.fail,
  length = { "InvalidParameterValueException", INVALID },
  reserved = { "InvalidParameterValueException", INVALID },
  number = { "InvalidParameterValueException", "A function can have up to %d tags." },
}

--- `existing` ({ key = value }) with the tags of a request, checked.
tags.merged = tagging.merger(RULES)

tagging.add_operations(tags.operations, {
  names = { "TagResource", "UntagResource", "ListTags" },
  find = function(ctx, params)
    if not params.Resource:find("^arn:[%w-]+:lambda:") then
      entities.validation(ctx, params.Resource, "resource", "Member must be the ARN of a function")
    end
    local fn, qualifier = entities.find(ctx, { FunctionName = params.Resource })
    if qualifier then
      entities.invalid(ctx, "Tags on function aliases and versions are not supported. Please specify a function ARN.")
    end
    return fn, function() entities.put(ctx, fn) end
  end,
  rules = RULES,
  answer = function(map) return { Tags = map } end,
})

tags.tagged = { ["function"] = tagging.with_arn "arn" }

return tags
