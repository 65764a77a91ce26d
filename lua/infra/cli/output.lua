-- `infra output STACK [NAME]`: the outputs of the last run, from the state; asks AWS nothing.

local errors = require "infra.errors"
local json = require "host.json"
local project = require "infra.project"
local stack_options = require "infra.cli.stack_options"
local style = require "infra.report.style"
local suggest = require "infra.suggest"
local summary = require "infra.report.summary"
local value = require "infra.report.value"

local output = { name = "output", summary = "Print a stack's outputs" }

function output.arguments(command)
  command:argument("stack", "The stack file."):argname "STACK"
  command:argument("output", "Only this one; a text as it is, for scripts."):argname "NAME":args "?"
  stack_options.state_arguments(command)
  command:flag("--json", "Print JSON.")
  command:flag("--sim", "Of the simulated AWS.")
end

function output.run(options, context)
  local store, err = project.open_state(options)
  if not store then
    return nil, err
  end
  local recorded = store:outputs()
  store:close()
  local name, outputs = options.output, value.visible(recorded)
  if name and recorded[name] == nil then
    return errors.fail { code = "NoOutput", message = ("there is no output '%s'%s"):format(name,
      suggest(name, style.names(recorded))) }
  elseif name and value.digest(recorded[name]) then
    return errors.fail { code = "SecretOutput", message = ("the output '%s' is secret: the state does not hold it")
      :format(name) }
  end
  local shown = outputs
  if name then
    shown = outputs[name]
  end
  if options.json then
    context.out(json.encode(name and shown or json.object(shown), { indent = true }) .. "\n")
  elseif name then
    context.out((type(shown) == "string" and shown or json.encode(shown)) .. "\n")
  else
    for _, line in ipairs(summary.outputs(outputs)) do
      context.out(line .. "\n")
    end
  end
end

return output
