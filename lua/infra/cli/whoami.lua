-- `infra whoami`: as whom the tool calls AWS, and where it has that from.

local answer = require "infra.aws.credentials.answer"
local columns = require "infra.report.columns"
local connection = require "infra.cli.connection"
local json = require "host.json"
local style = require "infra.report.style"

local whoami = {
  name = "whoami",
  summary = "Show the AWS account and identity in use",
  description = "Asks AWS as whom it is called, and shows where the credentials come from and when they end.",
}

function whoami.arguments(command)
  connection.arguments(command)
  command:flag("--json", "Print JSON.")
end

-- What is known, as --json has it.
local function identify(session)
  local values, err = session.credentials:get()
  if not values then
    return nil, err
  end
  local output
  output, err = session:identity()
  if not output then
    return nil, err
  end
  return {
    account = output.Account,
    arn = output.Arn,
    user_id = output.UserId,
    source = values.source,
    expires_at = values.expires_at and answer.time(values.expires_at) or json.null,
    region = session.region or json.null,
  }, values.expires_at and values.expires_at - session.runtime.time()
end

function whoami.run(options, context)
  local session <close>, err = connection.open(options, context)
  if not session then
    return nil, err
  end
  local identity, left = session:run(identify, session)
  if not identity then
    return nil, left
  elseif options.json then
    context.out(json.encode(identity, { indent = true }) .. "\n")
    return
  end
  local lines = columns({
    { "Account", identity.account },
    { "Identity", identity.arn },
    { "Credentials", identity.source },
    { "Expire", left and ("%s (in %s)"):format(identity.expires_at, style.duration(left)) or "never" },
    { "Region", session.region or "none configured" },
  }, {})
  context.out(table.concat(lines, "\n") .. "\n")
end

return whoami
