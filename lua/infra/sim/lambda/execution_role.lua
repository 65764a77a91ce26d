-- What the simulated Lambda asks of the role that a function runs with. Used by settings.lua.

local entities = require "infra.sim.lambda.entities"
local permissions = require "infra.sim.iam.permissions"
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

--- Fails unless the role's policies let a function have network interfaces.
function execution_role.check_network(ctx, arn)
  if not permissions.allows(ctx, arn, "ec2:CreateNetworkInterface", nil, NETWORKERS) then
    entities.invalid(ctx, "The provided execution role does not have permissions to call CreateNetworkInterface on EC2")
  end
end

return execution_role
