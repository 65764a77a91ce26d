-- State databases in specs: `local new = opened()`, then new.open(options) opens new.path, by default as the writer of
-- the stack "demo"; new.remove() at the end.
local Store = require "infra.state.store"
local merged = require "infra.merged"
local runtime = require "infra.runtime"
local temporary = require "spec.support.temporary"

return function()
  local directory, remove = temporary()
  local self = { path = directory .. "/state.db", remove = remove, runtime = runtime.simulated() }
  function self.open(options)
    return Store.open(self.path, merged({ stack = "demo", runtime = self.runtime }, options))
  end
  return self
end
