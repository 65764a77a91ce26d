-- What the verbs that work on a stack have in common: their arguments, opening the deployment, and for those that change
-- something the one way to do it: plan, show, ask, apply, report. Used by run, plan, apply, destroy and drift.

local Deployment = require "infra.deployment"
local connection = require "infra.cli.connection"
local errors = require "infra.errors"
local json = require "host.json"
local live = require "infra.report.live"
local plan_report = require "infra.report.plan"
local planning = require "infra.engine.plan"
local progress = require "infra.report.progress"
local style = require "infra.report.style"
local summary = require "infra.report.summary"
local tty = require "host.tty"

local stack_options = {}

--- Adds STACK and the options of every verb that asks AWS about one.
function stack_options.arguments(command)
  command:argument("stack", "The stack file."):argname "STACK"
  stack_options.state_arguments(command)
  connection.arguments(command)
end

--- --state and --json.
function stack_options.state_arguments(command)
  command:option("--state", "The state database (default: in the project's state folder)."):argname "PATH"
  command:flag("--json", "Print JSON.")
end

--- --set, for verbs that evaluate the stack.
function stack_options.set_argument(command)
  command:option("--set", "Sets an option of the stack; may be repeated."):argname "NAME=VALUE":count "*"
end

--- Options of verbs that change something.
function stack_options.change_arguments(command)
  command:flag("-y --yes", "Do not ask.")
  command:option("--parallel", "Requests under way at once (default 32)."):argname "N":convert(math.tointeger)
end

--- --target, for verbs that make a plan.
function stack_options.target_argument(command)
  command:option("--target", "Only this resource (network/vpc) or layer, with what it needs; may be repeated.")
    :argname "ADDRESS":count "*"
end

--- The values of --set as { name = value }, or nil and an error.
function stack_options.settings(list)
  local set = {}
  for _, text in ipairs(list or {}) do
    local name, given = text:match("^([%w_]+)=(.*)$")
    if not name then
      return errors.fail { code = "Usage", message = ("--set %s: must be NAME=VALUE"):format(text) }
    end
    set[name] = given
  end
  return set
end

--- Opens the deployment that parsed options mean. `more`: command, writable, recorded_only as in infra.deployment.
--- Returns it, or nil and an error.
function stack_options.open(options, context, more)
  local set, err = stack_options.settings(options.set)
  if not set then
    return nil, err
  elseif options.parallel and options.parallel < 1 then
    return errors.fail { code = "Usage", message = "--parallel must be at least 1" }
  end
  return Deployment.open {
    path = options.stack, set = set, sim = options.sim, state = options.state, profile = options.profile,
    region = options.region, endpoint_url = options.endpoint_url, parallel = options.parallel,
    command = more.command, writable = more.writable, recorded_only = more.recorded_only, version = context.version,
    trace = context.verbose and function(line)
      context.err(line .. "\n")
    end or nil,
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
  local shown = tty.is_terminal(1) and not (options.json or options.sim or context.verbose)
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

-- Asks whether to go on. Without somebody to ask and without --yes that is an error.
local function confirm(options, question)
  if options.yes then
    return true
  elseif options.json or not tty.is_terminal(0) then
    return errors.fail { code = "NotConfirmed", message = "this changes AWS and there is nobody to ask",
      hint = "add --yes to go on without asking" }
  end
  local answer = tty.read_line(question .. " [y/N] ")
  if answer and answer:lower():match("^%s*y") then
    return true
  end
  return errors.fail { code = "Cancelled", message = "nothing was changed" }
end

local function new_reporter(options, context, deployment)
  if options.json then
    return progress.json(context.out)
  elseif tty.is_terminal(1) and not context.verbose then
    return live(context.out, { colour = context.colour, now = deployment.session.runtime.now, size = tty.size })
  end
  return progress.lines(context.out, { colour = context.colour, verbose = context.verbose })
end

-- Lets the seconds of what is under way go on; virtual time goes on by itself.
local function start_ticker(options, deployment, reporter)
  return reporter.tick and not options.sim and deployment.scheduler:spawn(function()
    while true do
      deployment.scheduler:sleep(1)
      reporter.tick()
    end
  end)
end

local function failure(failures)
  if #failures == 1 then
    failures[1].hint = failures[1].hint or "correct the cause and run again: what is done stays done"
    return nil, failures[1]
  end
  local texts = {}
  for i, err in ipairs(failures) do
    err.hint = nil
    texts[i] = "\n  " .. tostring(err):gsub("\n", "\n  ")
  end
  return errors.fail { code = "Failed", message = ("%d steps failed%s"):format(#failures, table.concat(texts)),
    hint = "correct the causes and run again: what is done stays done", traceback = failures[1].traceback }
end

-- The exit code that a result of engine/apply means, or nil and an error.
local function outcome(result)
  if result.outcome == "done" then
    return 0
  elseif result.outcome == "stopped" then
    return errors.fail { code = "Stopped", message = ("stopped; %s not done"):format(style.count(result.stopped +
      result.skipped, "step was", "steps were")), hint = "run again to go on where this stopped" }
  end
  return failure(result.failures)
end

local function apply(options, context, deployment, plan)
  local reporter = new_reporter(options, context, deployment)
  local runtime = deployment.session.runtime
  deployment.on_stop = function()
    reporter.note("stopping: what is under way is finished, nothing new is started (again: stop at once)")
  end
  local started, result, err = runtime.now(), nil, nil
  do
    local ticker = start_ticker(options, deployment, reporter)
    local _ <close> = setmetatable({}, { __close = function()
      if ticker then
        ticker:cancel()
      end
      reporter.close()
    end })
    result, err = deployment:apply(plan, reporter.emit)
  end
  if not result then
    return nil, err
  end
  local seconds = runtime.now() - started
  if options.json then
    context.out(json.encode { event = "summary", summary = summary.data(result, seconds) } .. "\n")
  else
    context.out("\n" .. summary.text(result, seconds, { colour = context.colour, simulated = options.sim }))
  end
  return outcome(result)
end

--- What run, apply and destroy do. `change`:
---   command        for the state's record
---   question       what to ask, with %s for the stack's name
---   destroy        delete what is recorded, whatever the stack declares
---   check(plan, deployment)  may refuse the plan: true, or nil and an error
--- Returns the exit code, or nil and an error.
function stack_options.change(options, context, change)
  local deployment <close>, err = stack_options.open(options, context, {
    command = change.command, writable = true, recorded_only = change.destroy,
  })
  if not deployment then
    return nil, err
  end
  return deployment:run(function()
    local wanted = { destroy = change.destroy, targets = options.target }
    local plan, problem = stack_options.looking(options, context, deployment.plan, deployment, wanted)
    local ok = plan
    if ok and change.check then
      ok, problem = change.check(plan, deployment)
    end
    if not ok then
      return nil, problem
    end
    if options.json then
      context.out(json.encode { event = "plan", plan = plan_report.data(plan) } .. "\n")
    else
      context.out(plan_report.text(plan, stack_options.layout(context)) .. "\n")
    end
    if planning.has_changes(plan) then
      ok, problem = confirm(options, change.question:format(deployment.definition.name))
      if not ok then
        return nil, problem
      end
    end
    return apply(options, context, deployment, plan)
  end)
end

return stack_options
