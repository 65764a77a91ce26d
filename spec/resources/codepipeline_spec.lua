local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local json = require "host.json"
local merged = require "infra.merged"

local CONNECTION <const> = "arn:aws:codeconnections:us-east-1:123456789012:connection/0b1c2d3e"

local function action(name, category, provider, configuration, more)
  return merged({
    Name = name, ActionTypeId = { Category = category, Owner = "AWS", Provider = provider, Version = "1" },
    Configuration = configuration,
  }, more)
end

local function stages(source, build)
  local from = merged({
    ConnectionArn = CONNECTION, FullRepositoryId = "demo/app", BranchName = "main", DetectChanges = true,
  }, source)
  local how = build or { ProjectName = "build", EnvironmentVariables = { { name = "STEP", value = "plan" } } }
  return {
    { Name = "Source", Actions = { action("Source", "Source", "CodeStarSourceConnection", from,
      { OutputArtifacts = { { Name = "source" } } }) } },
    { Name = "Build", Actions = { action("Build", "Build", "CodeBuild", how,
      { InputArtifacts = { { Name = "source" } } }) } },
  }
end

local function pipeline(more, options)
  return World.declare(function(stack)
    local role = stack:resource("AWS::IAM::Role", "role", { AssumeRolePolicyDocument = {
      Version = "2012-10-17", Statement = { {
        Effect = "Allow", Principal = { Service = "codepipeline.amazonaws.com" }, Action = "sts:AssumeRole",
      } },
    } })
    local bucket = stack:resource("AWS::S3::Bucket", "artifacts", {})
    local properties = {
      RoleArn = role.Arn, PipelineType = "V2", ArtifactStore = { Type = "S3", Location = bucket.BucketName },
      Stages = stages(),
    }
    for name, value in pairs(more or {}) do
      properties[name] = value ~= json.null and value or nil
    end
    stack:resource("AWS::CodePipeline::Pipeline", "deploy", properties, options)
  end)
end

local world

before_each(function()
  world = World.new()
end)
after_each(function()
  world:close()
end)

