-- What permits a role of the simulated IAM something: inline policies and attached managed policies. Used by
-- infra.sim.iam.

local entities = require "infra.sim.iam.entities"
local sorted_keys = require "infra.sorted_keys"

local operations = {}
local fail = entities.fail

-- IAM quotas: characters of all inline policies of a role, white space not counted; managed policies per role.
local INLINE_LIMIT = 10240
local ATTACHMENTS_LIMIT = 10

local function itself(text)
  return text
end

-- -- inline -----------------------------------------------------------------------------------------------------------

local function inline(ctx, params)
  local role = entities.role(ctx, params.RoleName)
  return role.inline[params.PolicyName]
    or fail(ctx, "NoSuchEntity", "The role policy with name %s cannot be found.", params.PolicyName), role
end

function operations.PutRolePolicy(ctx, params)
  local role = entities.own_role(ctx, params.RoleName)
  entities.check_identity_policy(ctx, params.PolicyDocument)
  local size = entities.document_size(params.PolicyDocument)
  for name, document in pairs(role.inline) do
    size = size + (name ~= params.PolicyName and entities.document_size(document) or 0)
  end
  if size > INLINE_LIMIT then
    fail(ctx, "LimitExceeded", "Maximum policy size of %d bytes exceeded for role %s", INLINE_LIMIT, role.RoleName)
  end
  role.inline[params.PolicyName] = params.PolicyDocument
  entities.put_role(ctx, role)
end

function operations.GetRolePolicy(ctx, params)
  local document, role = inline(ctx, params)
  return {
    RoleName = role.RoleName,
    PolicyName = params.PolicyName,
    PolicyDocument = entities.encoded(document),
  }
end

function operations.DeleteRolePolicy(ctx, params)
  entities.own_role(ctx, params.RoleName)
  local _, role = inline(ctx, params)
  role.inline[params.PolicyName] = nil
  entities.put_role(ctx, role)
end

function operations.ListRolePolicies(ctx, params)
  local role = entities.role(ctx, params.RoleName)
  return entities.listed(ctx, params, "PolicyNames", sorted_keys(role.inline), itself)
end

-- -- attached ---------------------------------------------------------------------------------------------------------

function operations.AttachRolePolicy(ctx, params)
  local role = entities.own_role(ctx, params.RoleName)
  local policy = entities.attachable(ctx, params.PolicyArn, "Policy %s does not exist or is not attachable.")
  if not role.attached[policy.Arn] and #sorted_keys(role.attached) >= ATTACHMENTS_LIMIT then
    fail(ctx, "LimitExceeded", "Cannot exceed quota for PoliciesPerRole: %d", ATTACHMENTS_LIMIT)
  end
  role.attached[policy.Arn] = policy.PolicyName
  entities.put_role(ctx, role)
end

function operations.DetachRolePolicy(ctx, params)
  local role = entities.own_role(ctx, params.RoleName)
  if not role.attached[params.PolicyArn] then
    fail(ctx, "NoSuchEntity", "Policy %s was not found.", params.PolicyArn)
  end
  role.attached[params.PolicyArn] = nil
  entities.put_role(ctx, role)
end

function operations.ListAttachedRolePolicies(ctx, params)
  local role = entities.role(ctx, params.RoleName)
  local prefix = ":policy" .. (params.PathPrefix or "/")
  local arns = {}
  for _, arn in ipairs(sorted_keys(role.attached)) do
    if arn:find(prefix, 1, true) then
      arns[#arns + 1] = arn
    end
  end
  return entities.listed(ctx, params, "AttachedPolicies", arns, itself, function(arn)
    return { PolicyArn = arn, PolicyName = role.attached[arn] }
  end)
end

return { operations = operations }
