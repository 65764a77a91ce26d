-- Credentials of a role: role_arn with source_profile or credential_source in a profile, and any role that a program
-- asks for. A provider of infra.aws.credentials.

local Refreshing = require "infra.aws.credentials.refreshing"
local answer = require "infra.aws.credentials.answer"
local errors = require "infra.errors"
local static = require "infra.aws.credentials.static"

local assume_role = { title = "role of the profile", scope = "profile" }

-- credential_source -> the provider that it names.
local CREDENTIAL_SOURCES = { EcsContainer = "container", Ec2InstanceMetadata = "instance", Environment = "environment" }

-- Of an STS answer.
local NAMES = { access_key = "AccessKeyId", secret_key = "SecretAccessKey", session_token = "SessionToken" }

--- A function that opens a session of a role by the STS operation, AssumeRole or AssumeRoleWithWebIdentity, and returns
--- its values, or nil and an error. role = { runtime, call (see infra.aws.credentials), source = the credentials object
--- that may assume it, role_arn, session_name = text | nil, duration_seconds = integer | nil, more = function() ->
--- further parameters | nil, err }. Without a name the session is called after this program and the time.
function assume_role.opener(operation, role)
  return function()
    local params, err = {}, nil
    if role.more then
      params, err = role.more()
    end
    if not params then
      return nil, err
    end
    params.RoleArn = role.role_arn
    params.RoleSessionName = role.session_name or ("infra-%d"):format(role.runtime.time() // 1)
    params.DurationSeconds = role.duration_seconds
    local output
    output, err = role.call(role.source, "sts", operation, params)
    if not output then
      return nil, err
    end
    local values
    local session = output.Credentials or {}
    values, err = answer.keys(session, NAMES, "STS " .. operation)
    if values then
      values.expires_at = session.Expiration
      values.account_id = role.role_arn:match "^arn:[^:]*:iam::(%d+):"
    end
    return values, err
  end
end

--- The duration_seconds of a profile as an integer, nil when it has none; or nil and an error.
function assume_role.duration(config, profile_name, profile)
  local seconds = math.tointeger(tonumber(profile.duration_seconds))
  if profile.duration_seconds and not seconds then
    return config:refuse_profile(profile_name, ("has a duration_seconds that is no whole number, %s"):format(
      profile.duration_seconds))
  end
  return seconds
end

-- The source of the credentials that may assume the profile's role.
local function source_of(chain, wanted)
  local config, name, profile = chain.config, wanted.profile_name, wanted.profile
  if (profile.source_profile == nil) == (profile.credential_source == nil) then
    return config:refuse_profile(name, "has a role_arn and needs either source_profile or credential_source for it")
  elseif profile.source_profile then
    return chain:source_profile(profile.source_profile, wanted)
  end
  local provider = CREDENTIAL_SOURCES[profile.credential_source]
  if not provider then
    return config:refuse_profile(name, ("has an unknown credential_source, %s"):format(profile.credential_source),
      "known ones: EcsContainer, Ec2InstanceMetadata, Environment")
  end
  local source, err = require("infra.aws.credentials." .. provider).find(chain, wanted)
  if not source and err.code == chain.ABSENT then
    return config:refuse_profile(name, ("finds no credentials in its credential_source, %s: %s"):format(
      profile.credential_source, err.message))
  end
  return source, err
end

-- Asks for the code of an MFA device, once: a run that is under way cannot wait for somebody to come back.
local function mfa(chain, profile_name, profile)
  local asked = false
  return function()
    if asked then
      return errors.fail {
        code = "MfaRequired",
        message = ("the session of %s has ended, and a new one needs a new MFA code"):format(profile.role_arn),
        hint = "run the command again; duration_seconds in the profile makes sessions longer, up to the role's limit",
      }
    end
    local code, err = chain.prompt(("MFA code of %s for %s: "):format(profile.mfa_serial, profile.role_arn))
    if not code then
      if err and err.code == "Interrupted" then
        return nil, err
      end
      return chain.config:refuse_profile(profile_name,
        "wants an MFA code (mfa_serial), and there is no terminal to ask for it")
    end
    asked = true
    return { SerialNumber = profile.mfa_serial, TokenCode = code, ExternalId = profile.external_id }
  end
end

function assume_role.find(chain, wanted)
  local profile, config = wanted.profile, chain.config
  if not profile.role_arn then
    return nil, chain.absent "the profile has no role_arn"
  elseif profile.web_identity_token_file then
    return nil, chain.absent "the profile's role is assumed with a web identity"
  elseif wanted.referrer and static.has_keys(profile) then
    return nil, chain.absent "the profile has keys, which come before its role for who refers to it"
  end
  local duration, err = assume_role.duration(config, wanted.profile_name, profile)
  local source
  if not err then
    source, err = source_of(chain, wanted)
  end
  if not source then
    return nil, err
  end
  return {
    description = ("%s, assumed with %s"):format(profile.role_arn, source.description),
    fetch = assume_role.opener("AssumeRole", {
      runtime = chain.runtime,
      call = chain.call,
      source = Refreshing.new(chain.runtime, function() return source end),
      role_arn = profile.role_arn,
      session_name = profile.role_session_name,
      duration_seconds = duration,
      more = profile.mfa_serial and mfa(chain, wanted.profile_name, profile)
        or function() return { ExternalId = profile.external_id } end,
    }),
  }
end

return assume_role
