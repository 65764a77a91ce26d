-- Measurements, as ratios against something else in the same run: infra exec spec/bench/run.lua NAME
-- Each in a process of its own (make bench): what one leaves in memory would slow the next one down.
-- Never part of the specs: a slow machine must not fail them.

package.path = "./?.lua"

local name = assert(arg[1], "which one?")
print(name)
require("spec.bench." .. name)(function(label, format, ...)
  print(("  %-58s %s"):format(label, format:format(...)))
end)
return 0
