-- State databases in specs: `local new = opened()`, then new.open(options) opens new.path, by default as the writer of
-- the stack "demo"; new.remove() at the end.
local Store = require "infra.state.store"
local runtime = require "infra.runtime"
local temporary = require "spec.support.temporary"

return function()
  local directory, remove = temporary()
  local self = { path = directory .. "/state.db", remove = remove, runtime = runtime.simulated() }
  function self.open(options)
    local all = { stack = "demo", runtime = self.runtime }
    for name, value in pairs(options or {}) do
      all[name] = value
    end
    return Store.open(self.path, all)
  end
  return self
end
