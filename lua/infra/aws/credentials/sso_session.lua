-- What the user's configuration says of IAM Identity Center: a [sso-session] section, or, in the legacy form, the same
-- settings in a profile. Used by infra.aws.credentials.sso and by `infra login`.
--
-- A session is { name = text | nil (legacy), start_url, region, scopes = array | nil }.

local errors = require "infra.errors"
local sorted_keys = require "infra.sorted_keys"

local sso_session = {}

local function complete(config, settings, name, section)
  local origin = config:origin(settings)
  for _, key in ipairs { "sso_start_url", "sso_region" } do
    if type(settings[key]) ~= "string" or settings[key] == "" then
      return errors.fail { code = "ConfigError", message = ("%s: %s has no %s"):format(origin.where, section, key) }
    end
  end
  local scopes
  for scope in (settings.sso_registration_scopes or ""):gmatch "[^,%s]+" do
    scopes = scopes or {}
    table.insert(scopes, scope)
  end
  return {
    name = name,
    start_url = settings.sso_start_url,
    region = settings.sso_region,
    scopes = name and scopes, -- the legacy form has none
  }
end

--- The session of the section [sso-session `name`], or nil and an error.
function sso_session.named(config, name)
  local settings = config.sso_sessions[name]
  if not settings then
    local names = sorted_keys(config.sso_sessions)
    return errors.fail {
      code = "ConfigError",
      message = ("your AWS configuration has no section [sso-session %s]"):format(name),
      hint = #names > 0 and "sections that it has: " .. table.concat(names, ", ") or nil,
    }
  end
  return complete(config, settings, name, ("the section [sso-session %s]"):format(name))
end

--- The session that the profile signs in to, or nil and an error.
function sso_session.of_profile(config, profile_name)
  local profile = config:profile(profile_name) or {}
  if not profile.sso_session then
    if not profile.sso_start_url then
      return config:refuse_profile(profile_name, "has neither sso_session nor sso_start_url")
    end
    return complete(config, profile, nil, ("the AWS profile %q"):format(profile_name))
  end
  local session, err = sso_session.named(config, profile.sso_session)
  if not session then
    local origin = config:origin(profile, "sso_session")
    err.message = ("%s: the AWS profile %q: %s"):format(origin.where, profile_name, err.message)
    return nil, err
  end
  for key, value in pairs { sso_start_url = session.start_url, sso_region = session.region } do
    if profile[key] and profile[key] ~= value then
      return config:refuse_profile(profile_name, ("has another %s than its [sso-session %s]"):format(key, session.name))
    end
  end
  return session
end

return sso_session
