-- What a role may do by the policies that it has. Used by the simulated services that work as a role. Conditions are
-- taken to hold. `ctx` is the context of any service's call.

local policy = require "infra.sim.policy"
local principals = require "infra.sim.iam.principals"

local permissions = {}

-- The text of the default version of a managed policy, nil for AWS's own: what is in those is not simulated.
local function managed_text(iam, arn)
  local managed = iam:get("policy", arn:match("[^/]*$"):lower())
  for _, version in ipairs(managed and managed.versions or {}) do
    if version.VersionId == managed.DefaultVersionId then
      return version.Document
    end
  end
end

local function names(globs, text)
  for _, glob in ipairs(policy.list(globs)) do
    if policy.like(text:lower(), glob:lower()) then
      return true
    end
  end
  return false
end

-- The effect of a document's last word on the request: "Deny", "Allow" or nil.
local function effect_of(text, action, resource)
  local effect
  for _, statement in ipairs((policy.decode(text) or { Statement = {} }).Statement) do
    if names(statement.Action, action) and (not resource or names(statement.Resource, resource)) then
      effect = effect == "Deny" and effect or statement.Effect
    end
  end
  return effect
end

--- Whether the role with the ARN `role` may do `action` ("ec2:CreateNetworkInterface") with `resource` (an ARN; nil:
--- with anything). `managed`: { name = true } of the policies managed by AWS that allow it.
function permissions.allows(ctx, role, action, resource, managed)
  local found, iam = principals.role(ctx, role), ctx.sim.store:view("iam", ctx.account)
  local allowed, texts = false, {}
  for _, text in pairs(found and found.inline or {}) do
    texts[#texts + 1] = text
  end
  for arn, name in pairs(found and found.attached or {}) do
    allowed = allowed or managed[name] or false
    texts[#texts + 1] = managed_text(iam, arn)
  end
  for _, text in ipairs(texts) do
    local effect = effect_of(text, action, resource)
    if effect == "Deny" then
      return false
    end
    allowed = allowed or effect == "Allow"
  end
  return allowed
end

return permissions
