-- Resource policies of the simulated Secrets Manager: kept, checked, shown; they decide nothing. Used by
-- infra.sim.secretsmanager.

local entities = require "infra.sim.secretsmanager.entities"
local json = require "host.json"
local policy = require "infra.sim.policy"
local principals = require "infra.sim.iam.principals"

local operations = {}

local FORM = {
  invalid = "This resource policy contains a syntax error.",
  needs = {
    { "Effect", "This resource policy contains a syntax error." },
    { "Principal", "This resource policy contains a syntax error." },
    { "Action", "This resource policy contains a syntax error." },
    { "Resource", "This resource policy contains a syntax error." },
  },
  service = "secretsmanager",
  foreign = "This resource policy contains an unsupported action.",
}

-- Whether a statement lets everybody in.
local function is_public(document)
  for _, principal in ipairs(policy.principals(document)) do
    local statement = principal.statement
    if principal.value == "*" and statement.Effect == "Allow" and not statement.Condition then
      return true
    end
  end
  return false
end

-- The document and its bindings, or nil and what is wrong.
local function read(ctx, text)
  local document, problem = policy.parse(text, FORM)
  local bindings = document and principals.bind(ctx, document)
  if document and not bindings then
    return nil, "This resource policy contains an unsupported principal."
  end
  return document, document and bindings or problem
end

function operations.PutResourcePolicy(ctx, params)
  local secret = entities.find(ctx, params.SecretId)
  local document, bindings = read(ctx, params.ResourcePolicy)
  if not document then
    entities.fail(ctx, "MalformedPolicyDocumentException", "%s", bindings)
  elseif params.BlockPublicPolicy and is_public(document) then
    entities.fail(ctx, "PublicPolicyException", "You can't attach a resource policy that allows broad access to the "
      .. "secret.")
  end
  secret.policy, secret.bindings = json.encode(document), bindings
  entities.touch(ctx, secret)
  return { ARN = secret.ARN, Name = secret.Name }
end

function operations.GetResourcePolicy(ctx, params)
  local secret = entities.find(ctx, params.SecretId)
  return {
    ARN = secret.ARN,
    Name = secret.Name,
    ResourcePolicy = secret.policy and principals.render(ctx, secret.policy, secret.bindings),
  }
end

function operations.DeleteResourcePolicy(ctx, params)
  local secret = entities.find(ctx, params.SecretId)
  secret.policy, secret.bindings = nil, {}
  entities.touch(ctx, secret)
  return { ARN = secret.ARN, Name = secret.Name }
end

function operations.ValidateResourcePolicy(ctx, params)
  if params.SecretId then
    entities.find(ctx, params.SecretId)
  end
  local document, problem = read(ctx, params.ResourcePolicy)
  local errors = {}
  if not document then
    errors[1] = { CheckName = "POLICY_SYNTAX", ErrorMessage = problem }
  elseif is_public(document) then
    errors[1] = { CheckName = "PUBLIC_POLICY", ErrorMessage = "The resource policy allows broad access to the secret." }
  end
  return { PolicyValidationPassed = #errors == 0, ValidationErrors = errors }
end

return { operations = operations }
