local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local functions = require "spec.resources.functions"
local json = require "host.json"
local merged = require "infra.merged"
local oci = require "infra.oci"

-- The layer alone; `fields` of the stack's definition.
local function declare(options, fields)
  return World.declare(function(stack)
    local made = stack:layer("compute", options)
    stack:output("url", made.url)
    stack:output("host", made.api_host)
  end, fields)
end

-- The layer on what it stands on in the architecture.
local function declare_all(options)
  return World.declare(function(stack)
    local network = stack:layer("network", { nat = "none" })
    local security = stack:layer("security", { vpc = network.vpc })
    local all = merged({ network = network, security = security, domain = "example.com", parameter_path = "/demo/test/",
      secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:demo-test/aurora-abcdef" }, options)
    stack:layer("compute", all)
  end)
end

local function properties(declaration, name)
  return declaration.resources["compute/" .. name].properties
end

describe("the layer compute", function()
  it("has the figures of the architecture by default", function()
    local declaration = declare({ domain = "example.com" }, { project = "apprentice-final", environment = "staging" })
    local lambda = properties(declaration, "function")
    assert.same({ "apprentice-final-staging-api", "Image", 1024, 30 },
      { lambda.FunctionName, lambda.PackageType, lambda.MemorySize, lambda.Timeout })
    assert.equal("live", properties(declaration, "alias").Name)
    assert.is_nil(properties(declaration, "alias").ProvisionedConcurrencyConfig)
    local repository = properties(declaration, "repository")
    assert.is_true(repository.ImageScanningConfiguration.ScanOnPush)
    assert.equal("MUTABLE", repository.ImageTagMutability)
    local rule = json.decode(repository.LifecyclePolicy.LifecyclePolicyText).rules[1]
    assert.same({ 20, "any" }, { rule.selection.countNumber, rule.selection.tagStatus })
    for name, path in pairs {
      ["function-logs"] = "/aws/lambda/apprentice-final-staging-api",
      ["api-logs"] = "/aws/apigateway/apprentice-final-staging-http-api",
    } do
      assert.same({ path, 30 }, { properties(declaration, name).LogGroupName,
        properties(declaration, name).RetentionInDays })
    end
    local api = properties(declaration, "api")
    assert.same({ "apprentice-final-staging-http-api", "HTTP", "https://example.com" },
      { api.Name, api.ProtocolType, api.CorsConfiguration.AllowOrigins[1] })
    assert.equal("2.0", properties(declaration, "integration").PayloadFormatVersion)
    local keys = {}
    for _, name in ipairs { "default", "api", "health" } do
      keys[#keys + 1] = properties(declaration, "route-" .. name).RouteKey
    end
    assert.same({ "$default", "ANY /api/{proxy+}", "GET /health/" }, keys)
    local stage = properties(declaration, "stage")
    assert.same({ "staging", true }, { stage.StageName, stage.AutoDeploy })
    assert.equal("$context.requestId", json.decode(stage.AccessLogSettings.Format).requestId)
  end)

  it("says which options it has, and refuses others", function()
    assert.has_error(function()
      declare { memory = "much" }
    end)
    assert.has_error(function()
      declare { network = { private_subnets = {} } } -- and no security group
    end)
    for name, option in pairs(require("infra.layers.compute").options) do
      assert.is_string(option.meaning, name)
    end
  end)

  it("allows nothing to everybody", function()
    for address, resource in pairs(declare_all().resources) do
      local text = json.encode(resource.properties)
      if address:find "^compute/" and not address:find "route" then
        assert.is_nil(text:find '"Action":"%*"', address)
        assert.is_nil(text:find '"Resource":"%*"', address)
        assert.is_nil(text:find '"Principal":"%*"', address)
      end
    end
  end)

  describe("on the simulated AWS", function()
    local world

    before_each(function()
      world = World.new()
    end)
    after_each(function()
      world:close()
    end)

    local function look(service, operation, params)
      return world:call(service, operation, params)
    end

    local function live()
      return look("lambda", "GetFunction", { FunctionName = functions.NAME, Qualifier = "live" })
    end

    it("stands alone: from an empty account to an API that answers, and nothing is left of it", function()
      local run = world:run(declare())
      assert.matches("^https://%w+%.execute%-api%.us%-east%-1%.amazonaws%.com/test$", run.result.outputs.url)
      assert.matches("^%w+%.execute%-api%.us%-east%-1%.amazonaws%.com$", run.result.outputs.host)
      assert.matches(oci.bootstrap().digest, live().Code.ImageUri, 1, true)
      world:unchanged(declare())
      local again = world:run(declare())
      assert.same({}, calls.changes(again))
      world:destroy(declare())
      assert.same({}, world:census())
    end)

    it("stands on the network and its groups and roles, and knows where its configuration is", function()
      world:run(declare_all())
      local lambda = live().Configuration
      assert.equal(2, #lambda.VpcConfig.SubnetIds)
      assert.matches("demo%-test%-lambda%-role$", lambda.Role)
      assert.same({ APP_ENVIRONMENT = "test", PARAMETER_PATH = "/demo/test/",
        SECRET_ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:demo-test/aurora-abcdef" },
        lambda.Environment.Variables)
      world:unchanged(declare_all())
      local run = world:destroy(declare_all())
      for _, text in ipairs(world:census()) do
        -- The simulated Lambda remembers which interfaces were its own; the account's setting stays (layers/security).
        assert.is_truthy(text:find "^lambda/%S+ interface " or text:find "^apigateway/%S+ account ")
      end
      -- The log group goes after the function, which would otherwise write it anew.
      local order = {}
      for _, call in ipairs(run.calls) do
        if call.params.logGroupName == "/aws/lambda/" .. functions.NAME
          or call.operation == "DeleteFunction" and not call.params.Qualifier then
          order[#order + 1] = call.operation
        end
      end
      assert.same({ "DeleteFunction", "DeleteLogGroup" }, { order[1], order[#order] })
    end)

    it("leaves what the pipeline has brought, and goes on with it", function()
      world:run(declare())
      local version, uri
      world:as_other(function(call, session)
        local image = json.decode(oci.bootstrap().manifest)
        image.annotations = { is = "the application" }
        local pushed = assert(call("ecr", "PutImage", { repositoryName = "demo-test", imageTag = "v1",
          imageManifest = json.encode(image), imageManifestMediaType = oci.bootstrap().media_type }))
        uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/demo-test@" .. pushed.image.imageId.imageDigest
        version = functions.deploy(call, session, uri)
      end)
      world:unchanged(declare())
      assert.same({}, calls.changes(world:run(declare())))
      assert.same({ version, uri }, { live().Configuration.Version, live().Code.ImageUri })
      -- A change of what is declared takes effect with that image, behind the same alias.
      world:run(declare { memory = 2048 })
      assert.same({ 2048, uri }, { live().Configuration.MemorySize, live().Code.ImageUri })
      world:unchanged(declare { memory = 2048 })
    end)

    it("changes in place, part by part", function()
      world:run(declare())
      for _, case in ipairs {
        { { timeout = 20 }, "UpdateFunctionConfiguration PublishVersion UpdateAlias DeleteFunction" },
        { { environment = { A = "1" } }, "UpdateFunctionConfiguration PublishVersion UpdateAlias DeleteFunction" },
        { { keep_images = 5 }, "PutLifecyclePolicy" }, { { immutable_tags = true }, "PutImageTagMutability" },
        { { scan_on_push = false }, "PutImageScanningConfiguration" }, { { domain = "example.com" }, "UpdateApi" },
        { { log_days = 60 }, "PutRetentionPolicy PutRetentionPolicy" },
        { { routes = { default = "$default", api = "ANY /v1/{proxy+}", health = "GET /health/" } }, "UpdateRoute" },
        { { provisioned_concurrency = 2 }, "PutProvisionedConcurrencyConfig" },
        { { reserved_concurrency = 7 }, "PutFunctionConcurrency PublishVersion UpdateAlias" },
      } do
        local run = world:run(declare(case[1]))
        assert.equal(case[2], table.concat(calls.changes(run), " "))
        world:unchanged(declare(case[1]))
        world:run(declare())
        world:unchanged(declare())
      end
    end)

    it("runs the image that it is told to, from the registry or from disk", function()
      world:run(World.declare(function(stack)
        functions.declare(stack, { FunctionName = "another" })
      end))
      local uri = world:as_other(function(call)
        return functions.push(call, "v1")
      end)
      -- Somebody else's repository, of another stack.
      local foreign = World.declare(function(stack)
        functions.declare(stack, { FunctionName = "another" })
        stack:layer("compute", { image = uri })
      end)
      world:run(foreign)
      assert.equal(uri, live().Code.ImageUri)
      world:unchanged(foreign)
    end)

    it("asks every question once when nothing changes", function()
      world:run(declare())
      local _, _, process = world:plan(declare())
      local asked = {}
      for _, call in ipairs(process.calls) do
        local question = call.operation .. json.encode(call.params)
        assert.is_nil(asked[question], question)
        asked[question] = true
      end
    end)
  end)
end)
