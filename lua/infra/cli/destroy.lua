-- `infra destroy STACK`: delete everything that the stack built, in the right order. What is recorded counts, not what
-- the stack declares now, so its build function is not even run.

local change = require "infra.cli.change"
local stack_options = require "infra.cli.stack_options"

local destroy = { name = "destroy", summary = "Delete everything that a stack built" }

--- What is asked before anything is deleted.
destroy.QUESTION = "Delete all this from %s, with all data in it?"

function destroy.arguments(command)
  stack_options.arguments(command)
  stack_options.target_argument(command)
  stack_options.change_arguments(command)
end

function destroy.run(options, context)
  return change(options, context, { command = "destroy", question = destroy.QUESTION, destroy = true })
end

return destroy
