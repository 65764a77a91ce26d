-- Managed policies of IAM. Used by resources/iam.lua, which shares what roles need as well.

local json = require "host.json"
local path = require "infra.handler.path"

-- IAM keeps five versions of a policy at most.
local MAX_VERSIONS <const> = 5

local function old_versions(op, arn)
  local output, err = op.context.client:all("iam", "ListPolicyVersions", { PolicyArn = arn })
  if not output then
    return nil, err
  end
  local old = {}
  for _, version in ipairs(output.Versions or {}) do
    if not version.IsDefaultVersion then
      old[#old + 1] = version.VersionId
    end
  end
  table.sort(old, function(a, b)
    return tonumber(a:sub(2)) < tonumber(b:sub(2))
  end)
  return old
end

local function delete_versions(op, arn, versions)
  for _, version in ipairs(versions) do
    local ok, err = op:mutate({ "DeletePolicyVersion" }, { PolicyArn = arn, VersionId = version })
    if not ok and err.code ~= "NoSuchEntity" then
      return nil, err
    end
  end
  return true
end

local function write_document(op, scope)
  local old, err = old_versions(op, scope.PolicyArn)
  if not old then
    return nil, err
  end
  if #old + 1 >= MAX_VERSIONS then
    local ok
    ok, err = delete_versions(op, scope.PolicyArn, { old[1] })
    if not ok then
      return nil, err
    end
  end
  return op:mutate({ "CreatePolicyVersion" },
    { PolicyArn = scope.PolicyArn, PolicyDocument = scope.PolicyDocument, SetAsDefault = true })
end

--- The type's spec. `shared`: retry, account_details(fields) and change_attachments(op, wanted, present, pair).
return function(shared)
  local function write_roles(op, scope, live)
    return shared.change_attachments(op, scope.Roles, live.values.Roles, function(name)
      return { RoleName = name, PolicyArn = scope.PolicyArn }
    end)
  end

  local LIST_ROLES = {
    "ListEntitiesForPolicy", send = { "PolicyArn" }, with = { EntityFilter = "Role" },
    map = { "Roles=PolicyRoles[].RoleName" },
  }

  -- A policy can be deleted only when no role has it and it has no versions but the one in force.
  local function strip_policy(op, scope)
    local output, err = op.context.client:all("iam", LIST_ROLES[1], op:parameters(LIST_ROLES, scope))
    if not output then
      return err.code == "NoSuchEntity", err
    end
    local live = { values = path.extract(LIST_ROLES.map, output) }
    local ok
    ok, err = write_roles(op, { PolicyArn = scope.PolicyArn }, live)
    if not ok then
      return nil, err
    end
    local old
    old, err = old_versions(op, scope.PolicyArn)
    if not old then
      return err.code == "NoSuchEntity", err
    end
    return delete_versions(op, scope.PolicyArn, old)
  end

  -- To be attached here (Roles) or by the role (ManagedPolicyArns), not both.
  return {
    service = "iam",
    identity = { "PolicyArn" },
    name = { property = "ManagedPolicyName", limit = 128 },
    retry = shared.retry,
    defaults = { Path = "/", Roles = json.array {} },
    sets = { "Roles" },
    create = {
      "CreatePolicy", send = { "ManagedPolicyName=PolicyName", "Path", "Description", "PolicyDocument" },
      result = "Policy", exists = { "EntityAlreadyExists" },
    },
    derive = function(scope, op)
      return { PolicyArn = ("arn:%s:iam::%s:policy%s%s"):format(op.context.partition, op.context.account,
        scope.Path or "/",
        scope.ManagedPolicyName) }
    end,
    read = shared.account_details {
      list = "Policies", key = "Arn",
      map = { "PolicyArn=Arn", "Path", "PolicyId", "DefaultVersionId", "AttachmentCount", "IsAttachable",
        "PermissionsBoundaryUsageCount" },
      sometimes = { "Description" },
      gives = { "ManagedPolicyName", "PolicyDocument" },
      decode = function(policy, values)
        values.ManagedPolicyName = policy.Arn:match "[^/]+$"
        for _, version in ipairs(policy.PolicyVersionList or {}) do
          if version.IsDefaultVersion then
            values.PolicyDocument = version.Document
          end
        end
      end,
    },
    facets = {
      { properties = { "PolicyDocument" }, write = write_document },
      { properties = { "Roles" }, write = write_roles,
        read = shared.account_details {
          list = "RoleDetailList", key = "AttachedManagedPolicies[].PolicyArn", by = "PolicyArn",
          map = { "Roles=items[].RoleName" },
        } },
    },
    tags = {
      form = "list", create = "Tags", read = { "ListPolicyTags", send = { "PolicyArn" }, list = "Tags" },
      set = { "TagPolicy", send = { "PolicyArn" }, tags = "Tags" },
      unset = { "UntagPolicy", send = { "PolicyArn" }, keys = "TagKeys" },
    },
    delete = {
      "DeletePolicy", send = { "PolicyArn" }, retry = { { "DeleteConflict", 120 } }, before = strip_policy,
    },
    gone = { "NoSuchEntity" },
  }
end
