-- The simulated API Gateway, both versions: what their API references and their known traps say.

local caller = require "spec.sim.caller"
local json = require "host.json"
local merged = require "infra.merged"

local code = caller.code

local URI = "arn:aws:lambda:us-east-1:123456789012:function:f:live"
local GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/api"

-- Runs `body(gateway, api, sleep, call, world)` with an HTTP API: gateway(operation, params) adds its id.
local function simulated(body, options)
  caller.run(options or {}, function(call, _, world)
    local id
    local function gateway(operation, params)
      return call("apigatewayv2", operation, merged({ ApiId = id }, params))
    end
    local api = assert(call("apigatewayv2", "CreateApi", { Name = "a", ProtocolType = "HTTP", Tags = { owner = "x" } }))
    id = api.ApiId
    world.scheduler:sleep(60)
    body(gateway, api, function(seconds) world.scheduler:sleep(seconds) end, call, world)
  end)
end

local function integrate(gateway, params)
  local all = merged({ IntegrationType = "AWS_PROXY", IntegrationUri = URI, PayloadFormatVersion = "2.0" }, params)
  return gateway("CreateIntegration", all)
end

local function route(gateway, key)
  local id = assert(integrate(gateway)).IntegrationId
  return assert(gateway("CreateRoute", { RouteKey = key, Target = "integrations/" .. id })), id
end

describe("infra.sim.apigatewayv2 APIs", function()
  it("are made anew by every call", function()
    simulated(function(_, api, _, call)
      local again = assert(call("apigatewayv2", "CreateApi", { Name = "a", ProtocolType = "HTTP" }))
      assert.not_equal(api.ApiId, again.ApiId)
      assert.equal(("https://%s.execute-api.us-east-1.amazonaws.com"):format(api.ApiId), api.ApiEndpoint)
      assert.equal("$request.method $request.path", api.RouteSelectionExpression)
      local owned = 0
      for _, item in ipairs(assert(call("apigatewayv2", "GetApis")).Items) do
        owned = owned + (item.Tags and item.Tags.owner == "x" and 1 or 0)
      end
      assert.equal(1, owned)
    end)
  end)

  it("list in pages", function()
    simulated(function(_, _, _, call)
      assert(call("apigatewayv2", "CreateApi", { Name = "b", ProtocolType = "HTTP" }))
      local first = assert(call("apigatewayv2", "GetApis", { MaxResults = "1" }))
      local second = assert(call("apigatewayv2", "GetApis", { MaxResults = "1", NextToken = first.NextToken }))
      assert.not_equal(first.Items[1].ApiId, second.Items[1].ApiId)
      assert.is_nil(second.NextToken)
    end)
  end)

  it("keep CORS until it is deleted, with header names in lower case", function()
    simulated(function(gateway)
      local cors = { AllowOrigins = { "https://a.example" }, AllowHeaders = { "Content-Type" }, MaxAge = 300 }
      local changed = assert(gateway("UpdateApi", { CorsConfiguration = cors }))
      assert.same({ "content-type" }, changed.CorsConfiguration.AllowHeaders)
      assert(gateway("UpdateApi", { Description = "d" }))
      local found = assert(gateway "GetApi")
      assert.same({ "d", 300, "a" }, { found.Description, found.CorsConfiguration.MaxAge, found.Name })
      assert(gateway "DeleteCorsConfiguration")
      assert.is_nil(assert(gateway "GetApi").CorsConfiguration)
      assert.equal("BadRequestException", code(gateway("UpdateApi", {
        CorsConfiguration = { AllowOrigins = { "*" }, AllowCredentials = true },
      })))
    end)
  end)

  it("go with everything that is theirs", function()
    simulated(function(gateway)
      route(gateway, "$default")
      assert(gateway("CreateStage", { StageName = "$default", AutoDeploy = true }))
      assert(gateway "DeleteApi")
      assert.equal("NotFoundException", code(gateway "GetApi"))
      assert.equal("NotFoundException", code(gateway "GetStages"))
      assert.equal("NotFoundException", code(gateway "DeleteApi"))
    end)
  end)

  it("conflict when they are changed at the same time", function()
    simulated(function(gateway, _, sleep, _, world)
      local conflicts, creating = 0, {}
      for i = 1, 10 do
        creating[i] = function()
          local made, err = integrate(gateway)
          conflicts = conflicts + (not made and err.code == "ConflictException" and 1 or 0)
        end
      end
      world.scheduler:all(creating)
      assert.truthy(conflicts > 0)
      sleep(1)
      assert(integrate(gateway))
    end, { faults = { consistency = 10 } })
  end)

  it("quickly made have a stage that nobody can change", function()
    simulated(function(gateway, _, _, call)
      local api = assert(call("apigatewayv2", "CreateApi", { Name = "q", ProtocolType = "HTTP", Target = URI }))
      local stage = assert(gateway("GetStage", { ApiId = api.ApiId, StageName = "$default" }))
      assert.is_true(stage.ApiGatewayManaged)
      assert.equal("BadRequestException",
        code(gateway("UpdateStage", { ApiId = api.ApiId, StageName = "$default", Description = "d" })))
    end)
  end)
end)

