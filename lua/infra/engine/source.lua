-- Where in the user's files something was declared or went wrong, for messages. Used by engine/resource, engine/stack,
-- layers, options, plugins and project.

local errors = require "infra.errors"

local source = {}

-- Frames of the tool's own machinery say nothing to the person who wrote the stack; layers do.
local function is_machinery(path)
  return path:find("lua/infra/", 1, true) ~= nil and not path:find("lua/infra/layers/", 1, true)
end

--- "file:line" of the innermost frame that is not machinery; when that is a layer, followed by the stack's own line:
--- "lua/infra/layers/network.lua:30 (from stacks/staging.lua:12)".
function source.here()
  local inner, outer
  for level = 2, math.huge do
    local info = debug.getinfo(level, "Sl")
    if not info then
      break
    end
    local path = info.source:match("^@(.*)")
    if path and info.currentline > 0 and not is_machinery(path) then
      local place = path .. ":" .. info.currentline
      inner = inner or place
      if not path:find("infra/layers/", 1, true) then
        outer = place
        break
      end
    end
  end
  if outer and outer ~= inner then
    return ("%s (from %s)"):format(inner, outer)
  end
  return inner or "?"
end

--- The error for a message of Lua's about a user's file: what its compiler found, or what a chunk threw.
function source.fault(message)
  message = message:match("^error loading module .-:\n%s*(.*)$") or message
  message = message:gsub("( module '[^']*' not found):.*$", "%1")
  local place, text = message:match("^([^\n]-:%d+): (.*)$")
  return errors.new { code = "BadStack", source = place, message = text or message }
end

--- Message handler for xpcall around what a stack's author wrote: errors.caught, but a mistake of Lua's own kind in a
--- user's file is no internal error.
function source.caught(value)
  local text = not errors.is(value) and tostring(value)
  if text and not is_machinery(text:match("^[^\n]-:%d+: ") or "") then
    value = source.fault(text)
    if not text:find("^error loading module ") then -- that one names its own line
      value.source = source.here()
    end
  end
  return errors.caught(value)
end

return source
