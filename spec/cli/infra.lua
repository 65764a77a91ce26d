-- This very program, run as its users run it, in an environment without AWS configuration.
--
--   local ended = infra({ "version" }, { environment = { NAME = value } })     -> { status, stdout, stderr }

local fs = require "host.fs"
local program = require "spec.support.program"

local ENVIRONMENT = {
  AWS_ACCESS_KEY_ID = false, AWS_SECRET_ACCESS_KEY = false, AWS_SESSION_TOKEN = false, AWS_PROFILE = false,
  AWS_REGION = false, AWS_DEFAULT_REGION = false, AWS_ENDPOINT_URL = false, AWS_CONFIG_FILE = "/dev/null",
  AWS_SHARED_CREDENTIALS_FILE = "/dev/null", AWS_EC2_METADATA_DISABLED = "true", NO_COLOR = false,
}

local infra = {}

--- That environment with `variables`, for process.start.
function infra.environment(variables)
  local environment = {}
  for _, part in ipairs { ENVIRONMENT, variables or {} } do
    for name, value in pairs(part) do
      environment[name] = value
    end
  end
  return environment
end

return setmetatable(infra, { __call = function(_, arguments, options)
  local ended = program.run {
    argv = table.move(arguments, 1, #arguments, 2, { fs.real_path "/proc/self/exe" }),
    environment = infra.environment(options and options.environment),
    timeout = 50,
  }
  assert(not ended.error, "it did not end in time")
  return ended
end })
