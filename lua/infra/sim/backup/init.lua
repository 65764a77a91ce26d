-- The simulated AWS Backup: operation name -> function(ctx, params) -> output, for infra.sim. Behaviour is that of its
-- API reference.

local jobs = require "infra.sim.backup.jobs"
local parts = require "infra.sim.parts"

-- Time goes on between the calls: before each, what was due since the last one is done.
local function advancing(_, operation)
  return function(ctx, params)
    jobs.advance(ctx)
    return operation(ctx, params)
  end
end

return parts("infra.sim.backup", { "vaults", "plans", "settings", "tags", "points", "jobs" }, advancing)
