-- What the simulated Lambda asks of the role that a function runs with. Used by settings.lua.

local entities = require "infra.sim.lambda.entities"
local policy = require "infra.sim.policy"
local principals = require "infra.sim.iam.principals"

local execution_role = {}

-- Policies managed by AWS that allow ec2:CreateNetworkInterface; what is in them is not simulated.
local NETWORKERS = {
  AWSLambdaVPCAccessExecutionRole = true, AWSLambdaENIManagementAccess = true, AdministratorAccess = true,
  PowerUserAccess = true, AmazonEC2FullAccess = true, AmazonVPCFullAccess = true,
}

--- The role's ARN, if Lambda can assume it by now for the function called `name`.
function execution_role.checked(ctx, arn, name)
  local account = arn:match("^arn:[%w-]+:iam::(%d+):role/.")
  if not account then
    entities.validation(ctx, arn, "role", "Member must satisfy regular expression pattern: "
      .. "arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+")
  elseif account ~= ctx.account then
    entities.fail(ctx, "AccessDeniedException", "Cross-account pass role is not allowed.")
  elseif not principals.assumable_by(ctx, arn, "lambda.amazonaws.com", entities.arn(ctx, name)) then
    entities.invalid(ctx, "The role defined for the function cannot be assumed by Lambda.")
  end
  return arn
end

local function allows(text, action)
  local document = text and policy.decode(text)
  for _, statement in ipairs(document and document.Statement or {}) do
    for _, glob in ipairs(statement.Effect == "Allow" and policy.list(statement.Action) or {}) do
      if policy.like(action:lower(), glob:lower()) then
        return true
      end
    end
  end
  return false
end

-- The text of the default version of a managed policy.
local function managed_text(iam, arn)
  local managed = iam:get("policy", arn:match("[^/]*$"):lower())
  for _, version in ipairs(managed and managed.versions or {}) do
    if version.VersionId == managed.DefaultVersionId then
      return version.Document
    end
  end
end

--- Fails unless the role's policies let a function have network interfaces.
function execution_role.check_network(ctx, arn)
  local role, iam = principals.role(ctx, arn), ctx.sim.store:view("iam", ctx.account)
  local allowed = false
  for _, text in pairs(role and role.inline or {}) do
    allowed = allowed or allows(text, "ec2:CreateNetworkInterface")
  end
  for attached, name in pairs(role and role.attached or {}) do
    allowed = allowed or NETWORKERS[name] or allows(managed_text(iam, attached), "ec2:CreateNetworkInterface")
  end
  if not allowed then
    entities.invalid(ctx, "The provided execution role does not have permissions to call CreateNetworkInterface on EC2")
  end
end

return execution_role
