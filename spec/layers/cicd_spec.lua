local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local json = require "host.json"
local merged = require "infra.merged"
local watched = require "spec.layers.watched"

local EVERYTHING = { "roles", "repository", "lambda", "alias", "bucket", "distribution" }

local function declare(names, more)
  return World.declare(function(stack)
    local parts, options = watched(stack), { domain = "example.com" }
    for _, name in ipairs(names) do
      options[name] = parts[name]
    end
    options = merged(options, more)
    if options.topic then
      options.topic = stack:layer("observability", {}).topic
    end
    stack:layer("cicd", options)
  end)
end

local function of_type(declaration, type_name)
  local found, count = {}, 0
  for _, resource in pairs(declaration.resources) do
    if resource.type.name == type_name and resource.address:find "^cicd/" then
      found[resource.name], count = resource.properties, count + 1
    end
  end
  return found, count
end

-- "Source: Source, Build: Build, ..."
local function outline(pipeline)
  local names = {}
  for i, stage in ipairs(pipeline.Stages) do
    names[i] = ("%s: %s"):format(stage.Name, stage.Actions[1].ActionTypeId.Provider)
  end
  return table.concat(names, ", ")
end

local function variables(project)
  local values = {}
  for _, one in ipairs(project.Environment.EnvironmentVariables) do
    values[one.Name] = one.Value
  end
  return values
end

describe("the layer cicd", function()
  it("has three pipelines; only the infrastructure's asks before it applies", function()
    local pipelines, count = of_type(declare(EVERYTHING), "AWS::CodePipeline::Pipeline")
    assert.equal(3, count)
    assert.equal("Source: CodeStarSourceConnection, Plan: CodeBuild, Approve: Manual, Apply: CodeBuild",
      outline(pipelines["infra-pipeline"]))
    assert.equal("Source: CodeStarSourceConnection, Deploy: CodeBuild", outline(pipelines["backend-pipeline"]))
    assert.equal("Source: CodeStarSourceConnection, Deploy: CodeBuild", outline(pipelines["frontend-pipeline"]))
    local stages = pipelines["infra-pipeline"].Stages
    local plan, apply = stages[2].Actions[1], stages[4].Actions[1]
    assert.equal("plan", json.decode(plan.Configuration.EnvironmentVariables)[1].value)
    assert.equal("apply", json.decode(apply.Configuration.EnvironmentVariables)[1].value)
    assert.equal(plan.OutputArtifacts[1].Name, apply.InputArtifacts[1].Name) -- what was approved is what is applied
    assert.equal("demo/backend", pipelines["backend-pipeline"].Stages[1].Actions[1].Configuration.FullRepositoryId)
  end)

  it("builds by the files of this project, told by the environment what to deploy", function()
    local projects, count = of_type(declare(EVERYTHING), "AWS::CodeBuild::Project")
    assert.equal(3, count)
    for name, expected in pairs {
      infra = { "STACK", "STATE", "DEPLOYER", "INFRA_URL" },
      backend = { "REPOSITORY", "FUNCTION", "ALIAS", "HEALTH_URL" },
      frontend = { "BUCKET", "DISTRIBUTION", "OUTPUT" },
    } do
      local project = projects[name .. "-build"]
      local given = variables(project)
      for _, variable in ipairs(expected) do
        assert.is_string(given[variable])
        assert.matches("%f[%w_]" .. variable .. "%f[^%w_]", project.Source.BuildSpec)
        given[variable] = nil
      end
      assert.is_nil(next(given))
      assert.equal(name == "backend", project.Environment.PrivilegedMode)
    end
    assert.equal("https://example.com/health/", variables(projects["backend-build"]).HEALTH_URL)
  end)

  it("gives no build more rights than its own: only infra's may become the deployer", function()
    local declaration = declare(EVERYTHING)
    local policies = of_type(declaration, "AWS::IAM::ManagedPolicy")
    local function actions(document)
      local all = {}
      for _, statement in ipairs(document.Statement) do
        for _, action in ipairs(statement.Action) do
          all[action] = true
        end
      end
      return all
    end
    for _, name in ipairs { "backend-deploy", "frontend-deploy" } do
      assert.is_nil(actions(policies[name].PolicyDocument)["sts:AssumeRole"])
      assert.equal(1, #policies[name].Roles)
    end
    local infra = of_type(declaration, "AWS::IAM::Role")["infra-build-role"]
    assert.is_true(actions(infra.Policies[1].PolicyDocument)["sts:AssumeRole"])
  end)

  it("makes a pipeline of what it is given, and only the bucket without roles", function()
    assert.same({ 0, 1 }, { select(2, of_type(declare({}), "AWS::CodePipeline::Pipeline")),
      select(2, of_type(declare({}), "AWS::S3::Bucket")) })
    local pipelines = of_type(declare { "roles", "bucket", "distribution" }, "AWS::CodePipeline::Pipeline")
    assert.is_nil(pipelines["backend-pipeline"])
    assert.is_table(pipelines["frontend-pipeline"])
  end)

  it("keeps the state of the infra pipeline, and lets artifacts and what the state replaced expire", function()
    local buckets = of_type(declare(EVERYTHING), "AWS::S3::Bucket")
    local expiring, kept = table.unpack(buckets.artifacts.LifecycleConfiguration.Rules)
    assert.same({ 30, "demo-test-" }, { expiring.ExpirationInDays, expiring.Prefix })
    assert.same({ "state/", nil, 90 }, { kept.Prefix, kept.ExpirationInDays,
      kept.NoncurrentVersionExpiration.NoncurrentDays })
    local logs = of_type(declare(EVERYTHING), "AWS::Logs::LogGroup")
    assert.same({ "/aws/codebuild/demo-test-infra", 30 },
      { logs["infra-build-logs"].LogGroupName, logs["infra-build-logs"].RetentionInDays })
  end)

  it("uses a connection that somebody has authorised already", function()
    local arn = "arn:aws:codeconnections:us-east-1:123456789012:connection/1"
    local declaration = declare(EVERYTHING, { connection_arn = arn })
    assert.equal(0, select(2, of_type(declaration, "AWS::CodeConnections::Connection")))
    local pipelines = of_type(declaration, "AWS::CodePipeline::Pipeline")
    assert.equal(arn, pipelines["frontend-pipeline"].Stages[1].Actions[1].Configuration.ConnectionArn)
  end)

  it("tells the topic of failures and of plans that wait for somebody", function()
    local rules = of_type(declare(EVERYTHING, { topic = {} }), "AWS::Events::Rule")
    assert.equal(3, #rules.failures.EventPattern.detail.pipeline)
    assert.same({ "FAILED" }, rules.failures.EventPattern.detail.state)
    assert.equal(1, #rules.approvals.EventPattern.detail.pipeline)
    assert.same({ category = { "Approval" } }, rules.approvals.EventPattern.detail.type)
  end)

  it("is built, changes nothing when built again, is changed in place and destroyed on AWS's terms", function()
    local world = World.new()
    local function frontend(branch)
      return World.declare(function(stack)
        local network = stack:layer("network", { nat = "none" })
        local security = stack:layer("security", { vpc = network.vpc })
        local observability = stack:layer("observability", {})
        stack:layer("cicd", { roles = security.roles, topic = observability.topic, branch = branch })
      end)
    end
    local run = world:run(frontend "main")
    assert.matches("must be authorised", run.result.warnings[1])
    world:unchanged(frontend "main")
    assert.same({ "UpdatePipeline" }, calls.changes(world:run(frontend "release")))
    world:destroy(frontend "release")
    assert.same({}, world:rows())
    world:close()
  end)
end)
