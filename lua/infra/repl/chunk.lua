-- What somebody types, as a function: an expression, statements, or only the beginning of either. Used by infra.repl.

local errors = require "infra.errors"

local chunk = {}

-- What Lua's messages call it: repl:1: ...
local NAME <const> = "@repl"

-- Behind the last statement, where all of the chunk's own variables are still alive: calls the chunk's first argument.
local KEEP <const> = "\n;(...)()"

local function compile(text, environment)
  return load(text, NAME, "t", environment)
end

-- A quoted text has to end on its line.
local function is_cut_short(message)
  return message:find "near <eof>$" ~= nil and not message:find("unfinished string", 1, true)
end

--- Compiles `text` to run with the globals `environment` -> function(keep) that returns the values of an expression and
--- passes chunk.keeper's function; or nil, an error, and whether more lines could mend it.
function chunk.compile(text, environment)
  local code, wanted = compile("return " .. text, environment)
  if code then
    return code
  end
  local message
  code, message = compile(text, environment)
  if code then
    return compile(text .. KEEP, environment) or code -- nothing can follow a return
  end
  if is_cut_short(wanted) and not is_cut_short(message) then -- no statement, but the beginning of an expression
    message = wanted
  end
  return nil, errors.new { code = "SyntaxError", message = message }, is_cut_short(message)
end

--- The function to call a chunk with: it makes globals of the chunk's local variables, so that they outlive the line.
--- Constants that the compiler works in, <const> with a plain value, are no variables and do not.
function chunk.keeper(environment)
  return function()
    local index = 1
    local name, value = debug.getlocal(2, index)
    while name do
      if name:find "^[%a_]" then -- the others are Lua's own
        environment[name] = value
      end
      index = index + 1
      name, value = debug.getlocal(2, index)
    end
  end
end

return chunk
