-- `infra plan STACK`: what a run would change. Opens the state read-only and changes nothing, so it also works while
-- somebody else's run is under way.

local cost = require "infra.cost"
local cost_report = require "infra.report.cost"
local json = require "host.json"
local plan_report = require "infra.report.plan"
local planning = require "infra.engine.plan"
local saved_plan = require "infra.engine.saved_plan"
local stack_options = require "infra.cli.stack_options"

local plan = {
  name = "plan",
  summary = "Show what a run would change",
  epilog = "A plan saved with --out is carried out by `infra apply FILE`, and only as long as nothing has changed.",
}

-- With --exit-code, when there is something to do.
local HAS_CHANGES <const> = 4

function plan.arguments(command)
  stack_options.arguments(command)
  command:flag("--json", "Print JSON.")
  stack_options.set_argument(command)
  stack_options.target_argument(command)
  command:flag("--destroy", "Plan to delete everything, as `infra destroy` does.")
  command:flag("--cost", "Show what it does to the monthly cost, as far as that can be estimated.")
  command:option("--out", "Save the plan, for `infra apply`."):argname "FILE"
  command:flag("--exit-code", "Exit with 4 when there are changes.")
end

-- What the stack costs in a month before and after the plan.
local function estimates(made)
  local before, after = cost.planned(made)
  return cost.estimate(before), cost.estimate(after)
end

function plan.run(options, context)
  local deployment <close>, err = stack_options.open(options, context, { recorded_only = options.destroy })
  if not deployment then
    return nil, err
  end
  return deployment:run(function()
    local wanted = { destroy = options.destroy, targets = options.target }
    local made, problem = stack_options.looking(options, context, deployment.plan, deployment, wanted)
    if not made then
      return nil, problem
    end
    local data = plan_report.data(made)
    if options.out then
      local ok
      ok, problem = saved_plan.write(options.out, options, deployment, data)
      if not ok then
        return nil, problem
      end
    end
    if options.json then
      data.cost = options.cost and cost_report.change_data(estimates(made)) or nil
      context.out(json.encode(data, { indent = true }) .. "\n")
    else
      context.out(plan_report.text(made, stack_options.layout(context)))
      if options.cost then
        context.out(cost_report.change(estimates(made)) .. "\n")
      end
      if options.out then
        context.out(("\nSaved: infra apply %s carries out exactly this.\n"):format(options.out))
      end
    end
    return options.exit_code and planning.has_changes(made) and HAS_CHANGES or 0
  end)
end

return plan
