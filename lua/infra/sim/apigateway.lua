-- The simulated API Gateway, version 1, of which only the account is here: operation name -> function(ctx, params) ->
-- output, for infra.sim. Behaviour by the API Gateway API reference. There is one account in each region; kept in the
-- region's store, kind "account", by "settings": { cloudwatchRoleArn }.

local principals = require "infra.sim.iam.principals"

local operations = {}

local KEY <const> = "settings"
local PATH <const> = "/cloudwatchRoleArn"

local function view(settings)
  return {
    cloudwatchRoleArn = settings.cloudwatchRoleArn,
    throttleSettings = { burstLimit = 5000, rateLimit = 10000.0 },
    features = { "UsagePlans" },
    apiKeyVersion = "4",
  }
end

local function settings_of(ctx)
  return ctx.store:get("account", KEY) or {}
end

function operations.GetAccount(ctx)
  return view(settings_of(ctx))
end

local function check_role(ctx, arn)
  if not arn:find("^arn:[%w-]+:iam::%d+:role/.") then
    ctx:fail("BadRequestException", "Invalid ARN specified in the request")
  elseif not principals.assumable_by(ctx, arn, "apigateway.amazonaws.com") then
    ctx:fail("BadRequestException", "The role ARN does not have required permissions configured. Please grant trust "
      .. "permission for API Gateway and add the required role policy.")
  end
end

-- An empty value takes the role away.
function operations.UpdateAccount(ctx, params)
  local role = settings_of(ctx).cloudwatchRoleArn
  for _, change in ipairs(params.patchOperations or {}) do
    if change.path ~= PATH or change.op ~= "replace" then
      ctx:fail("BadRequestException", ("Invalid patch path '%s' specified for op '%s'. Must be one of: [%s]")
        :format(tostring(change.path), tostring(change.op), PATH))
    end
    role = change.value
    if (role or "") ~= "" then
      check_role(ctx, role)
    else
      role = nil
    end
  end
  return view(ctx.store:put("account", KEY, { cloudwatchRoleArn = role }))
end

return operations
