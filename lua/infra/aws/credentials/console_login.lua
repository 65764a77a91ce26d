-- Profiles of `aws login`, whose sessions only the AWS CLI can open. A provider of infra.aws.credentials that says so,
-- instead of going on to other credentials than the profile means.

local console_login = { title = "console login", scope = "profile" }

function console_login.find(chain, wanted)
  if not wanted.profile.login_session then
    return nil, chain.absent "the profile has no login_session"
  end
  return chain.config:refuse_profile(wanted.profile_name,
    "uses `aws login` (login_session), whose sessions only the AWS CLI reads",
    ("let it hand them over, in another profile: credential_process = aws configure export-credentials --profile %s "
      .. "--format process"):format(wanted.profile_name))
end

return console_login
