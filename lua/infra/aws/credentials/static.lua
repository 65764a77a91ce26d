-- Credentials written into a profile of the shared files. A provider of infra.aws.credentials.

local errors = require "infra.errors"

local static = { scope = "profile" }

function static.load(chain, profile_name)
  local profile = chain.config:profile(profile_name) or {}
  local access_key, secret_key = profile.aws_access_key_id, profile.aws_secret_access_key
  if not access_key and not secret_key then
    return nil
  elseif not access_key or not secret_key then
    return errors.fail {
      code = "IncompleteCredentials",
      message = ("the AWS profile %q has only one of aws_access_key_id and aws_secret_access_key"):format(profile_name),
    }
  end
  return {
    access_key = access_key,
    secret_key = secret_key,
    session_token = profile.aws_session_token or profile.aws_security_token,
    account_id = profile.aws_account_id,
  }
end

return static
