-- Credentials from a program that the profile names: credential_process ("Process credential provider" in the SDKs and
-- Tools Reference Guide). A provider of infra.aws.credentials.

local answer = require "infra.aws.credentials.answer"
local errors = require "infra.errors"
local process = require "host.process"
local shell_words = require "infra.aws.shell_words"

local credential_process = { title = "credential_process", scope = "profile" }

local TIMEOUT <const> = 120 -- seconds; it may wait for somebody to touch a device

-- What the program prints is secret, whatever it is; only what it says of its own failure is shown.
local function fetch(chain, who, argv, account_id)
  local handle, err = process.start { argv = argv, timeout = TIMEOUT }
  if not handle then
    return errors.fail { code = err.code, message = ("%s: %s"):format(who, err.message) }
  end
  local ended = chain.runtime.scheduler:await(handle)
  if ended.error or ended.status ~= 0 then
    return errors.fail {
      code = "CredentialProcess",
      message = ("%s %s: %s"):format(who, ended.error and ("did not end within %d s"):format(TIMEOUT)
        or ("failed with exit code %d"):format(ended.status), answer.quote(ended.stderr)),
    }
  end
  local values
  values, err = answer.document(ended.stdout, "SessionToken", who, true)
  if values then
    values.account_id = values.account_id or account_id
  end
  return values, err
end

function credential_process.find(chain, wanted)
  local command = wanted.profile.credential_process
  if not command then
    return nil, chain.absent "the profile has no credential_process"
  end
  local argv = shell_words(command)
  if not argv then
    return chain.config:refuse_profile(wanted.profile_name, "has a credential_process with a quote that is not closed")
  end
  local description = ("credential_process of the profile %q"):format(wanted.profile_name)
  return {
    description = description,
    fetch = function() return fetch(chain, description, argv, wanted.profile.aws_account_id) end,
  }
end

return credential_process
