-- Tags of repositories in the simulated ECR. Operations of infra.sim.ecr.

local entities = require "infra.sim.ecr.entities"
local tagging = require "infra.sim.tagging"

local tags = { operations = {} }

local INVALID <const> = "An invalid parameter has been specified. Tag keys can have a maximum character length of 128 "
  .. "characters and must not begin with aws:, tag values can have a maximum length of 256 characters."

local RULES = {
  fail = entities.fail,
  length = { "InvalidTagParameterException", INVALID },
  reserved = { "InvalidTagParameterException", INVALID },
  number = { "TooManyTagsException", "The list of tags on the repository is over the limit. The maximum number of tags "
    .. "that can be applied to a repository is %d." },
}

--- `existing` ({ key = value }) with the tags of a request, checked.
tags.merged = tagging.merger(RULES)

tagging.add_operations(tags.operations, {
  find = function(ctx, params)
    local registry, name = params.resourceArn:match("^arn:[%w-]+:ecr:[%w-]+:(%d+):repository/(.+)$")
    if not name then
      entities.invalid(ctx, "resourceArn", "must be the ARN of a repository")
    end
    local repository = entities.find(ctx, name, registry)
    return repository, function() entities.put(ctx, repository) end
  end,
  rules = RULES, given = "tags", keys = "tagKeys",
  answer = function(map) return { tags = tagging.list(map) } end,
})

tags.tagged = { repository = tagging.with_arn "repositoryArn" }

return tags
