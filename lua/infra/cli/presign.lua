-- `infra presign SERVICE OPERATION [JSON | NAME=VALUE ...]`: a URL that does what the call does, for whoever has it.

local call = require "infra.cli.call"
local connection = require "infra.cli.connection"
local errors = require "infra.errors"
local whole_number = require "infra.cli.whole_number"

local presign = {
  name = "presign",
  summary = "Print a URL that carries a call and its signature",
  description = "Prints a URL that does what the call would do, for whoever has it: no credentials are needed to " ..
    "open it. It is signed here, without asking AWS, and ends with the credentials that signed it, if they end " ..
    "before its time. Open it with the operation's own method (PUT for s3 PutObject; GET for sts, ec2, rds and " ..
    "other services that take forms), and with the headers that its parameters became (X-Amz-SignedHeaders).",
  epilog = [[
Examples:
   infra presign s3 GetObject Bucket=demo Key=a.zip --expires 600
   infra presign s3 PutObject Bucket=demo Key=a.zip
   infra presign sts GetCallerIdentity]],
}

function presign.arguments(command)
  call.arguments(command)
  command:option("--expires", "Seconds that the URL is good for, at most 604800 (seven days)."):argname "SECONDS"
    :default "3600":convert(whole_number "--expires")
  connection.arguments(command)
end

function presign.run(options, context)
  local wanted, err = call.read(options)
  if not wanted then
    return nil, err
  elseif wanted.waiter or wanted.body_from then
    return errors.fail {
      code = "Usage",
      message = "a URL carries one call, and its body comes from whoever opens it: neither wait nor @FILE",
    }
  end
  local session <close>, refused = connection.open(options, context)
  if not session then
    return nil, refused
  end
  local client = session.client
  local url, problem = session:run(client.presign, client, wanted.service.id, wanted.operation.name, wanted.params, {
    expires = options.expires,
  })
  if not url then
    return nil, problem
  end
  context.out(url .. "\n")
end

return presign
