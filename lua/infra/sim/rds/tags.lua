-- Tags of everything in the simulated RDS. Used by the other files of this folder.

local entities = require "infra.sim.rds.entities"
local tagging = require "infra.sim.tagging"

local tags = { operations = {} }

local RULES = {
  fail = entities.fail,
  prefixes = { "aws:", "rds:" },
  length = { "InvalidParameterValue", "Tag keys must have between 1 and 128 characters, tag values at most 256." },
  reserved = { "InvalidParameterValue", "Tag keys can't begin with the reserved prefixes aws: and rds:." },
  number = { "InvalidParameterValue", "The number of tags exceeds the limit of %d for a resource." },
}

--- `existing` ({ key = value }) with the tags of a request, checked.
tags.merged = tagging.merger(RULES)

tagging.add_operations(tags.operations, {
  names = { "AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource" },
  find = function(ctx, params)
    local object, kind = entities.by_arn(ctx, params.ResourceName)
    return object, function() entities.put(ctx, kind, object) end
  end,
  rules = RULES,
  answer = function(map) return { TagList = tagging.list(map) } end,
})

tags.tagged = {
  subnet_group = tagging.with_arn "DBSubnetGroupArn",
  parameter_group = tagging.with_arn "DBClusterParameterGroupArn",
  cluster = tagging.with_arn "DBClusterArn",
  instance = tagging.with_arn "DBInstanceArn",
  snapshot = tagging.with_arn "DBClusterSnapshotArn",
}

return tags
