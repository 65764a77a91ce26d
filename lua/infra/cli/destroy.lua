-- `infra destroy STACK`: delete everything that the stack built, in the right order.

local json = require "host.json"
local plan_report = require "infra.report.plan"
local planning = require "infra.engine.plan"
local stack_options = require "infra.cli.stack_options"

local destroy = { name = "destroy", summary = "Delete everything that a stack built" }

function destroy.arguments(command)
  stack_options.arguments(command, true)
  stack_options.target_argument(command)
end

function destroy.run(options, context)
  local deployment <close>, err = stack_options.open(options, context, { command = "destroy", writable = true })
  if not deployment then
    return nil, err
  end
  return deployment:run(function()
    local plan, problem = deployment:plan { destroy = true, targets = options.target }
    if not plan then
      return nil, problem
    end
    if options.json then
      context.out(json.encode { event = "plan", plan = plan_report.data(plan) } .. "\n")
    else
      context.out(plan_report.text(plan, { colour = context.colour }) .. "\n")
    end
    if not planning.has_changes(plan) then
      return 0
    end
    local ok
    ok, problem = stack_options.confirm(options, ("Delete all this from %s, with all data in it?"):format(
      deployment.declaration.name))
    if not ok then
      return nil, problem
    end
    return stack_options.apply(options, context, deployment, plan)
  end)
end

return destroy
