-- Credentials written into a profile of the shared files. A provider of infra.aws.credentials.

local static = { title = "keys in the profile", scope = "profile" }

--- Whether the profile (its settings) has keys of its own, or half of them.
function static.has_keys(profile)
  return profile.aws_access_key_id or profile.aws_secret_access_key
end

function static.find(chain, wanted)
  local profile, config = wanted.profile, chain.config
  if not static.has_keys(profile) then
    return nil, chain.absent "the profile has no aws_access_key_id"
  end
  local origin = config:origin(config:profile(wanted.profile_name), "aws_access_key_id")
  -- Keys of another file are another pair: none of its parts completes this one.
  local function own(key)
    return config:origin(config:profile(wanted.profile_name), key) == origin and profile[key] or nil
  end
  local values = {
    access_key = own "aws_access_key_id",
    secret_key = own "aws_secret_access_key",
    session_token = own "aws_session_token" or own "aws_security_token",
    account_id = profile.aws_account_id,
  }
  if not values.access_key or not values.secret_key then
    return config:refuse_profile(wanted.profile_name, "needs both aws_access_key_id and aws_secret_access_key")
  elseif profile.credential_process and origin.path == config.files.config then
    return nil, chain.absent "credential_process comes before keys in the same file"
  end
  return {
    description = ("keys of the profile %q in %s"):format(wanted.profile_name, origin.path),
    fetch = function() return values end,
  }
end

return static
