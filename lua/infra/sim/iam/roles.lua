-- Roles of the simulated IAM: the role itself, its trust policy, permissions boundary and tags, and service-linked
-- roles. Used by infra.sim.iam.

local arns = require "infra.sim.arns"
local entities = require "infra.sim.iam.entities"
local json = require "host.json"
local policy = require "infra.sim.policy"
local principals = require "infra.sim.iam.principals"
local structures = require "infra.sim.structures"

local roles = { operations = {} }
local operations = roles.operations
local fail = entities.fail

-- IAM quota; white space does not count.
local TRUST_POLICY_LIMIT = 2048

local LISTED = {
  "Path", "RoleName", "RoleId", "Arn", "CreateDate", "AssumeRolePolicyDocument", "Description", "MaxSessionDuration",
}

local TRUST = {
  invalid = "This policy contains invalid Json",
  needs = { { "Effect" }, { "Principal" }, { "Action" } },
  forbids = { Resource = "Has prohibited field Resource" },
  service = "sts",
  foreign = "AssumeRole policy may only specify STS AssumeRole actions.",
}

-- Names of service-linked roles that do not follow from the service's name (each service's documentation).
local LINKED_NAMES = {
  ["ops.apigateway"] = "APIGateway", ["wafv2"] = "WAFV2Logging", ["replicator.lambda"] = "LambdaReplicator",
  ["rds"] = "RDS", ["elasticache"] = "ElastiCache", ["backup"] = "Backup", ["ecs"] = "ECS",
  ["elasticloadbalancing"] = "ElasticLoadBalancing", ["autoscaling"] = "AutoScaling", ["ssm"] = "AmazonSSM",
  ["logger.cloudfront"] = "CloudFrontLogger", ["events"] = "CloudWatchEvents", ["replication.ecr"] = "ECRReplication",
  ["codestar-notifications"] = "CodeStarNotifications",
}

-- A role as ListRoles shows it.
local function listed_view(ctx, role)
  local shown = structures.pick(role, LISTED)
  local document = principals.render(ctx, role.AssumeRolePolicyDocument, role.bindings)
  shown.AssumeRolePolicyDocument = entities.encoded(document)
  return shown
end

--- A role as GetRole shows it.
function roles.view(ctx, role)
  local shown = listed_view(ctx, role)
  shown.PermissionsBoundary, shown.Tags, shown.RoleLastUsed = role.PermissionsBoundary, role.Tags, {}
  return shown
end

