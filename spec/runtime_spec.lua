local runtime = require "infra.runtime"
local LocalHttp = require "spec.support.local_http"

describe("runtime", function()
  describe("simulated", function()
    it("lets time pass only while everybody waits, and then at once", function()
      local world = runtime.simulated { time = 1000 }
      local scheduler = world.scheduler
      local begun = os.time()
      scheduler:run(function()
        for i = 1, 1000 do
          assert(i > 0)
        end
        assert.equal(0, world.now())
        assert.equal(1000, world.time())
        scheduler:all {
          function() scheduler:sleep(8 * 60) end,
          function() scheduler:sleep(3600.5) end,
        }
        assert.equal(3600.5, world.now())
        assert.equal(4600.5, world.time())
      end)
      assert.is_true(os.time() - begun < 60)
    end)

    it("wakes at the very moment, however odd the numbers", function()
      local world = runtime.simulated()
      world.scheduler:run(function()
        for i = 1, 1000 do
          local expected = world.now() + 0.1 / i
          world.scheduler:sleep(0.1 / i)
          assert(world.now() >= expected and world.now() - expected < 1e-9)
        end
      end)
    end)

    it("knows when nobody will ever wake", function()
      local world = runtime.simulated()
      local ok, err = pcall(world.scheduler.run, world.scheduler, function() world.scheduler:suspend() end)
      assert.is_false(ok)
      assert.equal("Deadlock", err.code)
    end)

    it("has the same randomness for the same seed", function()
      local one, same, other = runtime.simulated { seed = 7 }, runtime.simulated { seed = 7 }, runtime.simulated()
      local bytes = one.random(33)
      assert.equal(33, #bytes)
      assert.equal(bytes, same.random(33))
      assert.not_equal(bytes, one.random(33))
      assert.not_equal(bytes, other.random(33))
      assert.equal("", one.random(0))
    end)

    it("has the network that it is given, now or later", function()
      local world = runtime.simulated { send = function(request) return { status = 200, body = request.url } end }
      assert.equal("u", world.send({ url = "u" }).body)
      world = runtime.simulated()
      assert.has_error(function() world.send {} end)
    end)
  end)

  describe("real", function()
    it("has clocks and randomness", function()
      local world = runtime.real()
      assert.is_true(math.abs(world.time() - os.time()) < 5)
      assert.is_true(world.now() <= world.now())
      assert.equal(16, #world.random(16))
      assert.not_equal(world.random(16), world.random(16))
    end)

    it("sleeps for real", function()
      local world = runtime.real()
      local begun = world.now()
      world.scheduler:run(function() world.scheduler:sleep(0.02) end)
      assert.is_true(world.now() - begun >= 0.02)
    end)

    it("sends requests from many tasks at once", function()
      local world = runtime.real()
      local scheduler = world.scheduler
      local here <close> = LocalHttp.new()
      local inside, most = 0, 0
      scheduler:run(function()
        scheduler:spawn(function()
          while true do
            local request = scheduler:await(here.listener).request
            scheduler:spawn(function()
              inside = inside + 1
              most = math.max(most, inside)
              scheduler:sleep(0.05)
              inside = inside - 1
              request.respond(200, nil, request.path)
            end)
          end
        end)
        local functions = {}
        for i = 1, 10 do
          functions[i] = function() return world.send(here:request { path = "/" .. i }) end
        end
        for i, response in ipairs((scheduler:all(functions))) do
          assert.equal("/" .. i, response.body)
        end
      end)
      assert.equal(10, most)
    end)

    it("returns nil and the error", function()
      local world = runtime.real()
      local response, err = world.scheduler:run(world.send, { method = "GET", url = "http://127.0.0.1:1/" })
      assert.is_nil(response)
      assert.equal("ConnectionError", err.code)
      assert.is_false(err.sent)
      response, err = world.scheduler:run(world.send, { method = "GET", url = "nonsense" })
      assert.is_nil(response)
      assert.equal("BadUrl", err.code)
    end)

    it("gives up a request with its task", function()
      local world = runtime.real()
      local scheduler = world.scheduler
      local here <close> = LocalHttp.new()
      scheduler:run(function()
        local task = scheduler:spawn(world.send, here:request {})
        local request = scheduler:await(here.listener).request
        task:cancel()
        local ok, err = pcall(task.join, task)
        assert.is_false(ok)
        assert.equal("Cancelled", err.code)
        request.respond(200)
        scheduler:sleep(0.01)
      end)
    end)
  end)
end)
