-- How CloudFormation lets people name a function: "NAME", "NAME:QUALIFIER", or the ARN of a function, a version or an
-- alias. Lambda's calls want the function and the qualifier apart. Used by resources/lambda*.

local joined = require "infra.joined"

local lambda_name = {}

--- The function (its name, or its ARN when it is not of this account and region) and the qualifier, or nil.
function lambda_name.parse(text, op)
  local prefix, rest = text:match "^(arn:[^:]+:lambda:[^:]+:[^:]+:function):(.+)$"
  local name, qualifier = (rest or text):match "^([^:]+):?(.*)$"
  local here = ("arn:%s:lambda:%s:%s:function"):format(op.context.partition, op.region, op.context.account)
  if prefix and prefix ~= here then
    name = prefix .. ":" .. name
  end
  return name, qualifier ~= "" and qualifier or nil
end

--- The call, taking the parameter FunctionName from the property of that name however it is written, and the parameter
--- Qualifier too when the name has one.
function lambda_name.on_function(call)
  local encode = call.encode
  call.send = joined({ "FunctionName" }, call.send)
  function call.encode(params, scope, op, live)
    local qualifier
    params.FunctionName, qualifier = lambda_name.parse(scope.FunctionName, op)
    params.Qualifier = params.Qualifier or qualifier
    if encode then
      encode(params, scope, op, live)
    end
  end
  return call
end

return lambda_name
