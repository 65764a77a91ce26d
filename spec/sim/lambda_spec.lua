-- The simulated Lambda: what its API reference and the known traps of functions, versions and aliases say.

local json = require "host.json"
local lambdas = require "spec.sim.lambda.world"

local trust, REPOSITORY, FUNCTION, push = lambdas.trust, lambdas.REPOSITORY, lambdas.FUNCTION, lambdas.push
local simulated, create, code, refused = lambdas.simulated, lambdas.create, lambdas.code, lambdas.refused
local INVALID, BUSY, published = lambdas.INVALID, lambdas.BUSY, lambdas.published

describe("infra.sim.lambda functions", function()
  it("are pending, then active, with AWS's defaults", function()
    simulated(function(lambda, _, sleep, env)
      local made = assert(create(lambda, env))
      assert.same({ "Pending", FUNCTION, "$LATEST" }, { made.State, made.FunctionArn, made.Version })
      assert.is_nil(made.LastUpdateStatus)
      refused(BUSY, "state: Pending", lambda("UpdateFunctionConfiguration", { Timeout = 5 }))
      sleep(15)
      local output = assert(lambda "GetFunction")
      local found = output.Configuration
      assert.same({ "Active", "Successful", 3, 128, 512 }, {
        found.State, found.LastUpdateStatus, found.Timeout, found.MemorySize, found.EphemeralStorage.Size,
      })
      assert.same({ LogFormat = "Text", LogGroup = "/aws/lambda/f" }, found.LoggingConfig)
      assert.same({ "x86_64" }, found.Architectures)
      assert.same({ "PassThrough", "" }, { found.TracingConfig.Mode, found.VpcConfig.VpcId })
      assert.equal(env.digest, "sha256:" .. found.CodeSha256)
      assert.equal(env.uri, output.Code.ImageUri)
      assert.equal(REPOSITORY .. "@" .. env.digest, output.Code.ResolvedImageUri)
      refused(BUSY, "Function already exist", create(lambda, env))
    end)
  end)

  it("need a role that Lambda can assume by now", function()
    simulated(function(lambda, call, sleep, env)
      local fresh = assert(call("iam", "CreateRole", {
        RoleName = "fresh", AssumeRolePolicyDocument = trust "lambda.amazonaws.com",
      })).Role.Arn
      local other = assert(call("iam", "CreateRole", {
        RoleName = "other", AssumeRolePolicyDocument = trust "ec2.amazonaws.com",
      })).Role.Arn
      refused(INVALID, "cannot be assumed by Lambda", create(lambda, env, { Role = fresh }))
      sleep(60)
      refused(INVALID, "cannot be assumed by Lambda", create(lambda, env, { Role = other }))
      assert(create(lambda, env, { Role = fresh }))
    end)
  end)

  it("need an image that is there, and one image only", function()
    simulated(function(lambda, call, _, env)
      refused(INVALID, "does not exist", create(lambda, env, { Code = { ImageUri = REPOSITORY .. ":v2" } }))
      refused(INVALID, "not valid", create(lambda, env, {
        Code = { ImageUri = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1" },
      }))
      assert(call("ecr", "PutImage", {
        repositoryName = "app",
        imageTag = "index",
        imageManifest = json.encode {
          schemaVersion = 2, mediaType = "application/vnd.oci.image.index.v1+json",
          manifests = { { digest = env.digest } },
        },
      }))
      refused(INVALID, "not supported", create(lambda, env, { Code = { ImageUri = REPOSITORY .. ":index" } }))
    end)
  end)

  it("make their repository let Lambda in, once", function()
    simulated(function(lambda, call, _, env)
      assert(create(lambda, env))
      local text = assert(call("ecr", "GetRepositoryPolicy", { repositoryName = "app" })).policyText
      assert.equal("LambdaECRImageRetrievalPolicy", json.decode(text).Statement[1].Sid)
      assert(create(lambda, env, { FunctionName = "g" }))
      assert.equal(text, assert(call("ecr", "GetRepositoryPolicy", { repositoryName = "app" })).policyText)
    end)
  end)

  it("refuse reserved variables and values out of range", function()
    simulated(function(lambda, _, _, env)
      refused(INVALID, "reserved keys", create(lambda, env, { Environment = { Variables = { AWS_REGION = "x" } } }))
      refused(INVALID, "4KB", create(lambda, env, { Environment = { Variables = { A = ("x"):rep(5000) } } }))
      assert.equal("ValidationException", code(create(lambda, env, { MemorySize = 64 })))
      refused(INVALID, "Handler", create(lambda, env, { Handler = "x.y" }))
    end)
  end)

  it("go with everything that is theirs", function()
    simulated(function(lambda, _, sleep, env)
      assert(create(lambda, env, { Publish = true }))
      sleep(30)
      assert(lambda("CreateAlias", { Name = "live", FunctionVersion = "1" }))
      assert(lambda("AddPermission", {
        StatementId = "s", Action = "lambda:InvokeFunction", Principal = "apigateway.amazonaws.com", Qualifier = "live",
      }))
      assert(lambda "DeleteFunction")
      assert.equal("ResourceNotFoundException", code(lambda "GetFunction"))
      assert(create(lambda, env))
      assert.equal("ResourceNotFoundException", code(lambda("GetAlias", { Name = "live" })))
      assert.equal("ResourceNotFoundException", code(lambda("GetFunction", { Qualifier = "1" })))
    end)
  end)

  it("have tags and reserved concurrency as a whole", function()
    simulated(function(lambda, call, sleep, env)
      assert(create(lambda, env, { Tags = { a = "1" }, Publish = true }))
      sleep(30)
      assert(call("lambda", "TagResource", { Resource = FUNCTION, Tags = { b = "2" } }))
      assert(call("lambda", "UntagResource", { Resource = FUNCTION, TagKeys = { "a" } }))
      assert.same({ b = "2" }, assert(call("lambda", "ListTags", { Resource = FUNCTION })).Tags)
      assert.equal(INVALID, code(call("lambda", "TagResource", { Resource = FUNCTION .. ":1", Tags = { c = "3" } })))
      refused(INVALID, "[100]", lambda("PutFunctionConcurrency", { ReservedConcurrentExecutions = 901 }))
      assert(lambda("PutFunctionConcurrency", { ReservedConcurrentExecutions = 900 }))
      local whole, one = assert(lambda "GetFunction"), assert(lambda("GetFunction", { Qualifier = "1" }))
      assert.equal(900, whole.Concurrency.ReservedConcurrentExecutions)
      assert.same({ b = "2" }, whole.Tags)
      assert.is_nil(one.Concurrency)
      assert.is_nil(one.Tags)
      assert(lambda "DeleteFunctionConcurrency")
      assert.equal(1000, assert(call("lambda", "GetAccountSettings")).AccountLimit.UnreservedConcurrentExecutions)
    end)
  end)

  it("are listed without their states, in pages", function()
    simulated(function(lambda, call, _, env)
      assert(create(lambda, env))
      assert(create(lambda, env, { FunctionName = "g" }))
      local first = assert(call("lambda", "ListFunctions", { MaxItems = 1 }))
      assert.equal("f", first.Functions[1].FunctionName)
      assert.is_nil(first.Functions[1].State)
      local second = assert(call("lambda", "ListFunctions", { Marker = first.NextMarker }))
      assert.equal("g", second.Functions[1].FunctionName)
    end)
  end)
end)

describe("infra.sim.lambda updates", function()
  it("come one after the other", function()
    simulated(function(lambda, _, sleep, env)
      assert(create(lambda, env))
      sleep(15)
      assert.equal("InProgress", assert(lambda("UpdateFunctionConfiguration", { Timeout = 5 })).LastUpdateStatus)
      refused(BUSY, "An update is in progress", lambda("UpdateFunctionCode", { ImageUri = env.uri }))
      refused(BUSY, "An update is in progress", lambda "PublishVersion")
      sleep(5)
      assert.equal("Successful", assert(lambda "GetFunctionConfiguration").LastUpdateStatus)
      assert(lambda("UpdateFunctionCode", { ImageUri = env.uri }))
    end)
  end)

  it("change only what they mention; the environment as a whole", function()
    simulated(function(lambda, _, sleep, env)
      assert(create(lambda, env, {
        Environment = { Variables = { A = "1", B = "2" } }, ImageConfig = { Command = { "c" } }, Description = "d",
      }))
      sleep(15)
      local function update(params)
        local output = assert(lambda("UpdateFunctionConfiguration", params))
        sleep(40)
        return output
      end
      local changed = update { Environment = { Variables = { A = "3" } }, LoggingConfig = { LogFormat = "JSON" } }
      assert.same({ A = "3" }, changed.Environment.Variables)
      assert.equal("INFO", changed.LoggingConfig.ApplicationLogLevel)
      assert.same({ "c" }, changed.ImageConfigResponse.ImageConfig.Command)
      assert.equal("d", changed.Description)
      changed = update { Environment = { Variables = {} }, ImageConfig = {} }
      assert.is_nil(changed.Environment)
      assert.is_nil(changed.ImageConfigResponse)
    end)
  end)

  it("lock by revision, and do not follow a tag that moves", function()
    simulated(function(lambda, call, sleep, env)
      local made = assert(create(lambda, env))
      sleep(15)
      local second = push(call, "two", "v1")
      assert.equal(env.digest, "sha256:" .. assert(lambda "GetFunctionConfiguration").CodeSha256)
      local changed = assert(lambda("UpdateFunctionCode", { ImageUri = env.uri, RevisionId = made.RevisionId }))
      assert.equal(second, "sha256:" .. changed.CodeSha256)
      sleep(20)
      assert.equal("PreconditionFailedException",
        code(lambda("UpdateFunctionCode", { ImageUri = env.uri, RevisionId = made.RevisionId })))
    end)
  end)
end)


describe("infra.sim.lambda versions and aliases", function()
  it("make no version when nothing has changed", function()
    published(function(lambda, _, sleep)
      assert.equal("1", assert(lambda "PublishVersion").Version)
      assert(lambda("UpdateFunctionConfiguration", { Timeout = 9 }))
      sleep(10)
      local second = assert(lambda "PublishVersion")
      assert.same({ "2", "Pending", FUNCTION .. ":2" }, { second.Version, second.State, second.FunctionArn })
      sleep(10)
      assert.equal("Active", assert(lambda("GetFunctionConfiguration", { Qualifier = "2" })).State)
      local all = assert(lambda "ListVersionsByFunction").Versions
      assert.same({ "$LATEST", "1", "2" }, { all[1].Version, all[2].Version, all[3].Version })
      assert.equal(3, all[2].Timeout)
      refused(INVALID, "CodeSHA256", lambda("PublishVersion", { CodeSha256 = "x" }))
    end)
  end)

  it("keep a version that an alias points to", function()
    published(function(lambda)
      assert(lambda("CreateAlias", { Name = "live", FunctionVersion = "1" }))
      refused(BUSY, "referenced by aliases", lambda("DeleteFunction", { Qualifier = "1" }))
      assert(lambda("DeleteAlias", { Name = "live" }))
      assert(lambda("DeleteAlias", { Name = "live" }))
      assert(lambda("DeleteFunction", { Qualifier = "1" }))
      assert.equal("ResourceNotFoundException", code(lambda("GetFunction", { Qualifier = "1" })))
      assert.equal(INVALID, code(lambda("DeleteFunction", { Qualifier = "$LATEST" })))
    end)
  end)

  it("have aliases once, on versions that exist", function()
    published(function(lambda)
      assert.equal(FUNCTION .. ":live",
        assert(lambda("CreateAlias", { Name = "live", FunctionVersion = "1" })).AliasArn)
      assert.equal(BUSY, code(lambda("CreateAlias", { Name = "live", FunctionVersion = "1" })))
      assert.equal("ResourceNotFoundException", code(lambda("CreateAlias", { Name = "b", FunctionVersion = "7" })))
      assert.equal("ValidationException", code(lambda("CreateAlias", { Name = "12", FunctionVersion = "1" })))
      local found = assert(lambda("GetFunction", { Qualifier = "live" })).Configuration
      assert.same({ FUNCTION .. ":live", "1" }, { found.FunctionArn, found.Version })
    end)
  end)

  it("show weights that nobody set while an alias with provisioned concurrency moves", function()
    published(function(lambda, _, sleep)
      assert(lambda("CreateAlias", { Name = "live", FunctionVersion = "1" }))
      local function provision(count)
        return lambda("PutProvisionedConcurrencyConfig", {
          Qualifier = "live", ProvisionedConcurrentExecutions = count,
        })
      end
      assert(provision(2))
      assert(lambda("UpdateFunctionConfiguration", { Timeout = 9 }))
      sleep(120)
      assert(lambda "PublishVersion")
      sleep(30)
      local moving = assert(lambda("UpdateAlias", { Name = "live", FunctionVersion = "2" }))
      assert.truthy(moving.RoutingConfig.AdditionalVersionWeights["1"])
      refused(INVALID, "Alias with weights", provision(3))
      sleep(90)
      assert.is_nil(assert(lambda("GetAlias", { Name = "live" })).RoutingConfig)
      assert(provision(3))
    end)
  end)
end)
