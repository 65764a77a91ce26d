-- What the statements of a REPL work with: a connection to AWS and, when a stack is open, its deployment; and the table
-- of what is at hand by name. Used by infra.repl.

local calls = require "infra.repl.calls"
local connection = require "infra.cli.connection"
local errors = require "infra.errors"
local interrupt = require "infra.repl.interrupt"
local json = require "host.json"
local modules = require "host.modules"
local plan_report = require "infra.report.plan"
local show = require "infra.repl.show"
local stack_options = require "infra.cli.stack_options"
local suggest = require "infra.suggest"
local tty = require "host.tty"
local views = require "infra.repl.views"

local Workspace = {}
Workspace.__index = Workspace

-- A plan as data (report/plan), that prints as `infra plan` does.
local function plan(deployment, context, options)
  local made, err = deployment:plan(options or {})
  if not made then
    errors.raise(err)
  end
  return setmetatable(plan_report.data(made), { __tostring = function()
    return (plan_report.text(made, stack_options.layout(context)):gsub("\n$", ""))
  end })
end

local function what_is_at_hand(self, context, access)
  local deployment = self.deployment
  local at_hand = {
    infra = require "infra",
    json = setmetatable({ encode = show.json }, { __index = json }),
    show = function(value, depth)
      context.out(show.text(value, { depth = depth or math.huge, width = (tty.size()) }) .. "\n")
    end,
    aws = calls.new {
      client = self.session.client,
      may_write = access.may_write,
      resolve = function(params)
        return deployment and views.resolve(params, deployment.store) or params
      end,
    },
  }
  if deployment then
    at_hand.stack = views.stack(deployment.declaration)
    at_hand.state = views.state(deployment.store)
    at_hand.plan = function(options)
      return plan(deployment, context, options)
    end
  end
  return at_hand
end

--- Opens a workspace. options: as parsed by the verb (stack may be nil); context as for verbs; access =
--- { may_write() -> boolean }. Returns { name, at_hand, call = function(fn, ...) as xpcall, for tasks of :run }, or nil
--- and an error.
function Workspace.open(options, context, access)
  local self = setmetatable({ name = "infra" }, Workspace)
  local err
  if options.stack then
    self.deployment, err = stack_options.open(options, context, { command = "repl" })
    self.session = self.deployment and self.deployment.session
    self.name = self.deployment and self.deployment.declaration.name
  else
    self.session, err = connection.open(options, context)
  end
  if not self.session then
    return nil, err
  end
  self.call = interrupt.caller(self.session.runtime.scheduler)
  self.at_hand = what_is_at_hand(self, context, access)
  return self
end

--- Whether the stack that `options` name, if any, is without faults: true, or nil and an error.
function Workspace.check(options)
  if not options.stack then
    return true
  end
  local declaration, err = stack_options.declaration(options)
  return declaration ~= nil or nil, err
end

--- Runs fn(...) as the main task of its scheduler; see infra.session.
function Workspace:run(fn, ...)
  return self.session:run(fn, ...)
end

--- Forgets the modules that came from the user's files, so that they are read again.
function Workspace.forget_modules()
  for name in pairs(package.loaded) do
    if not modules.text(name) and package.searchpath(name, package.path) then
      package.loaded[name] = nil
    end
  end
end

function Workspace:close()
  local owner = self.deployment or self.session
  owner:close()
end

local NEED_A_STACK = { stack = true, state = true, plan = true }

--- The globals of statements: variables of their own, then what at_hand() has, then Lua's. Others cannot be read.
function Workspace.environment(at_hand)
  local environment = {}
  local function names()
    local list = {}
    for _, source in ipairs { at_hand(), _G } do
      for name in next, source do
        list[#list + 1] = name
      end
    end
    return list
  end
  environment._G = environment
  return setmetatable(environment, {
    __names = names,
    __index = function(_, name)
      local value = at_hand()[name]
      if value == nil then
        value = rawget(_G, name)
      end
      if value == nil and NEED_A_STACK[name] then
        errors.raise { code = "NoStack", message = ("'%s' needs a stack"):format(name), hint = ":stack PATH opens one" }
      elseif value == nil then
        errors.raise { code = "Undeclared", message = ("there is no variable '%s'%s"):format(tostring(name),
          suggest(tostring(name), names())) }
      end
      return value
    end,
  })
end

return Workspace
