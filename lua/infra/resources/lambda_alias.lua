-- What belongs to a Lambda function: its published versions, the aliases that point to them, and who may call which of
-- them. Used by resources/lambda. The vocabulary is in handler/schema.lua.

local joined = require "infra.joined"
local json = require "host.json"
local lambda_name = require "infra.resources.lambda_name"
local transient = require "infra.resources.lambda_transient"

local on_function = lambda_name.on_function

-- Provisioned concurrency is a configuration of its own, for what `qualifier` names: an alias or a version.
local function provisioned_concurrency(qualifier)
  local fields = { qualifier .. "=Qualifier" }
  return {
    properties = { "ProvisionedConcurrencyConfig" },
    write = on_function {
      "PutProvisionedConcurrencyConfig", send = fields,
      encode = function(params, scope)
        params.ProvisionedConcurrentExecutions = scope.ProvisionedConcurrencyConfig.ProvisionedConcurrentExecutions
      end,
      -- While AWS shifts the traffic of a moved alias, and while an earlier order is carried out.
      retry = { { "InvalidParameterValueException", 600, message = "[Aa]lias with weights" },
        { "InvalidParameterValueException", 900, message = "in progress" } },
      settle = on_function { "GetProvisionedConcurrencyConfig", send = fields, state = "Status", ready = { "READY" },
        failed = { "FAILED" }, message = "StatusReason", typical = 90, limit = 900,
        absent = { "ProvisionedConcurrencyConfigNotFoundException", "ResourceNotFoundException" } }, -- new ones
    },
    clear = on_function { "DeleteProvisionedConcurrencyConfig", send = fields,
      absent = { "ProvisionedConcurrencyConfigNotFoundException" } },
    read = on_function {
      "GetProvisionedConcurrencyConfig", send = fields, gives = { "ProvisionedConcurrencyConfig" },
      decode = function(output, values) -- what was ordered: less is there until it is ready
        values.ProvisionedConcurrencyConfig = {
          ProvisionedConcurrentExecutions = output.RequestedProvisionedConcurrentExecutions,
        }
      end,
      absent = { "ProvisionedConcurrencyConfigNotFoundException" },
    },
  }
end

local types = {}

types["AWS::Lambda::Version"] = {
  service = "lambda",
  identity = { "FunctionName", "Version" },
  exclusive = "FunctionName",
  within = "FunctionName",
  create_first = true, -- an alias has to move to the new one before the old one may go
  typical = { create = 5 },
  retry = transient,
  -- Publishing what is published already gives the version that there is.
  create = on_function {
    "PublishVersion", send = { "CodeSha256", "Description" }, map = { "Version", "FunctionArn" }, idempotent = true,
  },
  read = on_function {
    "GetFunctionConfiguration", send = { "Version=Qualifier" },
    map = { "Version", "FunctionArn", "CodeSha256", "Description" },
  },
  in_place = { "ProvisionedConcurrencyConfig" }, -- publishing once more would give the same version
  facets = { provisioned_concurrency "Version" },
  state = { path = "State", ready = { "Active", "Inactive" }, failed = { "Failed" }, message = "StateReason",
    limit = 1560 },
  delete = on_function {
    "DeleteFunction", send = { "Version=Qualifier" },
    encode = function(params)
      assert(params.Qualifier, "without a qualifier this would delete the function")
    end,
  },
  gone = { "ResourceNotFoundException" },
}

-- -- aliases ----------------------------------------------------------------------------------------------------------

-- CloudFormation's list of weights -> the API's map.
local function encode_weights(params)
  local weights = {}
  for _, one in ipairs(params.RoutingConfig and params.RoutingConfig.AdditionalVersionWeights or {}) do
    weights[one.FunctionVersion] = one.FunctionWeight
  end
  params.RoutingConfig = params.RoutingConfig and { AdditionalVersionWeights = weights }
end

local function by_version(weights)
  table.sort(weights, function(a, b)
    return a.FunctionVersion < b.FunctionVersion
  end)
  return weights
end

