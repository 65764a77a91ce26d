-- What the application keeps and is configured with: its parameters under /PROJECT/ENVIRONMENT/.
--
-- Returns { parameters = resources by name, path }.

local infra = require "infra"

local data = {
  options = {
    domain = infra.required("string", "the application's host name"),
    log_level = infra.default("INFO", "the application's log level"),
    parameters = infra.optional("table", "further parameters: name = value"),
  },
}

function data.build(stack, options)
  local origin = "https://" .. options.domain
  local values = {
    APP_ENVIRONMENT = stack.environment, ALLOWED_HOSTS = options.domain, CSRF_TRUSTED_ORIGINS = origin,
    CORS_ALLOWED_ORIGINS = origin, LOG_LEVEL = options.log_level, SESSION_ENGINE = "django.contrib.sessions.backends.cache",
    DATABASE_NAME = "habittracker", DATABASE_PORT = "5432", REDIS_PORT = "6379", REDIS_TLS = "true",
  }
  for name, value in pairs(options.parameters or {}) do
    values[name] = value
  end
  local path = ("/%s/%s/"):format(stack.project, stack.environment)
  local parameters = {}
  for name, value in pairs(values) do
    parameters[name] = stack:resource("AWS::SSM::Parameter", "parameter-" .. name:lower():gsub("_", "-"), {
      Name = path .. name, Type = "String", Value = value,
    })
  end
  return { parameters = parameters, path = path }
end

return data
