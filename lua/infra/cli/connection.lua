-- The options by which every verb that talks to AWS says to which one, and the session that they mean.

local Log = require "infra.aws.log"
local merged = require "infra.merged"

local connection = {}

--- Adds --debug and --debug-full to an argparse command.
function connection.debug_arguments(command)
  command:flag("--debug", "Log every request to AWS and every response on standard error, without secrets.")
  command:flag("--debug-full", "The same with headers and bodies.")
end

--- The infra.aws.log that parsed options ask for, or nil.
function connection.log(options, context)
  if options.debug or options.debug_full then
    return Log.new(function(line)
      context.err(line .. "\n")
    end, options.debug_full)
  end
end

--- Adds --region, for verbs without a stack to say where, and all that `access_arguments` adds to an argparse command.
function connection.arguments(command)
  command:option("--region", "The AWS region, before AWS_REGION and the profile's."):argname "REGION"
  connection.access_arguments(command)
end

--- Adds --profile, --endpoint-url, --sim and the debug arguments to an argparse command.
function connection.access_arguments(command)
  command:option("--profile", "The profile of your AWS configuration, before AWS_PROFILE."):argname "NAME"
  command:option("--endpoint-url", "Where to send requests instead of AWS."):argname "URL"
  command:flag("--sim", "Work on the simulated AWS (its account is kept in state/sim/).")
  connection.debug_arguments(command)
end

--- The session for parsed options, or nil and an error. `more` has further options of infra.session.
function connection.open(options, context, more)
  return require("infra.session").open(merged({
    sim = options.sim,
    region = options.region,
    profile = options.profile,
    endpoint_url = options.endpoint_url,
    trace = connection.log(options, context),
  }, more))
end

return connection
