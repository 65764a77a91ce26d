-- Tags of vaults and plans in the simulated AWS Backup, which are kept with them.

local entities = require "infra.sim.backup.entities"
local tagging = require "infra.sim.tagging"

local tags = { operations = {} }

tagging.add_operations(tags.operations, {
  names = { "TagResource", "UntagResource", "ListTags" },
  find = function(ctx, params)
    local kind, key = params.ResourceArn:match ":backup%-(%a+):(.+)$" -- "vault" or "plan"
    local found = kind and ctx.store:get(kind, key)
    if not found then
      entities.fail(ctx, "ResourceNotFoundException", "The resource %s does not exist", params.ResourceArn)
    end
    return found, function() ctx.store:put(kind, key, found) end
  end,
  keys = "TagKeyList",
  answer = function(map) return { Tags = map } end,
})

return tags
