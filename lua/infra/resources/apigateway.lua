-- API Gateway's setting for an account and region: the role with which REST and WebSocket APIs write their logs. The
-- vocabulary is in handler/schema.lua.
--
-- There is one for all stacks of the account. So a role that somebody else has set and that still exists is left as it
-- is: the setting serves all of them, and two stacks that each set their own would undo each other's work for ever. For
-- the same reason deleting the resource leaves the setting alone.

-- A role that was created, or given its policy, a moment ago; and at most one change in 20 seconds.
local PASSING = {
  { "BadRequestException", 120, message = "required permissions" },
  { "BadRequestException", 120, message = "API Gateway to" },
  { "TooManyRequestsException", 120 },
}

local ROLE <const> = "cloudwatchRoleArn"

local function is_alive(op, arn)
  local name = arn:match "^arn:[^:]+:iam::%d+:role/(.*)$"
  local output, err = op:get({ "GetRole", service = "iam" }, { RoleName = (name or arn):match "[^/]+$" })
  if output or err.code ~= "NoSuchEntity" then
    return output ~= nil, err
  end
  return false
end

-- Who holds the setting: nil, "us" (the role is `arn`) or "others"; or nil and an error.
local function holder(op, arn)
  local account, err = op:get({ "GetAccount" }, {})
  local current = account and account[ROLE]
  if err or not current or current == "" then
    return nil, err
  elseif current == arn then
    return "us"
  end
  local alive, problem = is_alive(op, current)
  return alive and "others" or nil, problem
end

local function set(op, arn)
  return op:mutate({ "UpdateAccount", retry = PASSING },
    { patchOperations = { { op = "replace", path = "/" .. ROLE, value = arn } } })
end

return {
  ["AWS::ApiGateway::Account"] = {
    service = "apigateway",
    identity = { "Id" },
    required = { "CloudWatchRoleArn" },
    typical = { create = 2 },
    create = {
      covers = { "CloudWatchRoleArn" },
      run = function(op, scope)
        local held, err = holder(op, scope.CloudWatchRoleArn)
        if not (held or err) then
          local _
          _, err = set(op, scope.CloudWatchRoleArn)
        end
        return not err and { Id = op.token } or nil, err
      end,
    },
    observe = function(op, scope)
      local held, err = holder(op, scope.CloudWatchRoleArn)
      return held and { values = { Id = scope.Id, CloudWatchRoleArn = scope.CloudWatchRoleArn } }, err
    end,
    facets = {
      {
        properties = { "CloudWatchRoleArn" },
        write = function(op, scope, live)
          local held, err = holder(op, live.values.CloudWatchRoleArn)
          if held == "others" then
            return true
          elseif err then
            return nil, err
          end
          return set(op, scope.CloudWatchRoleArn)
        end,
      },
    },
    delete = {
      run = function()
        return true
      end,
    },
  },
}
