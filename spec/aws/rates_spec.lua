-- Rates: nothing waits until AWS throttles, and then requests are spread, each kind by itself.

local Rates = require "infra.aws.rates"
local Runtime = require "infra.runtime"

local READ = { "ec2", "us-east-1", true }
local CHANGE = { "ec2", "us-east-1", false }

-- Runs body(rates, runtime, seconds that fn() took).
local function simulated(body)
  local runtime = Runtime.simulated()
  local function seconds(fn)
    local started = runtime.now()
    fn()
    return runtime.now() - started
  end
  runtime.scheduler:run(body, Rates.new(runtime, true), runtime, seconds)
end

-- Sends `count` requests at once; AWS lets `limit` of them through in a second.
local function burst(rates, runtime, kind, count, limit)
  local allowed, throttled = 0, 0
  local functions = {}
  for i = 1, count do
    functions[i] = function()
      local bucket = rates:admit(table.unpack(kind))
      allowed = allowed + 1
      local refused = allowed > limit
      throttled = throttled + (refused and 1 or 0)
      rates:observe(bucket, refused)
    end
  end
  runtime.scheduler:all(functions)
  return throttled
end

describe("infra.aws.rates", function()
  it("holds nothing back as long as nothing is throttled", function()
    simulated(function(rates, runtime, seconds)
      assert.equal(0, seconds(function()
        burst(rates, runtime, READ, 1000, 1000)
      end))
    end)
  end)

  it("never holds anything back in the standard mode", function()
    local runtime = Runtime.simulated()
    local rates = Rates.new(runtime, false)
    runtime.scheduler:run(function()
      for _ = 1, 50 do
        rates:observe(rates:admit(table.unpack(READ)), true)
      end
    end)
    assert.equal(0, runtime.now())
  end)

  it("spreads requests after a throttling, in the order of asking", function()
    simulated(function(rates, runtime, seconds)
      assert.is_true(burst(rates, runtime, READ, 40, 20) > 0)
      local order = {}
      local took = seconds(function()
        local functions = {}
        for i = 1, 20 do
          functions[i] = function()
            rates:admit(table.unpack(READ))
            order[#order + 1] = i
          end
        end
        runtime.scheduler:all(functions)
      end)
      assert.is_true(took > 0)
      for i = 1, 20 do
        assert.equal(i, order[i])
      end
    end)
  end)

  it("keeps reads and changes, services and regions apart", function()
    simulated(function(rates, runtime, seconds)
      burst(rates, runtime, CHANGE, 40, 0)
      assert.equal(0, seconds(function()
        rates:admit(table.unpack(READ))
        rates:admit("iam", "us-east-1", false)
        rates:admit("ec2", "us-west-2", false)
      end))
      assert.is_true(seconds(function()
        for _ = 1, 10 do
          rates:admit(table.unpack(CHANGE))
        end
      end) > 0)
    end)
  end)

  it("never stops altogether, and grows back", function()
    simulated(function(rates, runtime, seconds)
      local bucket = rates:admit(table.unpack(READ))
      for _ = 1, 50 do
        rates:observe(bucket, true)
      end
      local slow = seconds(function()
        for _ = 1, 5 do
          rates:admit(table.unpack(READ))
        end
      end)
      assert.is_true(slow <= 20)
      for _ = 1, 200 do
        rates:observe(rates:admit(table.unpack(READ)), false)
      end
      runtime.scheduler:sleep(10)
      local later = seconds(function()
        for _ = 1, 5 do
          rates:admit(table.unpack(READ))
        end
      end)
      assert.is_true(later < slow, ("%s is not less than %s"):format(later, slow))
    end)
  end)
end)