local function decode_weights(alias, values)
  local weights = json.array {}
  for version, weight in pairs((alias.RoutingConfig or {}).AdditionalVersionWeights or {}) do
    weights[#weights + 1] = { FunctionVersion = version, FunctionWeight = weight }
  end
  values.RoutingConfig = { AdditionalVersionWeights = by_version(weights) }
end

-- Moving an alias with provisioned concurrency takes a while, during which AWS gives it weights of its own.
local function state_of(alias, op)
  local desired = op.desired or {}
  local weights = (alias.RoutingConfig or {}).AdditionalVersionWeights
  return next(weights or {}) and desired.ProvisionedConcurrencyConfig and not desired.RoutingConfig and "moving"
    or "settled"
end

local ALIAS = { "Name", "FunctionVersion", "Description", "RoutingConfig" }

types["AWS::Lambda::Alias"] = {
  service = "lambda",
  identity = { "FunctionName", "Name" },
  exclusive = "FunctionName",
  within = "FunctionName",
  typical = { create = 1, update = 1 },
  retry = transient,
  defaults = { Description = "", RoutingConfig = { AdditionalVersionWeights = json.array {} } },
  canonical = {
    RoutingConfig = function(value)
      local weights = value.AdditionalVersionWeights or {}
      return { AdditionalVersionWeights = by_version(json.array(joined(weights))) }
    end,
  },
  create = on_function {
    "CreateAlias", send = ALIAS, encode = encode_weights,
    exists = { { "ResourceConflictException", message = "[Aa]lready exist" }, "ConflictException" },
  },
  same = { "FunctionVersion" },
  read = on_function {
    "ListAliases", list = "Aliases", key = "Name", by = "Name", all = true, absent = { "ResourceNotFoundException" },
    map = { "AliasArn", "Name", "FunctionVersion", "Description" }, gives = { "RoutingConfig" },
    decode = decode_weights,
  },
  facets = {
    {
      properties = { "FunctionVersion", "Description", "RoutingConfig" }, partial = true, wait = true,
      write = on_function { "UpdateAlias", send = ALIAS, encode = encode_weights },
    },
    provisioned_concurrency "Name",
  },
  state = { path = state_of, ready = { "settled" }, limit = 600 },
  delete = on_function {
    "DeleteAlias", send = { "Name" },
    before = function(op, scope) -- it costs money for as long as it is there
      local clear = provisioned_concurrency("Name").clear
      if not scope.ProvisionedConcurrencyConfig then
        return true
      end
      local ok, err = op:send(clear, scope)
      return ok or err.code == "ProvisionedConcurrencyConfigNotFoundException"
        or err.code == "ResourceNotFoundException", err
    end,
  },
  gone = { "ResourceNotFoundException" },
}

-- -- permissions ------------------------------------------------------------------------------------------------------

-- Unique among the statements of all who give permissions, and readable in a policy.
local function statement_id(op)
  return ("%s-%s"):format(op.address:gsub("[^%w_-]", "-"):sub(1, 60), op.token:sub(1, 16))
end

-- What AWS makes of a permission's properties: conditions, by operator and key.
local CONDITIONS = {
  SourceArn = "AWS:SourceArn", SourceAccount = "AWS:SourceAccount", PrincipalOrgID = "aws:PrincipalOrgID",
  EventSourceToken = "lambda:EventSourceToken", FunctionUrlAuthType = "lambda:FunctionUrlAuthType",
}

local function decode_statement(item, values)
  local statement = item.Statement and json.decode(item.Statement) or item -- AddPermission answers with text
  local principal = statement.Principal
  values.Id, values.Action = statement.Sid, statement.Action
  values.Principal = type(principal) == "table" and (principal.Service or principal.AWS) or principal
  local given = {}
  for _, conditions in pairs(statement.Condition or {}) do
    for key, value in pairs(conditions) do
      given[key:lower()] = value
    end
  end
  for name, key in pairs(CONDITIONS) do
    values[name] = given[key:lower()]
  end
end

types["AWS::Lambda::Permission"] = {
  service = "lambda",
  identity = { "FunctionName", "Id" },
  exclusive = "FunctionName", -- Lambda loses statements that are added at the same time
  within = "FunctionName",
  create_first = true, -- else nobody could call the function meanwhile
  typical = { create = 1, delete = 1 },
  retry = transient,
  canonical = {
    Principal = function(value) -- an account's number stands for its root user
      return (value:gsub("^arn:aws[%w-]*:iam::(%d+):root$", "%1"))
    end,
  },
  create = on_function {
    "AddPermission",
    send = { "Action", "Principal", "SourceArn", "SourceAccount", "PrincipalOrgID", "EventSourceToken",
      "FunctionUrlAuthType" },
    encode = function(params, _, op)
      params.StatementId = statement_id(op)
    end,
    exists = { { "ResourceConflictException", message = "[Aa]lready exist" } },
    retry = { { "ResourceNotFoundException", 300 } },
  },
  derive = function(_, op)
    return { Id = statement_id(op) }
  end,
  read = on_function {
    "GetPolicy",
    pick = function(output, scope)
      for _, statement in ipairs((json.decode(output.Policy) or {}).Statement or {}) do
        if statement.Sid == scope.Id then
          return statement
        end
      end
    end,
    gives = { "Action", "Principal", "SourceArn", "SourceAccount", "PrincipalOrgID", "EventSourceToken",
      "FunctionUrlAuthType" },
    decode = decode_statement,
  },
  -- A new statement is not read everywhere at once.
  state = {
    path = function(item)
      return item.Sid and "there"
    end,
    ready = { "there" }, limit = 300,
  },
  delete = on_function { "RemovePermission", send = { "Id=StatementId" } },
  gone = { "ResourceNotFoundException" },
}

return types
