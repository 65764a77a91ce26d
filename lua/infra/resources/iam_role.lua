-- Roles of IAM with their inline policies and the managed ones that are attached. Used by resources/iam.lua.

local json = require "host.json"

local function by_name(policies)
  local result = {}
  for _, policy in ipairs(policies or {}) do
    local document = policy.PolicyDocument
    result[policy.PolicyName] = type(document) == "table" and json.encode(document) or document
  end
  return result
end

-- Takes the role out of the instance profiles that have it.
local function leave_profiles(op, scope)
  local output, err = op.context.client:all("iam", "ListInstanceProfilesForRole", { RoleName = scope.RoleName })
  if not output then
    return err.code == "NoSuchEntity", err
  end
  for _, profile in ipairs(output.InstanceProfiles or {}) do
    local ok, problem = op:mutate({ "RemoveRoleFromInstanceProfile" },
      { RoleName = scope.RoleName, InstanceProfileName = profile.InstanceProfileName })
    if not ok and problem.code ~= "NoSuchEntity" then
      return nil, problem
    end
  end
  return true
end

--- The type's spec. `shared`: what iam_*.lua share, see resources/iam.lua.
return function(shared)
  -- Inline policies have no identity of their own: put what differs, delete what is no longer declared.
  local function write_policies(op, scope, live)
    return shared.change_parts(op, "PutRolePolicy", "DeleteRolePolicy", by_name(scope.Policies),
      by_name(live.values.Policies), function(name, document)
        return { RoleName = scope.RoleName, PolicyName = name, PolicyDocument = document }
      end)
  end

  local function write_attachments(op, scope, live)
    return shared.change_attachments(op, scope.ManagedPolicyArns, live.values.ManagedPolicyArns, function(arn)
      return { RoleName = scope.RoleName, PolicyArn = arn }
    end)
  end

  -- A role can be deleted only when nothing is attached to it and no profile has it, whoever did that.
  local function strip_role(op, scope)
    local attached, err = op.context.client:all("iam", "ListAttachedRolePolicies", { RoleName = scope.RoleName })
    if not attached then
      return err.code == "NoSuchEntity", err
    end
    local inline
    inline, err = op.context.client:all("iam", "ListRolePolicies", { RoleName = scope.RoleName })
    if not inline then
      return err.code == "NoSuchEntity", err
    end
    local ok
    ok, err = leave_profiles(op, scope)
    if not ok then
      return nil, err
    end
    local live = { values = { Policies = {}, ManagedPolicyArns = {} } }
    for i, policy in ipairs(attached.AttachedPolicies or {}) do
      live.values.ManagedPolicyArns[i] = policy.PolicyArn
    end
    for i, name in ipairs(inline.PolicyNames or {}) do
      live.values.Policies[i] = { PolicyName = name, PolicyDocument = "" }
    end
    local nothing = { RoleName = scope.RoleName }
    ok, err = write_attachments(op, nothing, live)
    if not ok then
      return nil, err
    end
    return write_policies(op, nothing, live)
  end

  return {
    service = "iam",
    identity = { "RoleName" },
    name = { property = "RoleName", limit = 64 },
    typical = { create = 2, delete = 2 },
    retry = shared.retry,
    defaults = { Path = "/", MaxSessionDuration = 3600, Policies = json.array {}, ManagedPolicyArns = json.array {} },
    sets = { "ManagedPolicyArns", "Policies" },
    create = {
      "CreateRole",
      send = { "RoleName", "Path", "AssumeRolePolicyDocument", "Description", "MaxSessionDuration",
        "PermissionsBoundary" },
      result = "Role", exists = { "EntityAlreadyExists" },
    },
    read = shared.account_details {
      list = "RoleDetailList", key = "RoleName",
      map = {
        "RoleName", "Path", "Arn", "RoleId", "AssumeRolePolicyDocument",
        "PermissionsBoundary=PermissionsBoundary.PermissionsBoundaryArn",
        "ManagedPolicyArns=AttachedManagedPolicies[].PolicyArn",
      },
      gives = { "Policies" },
      decode = function(role, values)
        values.Policies = json.array {}
        for i, policy in ipairs(role.RolePolicyList or {}) do
          values.Policies[i] = { PolicyName = policy.PolicyName, PolicyDocument = policy.PolicyDocument }
        end
      end,
    },
    facets = {
      { properties = { "AssumeRolePolicyDocument" },
        write = { "UpdateAssumeRolePolicy", send = { "RoleName", "AssumeRolePolicyDocument=PolicyDocument" } } },
      { -- sent together: leaving one out resets it
        properties = { "Description", "MaxSessionDuration" },
        write = { "UpdateRole", send = { "RoleName", "Description", "MaxSessionDuration" } },
        clear = { "UpdateRole", send = { "RoleName" }, with = { Description = "" } },
        read = { "GetRole", send = { "RoleName" }, map = { "Description=Role.Description",
          "MaxSessionDuration=Role.MaxSessionDuration" } },
      },
      { properties = { "PermissionsBoundary" },
        write = { "PutRolePermissionsBoundary", send = { "RoleName", "PermissionsBoundary" } },
        clear = { "DeleteRolePermissionsBoundary", send = { "RoleName" } } },
      { properties = { "ManagedPolicyArns" }, write = write_attachments },
      { properties = { "Policies" }, write = write_policies },
    },
    tags = {
      form = "list", create = "Tags", read = "Tags",
      set = { "TagRole", send = { "RoleName" }, tags = "Tags" },
      unset = { "UntagRole", send = { "RoleName" }, keys = "TagKeys" },
    },
    delete = { "DeleteRole", send = { "RoleName" }, before = strip_role, retry = { { "DeleteConflict", 120 } } },
    gone = { "NoSuchEntity" },
  }
end