describe("infra.sim.apigatewayv2 integrations and routes", function()
  it("have AWS's defaults and bounds", function()
    simulated(function(gateway)
      local made = assert(integrate(gateway))
      assert.same({ "POST", "INTERNET", 30000, "2.0" }, {
        made.IntegrationMethod, made.ConnectionType, made.TimeoutInMillis, made.PayloadFormatVersion,
      })
      local changed = assert(gateway("UpdateIntegration", {
        IntegrationId = made.IntegrationId, TimeoutInMillis = 5000,
      }))
      assert.same({ 5000, URI }, { changed.TimeoutInMillis, changed.IntegrationUri })
      assert.equal("BadRequestException", code(integrate(gateway, { TimeoutInMillis = 30001 })))
      assert.equal("BadRequestException", code(integrate(gateway, { IntegrationUri = "f" })))
      assert.equal("BadRequestException",
        code(gateway("CreateIntegration", { IntegrationType = "AWS_PROXY", IntegrationUri = URI })))
    end)
  end)

  it("have each route key once, with a target that exists", function()
    simulated(function(gateway)
      local made, integration = route(gateway, "GET /x")
      assert.same({ "NONE", false }, { made.AuthorizationType, made.ApiKeyRequired })
      assert.equal("ConflictException", code(gateway("CreateRoute", { RouteKey = "GET /x" })))
      assert.equal("BadRequestException", code(gateway("CreateRoute", { RouteKey = "FETCH /x" })))
      assert.equal("BadRequestException",
        code(gateway("CreateRoute", { RouteKey = "GET /y", Target = "integrations/nothing" })))
      assert.equal("ConflictException", code(gateway("DeleteIntegration", { IntegrationId = integration })))
      assert.equal("POST /x",
        assert(gateway("UpdateRoute", { RouteId = made.RouteId, RouteKey = "POST /x" })).RouteKey)
      assert(gateway("DeleteRoute", { RouteId = made.RouteId }))
      assert(gateway("DeleteIntegration", { IntegrationId = integration }))
      assert.same({}, assert(gateway "GetRoutes").Items)
    end)
  end)
end)

