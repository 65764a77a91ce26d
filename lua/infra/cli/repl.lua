-- `infra repl [STACK]`: a prompt for Lua statements, with AWS, a stack and its state at hand.

local connection = require "infra.cli.connection"
local stack_options = require "infra.cli.stack_options"

local repl = {
  name = "repl",
  summary = "Explore stacks, state and AWS interactively",
  description = "Runs Lua statements as they are typed, with every AWS operation at hand and, when a stack is " ..
    "named, its declaration, its state and its plan. Calls that can change something are refused until :write is " ..
    "typed.",
  epilog = [[
Examples:
   infra repl stacks/staging.lua
   infra repl --profile admin
   echo 'aws.sts.GetCallerIdentity {}' | infra repl --sim]],
}

function repl.arguments(command)
  command:argument("stack", "The stack file."):argname "STACK":args "?"
  command:option("--state", "The state database (default: in the project's state folder)."):argname "PATH"
  stack_options.set_argument(command)
  connection.arguments(command)
end

function repl.run(options, context)
  local session <close>, err = require("infra.repl").new(options, context)
  if not session then
    return nil, err
  end
  return session:run()
end

return repl
