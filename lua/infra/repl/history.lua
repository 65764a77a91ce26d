-- The lines that were typed, kept in $XDG_STATE_HOME/infra/history (~/.local/state/infra/history). Used by infra.repl.

local fs = require "host.fs"
local process = require "host.process"
local tty = require "host.tty"

local History = {}
History.__index = History

local function path()
  local state = process.environment "XDG_STATE_HOME"
  if not state or state == "" then
    state = fs.home() .. "/.local/state"
  end
  return state .. "/infra/history"
end

--- Loads the history. Returns a history, that is kept in memory only where the file cannot be had: then also an error.
function History.open()
  local self = setmetatable({ path = path() }, History)
  local ok, err = fs.mkdir(self.path:match "^(.*)/")
  if ok and fs.stat(self.path) then
    ok, err = tty.load_history(self.path)
  end
  if not ok then
    self.path = nil
  end
  return self, err
end

--- Adds a line; one that starts with a space is not kept: for secrets. Returns true, or nil and an error when the file
--- cannot be written; it is not tried again.
function History:add(line)
  if line:find "^%s" or line == "" then
    return true
  end
  tty.add_history(line)
  if not self.path then
    return true
  end
  local ok, err = tty.save_history(self.path)
  if not ok then
    self.path = nil
  end
  return ok, err
end

return History
