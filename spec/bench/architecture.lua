-- The whole staging architecture on the simulated AWS with its realistic durations: how long the run takes against the
-- longest chain of waits in its graph, and how many requests a resource costs. The chain is what the same run takes
-- when whoever waits learns at once that the wait is over, because it looks every half second. AWS's durations
-- vary from run to run, so both are the sum of many.

local Deployment = require "infra.deployment"
local fs = require "host.fs"
local temporary = require "spec.support.temporary"
local wait = require "infra.handler.wait"

local SEEDS <const> = 12
local OFTEN <const> = 0.5 -- seconds

-- Plans and applies. Returns seconds (virtual), the number of requests, and of resources.
local function run(directory, seed)
  local deployment <close> = assert(Deployment.open {
    path = directory .. "/stacks/staging.lua", sim = true, seed = seed, writable = true, command = "bench",
    version = "bench",
  })
  local requests, now = 0, deployment.session.runtime.now
  function deployment.session.sim.observe()
    requests = requests + 1
  end
  return deployment:run(function()
    local plan = assert(deployment:plan {})
    local started = now()
    local result = assert(deployment:apply(plan, function() end))
    assert(result.outcome == "done", tostring(result.failures[1]))
    return now() - started, requests, #plan.changes
  end)
end

-- A project of its own with the tree's stack in it. Returns its directory, and a function that removes it.
local function new_project()
  local directory, remove = temporary()
  assert(fs.mkdir(directory .. "/stacks"))
  assert(fs.write(directory .. "/stacks/staging.lua", assert(fs.read "stacks/staging.lua")))
  return directory, remove
end

-- Seconds, requests and resources of the first run, requests of a second one; the sums for all seeds.
local function measure()
  local sums = { 0, 0, 0, 0 }
  for seed = 1, SEEDS do
    local directory, remove = new_project()
    local seconds, requests, count = run(directory, seed)
    local _, unchanged = run(directory, seed)
    remove()
    for i, value in ipairs { seconds, requests, count, unchanged } do
      sums[i] = sums[i] + value
    end
  end
  return table.unpack(sums)
end

return function(say)
  local adaptive = wait.pause
  wait.pause = function()
    return OFTEN
  end
  local chain = measure()
  wait.pause = adaptive
  local seconds, requests, count, unchanged = measure()
  say(("%d first runs of %d resources"):format(SEEDS, count // SEEDS),
    "%.1f s, %.3f times the longest chains of waits (%.1f s)", seconds, seconds / chain, chain)
  say("requests of a first run, polls included", "%.2f for each resource", requests / count)
  say("requests of an unchanged run", "%.2f for each resource", unchanged / count)
end
