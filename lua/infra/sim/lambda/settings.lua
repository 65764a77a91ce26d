-- The configuration of a function in the simulated Lambda: what each member may be, what it is when a request does not
-- mention it, and how it is shown. Used by functions.lua and updates.lua.
--
-- Settings are kept as { member of CreateFunction = value }; what is empty is not there.

local entities = require "infra.sim.lambda.entities"
local execution_role = require "infra.sim.lambda.execution_role"
local kms = require "infra.sim.kms.entities"
local merged = require "infra.merged"
local network = require "infra.sim.lambda.network"
local set_of = require "infra.set_of"

local settings = {}
local invalid, validation = entities.invalid, entities.validation

local ENVIRONMENT_LIMIT = 4096
local LOG_LEVELS = { ApplicationLogLevel = "INFO", SystemLogLevel = "INFO" }

-- "Defined runtime environment variables" that cannot be set, Lambda Developer Guide.
local RESERVED = {}
for name in ([[
  _HANDLER _X_AMZN_TRACE_ID AWS_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_DEFAULT_REGION AWS_EXECUTION_ENV
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_VERSION
  AWS_LAMBDA_INITIALIZATION_TYPE AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME AWS_LAMBDA_RUNTIME_API
  AWS_REGION AWS_SECRET_ACCESS_KEY AWS_SECRET_KEY AWS_SESSION_TOKEN LAMBDA_RUNTIME_DIR LAMBDA_TASK_ROOT
]]):gmatch("%S+") do
  RESERVED[name] = true
end

-- -- members ----------------------------------------------------------------------------------------------------------

local function range(member, least, most)
  return function(ctx, value)
    if value < least or value > most then
      validation(ctx, value, member, "Member must have value between %d and %d", least, most)
    end
    return value
  end
end

local function one_of(member, name, ...)
  local allowed, text = set_of { ... }, table.concat({ ... }, ", ")
  return function(ctx, value)
    if not allowed[value[name]] then
      validation(ctx, value[name], member .. "." .. name, "Member must satisfy enum value set: [%s]", text)
    end
    return value
  end
end

-- Not there when it is the empty text, as requests say it.
local function text(_, value)
  return value ~= "" and value or nil
end

local function environment(ctx, value)
  local variables, reserved, size = value.Variables or {}, {}, 0
  for name, content in pairs(variables) do
    if not name:find("^%a[%w_]*$") and not RESERVED[name] then
      validation(ctx, name, "environment.variables", "Map keys must satisfy constraint: [Member must satisfy regular "
        .. "expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]")
    end
    reserved[#reserved + 1] = RESERVED[name] and name or nil
    size = size + #name + #content
  end
  table.sort(reserved)
  if #reserved > 0 then
    invalid(ctx, "Lambda was unable to configure your environment variables because the environment variables you have "
      .. "provided contains reserved keys that are currently not supported for modification. Reserved keys used in "
      .. "this request: %s", table.concat(reserved, ", "))
  elseif size > ENVIRONMENT_LIMIT then
    invalid(ctx, "Lambda was unable to configure your environment variables because the environment variables you have "
      .. "provided exceeded the 4KB limit. String measured: %d", size)
  end
  return next(variables) and { Variables = variables } or nil
end

local function logging(ctx, value, fn)
  local shown = { LogFormat = value.LogFormat or "Text", LogGroup = value.LogGroup or "/aws/lambda/" .. fn }
  local json = one_of("loggingConfig", "LogFormat", "Text", "JSON")(ctx, shown).LogFormat == "JSON"
  for level, usual in pairs(LOG_LEVELS) do
    if value[level] and not json then
      invalid(ctx, "The log levels can only be set when the log format is JSON.")
    end
    shown[level] = json and (value[level] or usual) or nil
  end
  return shown
end

local function key_arn(ctx, value)
  if value ~= "" and not kms.usable(ctx, value) then
    invalid(ctx, "Lambda was unable to configure access to your environment variables because the KMS key is invalid "
      .. "for CreateGrant. Please check your KMS key settings. KMS Exception: NotFoundException")
  end
  return text(ctx, value)
end

-- Member -> function(ctx, value in the request, function's name) -> value to keep, or nil for none.
local READERS = {
  Role = execution_role.checked,
  Description = text,
  Timeout = range("timeout", 1, 900),
  MemorySize = range("memorySize", 128, 10240),
  EphemeralStorage = function(ctx, value)
    return { Size = range("ephemeralStorage.size", 512, 10240)(ctx, value.Size) }
  end,
  Environment = environment,
  VpcConfig = network.checked,
  LoggingConfig = logging,
  TracingConfig = one_of("tracingConfig", "Mode", "Active", "PassThrough"),
  SnapStart = one_of("snapStart", "ApplyOn", "None"), -- images cannot have another
  KMSKeyArn = key_arn,
  DeadLetterConfig = function(_, value)
    return (value.TargetArn or "") ~= "" and value or nil
  end,
  FileSystemConfigs = function(_, value)
    return #value > 0 and value or nil
  end,
  ImageConfig = function(_, value)
    return next(value) and value or nil
  end,
}

-- What is for functions of files only.
local FOREIGN = { "Handler", "Runtime", "Layers" }

local function defaults(name)
  return {
    Timeout = 3, MemorySize = 128, EphemeralStorage = { Size = 512 }, TracingConfig = { Mode = "PassThrough" },
    LoggingConfig = { LogFormat = "Text", LogGroup = "/aws/lambda/" .. name },
  }
end

--- The settings after a request for the function called `name`. What the request does not mention stays as it is in
--- `current` (nil: a new function's). Changes nothing.
function settings.merged(ctx, params, name, current)
  for _, member in ipairs(FOREIGN) do
    if params[member] and #params[member] > 0 then
      invalid(ctx, "Please don't provide Handler or Runtime or Layer when the intent is to create a function with "
        .. "PackageType Image")
    end
  end
  local result = merged(current or defaults(name))
  for member, read in pairs(READERS) do
    if params[member] ~= nil then
      result[member] = read(ctx, params[member], name)
    end
  end
  if params.VpcConfig and result.VpcConfig then
    execution_role.check_network(ctx, result.Role)
  end
  return result
end

--- Adds the settings to a FunctionConfiguration.
function settings.show(shown, kept)
  for member in pairs(READERS) do
    shown[member] = kept[member]
  end
  shown.Description = kept.Description or ""
  shown.SnapStart = { ApplyOn = "None", OptimizationStatus = "Off" }
  shown.VpcConfig = kept.VpcConfig
    or { SubnetIds = {}, SecurityGroupIds = {}, VpcId = "", Ipv6AllowedForDualStack = false }
  shown.ImageConfig, shown.ImageConfigResponse = nil, kept.ImageConfig and { ImageConfig = kept.ImageConfig }
end

return settings
