-- `infra apply FILE`: carry out a plan that `infra plan --out FILE` saved, if it is still what would be done.

local change = require "infra.cli.change"
local connection = require "infra.cli.connection"
local destroy = require "infra.cli.destroy"
local plan_report = require "infra.report.plan"
local saved_plan = require "infra.engine.saved_plan"
local stack_options = require "infra.cli.stack_options"

local apply = { name = "apply", summary = "Apply a saved plan" }

function apply.arguments(command)
  command:argument("file", "The plan, from `infra plan --out FILE`."):argname "FILE"
  command:option("--set", "The value of an option that the plan does not hold because it is secret; may be repeated.")
    :argname "NAME=VALUE":count "*"
  command:option("--profile", "The profile of your AWS configuration, instead of the plan's."):argname "NAME"
  connection.debug_arguments(command)
  stack_options.change_arguments(command)
end

function apply.run(options, context)
  local given, err = stack_options.settings(options.set)
  if not given then
    return nil, err
  end
  local saved
  saved, err = saved_plan.read(options.file, given)
  if not saved then
    return nil, err
  end
  for _, name in ipairs { "json", "yes", "parallel", "debug", "debug_full" } do
    saved.options[name] = options[name]
  end
  saved.options.profile = options.profile or saved.options.profile
  return change(saved.options, context, {
    command = "apply", question = saved.options.destroy and destroy.QUESTION or "Apply this plan to %s?",
    destroy = saved.options.destroy,
    check = function(plan, deployment)
      return saved_plan.check(saved, deployment, plan_report.data(plan))
    end,
  })
end

return apply