describe("infra.sim.apigatewayv2 stages", function()
  local function stage(gateway)
    return assert(gateway("GetStage", { StageName = "$default" }))
  end

  it("deploy every change by themselves, after a while", function()
    simulated(function(gateway, _, sleep)
      route(gateway, "GET /x")
      assert.is_nil(assert(gateway("CreateStage", { StageName = "$default", AutoDeploy = true })).DeploymentId)
      sleep(10)
      local first = stage(gateway)
      assert.truthy(first.LastDeploymentStatusMessage:find("Successfully deployed stage", 1, true))
      route(gateway, "GET /y")
      assert.equal(first.DeploymentId, stage(gateway).DeploymentId)
      sleep(10)
      local second = stage(gateway)
      assert.not_equal(first.DeploymentId, second.DeploymentId)
      assert.equal("DEPLOYED",
        assert(gateway("GetDeployment", { DeploymentId = second.DeploymentId })).DeploymentStatus)
      assert.equal("BadRequestException",
        code(gateway("UpdateStage", { StageName = "$default", DeploymentId = first.DeploymentId })))
      assert.equal("ConflictException", code(gateway("CreateStage", { StageName = "$default" })))
    end)
  end)

  it("say when there is nothing to deploy", function()
    simulated(function(gateway, _, sleep)
      assert(gateway("CreateStage", { StageName = "$default", AutoDeploy = true }))
      sleep(10)
      assert.truthy(stage(gateway).LastDeploymentStatusMessage:find("no routes exist", 1, true))
      assert.is_nil(stage(gateway).DeploymentId)
    end)
  end)

  it("deploy by hand too", function()
    simulated(function(gateway)
      assert.equal("BadRequestException", code(gateway "CreateDeployment"))
      route(gateway, "GET /x")
      assert(gateway("CreateStage", { StageName = "prod" }))
      local made = assert(gateway("CreateDeployment", { StageName = "prod" }))
      assert.equal(made.DeploymentId, assert(gateway("GetStage", { StageName = "prod" })).DeploymentId)
      assert.equal("BadRequestException", code(gateway("DeleteDeployment", { DeploymentId = made.DeploymentId })))
    end)
  end)

  it("show a log group's ARN without its asterisk", function()
    simulated(function(gateway)
      local made = assert(gateway("CreateStage", {
        StageName = "$default",
        AccessLogSettings = { DestinationArn = GROUP .. ":*", Format = "$context.requestId $context.status" },
      }))
      assert.equal(GROUP, made.AccessLogSettings.DestinationArn)
      local function update(settings)
        return gateway("UpdateStage", { StageName = "$default", AccessLogSettings = settings })
      end
      assert.equal("BadRequestException", code(update { DestinationArn = "/aws/x", Format = "$context.requestId" }))
      assert.equal("BadRequestException", code(update { DestinationArn = GROUP, Format = "$context.status" }))
      assert(gateway("DeleteAccessLogSettings", { StageName = "$default" }))
      assert.is_nil(stage(gateway).AccessLogSettings)
    end)
  end)

  it("have settings of routes that exist, which go one by one, and variables that go when empty", function()
    simulated(function(gateway)
      route(gateway, "GET /x")
      assert(gateway("CreateStage", { StageName = "$default", StageVariables = { a = "1", b = "2" } }))
      local function update(params)
        params.StageName = "$default"
        return gateway("UpdateStage", params)
      end
      local limits = { ThrottlingBurstLimit = 5 }
      assert.equal("NotFoundException", code(update { RouteSettings = { ["GET /z"] = limits } }))
      assert.equal(5, assert(update { RouteSettings = { ["GET /x"] = limits } })
        .RouteSettings["GET /x"].ThrottlingBurstLimit)
      local changed = assert(update { StageVariables = { a = "" }, RouteSettings = {} })
      assert.same({ b = "2" }, changed.StageVariables)
      assert.truthy(changed.RouteSettings["GET /x"])
      assert(gateway("DeleteRouteSettings", { StageName = "$default", RouteKey = "GET /x" }))
      assert.same({}, stage(gateway).RouteSettings)
      assert.equal("BadRequestException", code(update { DefaultRouteSettings = { LoggingLevel = "INFO" } }))
    end)
  end)

  it("have tags by their ARN, dollar sign and all", function()
    simulated(function(gateway, api, _, call)
      assert(gateway("CreateStage", { StageName = "$default" }))
      local arn = ("arn:aws:apigateway:us-east-1::/apis/%s"):format(api.ApiId)
      assert(call("apigatewayv2", "TagResource", { ResourceArn = arn .. "/stages/$default", Tags = { a = "1" } }))
      assert.same({ a = "1" }, stage(gateway).Tags)
      assert.same({ owner = "x" }, assert(call("apigatewayv2", "GetTags", { ResourceArn = arn })).Tags)
      assert(call("apigatewayv2", "UntagResource", { ResourceArn = arn, TagKeys = { "owner" } }))
      assert.same({}, assert(gateway "GetApi").Tags)
    end)
  end)
end)

describe("infra.sim.apigateway account", function()
  it("takes a role that API Gateway can assume by now", function()
    caller.run({}, function(call, _, world)
      local role = assert(call("iam", "CreateRole", {
        RoleName = "r",
        AssumeRolePolicyDocument = json.encode {
          Version = "2012-10-17",
          Statement = { {
            Effect = "Allow", Principal = { Service = "apigateway.amazonaws.com" }, Action = "sts:AssumeRole",
          } },
        },
      })).Role.Arn
      local function update(value, path)
        return call("apigateway", "UpdateAccount", {
          patchOperations = { { op = "replace", path = path or "/cloudwatchRoleArn", value = value } },
        })
      end
      local refused, message = code(update(role))
      assert.equal("BadRequestException", refused)
      assert.truthy(message:find("does not have required permissions", 1, true))
      world.scheduler:sleep(30)
      assert.equal(role, assert(update(role)).cloudwatchRoleArn)
      assert.equal(role, assert(call("apigateway", "GetAccount")).cloudwatchRoleArn)
      assert.equal("BadRequestException", code(update("x", "/throttle")))
      assert.is_nil(assert(update "").cloudwatchRoleArn)
    end)
  end)
end)
