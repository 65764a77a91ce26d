-- What the verbs that work on a stack have in common: their arguments, opening the deployment, how their reports look.

local Deployment = require "infra.deployment"
local connection = require "infra.cli.connection"
local errors = require "infra.errors"
local project = require "infra.project"
local style = require "infra.report.style"
local tty = require "host.tty"
local whole_number = require "infra.cli.whole_number"

local stack_options = {}

--- Adds STACK and the options of every verb that asks AWS about one.
function stack_options.arguments(command)
  command:argument("stack", "The stack file."):argname "STACK"
  stack_options.state_arguments(command)
  connection.access_arguments(command)
end

--- --state.
function stack_options.state_arguments(command)
  command:option("--state", "The state database (default: in the project's state folder)."):argname "PATH"
end

--- --set, for verbs that evaluate the stack.
function stack_options.set_argument(command)
  command:option("--set", "Sets an option of the stack; may be repeated."):argname "NAME=VALUE":count "*"
end

--- Options of verbs that change something.
function stack_options.change_arguments(command)
  command:flag("-y --yes", "Do not ask.")
  command:flag("--json", "Print JSON lines: an object for the plan, for each event and for the summary.")
  command:option("--parallel", "Requests under way at once (default 32)."):argname "N"
    :convert(whole_number "--parallel")
end

--- --target, for verbs that make a plan.
function stack_options.target_argument(command)
  command:option("--target", "Only this resource (network/vpc) or layer, with what it needs; may be repeated.")
    :argname "ADDRESS":count "*"
end

--- The values of --set, or of the other `option` that takes NAME=VALUE, as { name = value }; or nil and an error.
function stack_options.settings(list, option)
  local set = {}
  for _, text in ipairs(list or {}) do
    local name, given = text:match("^([%w_]+)=(.*)$")
    if not name then
      return errors.fail { code = "Usage", message = ("%s %s: must be NAME=VALUE"):format(option or "--set", text) }
    end
    set[name] = given
  end
  return set
end

--- What the stack of parsed options declares, without asking AWS anything; or nil and an error.
function stack_options.declaration(options)
  local set, err = stack_options.settings(options.set)
  local definition
  if set then
    definition, err = project.load(options.stack)
  end
  if not definition then
    return nil, err
  end
  return project.declare(definition, set)
end

--- Opens the deployment that parsed options mean. `more`: command, writable, recorded_only as in infra.deployment.
--- Returns it, or nil and an error.
function stack_options.open(options, context, more)
  local set, err = stack_options.settings(options.set)
  if not set then
    return nil, err
  end
  return Deployment.open {
    path = options.stack, set = set, sim = options.sim, state = options.state, profile = options.profile,
    region = options.region, endpoint_url = options.endpoint_url, parallel = options.parallel,
    command = more.command, writable = more.writable, recorded_only = more.recorded_only, version = context.version,
    trace = connection.log(options, context),
  }
end

--- Options for reports that are made of text: colour, width, details.
function stack_options.layout(context)
  return {
    colour = context.colour, details = context.verbose,
    width = not context.verbose and tty.is_terminal(1) and (tty.size()) or nil,
  }
end

--- Calls fn(...), which asks AWS what there is, with a line that says so meanwhile on a terminal.
function stack_options.looking(options, context, fn, ...)
  local plain = options.json or options.sim or context.verbose or options.debug or options.debug_full
  local shown = tty.is_terminal(1) and not plain
  local _ <close> = setmetatable({}, { __close = function()
    if shown then
      context.out("\r\27[K")
    end
  end })
  if shown then
    context.out(style.painter(context.colour)("dim", "Looking at what exists ..."))
  end
  return fn(...)
end

return stack_options
