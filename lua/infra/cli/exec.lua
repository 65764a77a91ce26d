-- `infra exec FILE [ARG...]`: a Lua file run by this program, with the host's primitives and infra's modules at hand.
-- The specs and the build of the models run this way. The file sees `arg` as under lua(1); an integer that it returns
-- is the exit code.

local errors = require "infra.errors"

local exec = {
  name = "exec",
  summary = "Run a Lua file inside this program",
  pass_through = true,
}

function exec.arguments(command)
  command:argument("file", "The Lua file."):argname "FILE"
  command:argument("rest", "What the file finds in `arg`."):argname "ARG":args "*"
end

-- As lua(1) does: a message gets its traceback, any other value stays what it is.
local function with_traceback(value)
  return type(value) == "string" and debug.traceback(value, 2) or value
end

function exec.run(options)
  local chunk, message = loadfile(options.file)
  if not chunk then
    return errors.fail { code = "ScriptError", message = message }
  end
  local script = { [0] = options.file, table.unpack(options.rest) }
  rawset(_G, "arg", script)
  local ok, result = xpcall(chunk, with_traceback, table.unpack(script))
  if not ok then
    return nil, errors.is(result) and result or errors.new { code = "ScriptError", message = tostring(result) }
  end
  return math.type(result) == "integer" and result or 0
end

return exec
