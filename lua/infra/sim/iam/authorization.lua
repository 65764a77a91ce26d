-- GetAccountAuthorizationDetails of the simulated IAM: every role and every customer managed policy with all that
-- belongs to it, in pages. Used by infra.sim.iam.

local entities = require "infra.sim.iam.entities"
local policies = require "infra.sim.iam.policies"
local roles = require "infra.sim.iam.roles"
local set_of = require "infra.set_of"

local operations = {}

local function role_detail(ctx, role)
  local detail = roles.view(ctx, role)
  detail.InstanceProfileList, detail.RolePolicyList, detail.AttachedManagedPolicies = {}, {}, {}
  for name, document in pairs(role.inline) do
    table.insert(detail.RolePolicyList, { PolicyName = name, PolicyDocument = entities.encoded(document) })
  end
  for arn, name in pairs(role.attached) do
    table.insert(detail.AttachedManagedPolicies, { PolicyArn = arn, PolicyName = name })
  end
  table.sort(detail.RolePolicyList, function(a, b) return a.PolicyName < b.PolicyName end)
  table.sort(detail.AttachedManagedPolicies, function(a, b) return a.PolicyArn < b.PolicyArn end)
  return detail
end

-- Without a description, also where there is one, as the API reference's sample has it.
local function policy_detail(ctx, policy)
  local detail = policies.view(ctx, policy)
  detail.Description = nil
  detail.PolicyVersionList = {}
  for i, version in ipairs(policy.versions) do
    detail.PolicyVersionList[i] = policies.version_view(policy, version, true)
  end
  return detail
end

-- In the order of the pages: an entity's type, its kind in the store, where it goes in the answer.
local PARTS = {
  { type = "Role", kind = "role", member = "RoleDetailList", detail = role_detail },
  { type = "LocalManagedPolicy", kind = "policy", member = "Policies", detail = policy_detail },
}

local function selected(filter)
  local wanted = set_of(filter)
  return function(type_name)
    return next(wanted) == nil or wanted[type_name]
  end
end

function operations.GetAccountAuthorizationDetails(ctx, params)
  local wanted, items = selected(params.Filter), {}
  for position, part in ipairs(PARTS) do
    for _, entity in ipairs(wanted(part.type) and entities.all(ctx, part.kind) or {}) do
      items[#items + 1] = { part = part, entity = entity, key = position .. entity.Arn:match("[^/]*$"):lower() }
    end
  end
  local output = entities.listed(ctx, params, "items", items, function(item) return item.key end)
  output.UserDetailList, output.GroupDetailList = {}, {}
  for _, part in ipairs(PARTS) do
    output[part.member] = {}
  end
  for _, item in ipairs(output.items) do
    table.insert(output[item.part.member], item.part.detail(ctx, item.entity))
  end
  output.items = nil
  return output
end

return { operations = operations }
