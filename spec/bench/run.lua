-- Measurements, as ratios against something else in the same run: infra exec spec/bench/run.lua [NAME ...]
-- Never part of the specs: a slow machine must not fail them.

local NAMES = { "architecture", "engine", "signing", "requests", "models" }

local wanted = #arg > 0 and arg or NAMES
for _, name in ipairs(wanted) do
  package.path = "./?.lua" -- loading a stack sets it
  print(name)
  require("spec.bench." .. name)(function(label, format, ...)
    print(("  %-58s %s"):format(label, format:format(...)))
  end)
end
return 0
