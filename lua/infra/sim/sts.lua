-- The simulated STS: operation name -> function(ctx, params) -> output, for infra.sim. Behaviour by the STS API
-- reference; who may assume a role is what its trust policy says.

local crypto = require "host.crypto"
local json = require "host.json"

local Failure = require "infra.sim.failure"
local entities = require "infra.sim.iam.entities"
local policy = require "infra.sim.policy"
local principals = require "infra.sim.iam.principals"

local operations = {}

-- Seconds that a session lives: the usual, the shortest, and the longest for a role assumed by a role.
local USUAL, SHORTEST, CHAINED = 3600, 900, 3600

local fail = Failure.thrower()

function operations.GetCallerIdentity(ctx)
  return { Account = ctx.caller.account, Arn = ctx.caller.arn, UserId = ctx.caller.user_id }
end

-- -- the session ------------------------------------------------------------------------------------------------------

local function check(ctx, params)
  if not params.RoleArn:find("^arn:[%w-]+:iam::%d+:role/.") then
    fail(ctx, "ValidationError", "%s is invalid", params.RoleArn)
  elseif not params.RoleSessionName:find("^[%w_+=,.@-]+$") or #params.RoleSessionName < 2
    or #params.RoleSessionName > 64 then
    fail(ctx, "ValidationError", "1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy "
      .. "constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*", params.RoleSessionName)
  elseif (params.DurationSeconds or USUAL) < SHORTEST then
    fail(ctx, "ValidationError", "1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy "
      .. "constraint: Member must have value greater than or equal to %d", params.DurationSeconds, SHORTEST)
  end
  if params.Policy then
    entities.check_identity_policy(ctx, params.Policy)
  end
end

-- Makes the session's credentials known; returns the parts of the answer that all ways into a role share.
local function open_session(ctx, params, role)
  local seconds = params.DurationSeconds or USUAL
  if seconds > role.MaxSessionDuration then
    fail(ctx, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
  end
  local account = role.Arn:match("^arn:[%w-]+:iam::(%d+):")
  local access_key = "ASIA" .. ctx.unique(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
  local session = {
    secret_key = crypto.base64(ctx.unique(30)),
    session_token = crypto.base64(ctx.unique(120)),
    expires_at = ctx.now() + seconds,
    account = account,
    -- The role's path is not part of it.
    arn = ("arn:%s:sts::%s:assumed-role/%s/%s"):format(ctx.partition, account, role.RoleName, params.RoleSessionName),
    user_id = role.RoleId .. ":" .. params.RoleSessionName,
  }
  ctx.sessions:put("session", access_key, session)
  return {
    Credentials = {
      AccessKeyId = access_key,
      SecretAccessKey = session.secret_key,
      SessionToken = session.session_token,
      Expiration = session.expires_at,
    },
    AssumedRoleUser = { AssumedRoleId = session.user_id, Arn = session.arn },
    SourceIdentity = params.SourceIdentity,
  }
end

-- The role's trust policy as it counts now: a principal that is gone is not the one made anew under its name.
local function trust_of(ctx, role)
  return policy.decode(principals.render(ctx, role.AssumeRolePolicyDocument, role.bindings))
end

-- -- AssumeRole -------------------------------------------------------------------------------------------------------

-- Whether a policy's principal of kind AWS is the caller: it, its account, or the role whose session it is.
local function names_caller(ctx)
  local caller = ctx.caller
  local role_id = caller.user_id:match("^[^:]+")
  return function(kind, value)
    if kind ~= "AWS" then
      return false
    elseif value == caller.account or value:find("^arn:[%w-]+:iam::" .. caller.account .. ":root$")
      or value == caller.arn or value == role_id then
      return true
    end
    local role = principals.role(ctx, value)
    return role ~= nil and role.RoleId == role_id
  end
end

function operations.AssumeRole(ctx, params)
  check(ctx, params)
  local caller = ctx.caller
  local role = principals.role(ctx, params.RoleArn, true)
  local request = {
    principal = names_caller(ctx),
    context = {
      ["sts:externalid"] = params.ExternalId,
      ["sts:rolesessionname"] = params.RoleSessionName,
      ["sts:sourceidentity"] = params.SourceIdentity,
      ["aws:principalarn"] = caller.arn,
      ["aws:principalaccount"] = caller.account,
      ["aws:userid"] = caller.user_id,
    },
  }
  for action, needed in pairs {
    ["sts:AssumeRole"] = true,
    ["sts:TagSession"] = params.Tags ~= nil and #params.Tags > 0,
    ["sts:SetSourceIdentity"] = params.SourceIdentity ~= nil,
  } do
    request.action = action
    if needed and not (role and policy.allows(trust_of(ctx, role), request)) then
      fail(ctx, "AccessDenied", "User: %s is not authorized to perform: %s on resource: %s", caller.arn, action,
        params.RoleArn)
    end
  end
  if caller.arn:find(":assumed%-role/") and (params.DurationSeconds or USUAL) > CHAINED then
    fail(ctx, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "
      .. "role chaining")
  end
  return open_session(ctx, params, role)
end

-- -- AssumeRoleWithWebIdentity ----------------------------------------------------------------------------------------

-- The claims of a JSON Web Token; its signature is not looked at.
local function claims_of(token)
  local payload = token:match("^[%w_-]+%.([%w_-]+)%.[%w_-]*$")
  local text = payload and crypto.unbase64(payload:gsub("-", "+"):gsub("_", "/") .. ("="):rep(-#payload % 4))
  local claims = text and json.decode(text)
  return type(claims) == "table" and type(claims.iss) == "string" and claims or nil
end

local function audience_known(claims, client_ids)
  for _, audience in ipairs(type(claims.aud) == "table" and claims.aud or { claims.aud }) do
    for _, id in ipairs(client_ids) do
      if audience == id then
        return true
      end
    end
  end
  return false
end

function operations.AssumeRoleWithWebIdentity(ctx, params)
  check(ctx, params)
  local claims = claims_of(params.WebIdentityToken)
  if not claims then
    fail(ctx, "InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent "
      .. "an Access Token)")
  elseif type(claims.exp) ~= "number" or claims.exp < ctx.now() then
    fail(ctx, "ExpiredTokenException", "Token expired: the current date/time must be before the expiration date/time")
  end
  local role = principals.role(ctx, params.RoleArn, true)
  local host = claims.iss:gsub("^https://", ""):gsub("/$", "")
  local provider = role and principals.provider(ctx, role, host)
  if role and not provider then
    fail(ctx, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for %s", claims.iss)
  elseif provider and not audience_known(claims, provider.ClientIDList) then
    fail(ctx, "InvalidIdentityToken", "Incorrect token audience")
  end
  local allowed = role and policy.allows(trust_of(ctx, role), {
    action = "sts:AssumeRoleWithWebIdentity",
    context = {
      [host:lower() .. ":sub"] = claims.sub,
      [host:lower() .. ":aud"] = claims.aud,
      ["sts:rolesessionname"] = params.RoleSessionName,
    },
    principal = function(kind, value)
      return kind == "Federated" and value == provider.Arn
    end,
  })
  if not allowed then
    fail(ctx, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
  end
  local output = open_session(ctx, params, role)
  output.SubjectFromWebIdentityToken, output.Provider = claims.sub, provider.Arn
  output.Audience = type(claims.aud) == "table" and claims.aud[1] or claims.aud
  return output
end

return operations
