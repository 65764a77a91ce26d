-- What the verbs that work on a stack have in common: their arguments, opening the deployment, asking, applying and
-- reporting. Used by run, plan, apply, destroy, drift and output.

local Deployment = require "infra.deployment"
local connection = require "infra.cli.connection"
local errors = require "infra.errors"
local json = require "host.json"
local plan_report = require "infra.report.plan"
local progress = require "infra.report.progress"
local style = require "infra.report.style"
local tty = require "host.tty"

local stack_options = {}

--- Adds STACK and the options common to all of them. `changes`: also those of verbs that apply.
function stack_options.arguments(command, changes)
  command:argument("stack", "The stack file."):argname "STACK"
  command:option("--set", "Sets an option of the stack; may be repeated."):argname "NAME=VALUE":count "*"
  command:option("--state", "The state database (default: the project's state folder)."):argname "PATH"
  command:flag("--json", "Print JSON.")
  connection.arguments(command)
  if changes then
    stack_options.change_arguments(command)
  end
end

--- Options of verbs that change something.
function stack_options.change_arguments(command)
  command:flag("-y --yes", "Do not ask.")
  command:option("--parallel", "Requests under way at once (default 32)."):argname "N":convert(tonumber)
end

--- --target, for verbs that make a plan.
function stack_options.target_argument(command)
  command:option("--target", "Only this resource (network/vpc) or layer, with what it needs; may be repeated.")
    :argname "ADDRESS":count "*"
end

local function settings(list)
  local set = {}
  for _, text in ipairs(list or {}) do
    local name, value = text:match("^([%w_]+)=(.*)$")
    if not name then
      return errors.fail { code = "Usage", message = ("--set %s: must be NAME=VALUE"):format(text) }
    end
    set[name] = value
  end
  return set
end

--- Opens the deployment that parsed options mean. `more`: command, writable. Returns it, or nil and an error.
function stack_options.open(options, context, more)
  local set, err = settings(options.set)
  if not set then
    return nil, err
  elseif options.parallel and options.parallel < 1 then
    return errors.fail { code = "Usage", message = "--parallel must be at least 1" }
  end
  return Deployment.open {
    path = options.stack, set = set, sim = options.sim, state = options.state, profile = options.profile,
    region = options.region, endpoint_url = options.endpoint_url, parallel = options.parallel,
    command = more.command, writable = more.writable, version = context.version,
    trace = context.verbose and function(line)
      context.err(line .. "\n")
    end or nil,
  }
end

--- Asks whether to go on. Without a terminal and without --yes that is an error.
function stack_options.confirm(options, question)
  if options.yes then
    return true
  elseif not tty.is_terminal(0) then
    return errors.fail { code = "NotConfirmed", message = "this changes AWS and there is nobody to ask",
      hint = "add --yes to go on without asking" }
  end
  local answer = tty.read_line(question .. " [y/N] ")
  if answer and answer:lower():match("^%s*y") then
    return true
  end
  return errors.fail { code = "Cancelled", message = "nothing was changed" }
end

local function reporter(options, context, deployment)
  if options.json then
    return progress.json(context.out)
  elseif tty.is_terminal(1) and not context.verbose then
    return progress.live(context.out, { colour = context.colour, now = deployment.session.runtime.now,
      columns = (tty.size()) or 100 })
  end
  return progress.lines(context.out, { colour = context.colour, verbose = context.verbose })
end

local ORDER = { { "create", "created" }, { "update", "updated" }, { "delete", "deleted" }, { "forget", "forgotten" } }

local function summary(result, seconds)
  local parts = {}
  for _, entry in ipairs(ORDER) do
    local count = result.done[entry[1]]
    if count then
      parts[#parts + 1] = ("%d %s"):format(count, entry[2])
    end
  end
  for _, entry in ipairs { { #result.failures, "failed" }, { result.skipped, "skipped" }, { result.stopped, "not started" } } do
    if entry[1] > 0 then
      parts[#parts + 1] = ("%d %s"):format(entry[1], entry[2])
    end
  end
  return ("%s in %s"):format(#parts > 0 and table.concat(parts, ", ") or "nothing changed", style.duration(seconds))
end

local function print_outputs(context, outputs)
  local names = {}
  for name in pairs(outputs) do
    names[#names + 1] = name
  end
  table.sort(names)
  if #names > 0 then
    context.out("\nOutputs\n")
  end
  for _, name in ipairs(names) do
    local value = outputs[name]
    context.out(("  %s = %s\n"):format(name, type(value) == "string" and value or plan_report.value(value)))
  end
end

local function outcome(result)
  if result.outcome == "done" then
    return 0
  elseif result.outcome == "stopped" then
    return errors.fail { code = "Stopped", message = ("stopped; %d steps were not done"):format(result.stopped +
      result.skipped), hint = "run again to go on where this stopped" }
  end
  local first = result.failures[1]
  first.message = #result.failures > 1 and ("%s\n  (and %d more failed, see above)"):format(first.message,
    #result.failures - 1) or first.message
  return nil, first
end

--- Applies `plan` with progress and a summary. Yields. Returns the exit code, or nil and an error.
function stack_options.apply(options, context, deployment, plan)
  local report = reporter(options, context, deployment)
  local runtime = deployment.session.runtime
  deployment.on_stop = function()
    context.err("\ninfra: stopping: what is under way is finished, nothing new is started (again to stop at once)\n")
  end
  local started = runtime.now()
  local ticker = report.tick and not options.sim and deployment.scheduler:spawn(function()
    while true do
      deployment.scheduler:sleep(1)
      report.tick()
    end
  end)
  local result, err = deployment:apply(plan, report.emit)
  if ticker then
    ticker:cancel()
  end
  report.close()
  if not result then
    return nil, err
  end
  local text = summary(result, runtime.now() - started)
  if options.json then
    context.out(json.encode { event = "summary", outcome = result.outcome, done = json.object(result.done), failed =
      #result.failures, skipped = result.skipped, outputs = json.object(result.outputs), text = text } .. "\n")
  else
    print_outputs(context, result.outputs)
    for _, warning in ipairs(result.warnings) do
      context.out(("\nStill needs a person: %s\n"):format(warning))
    end
    context.out("\n" .. text .. (options.sim and " (simulated time)" or "") .. "\n")
  end
  return outcome(result)
end

return stack_options
