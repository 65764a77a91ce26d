-- Managed policies of the simulated IAM and their versions. Used by infra.sim.iam.

local arns = require "infra.sim.arns"
local aws_managed = require "infra.sim.iam.aws_managed"
local entities = require "infra.sim.iam.entities"
local joined = require "infra.joined"
local structures = require "infra.sim.structures"
local tagging = require "infra.sim.tagging"

local policies = { operations = {} }
local operations = policies.operations
local fail = entities.fail

-- IAM quotas; white space does not count.
local SIZE_LIMIT = 6144
local VERSIONS_LIMIT = 5

local LISTED = {
  "PolicyName", "PolicyId", "Arn", "Path", "DefaultVersionId", "IsAttachable", "CreateDate", "UpdateDate",
}

-- The roles that use the policy: as a permissions policy, and as a boundary.
local function users_of(ctx, arn)
  local attached, bounded = {}, {}
  for _, role in ctx.global:each("role") do
    if role.attached[arn] then
      attached[#attached + 1] = role
    end
    if role.PermissionsBoundary and role.PermissionsBoundary.PermissionsBoundaryArn == arn then
      bounded[#bounded + 1] = role
    end
  end
  return attached, bounded
end

local function listed_view(ctx, policy)
  local shown = structures.pick(policy, LISTED)
  local attached, bounded = users_of(ctx, policy.Arn)
  shown.AttachmentCount, shown.PermissionsBoundaryUsageCount = #attached, #bounded
  return shown
end

--- A policy as GetPolicy shows it; ListPolicies leaves out description and tags.
function policies.view(ctx, policy)
  local shown = listed_view(ctx, policy)
  shown.Description, shown.Tags = policy.Description, policy.Tags
  return shown
end

--- A version as the API shows it. `with_document`: not all answers have it.
function policies.version_view(policy, version, with_document)
  return {
    VersionId = version.VersionId,
    CreateDate = version.CreateDate,
    IsDefaultVersion = version.VersionId == policy.DefaultVersionId,
    Document = with_document and entities.encoded(version.Document) or nil,
  }
end

local function version_of(ctx, policy, id)
  for position, version in ipairs(policy.versions or {}) do
    if version.VersionId == id then
      return version, position
    end
  end
  fail(ctx, "NoSuchEntity", "Policy %s version %s does not exist or is not attachable.", policy.Arn, id)
end

local function add_version(ctx, policy, document, as_default)
  entities.check_identity_policy(ctx, document)
  if entities.document_size(document) > SIZE_LIMIT then
    fail(ctx, "LimitExceeded", "Cannot exceed quota for PolicySize: %d", SIZE_LIMIT)
  elseif #policy.versions >= VERSIONS_LIMIT then
    fail(ctx, "LimitExceeded", "A managed policy can have up to %d versions. Before you create a new version, you must "
      .. "delete an existing version.", VERSIONS_LIMIT)
  end
  local version = { VersionId = "v" .. policy.next_version, CreateDate = ctx.now(), Document = document }
  policy.next_version = policy.next_version + 1
  table.insert(policy.versions, 1, version)
  policy.UpdateDate = version.CreateDate
  policy.DefaultVersionId = as_default and version.VersionId or policy.DefaultVersionId
  return version
end

function operations.CreatePolicy(ctx, params)
  local name, path = params.PolicyName, params.Path or "/"
  local policy = {
    PolicyName = name,
    PolicyId = entities.id(ctx, "ANPA"),
    Arn = arns.global(ctx, "iam", "policy" .. path .. name),
    Path = path,
    IsAttachable = true,
    Description = params.Description,
    Tags = params.Tags and entities.merge_tags(ctx, nil, params.Tags),
    CreateDate = ctx.now(),
    versions = {},
    next_version = 1,
  }
  add_version(ctx, policy, params.PolicyDocument, true)
  if ctx.global:get("policy", name:lower()) then
    fail(ctx, "EntityAlreadyExists", "A policy called %s already exists. Duplicate names are not allowed.", name)
  end
  entities.put_policy(ctx, policy)
  return { Policy = policies.view(ctx, policy) }
end

function operations.GetPolicy(ctx, params)
  return { Policy = policies.view(ctx, entities.policy(ctx, params.PolicyArn)) }
end

function operations.DeletePolicy(ctx, params)
  local policy = entities.own_policy(ctx, params.PolicyArn)
  local attached, bounded = users_of(ctx, policy.Arn)
  if #attached + #bounded > 0 then
    fail(ctx, "DeleteConflict", "Cannot delete a policy attached to entities.")
  elseif #policy.versions > 1 then
    fail(ctx, "DeleteConflict", "This policy has more than one version. Before you delete a policy, you must delete "
      .. "the policy's versions. The default version is deleted with the policy.")
  end
  ctx.global:delete("policy", policy.PolicyName:lower())
end

local function in_scope(params)
  return function(ctx, policy)
    local attached, bounded = users_of(ctx, policy.Arn)
    local used = params.PolicyUsageFilter == "PermissionsBoundary" and bounded or attached
    local prefix = params.PathPrefix or "/"
    return policy.Path:sub(1, #prefix) == prefix
      and (#used > 0 or not (params.OnlyAttached or params.PolicyUsageFilter == "PermissionsBoundary"))
  end
end

function operations.ListPolicies(ctx, params)
  local found, wanted = {}, in_scope(params)
  for scope, all in pairs {
    AWS = aws_managed.all(ctx.partition),
    Local = entities.all(ctx, "policy"),
  } do
    if (params.Scope or "All") == "All" or params.Scope == scope then
      for _, policy in ipairs(all) do
        if wanted(ctx, policy) then
          found[#found + 1] = policy
        end
      end
    end
  end
  table.sort(found, function(a, b) return a.Arn < b.Arn end)
  return entities.listed(ctx, params, "Policies", found, function(policy)
    return policy.Arn
  end, function(policy)
    return listed_view(ctx, policy)
  end)
end

function operations.ListEntitiesForPolicy(ctx, params)
  local arn = entities.policy(ctx, params.PolicyArn).Arn
  local attached, bounded = users_of(ctx, arn)
  local roles, prefix, seen = {}, params.PathPrefix or "/", {}
  for usage, users in pairs { PermissionsPolicy = attached, PermissionsBoundary = bounded } do
    for _, role in ipairs(users) do
      local wanted = (params.EntityFilter or "Role") == "Role" and (params.PolicyUsageFilter or usage) == usage
      if wanted and not seen[role] and role.Path:sub(1, #prefix) == prefix then
        seen[role] = true
        roles[#roles + 1] = role
      end
    end
  end
  table.sort(roles, function(a, b) return a.RoleName:lower() < b.RoleName:lower() end)
  local output = entities.listed(ctx, params, "PolicyRoles", roles, function(role)
    return role.RoleName:lower()
  end, function(role)
    return { RoleName = role.RoleName, RoleId = role.RoleId }
  end)
  output.PolicyUsers, output.PolicyGroups = {}, {}
  return output
end

function operations.CreatePolicyVersion(ctx, params)
  local policy = entities.own_policy(ctx, params.PolicyArn)
  local version = add_version(ctx, policy, params.PolicyDocument, params.SetAsDefault)
  entities.put_policy(ctx, policy)
  return { PolicyVersion = policies.version_view(policy, version) }
end

function operations.GetPolicyVersion(ctx, params)
  local policy = entities.policy(ctx, params.PolicyArn)
  return { PolicyVersion = policies.version_view(policy, version_of(ctx, policy, params.VersionId), true) }
end

function operations.ListPolicyVersions(ctx, params)
  local policy = entities.policy(ctx, params.PolicyArn)
  local versions = joined(policy.versions)
  local function key(version)
    return ("%08d"):format(0x7fffff - tonumber(version.VersionId:sub(2)))
  end
  return entities.listed(ctx, params, "Versions", versions, key, function(version)
    return policies.version_view(policy, version)
  end)
end

function operations.SetDefaultPolicyVersion(ctx, params)
  local policy = entities.own_policy(ctx, params.PolicyArn)
  policy.DefaultVersionId = version_of(ctx, policy, params.VersionId).VersionId
  entities.put_policy(ctx, policy)
end

function operations.DeletePolicyVersion(ctx, params)
  local policy = entities.own_policy(ctx, params.PolicyArn)
  local version, position = version_of(ctx, policy, params.VersionId)
  if version.VersionId == policy.DefaultVersionId then
    fail(ctx, "DeleteConflict", "Cannot delete the default version of a policy.")
  end
  table.remove(policy.versions, position)
  entities.put_policy(ctx, policy)
end

entities.add_tagging(operations, "Policy", "PolicyArn", entities.own_policy, entities.put_policy)

policies.tagged = {
  policy = function(_, policy) return { arn = policy.Arn, tags = tagging.merge(nil, policy.Tags) } end,
}

return policies
