-- What AWS's APIs have and the models of aws-sdk 2, which no longer change, lack or do not say. Applied to every model
-- that is compiled (infra.models.c2j); what a newer one says of a member stays.

local members = {}

-- Service id -> { operation, "input" or "output", path of the member, what is true of it }, from the API references.
local MISSING <const> = {
  codebuild = {
    { "CreateProject", "input", "autoRetryLimit", { type = "integer" } },
    { "UpdateProject", "input", "autoRetryLimit", { type = "integer" } },
    { "BatchGetProjects", "output", "projects.autoRetryLimit", { type = "integer" } },
  },
  elasticache = {
    { "CreateServerlessCache", "input", "NetworkType", {} },
    { "ModifyServerlessCache", "input", "Engine", {} },
    { "ModifyServerlessCache", "input", "MajorEngineVersion", {} },
    { "DescribeServerlessCaches", "output", "ServerlessCaches.NetworkType", {} },
  },
  logs = {
    { "DescribeLogGroups", "input", "logGroupIdentifiers", { type = "list", member = {} } },
  },
  rds = {
    { "CreateDBCluster", "input", "ServerlessV2ScalingConfiguration.SecondsUntilAutoPause", { type = "integer" } },
    { "DescribeDBClusters", "output", "DBClusters.ServerlessV2ScalingConfiguration.SecondsUntilAutoPause",
      { type = "integer" } },
    { "CreateDBCluster", "input", "MasterUserPassword", { sensitive = true } },
    { "ModifyDBCluster", "input", "MasterUserPassword", { sensitive = true } },
    { "CreateDBInstance", "input", "MasterUserPassword", { sensitive = true } },
    { "ModifyDBInstance", "input", "MasterUserPassword", { sensitive = true } },
  },
}

-- The structure that a node is, with what it refers to, or is a list of.
local function structure(model, node)
  while node and (node.shape or node.type == "list") do
    node = node.shape and model.shapes[node.shape] or node.member
  end
  return node
end

-- The node that has the member at `path`, and the member's name; nil when there is none.
local function parent(model, node, path)
  node = structure(model, node)
  for step in path:gmatch "([^.]+)%." do
    node = node and structure(model, node.members[step])
  end
  return node, path:match "[^.]+$"
end

--- Completes the model (C2J, decoded) of the service `id`.
function members.complete(id, model)
  for _, entry in ipairs(MISSING[id] or {}) do
    local operation, side, path, facts = table.unpack(entry)
    local found = model.operations[operation]
    local node, name = parent(model, found and found[side], path)
    if node then
      local member = node.members[name] or {}
      for fact, value in pairs(facts) do
        if member[fact] == nil and not (fact == "type" and member.shape) then
          member[fact] = value
        end
      end
      node.members[name] = member
    end
  end
end

return members
