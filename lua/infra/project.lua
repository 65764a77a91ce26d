-- Where things are: the stack file's project, its state, its plug-ins. Used by infra.deployment, by the verbs that only
-- look at the stack or its state, and by the REPL.

local errors = require "infra.errors"
local fs = require "host.fs"
local option_values = require "infra.options"
local source = require "infra.engine.source"
local stack = require "infra.engine.stack"
local Store = require "infra.state.store"

local project = {}

local function directory_of(path)
  return path:match("^(.*)/[^/]*$") or "."
end

--- The nearest directory, from the one of `path` upwards, that contains a directory called `name`; or nil.
local function ancestor_with(path, name)
  local absolute = fs.real_path(path)
  local directory = absolute and directory_of(absolute)
  while directory and directory ~= "" do
    local found = fs.stat(directory .. "/" .. name)
    if found and found.kind == "directory" then
      return directory
    end
    directory = directory:match("^(.*)/[^/]*$")
  end
end

-- Relative to the working directory where that is shorter: what people see in messages.
local function shorten(path)
  local cwd = fs.cwd() .. "/"
  return path:sub(1, #cwd) == cwd and path:sub(#cwd + 1) or path
end

--- The directory of the state of the stack in the file `path`: `state` in the nearest directory upwards that has one,
--- else beside the stack.
function project.state_directory(path)
  local root = ancestor_with(path, "state")
  return shorten((root or directory_of(fs.real_path(path) or path)) .. "/state")
end

--- The state file of stack `name`: a simulated account has one of its own.
function project.state_path(path, name, simulated)
  return ("%s/%s%s.db"):format(project.state_directory(path), simulated and "sim/" or "", name)
end

--- Opens a state to look at it, without AWS. options: stack = path of the stack file, sim, state = path of the
--- database; without `stack`, of whatever stack it is. Returns a read-only store, or nil and an error.
function project.open_state(options)
  local path, name = options.state, nil
  if options.stack then
    local definition, unloaded = project.load(options.stack)
    if not definition then
      return nil, unloaded
    end
    name = definition.name
    path = path or project.state_path(options.stack, name, options.sim)
  end
  local store, err = Store.open(path, { readonly = true, stack = name })
  if store and store.empty then
    store:close()
    return errors.fail { code = "NoState", message = "there is no state in " .. path, hint = "run the stack first" ..
      (options.sim and "" or "; what was run with --sim is found with --sim") }
  end
  return store, err
end

-- The stack file as a function, or nil and an error.
local function read_chunk(path)
  local text, err = fs.read(path)
  if not text then
    err.message = err.code == "ENOENT" and "there is no stack file " .. path or err.message
    return nil, err
  end
  local chunk, message = load(text:gsub("^#[^\n]*", ""), "@" .. path, "t")
  if not chunk then
    return nil, source.fault(message)
  end
  return chunk
end

--- Loads the stack file: returns its definition (engine/stack), or nil and an error. The file may `require` modules
--- beside it and under its project's root, and the plug-ins that its definition names are loaded.
function project.load(path)
  local chunk, unreadable = read_chunk(path)
  if not chunk then
    return nil, unreadable
  end
  local directory = directory_of(path)
  local root = ancestor_with(path, "plugins")
  package.path = ("%s/?.lua;%s/?.lua"):format(directory, root and shorten(root) or directory)
  local ok, definition = xpcall(chunk, source.caught)
  if type(definition) == "table" and definition.source == "?" then
    definition.source = path -- `return infra.stack { ... }` is a tail call: it has no line of its own any more
  end
  if not ok then
    return nil, definition
  elseif not stack.is(definition) then
    return errors.fail { code = "NoStack", source = path, message = "the file does not return a stack",
      hint = "end it with: return infra.stack { ... }" }
  end
  for _, name in ipairs(definition.plugins or {}) do
    local err
    ok, err = require("infra.plugins").load(name, root)
    if not ok then
      err.source = err.source or definition.source
      return nil, err
    end
  end
  return definition
end

--- What the stack declares with the option values `set` (engine/stack), or nil and an error. Values that do not fit are
--- wrong usage: they come from outside the stack.
function project.declare(definition, set)
  local ok, err = option_values.check("stack " .. definition.name, definition.options or {}, set)
  if not ok then
    err.source = definition.source
    if err.code ~= "BadDeclaration" then
      err.code, err.hint = "Usage", "options are given with --set NAME=VALUE"
    end
    return nil, err
  end
  return definition:evaluate(set)
end

return project
