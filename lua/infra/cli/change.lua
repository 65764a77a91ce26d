-- The one way to change something: plan, show, ask, apply, report. What run, apply and destroy do.

local errors = require "infra.errors"
local json = require "host.json"
local live = require "infra.report.live"
local plan_report = require "infra.report.plan"
local planning = require "infra.engine.plan"
local progress = require "infra.report.progress"
local stack_options = require "infra.cli.stack_options"
local style = require "infra.report.style"
local summary = require "infra.report.summary"
local tty = require "host.tty"

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
  elseif tty.is_terminal(1) and not context.verbose and not deployment.options.trace then
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

local GO_ON <const> = "run again: what is done stays done"

-- The exit code that a result of engine/apply means, or nil and an error.
local function outcome(result)
  if result.outcome == "done" then
    return 0
  end
  local stopped, first = result.outcome == "stopped", result.failures[1]
  if not stopped and #result.failures == 1 then
    first.hint = first.hint or first.code ~= "Internal" and "correct the cause and " .. GO_ON or nil
    return nil, first
  end
  local count = #result.failures
  local failed = ("%s failed%s"):format(style.count(count, "step"), errors.list(result.failures))
  if not stopped then
    return errors.fail { code = "Failed", message = failed, hint = "correct the causes and " .. GO_ON,
      traceback = first.traceback }
  end
  local not_done = style.count(result.stopped + result.skipped, "step was", "steps were")
  return errors.fail { code = "Stopped", hint = GO_ON, message = ("stopped; %s not done%s"):format(not_done,
    count > 0 and ", " .. failed or "") }
end

local function apply(options, context, deployment, plan)
  local reporter = new_reporter(options, context, deployment)
  local runtime = deployment.session.runtime
  deployment.on_stop = function()
    reporter.note("stopping; what is under way is finished first (again: stop at once)")
  end
  local started = runtime.now()
  local result, err
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
    local layout = stack_options.layout(context)
    local text = summary.text(result, seconds, { colour = layout.colour, width = layout.width,
      simulated = options.sim })
    context.out((planning.has_changes(plan) and "\n" or "") .. text)
  end
  return outcome(result)
end

--- What run, apply and destroy do with parsed `options` of the command line. `change`:
---   command        for the state's record
---   question       what to ask, with %s for the stack's name
---   destroy        delete what is recorded, whatever the stack declares
---   check(plan, deployment)  may refuse the plan: true, or nil and an error
--- Returns the exit code, or nil and an error.
return function(options, context, change)
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
