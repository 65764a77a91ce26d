-- Runs AWS's public conformance cases (make vectors VECTORS=DIR) and prints as last line "N passed, N failed".
--
-- DIR holds one directory a suite, and a suite is a module here: spec/vectors/NAME.lua returns function(dir, report),
-- which runs what lies in DIR/NAME and calls report(case, problem) once for each case: `case` names it within the
-- suite, `problem` says what is wrong, nil when nothing is. A suite whose directory is missing is left out.

package.path = "./?.lua"

local fs = require "host.fs"

local SUITES = { "sigv4", "protocols" }

-- Cases that contradict what they test, with the reason: "suite/case" = "why". At most five; they are not counted.
local WRONG = {}

local counts = { passed = 0, failed = 0 }

local function reporter(suite)
  return function(case, problem)
    local name = suite .. "/" .. case
    if WRONG[name] then
      print(("left out  %s: %s"):format(name, WRONG[name]))
      return
    end
    local outcome = problem and "failed" or "passed"
    counts[outcome] = counts[outcome] + 1
    if problem then
      print(("FAILED    %s: %s"):format(name, problem))
    end
  end
end

local directory = assert(arg[1], "usage: infra exec spec/vectors.lua DIR")
for _, suite in ipairs(SUITES) do
  local path = directory .. "/" .. suite
  if fs.stat(path) then
    require("spec.vectors." .. suite)(path, reporter(suite))
  end
end

print(("%d passed, %d failed"):format(counts.passed, counts.failed))
return (counts.failed > 0 or counts.passed == 0) and 1 or 0
