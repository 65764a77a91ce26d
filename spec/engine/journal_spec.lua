local Store = require "infra.state.store"
local World = require "spec.engine.world"
local everything = require "spec.engine.everything"

local world

before_each(function() world = World.new() end)
after_each(function() world:close() end)

local declaration = World.declare(function(stack) everything(stack) end)

describe("every request that changes something", function()
  it("is on the disk before it reaches AWS", function()
    local unannounced, count = {}, 0
    local function observe(call)
      if call.kind == "write" then
        count = count + 1
        local found = false
        for _, intent in ipairs(world:open_intents()) do
          found = found or intent.service == call.service and intent.operation == call.operation
        end
        unannounced[#unannounced + 1] = not found and call.operation or nil
      end
    end
    world:run(declaration, { observe = observe })
    world:destroy(declaration, { observe = observe })
    assert.is_true(count > 50)
    assert.same({}, unannounced)
  end)

  it("is closed when its answer came", function()
    world:run(declaration)
    assert.same({}, world:open_intents())
    local closed = world:with_state(function(store)
      return store.db:all "SELECT * FROM intent"
    end)
    assert.is_true(#closed > 30)
    for _, intent in ipairs(closed) do
      assert.is_not_nil(intent.closed_at)
    end
  end)

  it("does not leave when its intent cannot be written", function()
    local run = world:apply(World.declare(function(stack)
      stack:resource("AWS::SNS::Topic", "topic")
    end), { event = function(event, process)
      if event.kind == "start" then
        process.store:write "INSERT INTO nowhere VALUES (1)"
      end
    end, lenient = true })
    for _, call in ipairs(run.calls) do
      assert.equal("read", call.kind)
    end
    assert.is_not_nil(run.result.failures[1])
  end)

  it("costs no commit of its own: one turn, one transaction", function()
    local many = World.declare(function(stack)
      for i = 1, 30 do
        stack:resource("AWS::EC2::InternetGateway", "g" .. i)
      end
    end)
    world.quotas = { ["internet-gateway"] = 100 }
    local run = world:run(many, { faults = { latency = { read = { 1, 1 }, write = { 1, 1 } } } })
    assert.is_true(run.commits < 12, run.commits .. " commits")
  end)
end)

describe("what was created", function()
  it("is on the disk before anything that needs it starts", function()
    local early = {}
    world:run(declaration, { observe = function(call)
      local vpc_id = call.operation ~= "CreateVpc" and call.kind == "write" and call.params and call.params.VpcId
      if vpc_id then
        local store = assert(Store.open(world.path, { readonly = true }))
        local known = false
        for _, row in ipairs(store:resources()) do
          known = known or row.identity and row.identity.VpcId == vpc_id and row.address == "vpc"
        end
        store:close()
        early[#early + 1] = not known and call.operation or nil
      end
    end })
    assert.same({}, early)
  end)
end)
