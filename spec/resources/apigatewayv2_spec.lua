local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local merged = require "infra.merged"

describe("an HTTP API", function()
  local world

  before_each(function()
    world = World.new()
  end)
  after_each(function()
    world:close()
  end)

  local URI <const> = "https://example.org/"

  -- An API with a proxy integration and a route for each key; `fields` may have properties of each (api, integration,
  -- route, stage) and `keys`, and no stage is made unless asked for.
  local function declare(fields)
    fields = fields or {}
    return World.declare(function(stack)
      local api = stack:resource("AWS::ApiGatewayV2::Api", "api", merged({ ProtocolType = "HTTP" }, fields.api))
      local integration = stack:resource("AWS::ApiGatewayV2::Integration", "integration", merged({
        ApiId = api.ApiId, IntegrationType = "HTTP_PROXY", IntegrationMethod = "ANY", IntegrationUri = URI,
        PayloadFormatVersion = "1.0",
      }, fields.integration))
      local routes = {}
      for i, key in ipairs(fields.keys or { "$default", "GET /health/" }) do
        routes[i] = stack:resource("AWS::ApiGatewayV2::Route", "route-" .. i, merged({
          ApiId = api.ApiId, RouteKey = key, Target = "integrations/" .. integration.IntegrationId,
        }, fields.route))
      end
      if fields.stage then
        stack:resource("AWS::Logs::LogGroup", "logs", { LogGroupName = "/aws/apigateway/test" })
        stack:resource("AWS::ApiGatewayV2::Stage", "stage", merged({ ApiId = api.ApiId, StageName = "test",
          AutoDeploy = true }, fields.stage), { depends_on = routes })
      end
      stack:output("endpoint", api.ApiEndpoint)
      stack:output("arn", api.ExecuteApiArn)
    end)
  end

  -- Makes the first answer to an operation disappear.
  local function losing(operation, fn)
    local count = 0
    calls.with("apigatewayv2", {
      [operation] = function(original, ctx, params)
        local output = original(ctx, params)
        count = count + 1
        if count == 1 then
          ctx:fail("InternalServerError", "lost", 500)
        end
        return output
      end,
    }, fn)
  end

  local function listed(operation)
    return world:as_other(function(call)
      local api = assert(call("apigatewayv2", "GetApis", {})).Items[1]
      return assert(call("apigatewayv2", operation, { ApiId = api.ApiId })).Items
    end)
  end

  describe("AWS::ApiGatewayV2::Api", function()
    it("is created, and is the same afterwards", function()
      local declaration = declare { api = { Description = "x", DisableExecuteApiEndpoint = true, Version = "1",
        CorsConfiguration = { AllowOrigins = { "https://example.org" }, AllowMethods = { "GET", "POST" },
          AllowHeaders = { "Content-Type" }, AllowCredentials = true, MaxAge = 300 } } }
      local run = world:run(declaration)
      assert.matches("^https://%w+%.execute%-api%.us%-east%-1%.amazonaws%.com$", run.result.outputs.endpoint)
      assert.matches("^arn:aws:execute%-api:us%-east%-1:123456789012:%w+$", run.result.outputs.arn)
      world:unchanged(declaration)
      world:destroy(declaration)
      assert.same({}, world:census())
    end)

    it("changes in place, only what changes", function()
      world:run(declare { api = { Description = "x", Version = "1" } })
      local run = world:run(declare { api = { Description = "y", Version = "1", Tags = { A = "b" } } })
      local sent = calls.params(run, "UpdateApi")[1]
      sent.ApiId = nil
      assert.same({ Description = "y" }, sent)
      assert.same({ "UpdateApi", "TagResource" }, calls.changes(run))
      run = world:run(declare())
      assert.equal("", calls.params(run, "UpdateApi")[1].Description)
      world:unchanged(declare())
      assert.equal("replace", world:planned(declare { api = { ProtocolType = "WEBSOCKET" } }).api)
    end)

    it("sees no difference in the order and the case of CORS", function()
      local function cors(origins, headers)
        return declare { api = { CorsConfiguration = { AllowOrigins = origins, AllowHeaders = headers } } }
      end
      world:run(cors({ "https://a.org", "https://b.org" }, { "X-One", "Content-Type" }))
      world:unchanged(cors({ "https://b.org", "https://a.org" }, { "content-type", "x-one" }))
      assert.same({ api = "update" }, world:planned(cors({ "https://b.org" }, { "content-type", "x-one" })))
    end)

    it("loses CORS by a call of its own", function()
      world:run(declare { api = { CorsConfiguration = { AllowOrigins = { "*" } } } })
      assert.same({ "DeleteCorsConfiguration" }, calls.changes(world:run(declare())))
      world:unchanged(declare())
    end)

    it("refuses credentials from everywhere before anything is called, and a quick start", function()
      for _, api in ipairs {
        { CorsConfiguration = { AllowOrigins = { "*" }, AllowCredentials = true } }, { Target = "arn" },
        { RouteKey = "GET /" }, { Body = {} },
      } do
        assert.has_error(function()
          declare { api = api }
        end)
      end
    end)

    it("is found by its tag when the answer is lost, although names mean nothing", function()
      world:as_other(function(call)
        for _ = 1, 3 do
          assert(call("apigatewayv2", "CreateApi", { Name = "demo-test-api", ProtocolType = "HTTP" }))
        end
      end)
      losing("CreateApi", function()
        world:run(declare())
      end)
      local count = world:as_other(function(call)
        return #assert(call("apigatewayv2", "GetApis", {})).Items
      end)
      assert.equal(4, count)
    end)

    it("is changed by one call at a time", function()
      local running, most = 0, 0
      local replacements = {}
      for _, operation in ipairs { "CreateRoute", "CreateIntegration", "UpdateApi", "CreateStage" } do
        replacements[operation] = function(original, ctx, params)
          running = running + 1
          most = math.max(most, running)
          return original(ctx, params)
        end
      end
      calls.with("apigatewayv2", replacements, function()
        world:run(declare { keys = { "GET /1", "GET /2", "GET /3", "GET /4" }, stage = {} }, { observe = function(call)
          running = running - (replacements[call.operation] and 1 or 0)
        end })
      end)
      assert.equal(1, most)
    end)

    it("is tried again when somebody else changes it at the same time", function()
      local tries = 0
      calls.with("apigatewayv2", {
        CreateRoute = function(original, ctx, params)
          tries = tries + 1
          if tries < 4 then
            ctx:fail("ConflictException", "Unable to complete operation due to concurrent modification. Please try "
              .. "again later.", 409)
          end
          return original(ctx, params)
        end,
      }, function()
        world:run(declare { keys = { "$default" } })
      end)
      assert.equal(4, tries)
    end)
  end)

  describe("AWS::ApiGatewayV2::Integration", function()
    it("is found when the answer is lost, and made once", function()
      losing("CreateIntegration", function()
        world:run(declare())
      end)
      assert.equal(1, #listed "GetIntegrations")
      world:unchanged(declare())
    end)

    it("changes in place, and loses parameters that are not declared any more", function()
      local function with(parameters, timeout)
        return declare { integration = { RequestParameters = parameters, TimeoutInMillis = timeout } }
      end
      world:run(with({ ["append:header.a"] = "1", ["append:header.b"] = "2" }, 5000))
      world:unchanged(with({ ["append:header.a"] = "1", ["append:header.b"] = "2" }, 5000))
      local run = world:run(with({ ["append:header.a"] = "3" }, nil))
      local sent = calls.params(run, "UpdateIntegration")[1]
      assert.same({ ["append:header.a"] = "3", ["append:header.b"] = "" }, sent.RequestParameters)
      assert.equal(30000, sent.TimeoutInMillis)
      assert.is_nil(sent.IntegrationUri)
      world:unchanged(with({ ["append:header.a"] = "3" }, nil))
    end)

    it("goes after the routes that lead to it", function()
      world:run(declare())
      local changes = calls.changes(world:destroy(declare()))
      assert.same({ "DeleteRoute", "DeleteRoute", "DeleteIntegration", "DeleteApi" }, changes)
    end)
  end)

  describe("AWS::ApiGatewayV2::Route", function()
    it("is found when the answer is lost, and an error when somebody else has the key", function()
      losing("CreateRoute", function()
        world:run(declare())
      end)
      assert.equal(2, #listed "GetRoutes")
      world:as_other(function(call)
        local api = assert(call("apigatewayv2", "GetApis", {})).Items[1]
        assert(call("apigatewayv2", "CreateRoute", { ApiId = api.ApiId, RouteKey = "GET /theirs" }))
      end)
      local run = world:apply(declare { keys = { "$default", "GET /health/", "GET /theirs" } })
      assert.equal("AlreadyExists", run.result.failures[1].code)
    end)

    it("changes its key in place", function()
      world:run(declare())
      local run = world:run(declare { keys = { "$default", "GET /healthy/" } })
      assert.same({ "UpdateRoute" }, calls.changes(run))
      assert.equal("GET /healthy/", calls.params(run, "UpdateRoute")[1].RouteKey)
    end)

    it("is read with all others of its API at once, however many there are", function()
      local keys = {}
      for i = 1, 120 do
        keys[i] = "GET /" .. i
      end
      world:run(declare { keys = keys })
      local plan, _, process = world:plan(declare { keys = keys })
      assert.same({}, World.actions(plan))
      assert.is_true(#calls.params(process, "GetRoutes") <= 10) -- pages
    end)

    it("loses request parameters one by one", function()
      local function websocket(parameters)
        return World.declare(function(stack)
          local api = stack:resource("AWS::ApiGatewayV2::Api", "api", { ProtocolType = "WEBSOCKET",
            RouteSelectionExpression = "$request.body.action" })
          stack:resource("AWS::ApiGatewayV2::Route", "connect", { ApiId = api.ApiId, RouteKey = "$connect",
            RequestParameters = parameters })
        end)
      end
      world:run(websocket { ["route.request.querystring.a"] = { Required = true },
        ["route.request.querystring.b"] = { Required = false } })
      local one = { ["route.request.querystring.a"] = { Required = true } }
      local run = world:run(websocket(one))
      assert.equal("route.request.querystring.b",
        calls.params(run, "DeleteRouteRequestParameter")[1].RequestParameterKey)
      world:unchanged(websocket(one))
      world:run(websocket(nil))
      world:unchanged(websocket(nil))
    end)
  end)

  describe("AWS::ApiGatewayV2::Stage", function()
    local LOGS <const> = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/apigateway/test:*"
    local FORMAT <const> = '{"id":"$context.requestId"}'

    it("is created last, waited for until it is deployed, and is the same afterwards", function()
      local declaration = declare { stage = { Description = "x", StageVariables = { A = "1" },
        AccessLogSettings = { DestinationArn = LOGS, Format = FORMAT },
        DefaultRouteSettings = { ThrottlingBurstLimit = 100, ThrottlingRateLimit = 50 },
        RouteSettings = { ["GET /health/"] = { ThrottlingRateLimit = 5 } } } }
      local run = world:run(declaration)
      local changes = calls.changes(run)
      assert.equal("CreateStage", changes[#changes])
      assert.matches("[^*]$", calls.params(run, "CreateStage")[1].AccessLogSettings.DestinationArn)
      assert.is_true(run.seconds >= 5)
      local stage = listed("GetStages")[1]
      assert.matches("^Successfully", stage.LastDeploymentStatusMessage)
      world:unchanged(declaration)
      world:destroy(declaration)
      assert.same({}, world:census())
    end)

    it("is the same whatever is deployed", function()
      local declaration = declare { stage = {} }
      world:run(declaration)
      local before = listed("GetStages")[1].DeploymentId
      local more = declare { stage = {}, keys = { "$default", "GET /health/", "GET /more" } }
      world:run(more)
      local after = world:as_other(function(call, session)
        session.runtime.scheduler:sleep(20)
        local api = assert(call("apigatewayv2", "GetApis", {})).Items[1]
        return assert(call("apigatewayv2", "GetStage", { ApiId = api.ApiId, StageName = "test" })).DeploymentId
      end)
      assert.not_equal(before, after)
      world:unchanged(more)
    end)

    it("changes in place, and loses what is not declared any more by calls of their own", function()
      world:run(declare { stage = { StageVariables = { A = "1", B = "2" }, Description = "x",
        AccessLogSettings = { DestinationArn = LOGS, Format = FORMAT },
        RouteSettings = { ["$default"] = { ThrottlingRateLimit = 7 }, ["GET /health/"] = { ThrottlingRateLimit = 5 } },
      } })
      local less = declare { stage = { StageVariables = { A = "3" },
        RouteSettings = { ["$default"] = { ThrottlingRateLimit = 7 } } } }
      local run = world:run(less)
      assert.same({ A = "3", B = "" }, calls.params(run, "UpdateStage")[1].StageVariables)
      assert.equal("GET /health/", calls.params(run, "DeleteRouteSettings")[1].RouteKey)
      assert.equal(1, #calls.params(run, "DeleteAccessLogSettings"))
      world:unchanged(less)
      world:run(declare { stage = {} })
      world:unchanged(declare { stage = {} })
    end)

    it("carries the name $default in the address of its tags", function()
      local declaration = declare { stage = { StageName = "$default", Tags = { A = "b" } } }
      world:run(declaration)
      world:run(declare { stage = { StageName = "$default", Tags = { A = "c" } } })
      assert.equal("c", listed("GetStages")[1].Tags.A)
    end)

    it("fails with the reason when it cannot be deployed, and is written again by the next run", function()
      local failing = true
      calls.with("apigatewayv2", {
        GetStages = function(original, ctx, params)
          local output = original(ctx, params)
          for _, stage in ipairs(failing and output.Items or {}) do
            stage.LastDeploymentStatusMessage = "Deployment attempt failed: no permission"
          end
          return output
        end,
        UpdateStage = function(original, ctx, params)
          failing = false
          return original(ctx, params)
        end,
      }, function()
        failing = false
        world:run(declare { stage = {} })
        failing = true
        assert.same({ stage = "update" }, world:planned(declare { stage = {} }))
        world:run(declare { stage = {} }) -- which does not believe the old message at once
        world:unchanged(declare { stage = {} })
      end)
    end)

    it("that says nothing is waited for only for a while", function()
      calls.with("apigatewayv2", {
        GetStages = function(original, ctx, params)
          local output = original(ctx, params)
          for _, stage in ipairs(output.Items) do
            stage.LastDeploymentStatusMessage, stage.DeploymentId = nil, nil
          end
          return output
        end,
      }, function()
        local run = world:run(declare { stage = {} })
        assert.is_true(run.seconds > 9)
        assert.is_true(run.seconds < 60)
      end)
    end)

    it("is found when the answer is lost, and an error when somebody else has one of the name", function()
      losing("CreateStage", function()
        world:run(declare { stage = {} })
      end)
      world:as_other(function(call)
        local api = assert(call("apigatewayv2", "GetApis", {})).Items[1]
        assert(call("apigatewayv2", "CreateStage", { ApiId = api.ApiId, StageName = "theirs" }))
      end)
      local run = world:apply(declare { stage = { StageName = "theirs" } })
      assert.equal("AlreadyExists", run.result.failures[1].code)
      assert.has_error(function()
        declare { stage = { DeploymentId = "abc" } }
      end)
    end)
  end)
end)
