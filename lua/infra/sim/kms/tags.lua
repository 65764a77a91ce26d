-- Tags of keys of the simulated KMS, which calls their members TagKey and TagValue. Used by infra.sim.kms.

local entities = require "infra.sim.kms.entities"
local tagging = require "infra.sim.tagging"

local tags = { operations = {} }

local RULES = {
  fail = entities.fail,
  key = "TagKey", value = "TagValue",
  length = { "ValidationException", "1 validation error detected: Value '%s' at 'tags' failed to satisfy constraint: "
    .. "Member must have length between 1 and 128, its value at most 256" },
  reserved = { "TagException", "Tag keys must not begin with aws:" },
  duplicate = { "TagException", "Duplicate tag keys are not allowed." },
  number = { "LimitExceededException", "The number of tags exceeds the limit of %d." },
}

--- `existing` ({ key = value }) with the tags of a request, checked.
tags.merged = tagging.merger(RULES)

function tags.operations.TagResource(ctx, params)
  local key = entities.check_state(ctx, entities.find_own(ctx, params.KeyId))
  local merged = tags.merged(ctx, key.tags, params.Tags)
  entities.change(ctx, key, function() key.tags = merged end)
end

function tags.operations.UntagResource(ctx, params)
  local key = entities.check_state(ctx, entities.find_own(ctx, params.KeyId))
  local left = tagging.without(key.tags, params.TagKeys)
  entities.change(ctx, key, function() key.tags = left end)
end

function tags.operations.ListResourceTags(ctx, params)
  local list = tagging.list(entities.seen(ctx, entities.find(ctx, params.KeyId)).tags, RULES.key, RULES.value)
  return entities.listed(ctx, params, "Tags", list, function(tag) return tag.TagKey end, 50, 50)
end

tags.tagged = {
  key = function(_, key) return { arn = key.Arn, tags = key.tags, gone_at = key.DeletionDate } end,
}

return tags
