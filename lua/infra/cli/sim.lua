-- `infra sim`: the simulated AWS over HTTP, for any AWS client on this machine.

local Faults = require "infra.sim.faults"
local Server = require "infra.sim.server"
local Store = require "infra.sim.store"
local sorted_keys = require "infra.sorted_keys"
local whole_number = require "infra.cli.whole_number"

local sim = {
  name = "sim",
  summary = "Serve the simulated AWS over HTTP",
  description = "Serves the simulated AWS on 127.0.0.1 until Ctrl-C, for any AWS client. Prints the line that makes " ..
    "a shell's clients use it; --verbose adds one for each call.",
  epilog = [[
Examples:
   infra sim --port 4566 --speed 60
   AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_ACCESS_KEY_ID=SIMULATED AWS_SECRET_ACCESS_KEY=simulated aws s3 ls
   infra sim --state state/sim/aws.db     the account of --sim]],
}

local HIGHEST_PORT <const> = 65535

local function port_number(text)
  local port, problem = whole_number "--port"(text)
  if port and port > HIGHEST_PORT then
    return nil, ("--port must be at most %d, not '%s'"):format(HIGHEST_PORT, text)
  end
  return port, problem
end

function sim.arguments(command)
  command:option("--port", "Where to listen (default: any free port)."):argname "N":convert(port_number)
  command:option("--state", "The file that keeps the simulated account (default: none, it ends with the program).")
    :argname "PATH"
  command:option("--speed", "Simulated seconds in one second (default 1): what AWS needs a while for takes less.")
    :argname "N":convert(whole_number "--speed")
  command:option("--seed", "Makes identifiers and faults repeatable (default 1)."):argname "N"
    :convert(whole_number "--seed")
  command:option("--faults", "What goes wrong (default none)."):choices(sorted_keys(Faults.profiles))
end

function sim.run(options, context)
  local store <close>, err = Store.open { path = options.state }
  if not store then
    return nil, err
  end
  local server <close>, problem = Server.open {
    store = store, port = options.port, speed = options.speed, seed = options.seed, faults = options.faults,
    observe = context.verbose and function(call)
      context.err(("%d %s %s %s\n"):format(call.status, call.service, call.operation, call.code or ""))
    end or nil,
    report = function(failure)
      context.err(("infra: internal error: %s\n"):format(failure.message))
    end,
  }
  if not server then
    return nil, problem
  end
  context.out(("export AWS_ENDPOINT_URL=%s AWS_ACCESS_KEY_ID=SIMULATED AWS_SECRET_ACCESS_KEY=simulated " ..
    "AWS_DEFAULT_REGION=us-east-1\n"):format(server.url))
  server:run()
end

return sim
