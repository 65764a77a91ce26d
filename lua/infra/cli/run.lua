-- `infra run STACK`: plan, ask, apply.

local json = require "host.json"
local plan_report = require "infra.report.plan"
local planning = require "infra.engine.plan"
local stack_options = require "infra.cli.stack_options"

local run = { name = "run", summary = "Plan a stack, ask, and apply it" }

function run.arguments(command)
  stack_options.arguments(command, true)
  stack_options.target_argument(command)
end

function run.run(options, context)
  local deployment <close>, err = stack_options.open(options, context, { command = "run", writable = true })
  if not deployment then
    return nil, err
  end
  return deployment:run(function()
    local plan, problem = deployment:plan { targets = options.target }
    if not plan then
      return nil, problem
    end
    if options.json then
      context.out(json.encode { event = "plan", plan = plan_report.data(plan) } .. "\n")
    else
      context.out(plan_report.text(plan, { colour = context.colour, details = context.verbose }) .. "\n")
    end
    if planning.has_changes(plan) then
      local ok
      ok, problem = stack_options.confirm(options, ("Apply this plan to %s?"):format(deployment.declaration.name))
      if not ok then
        return nil, problem
      end
    end
    return stack_options.apply(options, context, deployment, plan)
  end)
end

return run
