-- `infra drift STACK`: what changed in AWS behind the stack's back, against what the last run recorded. Changes
-- nothing.

local drift_report = require "infra.report.drift"
local json = require "host.json"
local stack_options = require "infra.cli.stack_options"

local drift = { name = "drift", summary = "Show what changed in AWS behind the stack's back" }

-- With --exit-code, when there is any.
local HAS_DRIFTED <const> = 4

function drift.arguments(command)
  stack_options.arguments(command)
  command:flag("--json", "Print JSON.")
  command:flag("--exit-code", "Exit with 4 when anything is not as recorded.")
end

function drift.run(options, context)
  local deployment <close>, err = stack_options.open(options, context, { recorded_only = true })
  if not deployment then
    return nil, err
  end
  return deployment:run(function()
    local entries, problem = stack_options.looking(options, context, deployment.drift, deployment)
    if not entries then
      return nil, problem
    end
    if options.json then
      context.out(json.encode(drift_report.data(deployment.definition.name, entries), { indent = true }) .. "\n")
    else
      context.out(drift_report.text(entries, stack_options.layout(context)))
    end
    return options.exit_code and drift_report.found(entries) and HAS_DRIFTED or 0
  end)
end

return drift
