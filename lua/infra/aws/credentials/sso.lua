-- Credentials of a permission set in IAM Identity Center: of a profile with sso_account_id and sso_role_name, by the
-- token of an earlier `infra login` or `aws sso login`. A provider of infra.aws.credentials.

local answer = require "infra.aws.credentials.answer"
local clock = require "host.clock"
local errors = require "infra.errors"
local sso_cache = require "infra.aws.credentials.sso_cache"
local sso_login = require "infra.aws.credentials.sso_login"
local sso_session = require "infra.aws.credentials.sso_session"

local sso = { title = "IAM Identity Center (SSO)", scope = "profile" }

local RENEW_BEFORE <const> = 15 * 60 -- seconds

local NAMES = { access_key = "accessKeyId", secret_key = "secretAccessKey", session_token = "sessionToken" }

local function signed_out(wanted, session, what)
  return errors.fail {
    code = "SsoLoginRequired",
    message = ("the AWS profile %q: %s"):format(wanted.profile_name, what),
    hint = session.name and ("sign in with: infra login --sso-session %s"):format(session.name)
      or ("sign in with: infra login --profile %s"):format(wanted.profile_name),
  }
end

-- An access token that is good now. Whatever hinders its renewal matters only once it has ended: another program may
-- have renewed it meanwhile, and there may be time enough.
local function access_token(chain, wanted, session)
  local token = sso_cache.token(chain.config, session)
  if not token then
    return signed_out(wanted, session, "nobody has signed in to " .. session.start_url)
  end
  local left = clock.parse_utc(token.expiresAt) - chain.runtime.time()
  if left < RENEW_BEFORE and session.name then
    local renewed, err = sso_login.by_refresh(chain, session, token)
    if renewed then
      return renewed.accessToken
    elseif left <= 0 then
      return signed_out(wanted, session, ("the login to %s has expired (%s)"):format(session.start_url, err.message))
    end
  elseif left <= 0 then
    return signed_out(wanted, session, ("the login to %s has expired"):format(session.start_url))
  end
  return token.accessToken
end

local function fetch(chain, wanted, session)
  local account, role = wanted.profile.sso_account_id, wanted.profile.sso_role_name
  local token, err = access_token(chain, wanted, session)
  if not token then
    return nil, err
  end
  local output
  output, err = chain.call(nil, "sso", "GetRoleCredentials", {
    roleName = role, accountId = account, accessToken = token,
  }, session.region)
  if not output then
    if err.code == "UnauthorizedException" then
      return signed_out(wanted, session, ("the login to %s is no longer good"):format(session.start_url))
    end
    return nil, err
  end
  local values
  local given = output.roleCredentials or {}
  values, err = answer.keys(given, NAMES, "IAM Identity Center")
  if values then
    values.account_id = account
    values.expires_at = given.expiration and given.expiration / 1000
  end
  return values, err
end

function sso.find(chain, wanted)
  local profile, config = wanted.profile, chain.config
  if not profile.sso_account_id and not profile.sso_role_name then
    return nil, chain.absent "the profile has no sso_account_id"
  elseif not profile.sso_account_id or not profile.sso_role_name then
    return config:refuse_profile(wanted.profile_name, "needs both sso_account_id and sso_role_name")
  end
  local session, err = sso_session.of_profile(config, wanted.profile_name)
  if not session then
    return nil, err
  end
  return {
    description = ("%s, role %s in account %s"):format(sso.title, profile.sso_role_name, profile.sso_account_id),
    fetch = function() return fetch(chain, wanted, session) end,
  }
end

return sso
