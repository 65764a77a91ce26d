-- The options by which every verb that talks to AWS says to which one, and the session that they mean.

local connection = {}

--- Adds --region, --profile, --endpoint-url and --sim to an argparse command.
function connection.arguments(command)
  command:option("--region", "The AWS region, before AWS_REGION and the profile's."):argname "REGION"
  command:option("--profile", "The profile of your AWS configuration, before AWS_PROFILE."):argname "NAME"
  command:option("--endpoint-url", "Where to send requests instead of AWS."):argname "URL"
  command:flag("--sim", "Work on the simulated AWS (its account is kept in state/sim/).")
end

--- The session for parsed options, or nil and an error. `more` has further options of infra.session.
function connection.open(options, context, more)
  local wanted = {
    sim = options.sim,
    region = options.region,
    profile = options.profile,
    endpoint_url = options.endpoint_url,
    trace = context.verbose and function(line)
      context.err(line .. "\n")
    end or nil,
  }
  for name, value in pairs(more or {}) do
    wanted[name] = value
  end
  return require("infra.session").open(wanted)
end

return connection
