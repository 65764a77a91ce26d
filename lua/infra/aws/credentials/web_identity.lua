-- Credentials of a role that a token from an identity provider opens, as in EKS pods and CI jobs: a token file and a
-- role, in the environment or in a profile. A provider of infra.aws.credentials.

local assume_role = require "infra.aws.credentials.assume_role"
local errors = require "infra.errors"
local fs = require "host.fs"

local web_identity = { title = "web identity token", scope = "profile" }

-- Setting of a profile -> the variable that comes before it.
local VARIABLES = {
  web_identity_token_file = "AWS_WEB_IDENTITY_TOKEN_FILE",
  role_arn = "AWS_ROLE_ARN",
  role_session_name = "AWS_ROLE_SESSION_NAME",
}

-- The token as it is now: whoever puts it there replaces it before it ends.
local function read_token(path)
  local text, err = fs.read(path)
  if not text then
    return errors.fail { code = err.code, message = "web identity token: " .. err.message }
  elseif not text:find "%S" then
    return errors.fail { code = "BadCredentials", message = ("web identity token: %s is empty"):format(path) }
  end
  return { WebIdentityToken = text:match "^%s*(.-)%s*$" }
end

function web_identity.find(chain, wanted)
  local config, profile = chain.config, wanted.profile
  local function setting(name)
    return wanted.scopes.environment and config.environment(VARIABLES[name]) or profile[name]
  end
  local path, role_arn = setting "web_identity_token_file", setting "role_arn"
  if not path then
    return nil, chain.absent "neither AWS_WEB_IDENTITY_TOKEN_FILE nor the profile's web_identity_token_file is set"
  elseif not role_arn then
    return errors.fail {
      code = "ConfigError",
      message = ("the web identity token %s needs a role: AWS_ROLE_ARN, or role_arn in the profile %q"):format(path,
        wanted.profile_name),
    }
  end
  local duration, err = assume_role.duration(config, wanted.profile_name, profile)
  if err then
    return nil, err
  end
  return {
    description = ("%s, assumed with the web identity token %s"):format(role_arn, path),
    fetch = assume_role.opener("AssumeRoleWithWebIdentity", {
      runtime = chain.runtime,
      call = chain.call,
      role_arn = role_arn,
      session_name = setting "role_session_name",
      duration_seconds = duration,
      more = function() return read_token(path) end,
    }),
  }
end

return web_identity
