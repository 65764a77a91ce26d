-- The command line: finds the verb, reads its options, runs it, says what went wrong and chooses the exit code.
-- Called by the host (host/main.c) with the program's arguments; only the module of the verb asked for is loaded.
--
-- A verb is one file here that returns
--   name, summary       as in VERBS below
--   description, epilog what `infra VERB --help` says beyond its options (optional)
--   arguments(command)  adds the verb's own arguments to its argparse command (optional)
--   pass_through        true: options after the first argument belong to what that argument names (optional)
--   run(options, context) -> exit code (nothing means 0) | nil, err
-- where context = { out(text), err(text), verbose, colour, version }: `out` and `err` write at once and as they are;
-- a reader that has gone away (`infra ... | head`) is no failure, so `out` never stops an apply half-way.

require("infra.strict").install()

local argparse = require "argparse"
local errors = require "infra.errors"
local tty = require "host.tty"

-- In the order of `infra --help`.
local VERBS = {
  { "run", "Plan a stack, ask, and apply it" },
  { "plan", "Show what a run would change" },
  { "apply", "Apply a saved plan" },
  { "destroy", "Delete everything that a stack built" },
  { "drift", "Show what changed in AWS behind the stack's back" },
  { "output", "Print a stack's outputs" },
  { "state", "Look into the recorded state" },
  { "graph", "Draw what a stack consists of" },
  { "cost", "Estimate what a stack costs in a month" },
  { "login", "Sign in to AWS IAM Identity Center (SSO)" },
  { "whoami", "Show the AWS account and identity in use" },
  { "aws", "Call any operation of any AWS service" },
  { "presign", "Print a URL that carries a call and its signature" },
  { "models", "Look up and update the AWS models" },
  { "sim", "Serve the simulated AWS over HTTP" },
  { "exec", "Run a Lua file inside this program" },
  { "repl", "Explore stacks, state and AWS interactively" },
  { "version", "Print the version" },
}

-- Exit codes that follow from an error's code; err.exit_code overrides, everything else is 1.
local EXIT_CODES = { Usage = 2, Cancelled = 3, Interrupted = 3, Stopped = 3 }

local EPIPE <const> = 32

local WIDEST <const> = 100 -- columns of help

-- Help is asked for in the middle of parsing, where required arguments may still be missing: it leaves by a throw.
local function own_help(command)
  command:add_help {
    action = function()
      errors.raise { code = "Help", message = command:get_help() .. "\n" }
    end,
  }
  for _, nested in ipairs(command._commands) do
    own_help(nested)
  end
end

local function new_parser()
  local parser = argparse("infra", "Builds AWS infrastructure from Lua programs, and remembers what it built.",
    "infra VERB --help, or infra help VERB, describes one verb.")
  local width = tty.is_terminal(1) and math.min((tty.size()), WIDEST) or WIDEST
  parser:help_max_width(width):usage_max_width(width)
  parser:flag("-v --verbose", "Say more, and add a traceback to errors.")
  parser.error = function(at, message)
    errors.raise { code = "Usage", message = (message:gsub("\n", ". ")), hint = at:get_usage() }
  end
  return parser
end

-- "--" ends option parsing in argparse; put before the first argument, it leaves the rest to that argument.
local function pass_through(arguments, first)
  for i = first, #arguments do
    if arguments[i] == "--" then
      return
    elseif arguments[i]:sub(1, 1) ~= "-" then
      table.insert(arguments, i, "--")
      return
    end
  end
end

-- The arguments as options, the verb they name and its argparse command; throws Usage errors and help.
local function read(arg)
  local arguments = table.move(arg, 1, #arg, 1, {})
  if arguments[1] == "--version" then -- what most programs understand
    arguments[1] = "version"
  elseif arguments[1] == "help" then
    table.remove(arguments, 1)
    table.insert(arguments, "--help")
  end
  local at = 1
  while arguments[at] and arguments[at]:sub(1, 1) == "-" do
    at = at + 1
  end
  local parser = new_parser()
  local verb, chosen
  for _, entry in ipairs(VERBS) do
    local name, summary = table.unpack(entry)
    local command = parser:command(name):summary(summary)
    if name == arguments[at] then
      verb, chosen = require("infra.cli." .. name), command
      command:description(verb.description or summary)
      if verb.epilog then
        command:epilog(verb.epilog)
      end
      if verb.arguments then
        verb.arguments(command)
      end
      if verb.pass_through then
        pass_through(arguments, at + 1)
      end
    end
  end
  own_help(parser)
  return parser:parse(arguments), verb, chosen
end

local function new_context(arg)
  local context = { version = arg.version or "unreleased" }

  function context.out(text)
    local ok, message, code = io.stdout:write(text)
    if ok then
      ok, message, code = io.stdout:flush()
    end
    if not ok and code ~= EPIPE then
      context.output_error = errors.new { code = "OutputError", message = "cannot write output: " .. message }
    end
  end

  function context.err(text)
    io.stderr:write(text)
  end

  context.colour = (os.getenv "NO_COLOR" or "") == "" and tty.is_terminal(1)
  return context
end

-- Says what went wrong; returns the exit code. What nobody foresaw comes with the code "Internal", and from inside a
-- task with its traceback in the message.
local function report(context, err)
  if err.code == "Help" then
    context.out(err.message)
    return 0
  end
  local text = tostring(err)
  if err.code == "Internal" then
    text = "internal error: " .. (context.verbose and text or text:gsub("\nstack traceback:.*$", ""))
  end
  if context.verbose and err.traceback then
    text = ("%s\n%s"):format(text, err.traceback)
  end
  context.err(("infra: %s\n"):format(text))
  return err.exit_code or EXIT_CODES[err.code] or 1
end

local function run(arg, context)
  local options, verb, command = read(arg)
  context.verbose = options.verbose
  local code, err = verb.run(options, context)
  if err and err.code == "Usage" then
    err.hint = err.hint or command:get_usage()
  end
  return code, err or context.output_error
end

return function(arg)
  local context = new_context(arg)
  local ok, result, err = xpcall(run, errors.caught, arg, context)
  if not ok then
    err = result
  end
  return err and report(context, err) or result or 0
end
