-- Key policies of the simulated KMS. Used by infra.sim.kms.

local arns = require "infra.sim.arns"
local entities = require "infra.sim.kms.entities"
local json = require "host.json"
local policy = require "infra.sim.policy"
local principals = require "infra.sim.iam.principals"

local policies = { operations = {} }
local operations = policies.operations

local MALFORMED = "MalformedPolicyDocumentException"
local NAME = "default"

local FORM = {
  invalid = "Policy document is not a valid JSON policy document.",
  needs = { { "Effect" }, { "Principal" }, { "Action" }, { "Resource" } },
}

-- What a key has when its creator says nothing: the account decides by IAM.
local function default_policy(ctx)
  return json.encode {
    Version = "2012-10-17",
    Id = "key-default-1",
    Statement = {
      {
        Sid = "Enable IAM User Permissions",
        Effect = "Allow",
        Principal = { AWS = arns.global(ctx, "iam", "root") },
        Action = "kms:*",
        Resource = "*",
      },
    },
  }
end

-- Whether a principal of kind AWS is the caller: it, its account, or the role whose session it is.
local function names_caller(ctx)
  local caller = ctx.caller
  return function(kind, value)
    local role = kind == "AWS" and principals.role(ctx, value)
    return kind == "AWS" and (value == caller.account or value == caller.arn
      or value:find("^arn:[%w-]+:iam::" .. caller.account .. ":root$") ~= nil
      or role ~= nil and role.RoleId == caller.user_id:match("^[^:]+"))
  end
end

--- The key policy that a request asks for, or the default one, checked: the text as KMS writes it, and its bindings.
function policies.read(ctx, params)
  local document, problem = policy.parse(params.Policy or default_policy(ctx), FORM)
  if not document then
    entities.fail(ctx, MALFORMED, "%s", problem)
  end
  local bindings = principals.bind(ctx, document)
  if not bindings then
    entities.fail(ctx, MALFORMED, "Policy contains a statement with one or more invalid principals.")
  elseif not params.BypassPolicyLockoutSafetyCheck and not policy.allows(document, {
    action = "kms:PutKeyPolicy", context = {}, principal = names_caller(ctx),
  }) then
    entities.fail(ctx, MALFORMED, "The new key policy will not allow you to update the key policy in the future.")
  end
  return json.encode(document, { indent = true }), bindings
end

local function check_name(ctx, params)
  if (params.PolicyName or NAME) ~= NAME then
    entities.fail(ctx, "NotFoundException", "No such policy exists")
  end
end

function operations.PutKeyPolicy(ctx, params)
  local key = entities.find_own(ctx, params.KeyId)
  check_name(ctx, params)
  local text, bindings = policies.read(ctx, params)
  entities.change(ctx, key, function() key.policy, key.bindings = text, bindings end)
end

function operations.GetKeyPolicy(ctx, params)
  local key = entities.seen(ctx, entities.find(ctx, params.KeyId))
  check_name(ctx, params)
  return { Policy = principals.render(ctx, key.policy, key.bindings), PolicyName = NAME }
end

function operations.ListKeyPolicies(ctx, params)
  entities.find(ctx, params.KeyId)
  return { PolicyNames = { NAME }, Truncated = false }
end

return policies
