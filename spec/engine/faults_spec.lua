-- What goes wrong between the tool and AWS, at every request of a run: answers that get lost, errors, throttling, slow
-- and repeated requests. One run, or one more, leaves what a run on a good day leaves.
--
-- `make test` tries some of the requests, `make recovery` all of them.

local World = require "spec.engine.world"
local everything = require "spec.engine.everything"
local merged = require "infra.merged"

local FULL = os.getenv "RECOVERY" == "full"
local STEP <const> = FULL and 1 or 11
local SEEDS <const> = FULL and 30 or 3

local function with(options)
  return World.declare(function(stack) everything(stack, options) end)
end

local declaration = with {}
local expected, requests

setup(function()
  local world = World.new()
  local clean = world:run(declaration)
  expected, requests = world:census(), 0
  for _, call in ipairs(clean.calls) do
    requests = requests + (call.kind == "write" and 1 or 0)
  end
  world:close()
end)

local function failure_of(run)
  local failure = run.err or run.result.failures[1]
  return failure and tostring(failure)
end

-- Whether everything is there exactly once, and known.
local function check(world)
  assert.same(expected, world:census())
  assert.same({}, world:open_intents())
  local again = world:run(declaration)
  assert.same({}, World.actions(again.plan))
end

-- `fault` strikes each write once; `more` further runs are needed.
local function each_write(fault, more)
  for nth = 1, requests, STEP do
    local rule = merged({ kind = "write", nth = nth }, fault)
    local world = World.new()
    local run = world:apply(declaration, { faults = { schedule = { rule } } })
    for _ = 1, more or 0 do
      run = world:apply(declaration)
    end
    assert.is_nil(failure_of(run))
    check(world)
    world:close()
  end
end

describe("a run gets over", function()
  for name, fault in pairs {
    ["a lost answer"] = { fault = "lost_response" },
    ["a lost request"] = { fault = "lost_request" },
    ["a refused connection"] = { fault = "refused" },
    ["an internal error before"] = { fault = "server_error" },
    ["an internal error after the work was done"] = { fault = "server_error", executed = true },
    ["an unavailable service"] = { fault = "unavailable" },
    ["throttling"] = { fault = "throttle", times = 3 },
    ["an answer that comes late"] = { fault = "slow", seconds = 30 },
    ["an answer that comes too late"] = { fault = "slow", seconds = 90 },
    ["a part of a batch that is left undone"] = { fault = "partial_batch" },
  } do
    it(name .. ", whichever request it strikes", function()
      each_write(fault)
    end)
  end

  it("a request that is delivered twice, and the next run deletes what it made", function()
    each_write({ fault = "duplicate" }, 1)
  end)

  it("nothing that AWS answers with its own error every time, and says which", function()
    local world = World.new()
    local run = world:apply(declaration, { faults = { schedule = {
      { operation = "CreateVpc", fault = "server_error", nth = 1, times = 1000 },
    } } })
    assert.matches("vpc: ec2 CreateVpc: [^\n]+ the last: InternalError: An internal error has occurred",
      failure_of(run))
    world:run(declaration)
    check(world)
    world:close()
  end)

  it("answers that are lost several times in a row, with another run at most", function()
    each_write({ fault = "lost_response", times = 4 }, 1)
  end)

  it("reads that do not know yet what was just made", function()
    for seed = 1, SEEDS do
      local world = World.new()
      world.processes = 100 * seed
      world:run(declaration, { faults = { consistency = 15 } })
      check(world)
      world:close()
    end
  end)
end)

describe("on a day on which everything goes wrong", function()
  -- Runs until one succeeds.
  local function insist(world, options)
    local run
    for _ = 1, 20 do
      run = world:apply(declaration, merged({ faults = "hostile" }, options))
      if not failure_of(run) then
        return
      end
    end
    error(failure_of(run), 0)
  end

  it("everything gets made, once, and deleted again", function()
    for seed = 1, SEEDS do
      local world = World.new()
      world.processes = 1000 * seed
      insist(world)
      world:run(declaration) -- what was delivered twice is seen by the next run
      check(world)
      insist(world, { destroy = true })
      assert.same({}, world:rows())
      assert.same({}, world:census())
      world:close()
    end
  end)
end)
