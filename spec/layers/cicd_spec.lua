local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local clock = require "host.clock"
local fs = require "host.fs"
local json = require "host.json"
local merged = require "infra.merged"
local program = require "spec.support.program"
local temporary = require "spec.support.temporary"
local watched = require "spec.layers.watched"

local EVERYTHING = { "roles", "repository", "lambda", "alias", "bucket", "distribution" }

-- Where Ubuntu 22.04 has the libraries that this program links (the Makefile's names) and loads (their files).
local UBUNTU_PACKAGES = {
  ["lua5.4"] = "liblua5.4-0", sqlite3 = "libsqlite3-0", expat = "libexpat1", zlib = "zlib1g", libcjson = "libcjson1",
  libcrypto = "libssl3", ["libcurl.so.4"] = "libcurl4", ["libmicrohttpd.so.12"] = "libmicrohttpd12",
  ["libedit.so.2"] = "libedit2",
}

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

local function infra_build()
  return of_type(declare(EVERYTHING), "AWS::CodeBuild::Project")["infra-build"]
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
      infra = { "STACK", "STATE", "DEPLOYER", "INFRA_URL", "TIMEOUT" },
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

  it("builds the backend's image on the architecture that its function has", function()
    local function environments(more)
      local result = {}
      for name, project in pairs((of_type(declare(EVERYTHING, more), "AWS::CodeBuild::Project"))) do
        result[name] = project.Environment.Type .. " " .. project.Environment.Image
      end
      return result
    end
    local standard = "LINUX_CONTAINER aws/codebuild/standard:7.0"
    assert.same({ ["infra-build"] = standard, ["backend-build"] = standard, ["frontend-build"] = standard },
      environments())
    assert.same({ ["infra-build"] = standard, ["frontend-build"] = standard,
      ["backend-build"] = "ARM_CONTAINER aws/codebuild/amazonlinux-aarch64-standard:3.0" },
      environments { architecture = "arm64" })
  end)

  it("installs in each step of the infra pipeline what this program links and loads", function()
    local installed = infra_build().Source.BuildSpec:match "no%-install%-recommends(.-)\n      %- "
    local needed = assert(fs.read "Makefile"):match "\nLIBRARIES := ([^\n]+)"
    for _, name in ipairs(assert(fs.list "host")) do
      for soname in fs.read("host/" .. name):gmatch '\nLAZY_LIBRARY%(%w+, "([^"]+)"' do
        needed = needed .. " " .. soname
      end
    end
    for library in needed:gmatch "%S+" do
      assert.is_string(UBUNTU_PACKAGES[library], library)
      assert.truthy(installed:find(" " .. UBUNTU_PACKAGES[library], 1, true), library)
    end
  end)

  it("interrupts an apply before CodeBuild ends the build, as the role that may change everything", function()
    local directory, remove = temporary()
    finally(remove)
    assert(fs.mkdir(directory .. "/.infra"))
    assert(fs.write(directory .. "/.infra/infra", [[#!/bin/bash
      trap 'exit 3' INT
      echo "$AWS_PROFILE $1"
      [ "$1" = plan ] || for i in {1..600}; do sleep 0.1; done]]))
    local commands = infra_build().Source.BuildSpec:match "\n( +left=.-\n +esac)\n"
    local function run(step)
      local ended = program.run {
        argv = { "bash", "-c", "cd " .. directory .. "; chmod +x .infra/infra\n" .. commands },
        environment = { STEP = step, STACK = "stack.lua", TIMEOUT = "10",
          CODEBUILD_START_TIME = ("%d000"):format(clock.wall() // 1 - 297) },
      }
      return { ended.status, ended.stdout }
    end
    assert.same({ 0, "deployer plan\n" }, run "plan")
    assert.same({ 124, "deployer apply\n" }, run "apply")
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
