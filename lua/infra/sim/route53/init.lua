-- The simulated Route 53: hosted zones, records, health checks, tags. Behaviour is that of its API reference. It has no
-- region: everything is in the account's global store.

local parts = require "infra.sim.parts"

return parts("infra.sim.route53", { "zones", "records", "health_checks", "tags" })
