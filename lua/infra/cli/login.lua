-- `infra login`: signs a person in to IAM Identity Center, for this tool and for the AWS CLI.

local connection = require "infra.cli.connection"
local process = require "host.process"
local sso_login = require "infra.aws.credentials.sso_login"
local sso_session = require "infra.aws.credentials.sso_session"
local style = require "infra.report.style"

local login = {
  name = "login",
  summary = "Sign in to AWS IAM Identity Center (SSO)",
  description = "Signs in to IAM Identity Center in a browser, and keeps the token where the AWS CLI keeps it: both " ..
    "tools use it until it ends.",
}

function login.arguments(command)
  command:mutex(
    command:option("--profile", "The profile whose session to sign in to, before AWS_PROFILE."):argname "NAME",
    command:option("--sso-session", "The [sso-session NAME] to sign in to."):argname "NAME"
  )
  connection.debug_arguments(command)
  command:flag("--no-browser", "Only print the address, and open no browser.")
end

-- In a session of its own: a browser that was started by this outlives the program.
local function open_browser(url)
  if url:find "^https://%g+$" then
    process.start { argv = { "sh", "-c", 'exec setsid -f xdg-open "$1" >/dev/null 2>&1', "sh", url } }
  end
end

function login.run(options, context)
  local session <close>, err = connection.open(options, context)
  if not session then
    return nil, err
  end
  local wanted, problem
  if options.sso_session then
    wanted, problem = sso_session.named(session.config, options.sso_session)
  else
    wanted, problem = sso_session.of_profile(session.config, session.config.profile_name)
  end
  if not wanted then
    problem.hint = problem.hint or "choose a profile with --profile, or an [sso-session] with --sso-session"
    return nil, problem
  end
  local function show(authorization)
    local url = authorization.complete_url or authorization.url
    context.out(("To sign in, open\n  %s\nand confirm the code %s\n"):format(style.flat(url),
      style.flat(authorization.code)))
    if not options.no_browser then
      open_browser(url)
    end
  end
  local token
  token, problem = session:run(sso_login.by_device, session, wanted, show)
  if not token then
    return nil, problem
  end
  context.out(("Signed in to %s until %s\n"):format(wanted.start_url, token.expiresAt))
end

return login
