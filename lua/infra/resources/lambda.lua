-- Lambda functions. Versions, aliases and permissions are in lambda_alias.lua. The vocabulary is in handler/schema.lua.
--
-- Facts about AWS are from the Lambda API reference; the texts of its errors are matched by as few words as tell them
-- apart, because AWS does not document them.

local joined = require "infra.joined"
local json = require "host.json"
local path = require "infra.handler.path"
local transient = require "infra.resources.lambda_transient"

-- What UpdateFunctionConfiguration takes. What it is not sent stays as it is, so a property that is not declared any
-- more is sent as its default.
local CONFIGURATION = {
  "DeadLetterConfig", "Description", "Environment", "EphemeralStorage", "FileSystemConfigs", "Handler", "ImageConfig",
  "KmsKeyArn=KMSKeyArn", "Layers", "LoggingConfig", "MemorySize", "Role", "Runtime", "SnapStart", "Timeout",
  "TracingConfig", "VpcConfig",
}

local NONE = json.array {}

local DEFAULTS = {
  Architectures = json.array { "x86_64" }, DeadLetterConfig = { TargetArn = "" }, Description = "",
  Environment = { Variables = {} }, EphemeralStorage = { Size = 512 }, FileSystemConfigs = NONE,
  ImageConfig = {}, KmsKeyArn = "", Layers = NONE, LoggingConfig = { LogFormat = "Text" }, MemorySize = 128,
  PackageType = "Zip", SnapStart = { ApplyOn = "None" }, Timeout = 3, TracingConfig = { Mode = "PassThrough" },
  VpcConfig = { SubnetIds = NONE, SecurityGroupIds = NONE },
}

-- Names of environment variables that Lambda keeps for itself ("Defined runtime environment variables").
local RESERVED = {
  "^_HANDLER$", "^_X_AMZN_TRACE_ID$", "^AWS_DEFAULT_REGION$", "^AWS_REGION$", "^AWS_EXECUTION_ENV$", "^AWS_LAMBDA_",
  "^AWS_ACCESS_KEY", "^AWS_SECRET_ACCESS_KEY$", "^AWS_SESSION_TOKEN$", "^LAMBDA_TASK_ROOT$", "^LAMBDA_RUNTIME_DIR$",
}

local function properties_of(fields)
  local names = {}
  for i, text in ipairs(fields) do
    names[i] = path.field(text)
  end
  return names
end

-- The fields, found in the member `member` of an answer.
local function inside(member, fields)
  local result = {}
  for i, text in ipairs(fields) do
    local name, target = path.field(text)
    result[i] = ("%s=%s.%s"):format(name, member, target)
  end
  return result
end

-- A logging configuration with what Lambda adds to it. `group`: that of the function's name.
local function complete_logging(value, group)
  local is_json = value.LogFormat == "JSON"
  return {
    LogFormat = value.LogFormat or "Text", LogGroup = value.LogGroup or group,
    ApplicationLogLevel = is_json and (value.ApplicationLogLevel or "INFO") or nil,
    SystemLogLevel = is_json and (value.SystemLogLevel or "INFO") or nil,
  }
end

local function own_group(name)
  return "/aws/lambda/" .. name
end

local function encode(params)
  if params.LoggingConfig then
    params.LoggingConfig = complete_logging(params.LoggingConfig, own_group(params.FunctionName))
  end
end

-- An image named by its digest is what it is called; one that is named by a tag is what the tag meant at the time.
local function image_of(code, recorded)
  local sent, resolved = code.ImageUri, code.ResolvedImageUri
  if resolved and (recorded or ""):find("@", 1, true) and not sent:find("@", 1, true) then
    return resolved
  end
  return sent
end

local function decode(item, values, scope)
  local code, recorded = item.Code or {}, scope.Code or {}
  -- Where a function in a .zip file came from, nobody tells.
  values.Code = code.ImageUri and { ImageUri = image_of(code, recorded.ImageUri) } or scope.Code
  local logging = values.LoggingConfig
  if logging and logging.LogGroup == own_group(values.FunctionName) and not (scope.LoggingConfig or {}).LogGroup then
    logging.LogGroup = nil
  end
end

-- Two states in one: whether there is a function, and whether its last change has been carried out. Shortly after a
-- create or a change the second is not told yet.
local function state_of(item)
  local configuration = item.Configuration or {}
  local state, update = configuration.State, configuration.LastUpdateStatus
  if state ~= "Active" and state ~= "Inactive" then -- one that nobody has called for weeks becomes inactive
    return state
  elseif update == "Failed" then
    return "UpdateFailed"
  end
  return update == "Successful" and "ready" or "Updating"
