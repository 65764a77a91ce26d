-- A project of its own for the specs of the verbs: a directory with stack files, and a `state` folder so that the
-- tree's own is never touched.
--
--   local here = project(teardown)
--   local path = here.stack("small", text)          -- the text of the file, by default that of spec/stacks/small.lua
--   local ended = here.infra("run", path, "--yes")  -- on the simulated AWS of this project

local fs = require "host.fs"
local infra = require "spec.cli.infra"
local json = require "host.json"
local temporary = require "spec.support.temporary"

local function new(teardown)
  local directory, remove = temporary()
  teardown(remove)
  assert(fs.mkdir(directory .. "/state"))
  local here = { directory = directory }

  function here.stack(name, text)
    local path = ("%s/%s.lua"):format(directory, name)
    assert(fs.write(path, text or assert(fs.read "spec/stacks/small.lua")))
    return path
  end

  --- A stack file that declares nothing but what `lines` do with `stack` and `options`; they begin at line 5.
  function here.stack_of(name, lines)
    return here.stack(name, ([[
local infra = require "infra"
return infra.stack { project = %q, environment = "spec", region = "us-east-1",
  options = { size = infra.default(1), kind = infra.one_of { "a", "b" } },
  build = function(stack, options)
%s
  end,
}
]]):format(name, lines))
  end

  --- Runs a verb with --sim.
  function here.infra(...)
    local arguments = { ... }
    arguments[#arguments + 1] = "--sim"
    return infra(arguments)
  end

  --- The same, expecting success; returns what it printed.
  function here.done(...)
    local ended = here.infra(...)
    assert(ended.status == 0, ended.stderr)
    assert(ended.stderr == "", ended.stderr)
    return ended.stdout
  end

  --- The same with --json: what it printed, decoded.
  function here.json(...)
    local arguments = { ... }
    arguments[#arguments + 1] = "--json"
    return assert(json.decode(here.done(table.unpack(arguments))))
  end

  return here
end

return new
