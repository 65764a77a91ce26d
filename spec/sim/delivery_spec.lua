-- The simulated CodeBuild, CodePipeline and CodeConnections: what their API references and their known traps say.

local caller = require "spec.sim.caller"
local json = require "host.json"
local merged = require "infra.merged"

local code = caller.code

-- A role that `service` may take, old enough to be known.
local function role_for(call, world, service)
  local arn = assert(call("iam", "CreateRole", { RoleName = service, AssumeRolePolicyDocument = json.encode {
    Version = "2012-10-17", Statement = { { Effect = "Allow", Action = "sts:AssumeRole",
      Principal = { Service = service .. ".amazonaws.com" } } } } })).Role.Arn
  world.scheduler:sleep(60)
  return arn
end

describe("infra.sim.codebuild", function()
  local function project(role, more)
    return merged({
      name = "project", serviceRole = role, source = { type = "CODEPIPELINE" }, artifacts = { type = "CODEPIPELINE" },
      environment = { type = "LINUX_CONTAINER", image = "i", computeType = "BUILD_GENERAL1_SMALL" },
      tags = { { key = "a", value = "1" } },
    }, more)
  end

  it("makes projects that a role can work for, once", function()
    caller.run({}, function(call, _, world)
      assert.equal("InvalidInputException", code(call("codebuild", "CreateProject", project "arn:aws:iam::1:role/x")))
      local role = role_for(call, world, "codebuild")
      assert.equal("InvalidInputException", code(call("codebuild", "CreateProject",
        project(role, { artifacts = { type = "NO_ARTIFACTS" } }))))
      local made = assert(call("codebuild", "CreateProject", project(role))).project
      assert.equal(60, made.timeoutInMinutes)
      assert.equal("ResourceAlreadyExistsException", code(call("codebuild", "CreateProject", project(role))))
      local found = assert(call("codebuild", "BatchGetProjects", { names = { "project", "other" } }))
      assert.same({ "other" }, found.projectsNotFound)
    end)
  end)

  it("keeps what an update leaves out, except tags", function()
    caller.run({}, function(call, _, world)
      assert(call("codebuild", "CreateProject", project(role_for(call, world, "codebuild"), { description = "d" })))
      local changed = assert(call("codebuild", "UpdateProject", { name = "project", timeoutInMinutes = 10 })).project
      assert.equal("d", changed.description)
      assert.is_nil(changed.tags and changed.tags[1])
      assert(call("codebuild", "DeleteProject", { name = "project" }))
      assert(call("codebuild", "DeleteProject", { name = "project" }))
    end)
  end)
end)

describe("infra.sim.codepipeline", function()
  local function action(name, category, provider)
    return { name = name, actionTypeId = { category = category, owner = "AWS", provider = provider, version = "1" } }
  end

  local function pipeline(role, stages)
    return { pipeline = {
      name = "p", roleArn = role, pipelineType = "V2", artifactStore = { type = "S3", location = "artifacts" },
      stages = stages or {
        { name = "Source", actions = { action("s", "Source", "CodeStarSourceConnection") } },
        { name = "Build", actions = { action("b", "Build", "CodeBuild") } },
      },
    } }
  end

  it("makes pipelines that begin with a source", function()
    caller.run({}, function(call, _, world)
      local role = role_for(call, world, "codepipeline")
      assert.equal("InvalidStructureException", code(call("codepipeline", "CreatePipeline", pipeline(role))))
      assert(call("s3", "CreateBucket", { Bucket = "artifacts" }))
      assert.equal("InvalidStructureException", code(call("codepipeline", "CreatePipeline",
        pipeline(role, { { name = "Build", actions = { action("b", "Build", "CodeBuild") } } }))))
      assert.equal("InvalidStructureException", code(call("codepipeline", "CreatePipeline",
        pipeline "arn:aws:iam::123456789012:role/nobody")))
      local made = assert(call("codepipeline", "CreatePipeline", pipeline(role))).pipeline
      assert.equal(1, made.stages[1].actions[1].runOrder)
      assert.equal("CodeStarSourceConnection", made.triggers[1].providerType)
      assert.equal("PipelineNameInUseException", code(call("codepipeline", "CreatePipeline", pipeline(role))))
      assert.equal(2, assert(call("codepipeline", "UpdatePipeline", pipeline(role))).pipeline.version)
      assert(call("codepipeline", "DeletePipeline", { name = "p" }))
      assert.equal("PipelineNotFoundException", code(call("codepipeline", "GetPipeline", { name = "p" })))
    end)
  end)
end)

describe("infra.sim.codeconnections", function()
  it("waits for a person, and makes two of the same name", function()
    caller.run({}, function(call)
      local request = { ConnectionName = "c", ProviderType = "GitHub" }
      local first = assert(call("codeconnections", "CreateConnection", request)).ConnectionArn
      assert.not_equal(first, assert(call("codeconnections", "CreateConnection", request)).ConnectionArn)
      local found = assert(call("codeconnections", "GetConnection", { ConnectionArn = first })).Connection
      assert.equal("PENDING", found.ConnectionStatus)
      assert.equal(2, #assert(call("codeconnections", "ListConnections", {})).Connections)
      assert(call("codeconnections", "DeleteConnection", { ConnectionArn = first }))
      assert.equal("ResourceNotFoundException", code(call("codeconnections", "GetConnection",
        { ConnectionArn = first })))
    end)
  end)
end)
