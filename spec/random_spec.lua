local random = require "infra.random"

describe("infra.random", function()
  it("is SplitMix64", function()
    local next_integer = random.integers(1234567) -- the reference implementation's first numbers for this seed
    for _, expected in ipairs {
      6457827717110365317, 3203168211198807973, -8629252141511181193, 4593380528125082431, -2037821214251327795,
    } do
      assert.equal(expected, next_integer())
    end
  end)

  it("gives fractions from 0 up to, but not including 1", function()
    local next_fraction, again = random.fractions(-1), random.fractions(-1)
    local sum = 0
    for _ = 1, 1000 do
      local fraction = next_fraction()
      assert.is_true(fraction >= 0 and fraction < 1)
      assert.equal(fraction, again())
      sum = sum + fraction
    end
    assert.is_true(sum > 450 and sum < 550)
  end)
end)
