-- What belongs to a function: versions, and aliases with their provisioned concurrency.

local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local functions = require "spec.resources.functions"
local merged = require "infra.merged"

local NAME <const> = functions.NAME

describe("what belongs to a function", function()
  local world

  before_each(function()
    world = World.new()
  end)
  after_each(function()
    world:close()
  end)

  -- The function with what layers/compute makes of it: a version and an alias that follow it, and further `alias`
  -- properties; more(stack, handler) declares further resources.
  local function declare(memory, alias, more, alias_options)
    return World.declare(function(stack)
      local handler = functions.declare(stack, { MemorySize = memory }, { ignore_drift = { "Code" } })
      local version = stack:resource("AWS::Lambda::Version", "version", { FunctionName = handler.FunctionName },
        { replace_with = { handler } })
      local properties = merged({
        FunctionName = handler.FunctionName, Name = "live", FunctionVersion = version.Version,
      }, alias)
      stack:resource("AWS::Lambda::Alias", "live", properties,
        alias_options or { ignore_drift = { "FunctionVersion" } })
      stack:output("version", version.Version)
      if more then
        more(stack, handler)
      end
    end)
  end

  local function alias()
    return world:call("lambda", "GetAlias", { FunctionName = NAME, Name = "live" })
  end

  local function deploy(tag)
    return world:as_other(function(call, session)
      return functions.deploy(call, session, functions.push(call, tag))
    end)
  end

  describe("AWS::Lambda::Version", function()
    it("is published, waited for, and is the same afterwards", function()
      local run = world:run(declare(512))
      assert.equal("1", run.result.outputs.version)
      local polled = calls.params(run, "GetFunctionConfiguration")
      assert.equal("1", polled[1].Qualifier)
      world:unchanged(declare(512))
      world:destroy(declare(512))
      assert.same({}, world:census())
    end)

    it("follows the function: a new one, the alias moves to it, then the old one goes", function()
      world:run(declare(512))
      assert.same({ api = "update", version = "replace", live = "update" }, world:planned(declare(1024)))
      local run = world:run(declare(1024))
      assert.same({ "UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias", "DeleteFunction" },
        calls.changes(run))
      assert.equal("1", calls.params(run, "DeleteFunction")[1].Qualifier)
      assert.equal("2", alias().FunctionVersion)
      world:unchanged(declare(1024))
    end)

    it("stays when only tags change", function()
      world:run(declare(512))
      local tagged = World.declare(function(stack)
        local handler = functions.declare(stack, { MemorySize = 512, Tags = { A = "b" } },
          { ignore_drift = { "Code" } })
        stack:resource("AWS::Lambda::Version", "version", { FunctionName = handler.FunctionName },
          { replace_with = { handler } })
      end)
      assert.same({ api = "update", live = "delete" }, world:planned(tagged))
    end)

    it("is not deleted when publishing again gives the same one", function()
      world:run(declare(512))
      local run = world:run(World.declare(function(stack)
        local handler = functions.declare(stack, { MemorySize = 512 })
        stack:resource("AWS::Lambda::Version", "version", { FunctionName = handler.FunctionName, Description = "x" })
      end))
      assert.same({ "PublishVersion", "DeleteAlias" }, calls.changes(run))
      world:as_other(function(call)
        assert(call("lambda", "GetFunctionConfiguration", { FunctionName = NAME, Qualifier = "1" }))
      end)
    end)

    it("is published once when the answer is lost", function()
      calls.with("lambda", { PublishVersion = calls.unanswered() }, function()
        assert.equal("1", world:run(declare(512)).result.outputs.version)
      end)
    end)

    it("goes with its function when that is replaced under the same name", function()
      world:run(declare(512))
      local run
      calls.with("lambda", { -- another package type is another function
        GetFunction = function(original, ctx, params)
          local output = original(ctx, params)
          output.Configuration.PackageType = not run and "Zip" or "Image"
          return output
        end,
        DeleteFunction = function(original, ctx, params)
          run = params.Qualifier == nil or run
          return original(ctx, params)
        end,
      }, function()
        assert.same({ api = "replace", version = "replace", live = "replace" }, world:planned(declare(512)))
        world:run(declare(512))
      end)
      world:unchanged(declare(512))
    end)
  end)

  describe("AWS::Lambda::Alias", function()
    it("is left where the pipeline has moved it", function()
      world:run(declare(512))
      local version = deploy "v1"
      world:unchanged(declare(512))
      assert.same({}, calls.changes(world:run(declare(512))))
      assert.equal(version, alias().FunctionVersion)
      -- Another setting of the alias does not move it either.
      local run = world:run(declare(512, { Description = "what is live" }))
      assert.same({ FunctionName = NAME, Name = "live", Description = "what is live" },
        calls.params(run, "UpdateAlias")[1])
      assert.equal(version, alias().FunctionVersion)
      -- What is declared of the function takes effect with the code that the pipeline has brought.
      world:run(declare(1024, { Description = "what is live" }))
      world:as_other(function(call)
        local live = assert(call("lambda", "GetFunction", { FunctionName = NAME, Qualifier = "live" }))
        assert.equal(1024, live.Configuration.MemorySize)
        local latest = assert(call("lambda", "GetFunction", { FunctionName = NAME }))
        assert.equal(latest.Code.ImageUri, live.Code.ImageUri)
      end)
    end)

    it("is moved back where nothing says that others may move it", function()
      local declaration = declare(512, nil, nil, {})
      world:run(declaration)
      deploy "v1"
      assert.same({ live = "update" }, world:planned(declaration))
    end)

    it("has weights, and loses them when they are not declared any more", function()
      world:run(declare(512))
      local version = deploy "v1"
      local weighted = declare(512, { RoutingConfig = { AdditionalVersionWeights = {
        { FunctionVersion = "1", FunctionWeight = 0.25 } } } })
      world:run(weighted)
      assert.same({ ["1"] = 0.25 }, alias().RoutingConfig.AdditionalVersionWeights)
      world:unchanged(weighted)
      local run = world:run(declare(512))
      assert.same({ AdditionalVersionWeights = {} }, calls.params(run, "UpdateAlias")[1].RoutingConfig)
      assert.equal(version, alias().FunctionVersion)
      world:unchanged(declare(512))
    end)

    it("is an error when somebody else has one of the name, and found when it is ours", function()
      calls.with("lambda", { CreateAlias = calls.unanswered() }, function()
        world:run(declare(512))
      end)
      world:as_other(function(call)
        assert(call("lambda", "CreateAlias", { FunctionName = NAME, Name = "theirs", FunctionVersion = "$LATEST" }))
      end)
      local run = world:apply(declare(512, nil, function(stack, handler)
        stack:resource("AWS::Lambda::Alias", "theirs", { FunctionName = handler.FunctionName, Name = "theirs",
          FunctionVersion = "1" })
      end))
      assert.equal("AlreadyExists", run.result.failures[1].code)
    end)
  end)

  describe("provisioned concurrency", function()
    local function provisioned(memory, count)
      return declare(memory, { ProvisionedConcurrencyConfig = { ProvisionedConcurrentExecutions = count } })
    end

    it("is ordered, waited for, changed, and removed", function()
      local run = world:run(provisioned(512, 2))
      assert.is_true(run.seconds > 90)
      assert.is_true(run.seconds < 180)
      assert.equal("live", calls.params(run, "PutProvisionedConcurrencyConfig")[1].Qualifier)
      world:unchanged(provisioned(512, 2))
      run = world:run(provisioned(512, 3))
      assert.same({ "PutProvisionedConcurrencyConfig" }, calls.changes(run))
      run = world:run(declare(512))
      assert.same({ "DeleteProvisionedConcurrencyConfig" }, calls.changes(run))
      world:unchanged(declare(512))
    end)

    it("of a version changes in place: publishing once more would give the same one", function()
      local function of_version(count)
        return World.declare(function(stack)
          local handler = functions.declare(stack, { MemorySize = 512 })
          stack:resource("AWS::Lambda::Version", "version", {
            FunctionName = handler.FunctionName,
            ProvisionedConcurrencyConfig = count and { ProvisionedConcurrentExecutions = count },
          })
        end)
      end
      world:run(of_version(2))
      assert.same({ "PutProvisionedConcurrencyConfig" }, calls.changes(world:run(of_version(3))))
      assert.same({ "DeleteProvisionedConcurrencyConfig" }, calls.changes(world:run(of_version())))
      world:unchanged(of_version())
    end)

    it("is compared by what was ordered, not by what there is yet", function()
      world:run(provisioned(512, 2))
      calls.with("lambda", {
        GetProvisionedConcurrencyConfig = function(original, ctx, params)
          local output = original(ctx, params)
          output.AllocatedProvisionedConcurrentExecutions, output.Status = 0, "IN_PROGRESS"
          return output
        end,
      }, function()
        world:unchanged(provisioned(512, 2))
      end)
    end)

    it("does not stand in the way of a moving alias, whose weights are AWS's own for a while", function()
      world:run(provisioned(512, 2))
      local run = world:run(provisioned(1024, 3))
      assert.is_true(run.seconds > 60)
      assert.same({ "UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias", "PutProvisionedConcurrencyConfig",
        "DeleteFunction" }, calls.changes(run))
      for _, call in ipairs(run.calls) do
        assert.is_nil(call.code, call.operation)
      end
      world:unchanged(provisioned(1024, 3))
    end)

    it("is ordered again when AWS still sees weights, or another order under way", function()
      world:run(declare(512))
      local messages = { "Alias with weights can not be used with Provisioned Concurrency",
        "The operation cannot be performed at this time. An update is in progress" }
      calls.with("lambda", {
        PutProvisionedConcurrencyConfig = function(original, ctx, params)
          local message = table.remove(messages)
          if message then
            ctx:fail(message:find "^Alias" and "InvalidParameterValueException" or "ResourceConflictException", message,
              400)
          end
          return original(ctx, params)
        end,
      }, function()
        world:run(provisioned(512, 2))
      end)
    end)

    it("fails with AWS's reason", function()
      world:run(declare(512))
      calls.with("lambda", {
        GetProvisionedConcurrencyConfig = function(original, ctx, params)
          local output = original(ctx, params)
          output.Status, output.StatusReason = "FAILED", "the image does not start"
          return output
        end,
      }, function()
        local failure = world:apply(provisioned(512, 2)).result.failures[1]
        assert.equal("the image does not start", failure.message)
      end)
    end)

    it("is removed before its alias, for it costs money", function()
      world:run(provisioned(512, 2))
      local changes = calls.changes(world:destroy(provisioned(512, 2)))
      local text = table.concat(changes, " ")
      assert.matches("DeleteProvisionedConcurrencyConfig DeleteAlias", text)
      assert.same({}, world:census())
    end)
  end)
end)