end

local function why(item)
  local configuration = item.Configuration
  local prefix = configuration.State == "Failed" and "State" or "LastUpdateStatus"
  return ("%s (%s)"):format(configuration[prefix .. "Reason"] or "it failed",
    configuration[prefix .. "ReasonCode"] or "no reason given")
end

local function check(properties, report)
  local code = type(properties.Code) == "table" and properties.Code or {}
  if code.ZipFile then
    report("Code.ZipFile", "cannot be set: give an image (ImageUri) or a .zip file in S3")
  end
  if code.ImageUri and properties.PackageType ~= "Image" then
    report("PackageType", "must be \"Image\" where the code is an image")
  end
  local environment = type(properties.Environment) == "table" and properties.Environment.Variables
  for name in pairs(type(environment) == "table" and environment or {}) do
    for _, pattern in ipairs(RESERVED) do
      if tostring(name):find(pattern) then
        report("Environment.Variables." .. name, "is a name that Lambda keeps for itself")
      end
    end
  end
end

local types = {}

types["AWS::Lambda::Function"] = {
  service = "lambda",
  identity = { "FunctionName" },
  name = { property = "FunctionName", limit = 64 },
  exclusive = "FunctionName",
  typical = { create = 30, update = 15, delete = 1 },
  retry = transient,
  defaults = DEFAULTS,
  form = { sets = { "VpcConfig.SecurityGroupIds", "VpcConfig.SubnetIds" } },
  canonical = {
    ImageConfig = function(value)
      return { Command = value.Command or NONE, EntryPoint = value.EntryPoint or NONE,
        WorkingDirectory = value.WorkingDirectory or "" }
    end,
    LoggingConfig = function(value)
      return complete_logging(value, "its own")
    end,
  },
  check = check,
  create = {
    "CreateFunction", send = joined(CONFIGURATION, { "FunctionName", "Code", "PackageType", "Architectures" }),
    map = { "Arn=FunctionArn" }, exists = { { "ResourceConflictException", message = "[Aa]lready exist" } },
    encode = encode,
  },
  read = {
    "GetFunction", send = { "FunctionName" },
    map = joined(inside("Configuration", {
      "FunctionName", "Arn=FunctionArn", "PackageType", "Architectures", "DeadLetterConfig", "Description",
      "Environment", "EphemeralStorage", "FileSystemConfigs", "Handler", "ImageConfig=ImageConfigResponse.ImageConfig",
      "KmsKeyArn=KMSKeyArn", "Layers=Layers[].Arn", "LoggingConfig", "MemorySize", "Role", "Runtime", "SnapStart",
      "Timeout", "TracingConfig", "VpcConfig",
    }), { "ReservedConcurrentExecutions=Concurrency.ReservedConcurrentExecutions" }),
    gives = { "Code" }, decode = decode,
  },
  -- One change at a time. The code last: an image may need what the new configuration gives it.
  facets = {
    {
      properties = properties_of(CONFIGURATION), partial = true, wait = true,
      write = { "UpdateFunctionConfiguration", send = joined(CONFIGURATION, { "FunctionName" }), encode = encode },
    },
    {
      properties = { "ReservedConcurrentExecutions" },
      write = { "PutFunctionConcurrency", send = { "FunctionName", "ReservedConcurrentExecutions" } },
      clear = { "DeleteFunctionConcurrency", send = { "FunctionName" } },
    },
    {
      properties = { "Code", "Architectures" },
      write = {
        "UpdateFunctionCode", send = { "FunctionName", "Architectures" },
        encode = function(params, scope)
          for name, value in pairs(scope.Code) do
            params[name] = value
          end
        end,
      },
    },
  },
  tags = {
    form = "map", create = "Tags", read = "Tags",
    set = { "TagResource", send = { "Arn=Resource" }, tags = "Tags" },
    unset = { "UntagResource", send = { "Arn=Resource" }, keys = "TagKeys" },
  },
  state = {
    path = state_of, ready = { "ready" }, failed = { "Failed", "UpdateFailed" }, message = why, again = true,
    leaving = { "Deleting" }, limit = 600, delete_limit = 600,
  },
  delete = {
    "DeleteFunction", send = { "FunctionName" }, wait = true,
    -- The copies that CloudFront runs at its edges go some hours after the last distribution let go of the function.
    retry = { { "InvalidParameterValueException", 4 * 3600, message = "replicated function" } },
  },
  gone = { "ResourceNotFoundException" },
}

for name, spec in pairs(require "infra.resources.lambda_alias") do
  types[name] = spec
end

return types