-- Sets the trust policy of `role`, or fails.
local function set_trust(ctx, role, text)
  local document, problem = policy.parse(text, TRUST)
  local bindings
  if document then
    for _, principal in ipairs(policy.principals(document)) do
      if principal.kind == "STAR" then
        problem = ('AssumeRolepolicy contained an invalid principal: "STAR":"%s".'):format(principal.value)
      end
    end
    if not problem then
      bindings, problem = principals.bind(ctx, document)
    end
  end
  if problem then
    fail(ctx, "MalformedPolicyDocument", "%s", problem)
  elseif entities.document_size(text) > TRUST_POLICY_LIMIT then
    fail(ctx, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: %d", TRUST_POLICY_LIMIT)
  end
  role.AssumeRolePolicyDocument, role.bindings = text, bindings
end

local function boundary(ctx, arn)
  if arn then
    entities.attachable(ctx, arn, "Scope ARN: %s does not exist or is not attachable.")
    return { PermissionsBoundaryType = "Policy", PermissionsBoundaryArn = arn }
  end
end

local function create(ctx, params, fields)
  local name, path = params.RoleName, params.Path or "/"
  local role = {
    Path = path,
    RoleName = name,
    Arn = arns.global(ctx, "iam", "role" .. path .. name),
    CreateDate = ctx.now(),
    Description = params.Description,
    MaxSessionDuration = params.MaxSessionDuration or 3600,
    Tags = params.Tags and entities.merge_tags(ctx, nil, params.Tags),
    inline = {},
    attached = {},
    linked = fields.linked,
  }
  set_trust(ctx, role, params.AssumeRolePolicyDocument)
  role.PermissionsBoundary = boundary(ctx, params.PermissionsBoundary)
  if ctx.global:get("role", name:lower()) then
    fail(ctx, fields.taken_code, fields.taken, name)
  end
  role.RoleId = entities.id(ctx, "AROA")
  entities.put_role(ctx, role)
  return { Role = roles.view(ctx, role) }
end

function operations.CreateRole(ctx, params)
  return create(ctx, params, { taken_code = "EntityAlreadyExists", taken = "Role with name %s already exists." })
end

function operations.CreateServiceLinkedRole(ctx, params)
  local service = params.AWSServiceName
  local short = service:match("^([%w.-]+)%.amazonaws%.com[.cn]*$")
  if not short then
    fail(ctx, "InvalidInput", "%s is not a valid service name.", service)
  end
  local suffix = LINKED_NAMES[short] or short:gsub("^%l", string.upper):gsub("[.-](%l)", string.upper)
  local name = "AWSServiceRoleFor" .. suffix
  return create(ctx, {
    Path = ("/aws-service-role/%s/"):format(service),
    RoleName = params.CustomSuffix and name .. "_" .. params.CustomSuffix or name,
    Description = params.Description,
    AssumeRolePolicyDocument = json.encode {
      Version = "2012-10-17",
      Statement = { { Effect = "Allow", Principal = { Service = service }, Action = "sts:AssumeRole" } },
    },
  }, {
    linked = true,
    taken_code = "InvalidInput",
    taken = "Service role name %s has been taken in this account, please try a different suffix.",
  })
end

function operations.GetRole(ctx, params)
  return { Role = roles.view(ctx, entities.role(ctx, params.RoleName)) }
end

function operations.ListRoles(ctx, params)
  return entities.listed(ctx, params, "Roles", entities.all(ctx, "role", params.PathPrefix), function(role)
    return role.RoleName:lower()
  end, function(role)
    return listed_view(ctx, role)
  end)
end

-- "If you do not specify a value for this setting, the default value of one hour is applied": UpdateRole as well.
function operations.UpdateRole(ctx, params)
  local role = entities.own_role(ctx, params.RoleName)
  role.Description = params.Description or role.Description
  role.MaxSessionDuration = params.MaxSessionDuration or 3600
  entities.put_role(ctx, role)
  return {}
end

function operations.UpdateRoleDescription(ctx, params)
  local role = entities.role(ctx, params.RoleName)
  role.Description = params.Description
  entities.put_role(ctx, role)
  return { Role = roles.view(ctx, role) }
end

function operations.UpdateAssumeRolePolicy(ctx, params)
  local role = entities.own_role(ctx, params.RoleName)
  set_trust(ctx, role, params.PolicyDocument)
  entities.put_role(ctx, role)
end

function operations.DeleteRole(ctx, params)
  local role = entities.own_role(ctx, params.RoleName)
  if next(role.attached) then
    fail(ctx, "DeleteConflict", "Cannot delete entity, must detach all policies first.")
  elseif next(role.inline) then
    fail(ctx, "DeleteConflict", "Cannot delete entity, must delete policies first.")
  end
  ctx.global:delete("role", role.RoleName:lower())
end

function operations.PutRolePermissionsBoundary(ctx, params)
  local role = entities.own_role(ctx, params.RoleName)
  role.PermissionsBoundary = boundary(ctx, params.PermissionsBoundary)
  entities.put_role(ctx, role)
end

function operations.DeleteRolePermissionsBoundary(ctx, params)
  local role = entities.own_role(ctx, params.RoleName)
  role.PermissionsBoundary = nil
  entities.put_role(ctx, role)
end

-- Roles are not put into instance profiles here, but deleting one begins with this question.
function operations.ListInstanceProfilesForRole(ctx, params)
  entities.role(ctx, params.RoleName)
  return { InstanceProfiles = {}, IsTruncated = false }
end

entities.add_tagging(operations, "Role", "RoleName", entities.role, entities.put_role)

return roles
