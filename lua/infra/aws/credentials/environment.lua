-- Credentials from environment variables. A provider of infra.aws.credentials.

local clock = require "host.clock"
local errors = require "infra.errors"

local environment = { title = "environment variables", scope = "environment" }

local function read(variable)
  local access_key, secret_key = variable "AWS_ACCESS_KEY_ID", variable "AWS_SECRET_ACCESS_KEY"
  local expiration = variable "AWS_CREDENTIAL_EXPIRATION"
  local expires_at = expiration and clock.parse_utc(expiration)
  if not access_key or not secret_key then
    return errors.fail {
      code = "IncompleteCredentials",
      message = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set together",
    }
  elseif expiration and not expires_at then
    return errors.fail { code = "BadCredentials", message = "AWS_CREDENTIAL_EXPIRATION is no ISO 8601 time" }
  end
  return {
    access_key = access_key,
    secret_key = secret_key,
    session_token = variable "AWS_SESSION_TOKEN" or variable "AWS_SECURITY_TOKEN",
    expires_at = expires_at,
    account_id = variable "AWS_ACCOUNT_ID",
  }
end

function environment.find(chain)
  local variable = chain.config.environment
  if not variable "AWS_ACCESS_KEY_ID" and not variable "AWS_SECRET_ACCESS_KEY" then
    return nil, chain.absent "AWS_ACCESS_KEY_ID is not set"
  end
  return {
    description = environment.title,
    fetch = function() return read(variable) end,
  }
end

return environment
