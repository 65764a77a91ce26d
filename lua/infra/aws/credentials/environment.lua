-- Credentials from environment variables. A provider of infra.aws.credentials.

local clock = require "host.clock"
local errors = require "infra.errors"

local environment = { scope = "environment" }

function environment.load(chain)
  local variable = chain.config.environment
  local access_key, secret_key = variable "AWS_ACCESS_KEY_ID", variable "AWS_SECRET_ACCESS_KEY"
  if not access_key and not secret_key then
    return nil
  elseif not access_key or not secret_key then
    return errors.fail {
      code = "IncompleteCredentials",
      message = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set together",
    }
  end
  local expiration = variable "AWS_CREDENTIAL_EXPIRATION"
  return {
    access_key = access_key,
    secret_key = secret_key,
    session_token = variable "AWS_SESSION_TOKEN" or variable "AWS_SECURITY_TOKEN",
    expires_at = expiration and clock.parse_utc(expiration),
    account_id = variable "AWS_ACCOUNT_ID",
  }
end

return environment
