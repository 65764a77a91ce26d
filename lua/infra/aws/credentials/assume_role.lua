-- Credentials of a role that a profile assumes: role_arn with source_profile or credential_source. A provider of
-- infra.aws.credentials.

local errors = require "infra.errors"

local assume_role = { scope = "profile" }

-- credential_source -> the provider that it names.
local CREDENTIAL_SOURCES = { Environment = "environment" }

local function misconfigured(profile_name, problem)
  return errors.fail {
    code = "ConfigError",
    message = ("the AWS profile %q %s"):format(profile_name, problem),
  }
end

-- The credentials that may assume the role.
local function source_of(chain, profile_name, profile, visited)
  local source_profile, source_name = profile.source_profile, profile.credential_source
  if (source_profile == nil) == (source_name == nil) then
    return misconfigured(profile_name, "has a role_arn and needs either source_profile or credential_source for it")
  elseif source_profile then
    local path = { [profile_name] = true }
    for name in pairs(visited) do
      path[name] = true
    end
    return chain:source(source_profile, path)
  end
  local provider = CREDENTIAL_SOURCES[source_name]
  if not provider then
    return misconfigured(profile_name, ("has an unknown credential_source, %s"):format(source_name))
  end
  local found, err = require("infra.aws.credentials." .. provider).load(chain, profile_name)
  if not found and not err then
    return misconfigured(profile_name, ("finds no credentials in its credential_source, %s"):format(source_name))
  end
  return found, err
end

function assume_role.load(chain, profile_name, visited)
  local profile = chain.config:profile(profile_name) or {}
  if not profile.role_arn or profile.web_identity_token_file then
    return nil
  end
  local source, err = source_of(chain, profile_name, profile, visited)
  if not source then
    return nil, err
  end
  local code
  if profile.mfa_serial then
    code = chain.prompt(("MFA code of %s for %s: "):format(profile.mfa_serial, profile.role_arn))
    if not code then
      return misconfigured(profile_name, "wants an MFA code (mfa_serial), and there is no terminal to ask for it")
    end
  end
  local output
  output, err = chain.call(require("infra.aws.credentials").fixed(source), "sts", "AssumeRole", {
    RoleArn = profile.role_arn,
    RoleSessionName = profile.role_session_name or ("infra-%d"):format(chain.runtime.time() // 1),
    DurationSeconds = math.tointeger(tonumber(profile.duration_seconds)),
    ExternalId = profile.external_id,
    SerialNumber = profile.mfa_serial,
    TokenCode = code,
  })
  if not output then
    return nil, err
  end
  local session = output.Credentials
  return {
    access_key = session.AccessKeyId,
    secret_key = session.SecretAccessKey,
    session_token = session.SessionToken,
    expires_at = session.Expiration,
    account_id = profile.role_arn:match "^arn:[^:]*:iam::(%d+):",
  }
end

return assume_role