describe("AWS::CodePipeline::Pipeline", function()
  it("is sent in the API's names, its actions' configurations as text, and waits for its role", function()
    local run = world:run(pipeline())
    local attempts = calls.params(run, "CreatePipeline")
    assert.is_true(#attempts > 1)
    local sent = attempts[#attempts].pipeline
    assert.same({ "demo-test-deploy", "V2", "S3" }, { sent.name, sent.pipelineType, sent.artifactStore.type })
    assert.same({ category = "Source", owner = "AWS", provider = "CodeStarSourceConnection", version = "1" },
      sent.stages[1].actions[1].actionTypeId)
    assert.equal("true", sent.stages[1].actions[1].configuration.DetectChanges)
    assert.same({ { name = "STEP", value = "plan" } },
      json.decode(sent.stages[2].actions[1].configuration.EnvironmentVariables))
  end)

  it("is the same afterwards, although AWS adds a trigger, orders, empty lists and a version", function()
    local run = world:run(pipeline())
    assert.is_table(run)
    local live = world:call("codepipeline", "GetPipeline", { name = "demo-test-deploy" }).pipeline
    assert.equal("CodeStarSourceConnection", live.triggers[1].providerType)
    world:unchanged(pipeline())
    world:unchanged(pipeline { ExecutionMode = "SUPERSEDED", Stages = stages { DetectChanges = "true" } })
  end)

  it("is updated as a whole, with what is declared and nothing else", function()
    world:run(pipeline { Variables = { { Name = "colour", DefaultValue = "red" } }, ExecutionMode = "QUEUED" })
    local wanted = pipeline { Stages = stages { BranchName = "release" } }
    local run = world:run(wanted)
    local sent = calls.params(run, "UpdatePipeline")[1].pipeline
    assert.same({ "SUPERSEDED", {} }, { sent.executionMode, sent.variables })
    assert.equal("release", sent.stages[1].actions[1].configuration.BranchName)
    world:unchanged(wanted)
  end)

  it("keeps triggers that are declared, and notices when somebody changes them", function()
    local function with(branch)
      return pipeline { Triggers = { { ProviderType = "CodeStarSourceConnection", GitConfiguration = {
        SourceActionName = "Source", Push = { { Branches = { Includes = { branch } } } },
      } } } }
    end
    world:run(with "main")
    world:unchanged(with "main")
    world:run(pipeline { Triggers = {} })
    assert.same({ deploy = "update" }, world:planned(with "main"))
  end)

  it("does not care which of its two names the connection's service goes by", function()
    local other = CONNECTION:gsub("codeconnections", "codestar-connections")
    world:run(pipeline { Stages = stages { ConnectionArn = other } })
    world:unchanged(pipeline())
  end)

  it("does not compare what AWS hides", function()
    local function github(token)
      return pipeline { Stages = { { Name = "Source", Actions = { {
        Name = "Source",
        ActionTypeId = { Category = "Source", Owner = "ThirdParty", Provider = "GitHub", Version = "1" },
        Configuration = { Owner = "demo", Repo = "app", Branch = "main", OAuthToken = token },
      } } }, stages()[2] } }
    end
    local get = function(original, ctx, params)
      local output = json.decode(json.encode(original(ctx, params)))
      output.pipeline.stages[1].actions[1].configuration.OAuthToken = "****"
      return output
    end
    world:run(github "abcdef123456")
    calls.with("codepipeline", { GetPipeline = get }, function()
      world:unchanged(github "abcdef123456")
    end)
  end)

  it("has a store of artifacts in every region", function()
    local function stores(first, second)
      local function store(region)
        return { Region = region, ArtifactStore = { Type = "S3", Location = "artifacts-" .. region } }
      end
      return pipeline { ArtifactStore = json.null, ArtifactStores = { store(first), store(second) } }
    end
    local run = world:run(stores("us-east-1", "us-west-2"))
    local attempts = calls.params(run, "CreatePipeline")
    assert.same({ type = "S3", location = "artifacts-us-west-2" },
      attempts[#attempts].pipeline.artifactStores["us-west-2"])
    world:unchanged(stores("us-west-2", "us-east-1"))
    assert.same({ deploy = "update" }, world:planned(stores("us-west-2", "eu-west-1")))
  end)

  it("is found again after a lost answer, and does not take over somebody else's of its name", function()
    local lost = calls.lose "CreatePipeline"
    world:run(pipeline { Tags = { A = "1" } }, lost)
    world:unchanged(pipeline { Tags = { A = "1" } })
    assert.same({ "TagResource" }, calls.changes(world:run(pipeline { Tags = { A = "2" } })))
    world:destroy(pipeline())
    assert.same({}, world:rows())
  end)

  it("is refused before anything is sent: with a structure that AWS refuses", function()
    local function fault(properties)
      local ok, err = pcall(pipeline, properties)
      assert.is_false(ok)
      return tostring(err)
    end
    local good = stages()
    assert.matches("Stages must be two at least, are 1", fault { Stages = { good[1] } })
    assert.matches("Stages%[1%] can have actions of the category Source only", fault { Stages = { good[2], good[1] } })
    assert.matches("Stages%[2%] cannot have an action of the category Source", fault { Stages = { good[1], good[1] } })
    assert.matches("ArtifactStore or ArtifactStores is required", fault { ArtifactStore = json.null })
    assert.matches("cannot set 'RestartExecutionOnUpdate'", fault { RestartExecutionOnUpdate = true })
  end)
end)

local function connection(properties, options)
  return World.declare(function(stack)
    local all = merged({ ConnectionName = "demo", ProviderType = "GitHub" }, properties)
    local made = stack:resource("AWS::CodeConnections::Connection", "source", all, options)
    stack:output("connection", made.ConnectionArn)
  end)
end

describe("AWS::CodeConnections::Connection", function()
  -- What a person does in the console.
  local function authorise()
    local available = function(original, ctx, params)
      local output = original(ctx, params)
      output.Connection.ConnectionStatus = "AVAILABLE"
      return output
    end
    return { GetConnection = available }
  end

  it("does not wait for the person who must authorise it; every run says so until somebody has", function()
    for _ = 1, 2 do
      local run = world:run(connection())
      assert.matches("the connection demo must be authorised in the console", run.result.warnings[1])
    end
    calls.with("codeconnections", authorise(), function()
      assert.same({}, world:run(connection()).result.warnings)
    end)
  end)

  it("is found by its tag when the answer is lost: others may have its name", function()
    world:as_other(function(call)
      assert(call("codeconnections", "CreateConnection", { ConnectionName = "demo", ProviderType = "GitHub" }))
    end)
    local run = world:run(connection(), calls.lose("CreateConnection"))
    assert.equal(1, #calls.params(run, "CreateConnection"))
    world:unchanged(connection())

    local crash = { schedule = { { fault = "crash", operation = "CreateConnection", when = "after" } } }
    world:destroy(connection())
    world:apply(connection(), { faults = crash })
    assert.same({}, calls.changes(world:run(connection())))
  end)

  it("is made again when the first request was lost and somebody else's has its name", function()
    world:as_other(function(call)
      assert(call("codeconnections", "CreateConnection", { ConnectionName = "demo", ProviderType = "GitHub" }))
    end)
    local run = world:run(connection(), { faults = { schedule = { {
      fault = "lost_request", operation = "CreateConnection",
    } } } })
    assert.same({ "CreateConnection" }, calls.changes(run))
  end)

  it("can be taken over by its name", function()
    local arn = world:as_other(function(call)
      return assert(call("codeconnections", "CreateConnection",
        { ConnectionName = "demo", ProviderType = "GitHub" })).ConnectionArn
    end)
    local run = world:run(connection({}, { adopt = true }))
    assert.same({}, calls.params(run, "CreateConnection"))
    assert.equal(arn, run.result.outputs.connection)
  end)

  it("is never replaced by itself, for a new one needs a person again", function()
    world:run(connection())
    local plan, err = world:plan(connection { ProviderType = "GitLab" })
    assert.is_nil(plan)
    assert.equal("Protected", err.code)
    assert.matches("works only after a person has authorised it", err.message)
    world:run(connection({ ProviderType = "GitLab" }, { protect = false }))
    world:destroy(connection { ProviderType = "GitLab" })
    assert.same({}, world:rows())
  end)

  it("keeps the ARN that it was made with, whatever service AWS names in it", function()
    local first = world:run(connection()).result.outputs.connection
    calls.with("codeconnections", {
      GetConnection = function(original, ctx, params)
        local output = json.decode(json.encode(original(ctx, params)))
        output.Connection.ConnectionArn = first:gsub("codeconnections", "codestar-connections")
        return output
      end,
    }, function()
      assert.equal(first, world:run(connection { Tags = { A = "1" } }).result.outputs.connection)
    end)
  end)
end)
