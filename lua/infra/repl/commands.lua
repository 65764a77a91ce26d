-- The REPL's own commands: what a line that starts with ":" can say. Used by infra.repl.
--
-- A command is { argument = its argument's name, "[...]" when it can be left out, or nil; summary; run(repl, argument)
-- -> true | nil, err; words() = what the argument can be, for completion }.

local describe_types = require "infra.models.describe_types"
local errors = require "infra.errors"
local models = require "infra.models"
local outline = require "infra.models.outline"
local sorted_keys = require "infra.sorted_keys"
local style = require "infra.report.style"
local suggest = require "infra.suggest"
local tty = require "host.tty"

local commands = {}

local AT_HAND = {
  { 'aws.ec2.DescribeVpcs { VpcIds = { "vpc-1" } }', "any operation; without braces, what it takes and returns" },
  { "aws.ec2.all.DescribeVpcs {}", "all its pages in one; aws.ec2.pages...: an iterator over them" },
  { 'stack.resources["network/vpc"]', "what is declared; its .VpcId is a reference, good as a parameter" },
  { "state.rows, .outputs, .runs, .history", "what is recorded; rows and runs have a .history of their own" },
  { 'plan(), plan { targets = { "network" } }', "what a run would change" },
  { "json.encode(value, { indent = true })", "and decode; infra: what stack files see" },
  { "show(value [, depth]), print(...)", "a value with all its levels; _ is the last value shown" },
}

local MANNERS <const> = "An expression shows its value. A statement can go on over several lines; Ctrl-C gives it " ..
  "up, or stops one that runs. Local variables (not <const>) are there for the lines after theirs too: a line's " ..
  "become globals at its end. Secrets are never shown; secret.reveal() is their text. A line that starts with a " ..
  "space is not kept in the history. Ctrl-D ends."

-- Columns for texts beside what they are about; with fewer than twice as many in the terminal they go below it.
local BESIDE <const> = 50

local function usage(name)
  local command = commands[name]
  return ":" .. name .. (command.argument and " " .. command.argument or "")
end

local function names()
  local list = sorted_keys(commands)
  return list
end

commands.help = {
  summary = "This text",
  run = function(repl)
    local width = tty.size()
    local function add(text, first)
      repl.context.out(table.concat(style.wrap(text, first, (" "):rep(#first), width), "\n") .. "\n")
    end
    for _, name in ipairs(names()) do
      add(commands[name].summary, ("  %-14s "):format(usage(name)))
    end
    repl.context.out("\n")
    for _, entry in ipairs(AT_HAND) do
      local what, text = table.unpack(entry)
      if width < 2 * BESIDE then
        add(what, "  ")
      end
      add(text, width < 2 * BESIDE and "      " or style.pad("  " .. what, BESIDE))
    end
    repl.context.out("\n")
    add(MANNERS, "")
    return true
  end,
}

commands.quit = {
  summary = "End, like Ctrl-D",
  run = function(repl)
    repl.ended = true
    return true
  end,
}

commands.write = {
  summary = "Allow calls that can change something, until :read",
  run = function(repl)
    repl.writing = true
    return true
  end,
}

commands.read = {
  summary = "Refuse calls that can change something, as at the start",
  run = function(repl)
    repl.writing = false
    return true
  end,
}

commands.stack = {
  argument = "PATH",
  summary = "Open another stack; your variables stay",
  run = function(repl, path)
    return repl:open(path)
  end,
}

commands.reload = {
  summary = "Read the stack, its modules and its plug-ins again",
  run = function(repl)
    return repl:reload()
  end,
}

commands.type = {
  argument = "NAME",
  summary = "Describe a resource type: :type AWS::EC2::VPC",
  words = function()
    return assert(models.types())
  end,
  run = function(repl, name)
    local found, err = describe_types.find(name)
    if not found then
      return nil, err
    end
    repl.context.out(outline.text(describe_types.type(found), { width = (tty.size()), depth = 1 }))
    return true
  end,
}

local function run(repl, line)
  local name, argument = line:match "^%s*:%s*(%S*)%s*(.-)%s*$"
  local command = commands[name]
  if not command then
    return errors.fail { code = "UnknownCommand", message = ("there is no command :%s%s"):format(name,
      suggest(name, names())), hint = ":help lists them" }
  elseif (command.argument == nil) ~= (argument == "") then
    return errors.fail { code = "BadCommand", message = "it is " .. usage(name) }
  end
  return command.run(repl, argument)
end

return {
  list = commands,
  --- Runs the line, whose first character but spaces is ":". Returns true, or nil and an error.
  run = run,
}
