-- `infra aws SERVICE OPERATION [JSON | NAME=VALUE ...]`: any call of any AWS service, its result as JSON.
-- `infra aws SERVICE wait WAITER [JSON | NAME=VALUE ...]`: waits until a resource is in some state.

local call = require "infra.cli.call"
local connection = require "infra.cli.connection"

local aws = {
  name = "aws",
  summary = "Call any operation of any AWS service",
  description = "Calls an operation of an AWS service and prints what it returns as JSON. Binary data is base64, " ..
    "times are ISO 8601. With `wait WAITER` for OPERATION it waits until a resource is in the state that the waiter " ..
    "stands for, and prints nothing. A body from @FILE and one that goes to --output are never in memory as a " ..
    "whole; an object of 100 MiB or more is sent to S3 in parts (PutObject Body=@FILE).",
  epilog = [[
Examples:
   infra aws sts get-caller-identity
   infra aws ec2 DescribeVpcs Filters.1.Name=tag:Project Filters.1.Values=demo
   infra aws logs CreateLogGroup logGroupName=/demo tags='{"Project": "demo"}'
   infra aws s3 GetObject Bucket=demo Key=a.zip --output a.zip
   infra aws s3 PutObject Bucket=demo Key=a.zip Body=@a.zip
   infra aws rds wait db-instance-available DBInstanceIdentifier=demo
   infra aws ssm PutParameter '{"Name": "/demo", "Value": "1", "Type": "String"}' --sim]],
}

function aws.arguments(command)
  call.arguments(command)
  command:flag("--all", "Fetch all pages and print them as one result.")
  command:option("--output", "Put the bytes that the operation returns into this file."):argname "FILE"
  connection.arguments(command)
end

local function perform(client, wanted, options)
  local service, operation = wanted.service.id, wanted.operation.name
  if wanted.waiter then
    return client:wait(service, wanted.waiter, wanted.params)
  elseif service == "s3" and operation == "PutObject" and wanted.body_from and not options.output then
    return require("infra.aws.s3_upload").put(client, wanted.params, wanted.body_from.path)
  end
  local method = options.all and client.all or client.call
  return method(client, service, operation, wanted.params, { body_from = wanted.body_from, body_to = options.output })
end

function aws.run(options, context)
  local json = require "host.json"
  local json_form = require "infra.aws.json_form"
  local shapes = require "infra.aws.protocols.shapes"
  local wanted, err = call.read(options)
  if not wanted then
    return nil, err
  end
  local session <close>, refused = connection.open(options, context)
  if not session then
    return nil, refused
  end
  local output
  output, err = session:run(perform, session.client, wanted, options)
  if not output then
    return nil, err
  elseif not wanted.waiter then
    local shape = shapes.of(wanted.service, wanted.operation.output or { type = "structure", members = {} })
    context.out(json.encode(json_form.to_json(shape, output), { indent = true }) .. "\n")
  end
end

return aws
