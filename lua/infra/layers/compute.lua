-- Where requests are handled: the log groups of the function and of the API in front of it.
--
-- Returns { function_logs, api_logs }.

local infra = require "infra"

return {
  options = { log_days = infra.default(30, "days that logs are kept") },
  build = function(stack, options)
    local function log_group(name, path)
      return stack:resource("AWS::Logs::LogGroup", name, { LogGroupName = path, RetentionInDays = options.log_days })
    end
    return {
      function_logs = log_group("function-logs", ("/aws/lambda/%s-api"):format(stack.name)),
      api_logs = log_group("api-logs", ("/aws/apigateway/%s-http-api"):format(stack.name)),
    }
  end,
}
