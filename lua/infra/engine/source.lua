-- Where in the user's files something was declared, for messages. Used by engine/resource, engine/stack and options.

local source = {}

-- Frames of the tool's own machinery say nothing to the person who wrote the stack; layers do.
local machinery = { "lua/infra/engine/", "lua/infra/options.lua", "lua/infra/init.lua", "lua/infra/cli/", "[C]" }

local function is_machinery(path)
  for _, part in ipairs(machinery) do
    if path:find(part, 1, true) then
      return true
    end
  end
  return false
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

return source
