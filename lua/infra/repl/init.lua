-- `infra repl`: reads statements, runs them, shows their values. Used by infra.cli.repl.
--
-- Statements run one after another, each as the main task of the workspace's scheduler. A line is first taken as an
-- expression, then as statements; when both end too early, more lines are read. Local variables become globals of the
-- session at the end of their line (repl/chunk). What fails says so in one line and ends nothing.

local chunk = require "infra.repl.chunk"
local commands = require "infra.repl.commands"
local complete = require "infra.repl.complete"
local errors = require "infra.errors"
local History = require "infra.repl.history"
local merged = require "infra.merged"
local show = require "infra.repl.show"
local style = require "infra.report.style"
local tty = require "host.tty"
local Workspace = require "infra.repl.workspace"

local Repl = {}
Repl.__index = Repl

--- A REPL. options: as parsed by the verb; context as for verbs. Returns it, or nil and an error.
function Repl.new(options, context)
  local self = setmetatable({
    options = options, context = context, interactive = tty.is_terminal(0), failed = 0, writing = false, ended = false,
  }, Repl)
  self.access = { may_write = function()
    return self.writing
  end }
  local err
  self.workspace, err = Workspace.open(options, context, self.access)
  if not self.workspace then
    return nil, err
  end
  self.environment = Workspace.environment(function()
    return self.workspace.at_hand
  end)
  self.keep = chunk.keeper(self.environment)
  return self
end

-- Opens a workspace in place of the present one, which stays when the stack has faults. (Both at once cannot be
-- open: the simulated account belongs to one.) Returns true, or nil and an error.
local function switch(self, options)
  local ok, err = Workspace.check(options)
  if not ok then
    return nil, err
  end
  self.workspace:close()
  local fresh
  fresh, err = Workspace.open(options, self.context, self.access)
  if fresh then
    self.workspace, self.options, self.writing = fresh, options, false
    return true
  end
  local former = Workspace.open(self.options, self.context, self.access)
  self.workspace, self.ended = former or self.workspace, former == nil
  return nil, err
end

--- Opens another stack, for reading. Returns true, or nil and an error.
function Repl:open(path)
  local options = merged(self.options)
  options.stack, options.state, options.set = path, nil, nil -- the latter were for the other one
  return switch(self, options)
end

--- Opens the same again, from the files as they are now. Returns true, or nil and an error.
function Repl:reload()
  Workspace.forget_modules()
  return switch(self, self.options)
end

-- -- saying things --------------------------------------------------------------------------------------------------

-- Says in one line what went wrong.
function Repl:complain(err)
  self.failed = self.failed + 1
  local paint = style.painter(self.context.colour and tty.is_terminal(2))
  local text = tostring(err):gsub("%s*\n%s*", "; ")
  self.context.err(paint("red", text) .. "\n")
  if self.context.verbose and err.traceback then
    self.context.err(err.traceback .. "\n")
  end
end

local function show_values(self, ...)
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    self.context.out(show.text(value, { width = (tty.size()) }) .. "\n")
    self.environment._ = value
  end
end

function Repl:prompt(continues)
  local name = self.workspace.name .. (self.writing and " (write)" or "")
  if continues then
    return (" "):rep(#name) .. "| "
  end
  local colour = self.writing and "red" or "cyan"
  local painted = style.painter(self.context.colour)(colour, name):gsub("\27%[%d+m", "\1%0\1")
  return painted .. "> "
end

-- -- reading and running --------------------------------------------------------------------------------------------

-- Reads a line -> line | nil at the end of input | nil, err.
function Repl:read_line(continues)
  local line, err = tty.read_line(self.interactive and self:prompt(continues) or "")
  if line and self.interactive then
    local ok, problem = self.history:add(line)
    if not ok then
      self:complain(problem)
    end
  end
  return line, err
end

-- Reads a statement: its text and its function, of a command only the text; or nil at the end of input, or nil and an
-- error.
function Repl:read_statement()
  local text, err = self:read_line(false)
  if not text or text:find "^%s*:" then
    return text, err
  end
  local code, problem, continues = chunk.compile(text, self.environment)
  while not code and continues do
    local line
    line, err = self:read_line(true)
    if not line then
      return nil, err or problem
    end
    text = text .. "\n" .. line
    code, problem, continues = chunk.compile(text, self.environment)
  end
  return code and text, code or problem
end

-- Runs fn(...) as the main task; what it throws is an error that is returned.
function Repl:run_task(fn, ...)
  local workspace = self.workspace
  local finished, ok, err = pcall(workspace.run, workspace, workspace.call, fn, ...)
  if not finished then -- a task that the statement had left behind
    return nil, errors.from(ok)
  end
  return ok or nil, err
end

function Repl:run_statement(text, code)
  if not code then
    return commands.run(self, text)
  end
  return self:run_task(function()
    show_values(self, code(self.keep))
  end)
end

--- Reads and runs until the input ends. Returns the exit code, or nil and an error when nothing can be read.
function Repl:run()
  if self.interactive then
    local problem
    self.history, problem = History.open()
    if problem then
      self:complain(problem)
    end
    tty.set_completer(function(text)
      return complete.words(text, self.environment, commands.list)
    end)
    self.context.out(":help says what there is.\n")
  end
  while not self.ended do
    local text, code = self:read_statement()
    if text then
      local ok, err = self:run_statement(text, code)
      if not ok then
        self:complain(err)
      end
    elseif not code then
      break
    elseif code.code == "NoLibrary" then
      return nil, code
    elseif code.code ~= "Interrupted" then
      self:complain(code)
    end
  end
  return not self.interactive and self.failed > 0 and 1 or 0
end

function Repl:close()
  if self.interactive then
    tty.set_completer(nil)
  end
  self.workspace:close()
end
Repl.__close = Repl.close

return Repl
