-- `infra run STACK`: plan, ask, apply.

local change = require "infra.cli.change"
local stack_options = require "infra.cli.stack_options"

local run = { name = "run", summary = "Plan a stack, ask, and apply it" }

function run.arguments(command)
  stack_options.arguments(command)
  stack_options.set_argument(command)
  stack_options.target_argument(command)
  stack_options.change_arguments(command)
end

function run.run(options, context)
  return change(options, context, { command = "run", question = "Apply this plan to %s?" })
end

return run
