-- Who can be named as a principal, and what becomes of the name. Used by iam for trust policies, by the simulated
-- services that keep resource policies, by those that are handed a role to assume, and by sts. `ctx` is the context of
-- any service's call.

local auth = require "infra.sim.auth"
local policy = require "infra.sim.policy"

local principals = {}

-- Seconds until the rest of AWS knows a new role ("usable after 5 to 20 s", by common experience).
local PROPAGATION = 8

-- The store of the simulated IAM in an account (iam/entities.lua says what is in it).
local function iam(ctx, account)
  return ctx.sim.store:view("iam", account or ctx.account)
end

-- What AWS Organizations puts into the accounts that it makes: all rights for the organization's own account, here that
-- of the administrator. https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
local MEMBER_ROLE <const> = "OrganizationAccountAccessRole"
local MEMBER_TRUST <const> = [[{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",]]
  .. [["Principal":{"AWS":"arn:aws:iam::%s:root"}}]}]]

local function member_role(account)
  return {
    RoleName = MEMBER_ROLE, RoleId = "AROAMEMBER" .. account:sub(-11), MaxSessionDuration = 3600, CreateDate = 0,
    Arn = ("arn:aws:iam::%s:role/%s"):format(account, MEMBER_ROLE), bindings = {},
    AssumeRolePolicyDocument = MEMBER_TRUST:format(auth.ACCOUNT),
  }
end

--- The role with this ARN, of any account, or nil. `settled`: only if the rest of AWS knows it by now.
function principals.role(ctx, arn, settled)
  local account, name = arn:match("^arn:[%w-]+:iam::(%d+):role/.-([^/]+)$")
  local role = name and iam(ctx, account):get("role", name:lower())
  if not role and name == MEMBER_ROLE and account ~= auth.ACCOUNT then
    role = member_role(account)
  end
  if role and role.Arn == arn and not (settled and ctx.now() < role.CreateDate + PROPAGATION) then
    return role
  end
end

--- The OpenID Connect provider for `host` (an issuer without its "https://") in the account of `role`, or nil.
function principals.provider(ctx, role, host)
  local partition, account = role.Arn:match("^arn:([%w-]+):iam::(%d+):")
  return iam(ctx, account):get("provider", ("arn:%s:iam::%s:oidc-provider/%s"):format(partition, account, host))
end

local function role_with_id(ctx, id)
  for _, role in iam(ctx):each("role") do
    if role.RoleId == id then
      return role
    end
  end
end

-- Whether a policy may name `value` now. AWS looks only into accounts that exist; of those that are not simulated
-- nothing is known, and their principals are taken as they come.
local function known(ctx, value)
  local service, account, resource = value:match("^arn:[%w-]+:(%w+)::([%w-]+):(.+)$")
  if not service then
    return role_with_id(ctx, value) ~= nil or value == ctx.caller.user_id
  elseif account ~= ctx.account or resource == "root" or value == ctx.caller.arn then
    return true
  elseif service == "sts" then
    local name = resource:match("^assumed%-role/([^/]+)/.")
    local role = name and iam(ctx):get("role", name:lower())
    return role ~= nil and principals.role(ctx, role.Arn, true) ~= nil
  end
  return principals.role(ctx, value, true) ~= nil
end

--- Looks up the principals of `document` (from policy.parse). Returns its bindings, to be kept beside the policy:
--- { role's ARN = the unique id that it stands for }; or nil and AWS's message about the first one that cannot be.
function principals.bind(ctx, document)
  local problem = policy.principal_problem(document, function(value)
    return known(ctx, value)
  end)
  if problem then
    return nil, problem
  end
  local bindings = {}
  for _, principal in ipairs(policy.principals(document)) do
    local role = principal.kind == "AWS" and principals.role(ctx, principal.value)
    if role then
      bindings[role.Arn] = role.RoleId
    end
  end
  return bindings
end

--- `text` as AWS shows it now: a principal that was deleted since, even one made anew under its name, has become its
--- unique id.
function principals.render(ctx, text, bindings)
  for arn, id in pairs(bindings) do
    local role = principals.role(ctx, arn)
    if not role or role.RoleId ~= id then
      text = text:gsub('"' .. arn:gsub("%p", "%%%0") .. '"', '"' .. id .. '"')
    end
  end
  return text
end

--- Whether `service` ("lambda.amazonaws.com") can assume the role with this ARN by now, on behalf of `source_arn` (nil:
--- of nothing in particular) in this account.
function principals.assumable_by(ctx, arn, service, source_arn)
  local role = principals.role(ctx, arn, true)
  return role ~= nil and policy.allows(policy.decode(role.AssumeRolePolicyDocument), {
    action = "sts:AssumeRole",
    context = { ["aws:sourceaccount"] = ctx.account, ["aws:sourcearn"] = source_arn },
    principal = function(kind, value)
      return kind == "Service" and value == service
    end,
  })
end

return principals
