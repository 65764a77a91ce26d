local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local merged = require "infra.merged"

local function trust(service)
  return { Version = "2012-10-17", Statement = { {
    Effect = "Allow", Principal = { Service = service }, Action = "sts:AssumeRole",
  } } }
end

local function project(more, options)
  return World.declare(function(stack)
    local role = stack:resource("AWS::IAM::Role", "role",
      { AssumeRolePolicyDocument = trust "codebuild.amazonaws.com" })
    local properties = merged({
      ServiceRole = role.Arn, Source = { Type = "CODEPIPELINE", BuildSpec = "version: 0.2" },
      Artifacts = { Type = "CODEPIPELINE" },
      Environment = {
        Type = "LINUX_CONTAINER", Image = "aws/codebuild/standard:7.0", ComputeType = "BUILD_GENERAL1_SMALL",
        EnvironmentVariables = {
          { Name = "B", Type = "PLAINTEXT", Value = "1" }, { Name = "A", Type = "PARAMETER_STORE", Value = "/x" },
        },
      },
      LogsConfig = { CloudWatchLogs = { Status = "ENABLED", GroupName = "/aws/codebuild/build" } },
    }, more)
    stack:resource("AWS::CodeBuild::Project", "build", properties, options)
  end)
end

describe("AWS::CodeBuild::Project", function()
  local world

  before_each(function()
    world = World.new()
  end)
  after_each(function()
    world:close()
  end)

  it("is sent in the names of the API, waits for its role, and is the same afterwards", function()
    local run = world:run(project())
    local attempts = calls.params(run, "CreateProject")
    assert.is_true(#attempts > 1) -- the role is as new as the project
    local sent = attempts[#attempts]
    assert.same({ "CODEPIPELINE", "version: 0.2" }, { sent.source.type, sent.source.buildspec })
    assert.same({ name = "B", type = "PLAINTEXT", value = "1" }, sent.environment.environmentVariables[1])
    assert.equal("/aws/codebuild/build", sent.logsConfig.cloudWatchLogs.groupName)
    world:unchanged(project())
  end)

  it("is changed by what differs, always with its tags: an update without them removes them", function()
    world:run(project { Description = "old", Tags = { A = "1" } })
    local changed = project { Description = "new", TimeoutInMinutes = 30, Tags = { A = "1" } }
    local run = world:run(changed)
    local sent = calls.params(run, "UpdateProject")[1]
    assert.same({ "new", 30, nil }, { sent.description, sent.timeoutInMinutes, sent.environment })
    local keys = {}
    for _, tag in ipairs(sent.tags) do
      keys[tag.key] = tag.value
    end
    assert.equal("1", keys.A)
    assert.is_string(keys["infra:id"])
    world:unchanged(changed)
  end)

  it("gets its tags by an update of nothing else", function()
    world:run(project { Tags = { A = "1" } })
    local run = world:run(project { Tags = { B = "2" } })
    local sent = calls.params(run, "UpdateProject")
    assert.equal(1, #sent)
    assert.is_nil(sent[1].source)
    world:unchanged(project { Tags = { B = "2" } })
  end)

  it("is emptied of what is not declared any more", function()
    world:run(project { Description = "old", Cache = { Type = "LOCAL", Modes = { "LOCAL_SOURCE_CACHE" } },
      TimeoutInMinutes = 10, VpcConfig = { VpcId = "vpc-1", Subnets = { "subnet-1" }, SecurityGroupIds = { "sg-1" } } })
    local sent = calls.params(world:run(project()), "UpdateProject")[1]
    assert.same({ "", { type = "NO_CACHE" }, 60, {} }, { sent.description, sent.cache, sent.timeoutInMinutes,
      sent.vpcConfig })
    world:unchanged(project())
  end)

  it("means the same with AWS's defaults spelt out, and the order of variables counts", function()
    world:run(project())
    assert.same({}, world:planned(project { TimeoutInMinutes = 60, QueuedTimeoutInMinutes = 480,
      EncryptionKey = "alias/aws/s3", Cache = { Type = "NO_CACHE" }, Visibility = "PRIVATE", BadgeEnabled = false }))
    local swapped = { Type = "LINUX_CONTAINER", Image = "aws/codebuild/standard:7.0",
      ComputeType = "BUILD_GENERAL1_SMALL", EnvironmentVariables = {
        { Name = "A", Type = "PARAMETER_STORE", Value = "/x" }, { Name = "B", Type = "PLAINTEXT", Value = "1" },
      } }
    assert.same({ build = "update" }, world:planned(project { Environment = swapped }))
  end)

  it("does not take over somebody else's of its name, and finds its own after a lost answer", function()
    local lost = { schedule = { { fault = "lost_response", operation = "CreateProject", nth = 3 } } }
    world:run(project(), { faults = lost })
    world:unchanged(project())
    assert.equal("AlreadyExists", world:apply(World.declare(function(stack)
      stack:resource("AWS::CodeBuild::Project", "second", {
        Name = "demo-test-build", ServiceRole = "arn:aws:iam::123456789012:role/demo-test-role",
        Source = { Type = "NO_SOURCE", BuildSpec = "version: 0.2" }, Artifacts = { Type = "NO_ARTIFACTS" },
        Environment = { Type = "LINUX_CONTAINER", Image = "i", ComputeType = "BUILD_GENERAL1_SMALL" },
      })
    end), { targets = { "second" } }).result.failures[1].code)
  end)

  it("is read with a hundred others in a call", function()
    local declaration = World.declare(function(stack)
      local role = stack:resource("AWS::IAM::Role", "role",
        { AssumeRolePolicyDocument = trust "codebuild.amazonaws.com" })
      for i = 1, 12 do
        stack:resource("AWS::CodeBuild::Project", "build-" .. i, {
          ServiceRole = role.Arn, Source = { Type = "NO_SOURCE", BuildSpec = "version: 0.2" },
          Artifacts = { Type = "NO_ARTIFACTS" },
          Environment = { Type = "LINUX_CONTAINER", Image = "i", ComputeType = "BUILD_GENERAL1_SMALL" },
        })
      end
    end)
    world:run(declaration)
    local _, _, process = world:plan(declaration)
    assert.equal(1, #calls.params(process, "BatchGetProjects"))
  end)

  it("is gone, and made again, when somebody else has deleted it", function()
    world:run(project())
    world:as_other(function(call)
      assert(call("codebuild", "DeleteProject", { name = "demo-test-build" }))
    end)
    assert.same({ build = "create" }, world:planned(project()))
    world:run(project())
    world:destroy(project())
    assert.same({}, world:rows())
  end)

  it("is refused before anything is sent: half in a pipeline, or with what no call can set", function()
    local function fault(properties)
      local ok, err = pcall(project, properties)
      assert.is_false(ok)
      return tostring(err)
    end
    assert.matches("both of the Type CODEPIPELINE", fault { Artifacts = { Type = "NO_ARTIFACTS" } })
    assert.matches("cannot set 'Triggers'", fault { Triggers = { Webhook = true } })
  end)
end)
