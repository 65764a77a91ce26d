-- The tool crashes before and after every request and every commit of several kinds of run; the next run needs nobody's
-- help, and what it leaves is what a run without a crash leaves: nothing twice, nothing orphaned, nothing forgotten.
--
-- `make test` tries some of these moments, `make recovery` all of them.

local World = require "spec.engine.world"
local everything = require "spec.engine.everything"
local merged = require "infra.merged"

local FULL = os.getenv "RECOVERY" == "full"

-- Of the moments of a run, every how many-th is tried.
local STEP <const> = FULL and 1 or 9

local function with(options)
  return World.declare(function(stack) everything(stack, options) end)
end

-- The stack in another range: everything in the network is replaced.
local function elsewhere()
  return World.declare(function(stack)
    local resource = stack.resource
    function stack.resource(self, type_name, name, properties, more)
      local copy = {}
      for key, value in pairs(properties or {}) do
        copy[key] = type(value) == "string" and value:gsub("^10%.0%.", "10.9.") or value
      end
      return resource(self, type_name, name, copy, more)
    end
    everything(stack)
  end)
end

-- The same, the roots under other addresses.
local function renamed()
  return World.declare(function(stack)
    local resource = stack.resource
    function stack.resource(self, type_name, name, properties, more)
      if type_name ~= "AWS::EC2::VPC" then
        return resource(self, type_name, name, properties, more)
      end
      return resource(self, type_name, name .. "-new", properties, merged({ renamed_from = name }, more))
    end
    everything(stack)
  end)
end

-- name -> { before = what is there when the run begins, or nil; after = what the run makes, or nil for nothing }
local RUNS = {
  ["a first run"] = { after = with {} },
  ["an update"] = { before = with {}, after = with { suffix = "-two" } },
  ["a renaming"] = { before = with {}, after = renamed() },
  ["a replacement"] = { before = with {}, after = elsewhere() },
  ["a destroy"] = { before = with {} },
}

local function prepared(run)
  local world = World.new()
  if run.before then
    world:run(run.before)
  end
  return world
end

local function attempt(world, run, options)
  return world:apply(run.after or run.before, merged({ destroy = not run.after }, options))
end

local function failures_of(result)
  local texts = {}
  for i, failure in ipairs(result and result.failures or {}) do
    texts[i] = tostring(failure)
  end
  return table.concat(texts, "\n")
end

-- What must hold when the dust has settled.
local function check(world, run, expected)
  local again = attempt(world, run)
  assert.is_nil(again.err)
  assert.equal("", failures_of(again.result))
  assert.same(expected, world:census())
  local addresses = {}
  for _, row in ipairs(world:rows()) do
    assert.equal("ready", row.status)
    assert.is_nil(addresses[row.address])
    addresses[row.address] = true
  end
  assert.same({}, world:open_intents())
  local third = attempt(world, run)
  assert.same({}, World.actions(third.plan))
  for _, call in ipairs(third.calls) do
    assert.equal("read", call.kind)
  end
end

local function writes_of(result)
  local count = 0
  for _, call in ipairs(result.calls) do
    count = count + (call.kind == "write" and 1 or 0)
  end
  return count
end

for name, run in pairs(RUNS) do
  describe("after a crash during " .. name, function()
    local expected, requests, commits

    setup(function()
      local world = prepared(run)
      local clean = attempt(world, run)
      assert(#clean.result.failures == 0, failures_of(clean.result))
      expected, requests, commits = world:census(), writes_of(clean), clean.commits
      world:close()
    end)

    local function try(options, again)
      local world = prepared(run)
      local crashed = attempt(world, run, options)
      assert.is_true(crashed.crashed)
      if again then
        attempt(world, run, again)
      end
      local ok, err = pcall(check, world, run, expected)
      world:close()
      if not ok then
        error(err, 0)
      end
    end

    for _, when in ipairs { "before", "after" } do
      for _, in_flight in ipairs { false, true } do
        it(("%s a request%s"):format(when, in_flight and ", others still on their way" or ""), function()
          for nth = 1, requests, STEP do
            try { in_flight = in_flight, faults = { schedule = {
              { fault = "crash", kind = "write", nth = nth, when = when },
            } } }
          end
        end)
      end

      it(when .. " a commit", function()
        for nth = 1, commits, STEP do
          try { crash_commit = nth, when = when }
        end
      end)

      it(("%s a commit, and then during the first ones of the run that makes up for it"):format(when), function()
        for nth = 1, commits, 3 * STEP do
          for second = 1, 3 do
            try({ crash_commit = nth, when = when }, { crash_commit = second, when = when })
          end
        end
      end)
    end
  end)
end
