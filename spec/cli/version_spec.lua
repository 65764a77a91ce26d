local clock = require "host.clock"
local infra = require "spec.cli.infra"

describe("infra version", function()
  it("prints one line", function()
    local ended = infra { "version" }
    assert.equal(0, ended.status)
    assert.truthy(ended.stdout:find "^infra %S+ %(Lua 5%.4%)\n$")
  end)

  it("starts and ends in a moment", function()
    local least = math.huge
    for _ = 1, 5 do
      local started = clock.monotonic()
      infra { "version" }
      least = math.min(least, clock.monotonic() - started)
    end
    -- Measured by the benchmarks; this only notices a library that is loaded for nothing.
    assert.is_true(least < 0.1, ("%.3f s"):format(least))
  end)
end)
