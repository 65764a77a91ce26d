-- Random numbers that can be had again: SplitMix64 (Steele, Lea, Flood 2014), a small generator whose every seed is as
-- good as any other. Used by what is simulated: the world of infra.runtime, the faults of infra.sim.

local random = {}

--- A function that returns the next 64-bit integer at each call; equal seeds give equal ones.
function random.integers(seed)
  local state = seed
  return function()
    state = state + 0x9E3779B97F4A7C15
    local z = state
    z = (z ~ (z >> 30)) * 0xBF58476D1CE4E5B9
    z = (z ~ (z >> 27)) * 0x94D049BB133111EB
    return z ~ (z >> 31)
  end
end

--- The same for numbers in [0, 1).
function random.fractions(seed)
  local next_integer = random.integers(seed)
  return function()
    return (next_integer() >> 11) * 0x1p-53
  end
end

return random
