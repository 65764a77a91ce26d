-- `infra cost STACK`: what a stack costs in a month. No call to AWS is made.

local cost_of = require "infra.cost"
local cost_report = require "infra.report.cost"
local errors = require "infra.errors"
local json = require "host.json"
local prices = require "infra.cost.prices"
local stack_options = require "infra.cli.stack_options"
local style = require "infra.report.style"
local suggest = require "infra.suggest"

local cost = {
  name = "cost",
  summary = "Estimate what a stack costs in a month",
  description = "Estimates what a stack costs in a month from list prices and assumptions about its use. Makes no " ..
    "call to AWS.",
}

function cost.arguments(command)
  command:argument("stack", "The stack file."):argname "STACK"
  stack_options.set_argument(command)
  command:option("--usage", "Changes an assumption, for example api_requests_per_day=50000; may be repeated.")
    :argname "NAME=VALUE":count "*"
  command:flag("--json", "Print JSON.")
  command:flag("--markdown", "Print Markdown, with the working and the assumptions.")
end

local function usage_of(list)
  local given, err = stack_options.settings(list, "--usage")
  if not given then
    return nil, err
  end
  for name, text in pairs(given) do
    local value = tonumber(text) or -1
    local problem = not prices.usage[name] and "there is no such assumption" .. suggest(name, style.names(prices.usage))
      or not (value >= 0 and value < math.huge) and "must be a number, 0 or more"
    if problem then
      return errors.fail { code = "Usage", message = ("--usage %s=%s: %s"):format(name, text, problem),
        hint = "the assumptions: " .. table.concat(style.names(prices.usage), ", ") }
    end
    given[name] = value
  end
  return given
end

function cost.run(options, context)
  local usage, err = usage_of(options.usage)
  if not usage then
    return nil, err
  end
  local declaration
  declaration, err = stack_options.declaration(options)
  if not declaration then
    return nil, err
  end
  local estimate = cost_of.estimate(cost_of.declared(declaration), usage)
  if options.json then
    context.out(json.encode({ stack = declaration.name, lines = json.array(estimate.lines),
      services = json.array(estimate.services), total = estimate.total }, { indent = true }) .. "\n")
  elseif options.markdown then
    context.out(cost_report.markdown(estimate, declaration.name, usage))
  else
    context.out(cost_report.text(estimate))
  end
end

return cost
