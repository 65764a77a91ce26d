-- What a resource costs when there are few and when there are many: evaluate, first run, unchanged run, destroy, on the
-- simulated AWS in memory. The cost of one resource should not grow with their number.

local Deployment = require "infra.deployment"
local clock = require "host.clock"
local fs = require "host.fs"
local temporary = require "spec.support.temporary"

local STACK <const> = [[
local infra = require "infra"
return infra.stack {
  project = "bench", environment = "n%d", region = "us-east-1",
  build = function(stack)
    for i = 1, %d do
      local topic = stack:resource("AWS::SNS::Topic", "topic-" .. i)
      local logs = stack:resource("AWS::Logs::LogGroup", "logs-" .. i, { RetentionInDays = 30 })
      stack:resource("AWS::SSM::Parameter", "topic-of-" .. i, { Type = "String", Value = topic.TopicArn })
      stack:resource("AWS::SSM::Parameter", "logs-of-" .. i, { Type = "String", Value = logs.Arn })
    end
  end,
}]]

local function nothing() end

local function timed(fn)
  local started = clock.monotonic()
  local result = fn()
  return clock.monotonic() - started, result
end

local function apply(path, options)
  return timed(function()
    local deployment <close> = assert(Deployment.open {
      path = path, sim = true, writable = true, command = "bench", version = "bench", parallel = 1000,
    })
    return deployment:run(function()
      local plan = assert(deployment:plan(options))
      local result = assert(deployment:apply(plan, nothing))
      assert(result.outcome == "done", tostring(result.failures[1]))
      return #plan.changes
    end)
  end)
end

return function(say)
  local base = {}
  for _, groups in ipairs { 25, 250, 2500 } do
    local directory <const>, remove = temporary()
    local path = directory .. "/stack.lua"
    assert(fs.write(path, STACK:format(groups, groups)))
    for _, step in ipairs { { "first run", {} }, { "unchanged run", {} }, { "destroy", { destroy = true } } } do
      local seconds, count = apply(path, step[2])
      local each = seconds / count * 1000
      base[step[1]] = base[step[1]] or each
      local label = ("%s of %d resources"):format(step[1], count)
      say(label, "%7.2f s, %.2f ms each, %.2f times the smallest's", seconds, each, each / base[step[1]])
    end
    remove()
  end
end
