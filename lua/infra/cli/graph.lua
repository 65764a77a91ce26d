-- `infra graph STACK`: draws what a stack consists of and what needs what. No call to AWS is made.

local errors = require "infra.errors"
local graph_report = require "infra.report.graph"
local process = require "host.process"
local stack_options = require "infra.cli.stack_options"

local graph = {
  name = "graph",
  summary = "Draw what a stack consists of",
  description = "Draws the resources of a stack by layer, with what needs what: as SVG (by Graphviz's dot, which " ..
    "must be installed), in Graphviz's or Mermaid's language, or as JSON. Makes no call to AWS.",
}

function graph.arguments(command)
  command:argument("stack", "The stack file."):argname "STACK"
  stack_options.set_argument(command)
  command:option("--format", "svg, dot, mermaid or json."):choices { "svg", "dot", "mermaid", "json" }:default "svg"
end

local function draw(text)
  local runtime = require("infra.runtime").real()
  local handle, err = process.start { argv = { "dot", "-Tsvg" }, stdin = text }
  if not handle then
    return errors.fail { code = "NoGraphviz", message = "cannot start Graphviz's dot: " .. err.message,
      hint = "install the package graphviz, or use --format dot, mermaid or json" }
  end
  local event = runtime.scheduler:run(function()
    return runtime.scheduler:await(handle)
  end)
  if event.status ~= 0 then
    return errors.fail { code = "NoGraphviz", message = "dot failed: " .. event.stderr }
  end
  return event.stdout
end

function graph.run(options, context)
  local declaration, err = stack_options.declaration(options)
  if not declaration then
    return nil, err
  end
  local text = graph_report[options.format == "svg" and "dot" or options.format](declaration)
  if options.format == "svg" then
    text, err = draw(text)
    if not text then
      return nil, err
    end
  end
  context.out(text)
end

return graph
