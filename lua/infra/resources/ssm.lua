-- SSM parameters, plain and SecureString. The vocabulary is in handler/schema.lua.
--
-- CloudFormation has no SecureString. Here it is Type = "SecureString", with KeyId, and with a Value that is
-- infra.secret(...) or a dynamic reference; or with GenerateValue, in the form of a secret's GenerateSecretString: then
-- the value is made up when the parameter is created. It is read only to be written again with other settings.

local arn = require "infra.handler.arn"
local dynamic = require "infra.handler.dynamic"
local random_password = require "infra.resources.random_password"
local validate = require "infra.engine.validate"

local FIELDS = {
  "Name", "Value", "Type", "Description", "AllowedPattern", "Tier", "Policies", "DataType", "KeyId",
}

local function check_secure(properties, report)
  if (properties.Value == nil) == (properties.GenerateValue == nil) then
    report("Value", "or GenerateValue is needed, and not both")
  end
  validate.secret("Value", properties.Value, report)
  if type(properties.GenerateValue) == "table" then
    random_password.check("GenerateValue", properties.GenerateValue, report)
  end
end

local function check(properties, report)
  local value = properties.Value
  if properties.Type == "SecureString" then
    return check_secure(properties, report)
  elseif value == nil then
    report("Value", "is needed")
  elseif dynamic.is(value) then
    report("Value", "would show the secret: make it a SecureString")
  elseif type(value) == "string" and value:find("{{", 1, true) then
    report("Value", "must not contain {{: Parameter Store takes it for a parameter of its own")
  end
  for _, name in ipairs { "KeyId", "GenerateValue" } do
    if properties[name] ~= nil then
      report(name, "belongs to a SecureString only")
    end
  end
end

-- -- values that only the request sees --------------------------------------------------------------------------------

local function generate(params, scope, op)
  local err
  if scope.GenerateValue then
    params.Value, err = random_password.generate(op, scope.GenerateValue)
  end
  return not err and params or nil, err
end

-- A parameter is always written with its value.
local function keep(params, scope, op)
  if scope.GenerateValue then
    local output, err = op:get({ "GetParameter" }, { Name = scope.Name, WithDecryption = true })
    if not output then
      return nil, err
    end
    params.Value = output.Parameter.Value
  end
  return params
end

local RESOURCE = { ResourceType = "Parameter" }
local NEW = { { "InvalidResourceId", 60 } } -- a parameter that is seconds old

return {
  ["AWS::SSM::Parameter"] = {
    service = "ssm",
    identity = { "Name" },
    name = { property = "Name", limit = 1011 },
    typical = { create = 1, update = 1, delete = 1 },
    extends = {
      KeyId = {
        type = { type = "string" }, documentation = "The KMS key of a SecureString; alias/aws/ssm by default.",
      },
      GenerateValue = {
        type = { type = "json" }, documentation = "How the value of a SecureString is made up when it is created.",
      },
      Type = {
        type = { type = "string", allowed_values = { "String", "StringList", "SecureString" } }, required = true,
        documentation = "The type of parameter.",
      },
      Value = { type = { type = "string" }, documentation = "The parameter value." },
    },
    check = check,
    retry = { { "TooManyUpdates", 60 }, { "ThrottlingException", 120 } }, -- some three writes a second are let through
    defaults = {
      Tier = "Standard", DataType = "text", Description = "", AllowedPattern = "", KeyId = "alias/aws/ssm",
    },
    structures = { "GenerateValue" },
    recorded = { "GenerateValue" },
    replaces = function(property, before, after)
      return property == "Tier" and before == "Advanced" and after == "Standard"
    end,
    create = { "PutParameter", send = FIELDS, exists = { "ParameterAlreadyExists" }, reveal = generate },
    read = {
      "GetParameters",
      list = "Parameters", key = "Name", ids = "Names", max = 10, map = { "Name", "Type", "DataType", "Arn=ARN" },
      sometimes = { "Value" },
      decode = function(parameter, values)
        if parameter.Type == "SecureString" then -- not decrypted: says nothing
          values.Value = nil
        end
      end,
    },
    -- A Type or DataType is for good.
    facets = {
      {
        properties = { "Value", "Description", "AllowedPattern", "Tier", "Policies", "KeyId" },
        write = { "PutParameter", send = FIELDS, with = { Overwrite = true }, reveal = keep },
      },
    },
    tags = {
      arn = function(op, values) -- the slash that a path starts with is not doubled
        return arn.expand(op, "arn:${Partition}:ssm:${Region}:${Account}:parameter/${Path}",
          { Path = values.Name:gsub("^/", "") })
      end,
      form = "list", create = "Tags",
      set = { "AddTagsToResource", send = { "Name=ResourceId" }, with = RESOURCE, tags = "Tags", retry = NEW },
      unset = {
        "RemoveTagsFromResource", send = { "Name=ResourceId" }, with = RESOURCE, keys = "TagKeys", retry = NEW,
      },
      read = { "ListTagsForResource", send = { "Name=ResourceId" }, with = RESOURCE, list = "TagList",
        absent = { "InvalidResourceId" } },
    },
    delete = { "DeleteParameter", send = { "Name" } },
    gone = { "ParameterNotFound" },
  },
}
