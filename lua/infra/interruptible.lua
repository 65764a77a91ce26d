-- What an interrupt (Ctrl-C, SIGTERM) does to a run: the method `run` of infra.deployment.

local errors = require "infra.errors"
local lease = require "infra.state.lease"

-- What somebody reads who has stopped the run.
local function interrupted(self, err)
  if err.code ~= "Cancelled" then
    return err
  end
  return errors.new { code = "Cancelled", message = self.applying and "stopped at once" or
    "stopped; nothing was changed", hint = self.applying and "run again: it finds out what became of what was under way"
    or nil }
end

--- Runs fn as the main task of the deployment `self`, which keeps its lease meanwhile. The first interrupt calls
--- self.on_stop() (may be nil), lets what is under way finish and starts nothing new; the second stops at once: throws
--- "Cancelled". So does the first one while self.applying is not set. Returns fn's results.
return function(self, fn)
  local context = self.context
  local main
  self.scheduler:on_signal(function()
    if context.stopping then
      main:cancel()
      return
    end
    context.stopping = true
    if self.on_stop then
      self.on_stop()
    end
    for task in pairs(context.sleeping) do
      task:cancel()
    end
    if not self.applying then
      main:cancel()
    end
  end)
  return self.session:run(function()
    main = self.scheduler:current()
    local keeper = self.store.fencing_token and self.scheduler:spawn(lease.keep, self.store, self.scheduler)
    local results = table.pack(xpcall(fn, errors.caught))
    if keeper then
      keeper:cancel()
    end
    if not results[1] then
      error(interrupted(self, results[2]), 0)
    end
    return table.unpack(results, 2, results.n)
  end)
end
