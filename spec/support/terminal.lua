-- A Lua script run by this program in a terminal of its own (script(1)'s), with somebody typing.
--
--   local output = terminal(code, { { "prompt> ", "keys" }, { "answer", "prompt> ", "keys" }, ... })
--
-- Each step waits until the terminal has shown, since the keys before, these texts one after the other, and then types
-- the last one. Keys that mean something to a line editor must wait for its prompt: the terminal would take them.
-- Returns everything that the terminal showed, without carriage returns.
local fs = require "host.fs"
local program = require "spec.support.program"
local temporary = require "spec.support.temporary"

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function octal(text)
  return (text:gsub(".", function(byte)
    return ("\\%03o"):format(byte:byte())
  end))
end

return function(code, steps)
  local directory, remove = temporary()
  local script, shown, ended = directory .. "/script.lua", directory .. "/shown", directory .. "/ended"
  assert(fs.write(script, code))
  assert(fs.write(shown, ""))

  local typist = { "at=1;" }
  for _, step in ipairs(steps) do
    local pattern = {}
    for i = 1, #step - 1 do
      pattern[i] = quote(step[i])
    end
    typist[#typist + 1] = ([[
      until case "$(tail -c +$at %s)" in *%s*) true ;; *) [ -e %s ] ;; esac; do sleep 0.01; done
      at=$(($(wc -c <%s) + 1)); printf %s;]]):format(shown, table.concat(pattern, "*"), ended, shown,
      quote(octal(step[#step])))
  end
  -- Ctrl-C reaches the shell too, which must live to tell the end: without the trap, Debian's sh would not.
  local command = ("trap : INT; %s exec %s; : >%s"):format(quote(fs.real_path "/proc/self/exe"), script, ended)
  local event = program.run {
    -- The typist stays until the program has ended: the end of its keys would be a Ctrl-D.
    argv = { "sh", "-c", ("{ %s until [ -e %s ]; do sleep 0.01; done; } | script -qfec %s %s"):format(
      table.concat(typist, " "), ended, quote(command), shown) },
    environment = { TERM = "xterm", HOME = directory, SHELL = "/bin/sh" },
    timeout = 50,
  }
  remove()
  assert(not event.error, ("%s after:\n%s"):format(event.error, event.stdout))
  return (event.stdout:gsub("\r", ""))
end
