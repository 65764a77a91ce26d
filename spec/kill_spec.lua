-- The built program is killed (SIGKILL) in the middle of runs on an emulator that others wrote, and simply run again:
-- in the end there is what a run that nobody kills makes, nothing twice and nothing orphaned.
--
-- `make test` kills a few times; `make kill ROUNDS=N` N times as often.

local clock = require "host.clock"
local fs = require "host.fs"
local loop = require "host.loop"
local moto = require "spec.support.moto"
local process = require "host.process"
local program = require "spec.support.program"
local temporary = require "spec.support.temporary"

local INFRA = fs.real_path "/proc/self/exe"
local ROUNDS <const> = tonumber(os.getenv "ROUNDS" or 1)
local KILLS <const> = 2 -- in each round, before a run may end

local STACK <const> = [[
local infra = require "infra"
return infra.stack {
  project = "killed", environment = "test", region = "us-east-1",
  build = function(stack)
    local network = stack:layer("network", {})
    local security = stack:layer("security", { vpc = network.vpc })
    stack:layer("data", { network = network, security = security, domain = "example.com", cache = false })
  end,
}]]

describe("a run that is killed", function()
  if not moto.installed() then
    pending(moto.MISSING)
    return
  end
  local server = moto.start()
  local directory, remove = temporary()
  teardown(function()
    server.stop()
    remove()
  end)

  local stack = directory .. "/stack.lua"
  assert(fs.write(stack, STACK))

  local function start(...)
    return assert(process.start {
      argv = { INFRA, ..., stack, "--yes", "--state", directory .. "/state.db" }, environment = server.environment,
      timeout = 120,
    })
  end

  local function done(verb)
    local ended = program.finish(start(verb))
    assert(ended.status == 0, ended.stdout .. ended.stderr)
    return ended.stdout
  end

  -- How many of each kind carry the tool's mark, by the emulator's own index: { "ec2:subnet" = 4, ... }
  local function census()
    local counts, session = {}, server.session "us-east-1"
    local output = assert(session:run(function()
      return session.client:all("resourcegroupstaggingapi", "GetResources", { TagFilters = { { Key = "infra:id" } } })
    end))
    session:close()
    for _, resource in ipairs(output.ResourceTagMappingList) do
      local kind = resource.ResourceARN:match "^arn:aws:([^:]*:[^:]*:[^:]*:%a*)"
      counts[kind] = (counts[kind] or 0) + 1
    end
    return counts
  end

  it("goes on where it stopped, and so does a destroy", function()
    local started = clock.monotonic()
    done "run"
    local whole, made = clock.monotonic() - started, census()
    done "destroy"
    local left = census() -- keys that wait for their deletion

    -- Runs the verb to its end, after killing it at some moments.
    local function insist(verb)
      for _ = 1, KILLS do
        local handle, moment = start(verb), clock.monotonic() + math.random() * whole
        local ended = false
        while clock.monotonic() < moment and not ended do
          for _, event in ipairs(loop.wait(moment - clock.monotonic())) do
            ended = ended or event.handle == handle
          end
        end
        handle:cancel()
      end
      return done(verb)
    end

    for _ = 1, ROUNDS do
      server.reset()
      insist "run"
      assert.matches("nothing changed", done "run")
      assert.same(made, census())
      insist "destroy"
      assert.same(left, census())
    end
  end)
end)
