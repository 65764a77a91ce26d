-- Plans: what is to be done about what is declared, recorded and there.

local World = require "spec.engine.world"
local infra = require "infra"

local world

before_each(function() world = World.new() end)
after_each(function() world:close() end)

local function parameter(stack, name, value, options)
  return stack:resource("AWS::SSM::Parameter", name, { Name = "/demo/" .. name, Type = "String", Value = value },
    options)
end

-- A declaration with one parameter "p" and these options.
local function one(value, options)
  return World.declare(function(stack) parameter(stack, "p", value, options) end)
end

local nothing = World.declare(function() end)

local function actions(declaration, options)
  return World.actions(assert(world:plan(declaration, options)))
end

local function value_of(name)
  return world:as_other(function(call)
    local output = assert(call("ssm", "GetParameters", { Names = { "/demo/" .. name } }))
    return output.Parameters[1] and output.Parameters[1].Value
  end)
end

describe("a plan", function()
  it("creates, updates, deletes, and does nothing", function()
    assert.same({ p = "create" }, actions(one "a"))
    world:run(one "a")
    assert.same({}, actions(one "a"))
    assert.same({ p = "update" }, actions(one "b"))
    assert.same({ p = "delete" }, actions(nothing))
  end)

  it("counts", function()
    world:run(World.declare(function(stack)
      parameter(stack, "same", "a")
      parameter(stack, "changed", "a")
      parameter(stack, "gone", "a")
    end))
    local plan = assert(world:plan(World.declare(function(stack)
      parameter(stack, "same", "a")
      parameter(stack, "changed", "b")
      parameter(stack, "new", "a")
    end)))
    assert.same({ create = 1, update = 1, replace = 0, delete = 1, forget = 0, none = 1 }, plan.counts)
  end)

  it("changes nothing, neither at AWS nor in the state", function()
    world:run(one "a")
    local before = world:rows()
    local _, _, process = world:plan(one "b")
    for _, call in ipairs(process.calls) do
      assert.equal("read", call.kind)
    end
    assert.same(before, world:rows())
  end)

  it("tells what it does not know yet", function()
    local plan = assert(world:plan(World.declare(function(stack)
      local vpc = stack:resource("AWS::EC2::VPC", "vpc", { CidrBlock = "10.0.0.0/16" })
      parameter(stack, "p", "id " .. vpc.VpcId)
      parameter(stack, "block", vpc.CidrBlock)
    end)))
    assert.equal("(known after vpc)", tostring(plan.by_address.p.desired.Value))
    assert.equal("10.0.0.0/16", plan.by_address.block.desired.Value)
  end)

  it("repairs what changed behind its back, and makes again what is gone", function()
    world:run(one "a")
    world:as_other(function(call)
      assert(call("ssm", "PutParameter", { Name = "/demo/p", Value = "x", Overwrite = true }))
    end)
    local plan = assert(world:plan(one "a"))
    assert.same({ { name = "Value", before = "x", after = "a", replaces = false } }, plan.by_address.p.differences)
    world:as_other(function(call) assert(call("ssm", "DeleteParameter", { Name = "/demo/p" })) end)
    plan = assert(world:plan(one "a"))
    assert.equal("create", plan.by_address.p.action)
    assert.equal("it no longer exists", plan.by_address.p.reason)
    world:run(one "a")
    assert.equal("a", value_of "p")
    assert.equal(1, #world:rows())
  end)

  it("forgets what is neither declared nor there any more", function()
    world:run(one "a")
    world:as_other(function(call) assert(call("ssm", "DeleteParameter", { Name = "/demo/p" })) end)
    assert.same({ p = "forget" }, actions(nothing))
    world:run(nothing)
    assert.same({}, world:rows())
  end)
end)

describe("replacement", function()
  local function network(cidr, more)
    return World.declare(function(stack)
      local vpc = stack:resource("AWS::EC2::VPC", "vpc", { CidrBlock = cidr }, more)
      local group = stack:resource("AWS::EC2::SecurityGroup", "group", { GroupDescription = "g", VpcId = vpc.VpcId })
      parameter(stack, "p", group.GroupId)
    end)
  end

  it("follows from the schema, and cascades to what depends on it", function()
    world:run(network "10.0.0.0/16")
    local before = value_of "p"
    assert.same({ vpc = "replace", group = "replace", p = "update" }, actions(network "10.1.0.0/16"))
    world:run(network "10.1.0.0/16")
    assert.is_not_equal(before, value_of "p")
    assert.same({}, actions(network "10.1.0.0/16"))
    assert.equal(3, #world:rows())
  end)

  it("may make the new one first", function()
    world:run(network "10.0.0.0/16")
    local declaration = network("10.1.0.0/16", { create_before_delete = true })
    local run = world:run(declaration)
    local position = {}
    for i, call in ipairs(run.calls) do
      position[call.operation] = i
    end
    assert.is_true(position.CreateVpc < position.DeleteVpc)
    assert.is_true(position.CreateVpc < position.DeleteSecurityGroup)
    assert.same({}, actions(declaration))
    assert.equal(3, #world:rows())
  end)

  it("that makes the new one first needs another name", function()
    local function role(path)
      return World.declare(function(stack)
        stack:resource("AWS::IAM::Role", "r", { Path = path, RoleName = "app", AssumeRolePolicyDocument = {
          Version = "2012-10-17", Statement = { { Effect = "Allow", Action = "sts:AssumeRole",
            Principal = { Service = "lambda.amazonaws.com" } } } } }, { create_before_delete = true })
      end)
    end
    world:run(role "/")
    local _, err = world:plan(role "/team/")
    assert.equal("SameName", err.code)
    assert.equal("r", err.resource)
  end)

  it("that fails leaves the old one in use", function()
    world:run(network "10.0.0.0/16")
    local broken = network("10.0.0.0/8", { create_before_delete = true })
    local run = world:apply(broken)
    assert.equal("InvalidVpc.Range", run.result.failures[1].code)
    assert.same({}, actions(network "10.0.0.0/16"))
    for _, row in ipairs(world:rows()) do
      assert.equal("ready", row.status)
    end
  end)

  it("happens when the type changes, with the old type's calls", function()
    world:run(World.declare(function(stack) parameter(stack, "p", "a") end))
    local declaration = World.declare(function(stack) stack:resource("AWS::SNS::Topic", "p") end)
    local plan = assert(world:plan(declaration))
    assert.equal("replace", plan.by_address.p.action)
    assert.equal("its type changed", plan.by_address.p.reason)
    world:run(declaration)
    assert.is_nil(value_of "p")
    assert.equal("AWS::SNS::Topic", world:rows()[1].type)
    assert.same({}, actions(declaration))
  end)

  it("happens when the region changes", function()
    world:run(one("a", { region = "us-east-1" }))
    local moved = one("a", { region = "eu-west-1" })
    local plan = assert(world:plan(moved))
    assert.equal("replace", plan.by_address.p.action)
    assert.equal("its region changed", plan.by_address.p.reason)
    world:run(moved)
    assert.is_nil(value_of "p")
    assert.same({}, actions(moved))
  end)
end)

describe("targets", function()
  local declaration = World.declare(function(stack)
    local a = parameter(stack, "a", "1")
    parameter(stack, "b", a.Value)
    parameter(stack, "c", "3")
    local topic = stack:resource("AWS::SNS::Topic", "topic")
    stack:output("value", a.Value)
    stack:output("topic", topic.TopicArn)
    stack:output("c", "c is " .. topic.TopicName)
  end)

  it("restrict a run, and outputs wait for what is not there yet", function()
    local run = world:run(declaration, { targets = { "b" } })
    assert.same({ a = "create", b = "create" }, World.actions(run.plan))
    assert.same({ value = "1" }, run.result.outputs)
    assert.same({ c = "create", topic = "create" }, actions(declaration))
    run = world:run(declaration)
    assert.equal("c is demo-test-topic", run.result.outputs.c)
  end)

  it("restrict a destroy to what they need not", function()
    world:run(declaration)
    world:run(declaration, { targets = { "b" }, destroy = true })
    local left = {}
    for _, row in ipairs(world:rows()) do
      left[#left + 1] = row.address
    end
    assert.same({ "a", "c", "topic" }, left)
  end)
end)

describe("outputs", function()
  it("are resolved, secrets sealed, and kept", function()
    local declaration = World.declare(function(stack)
      local p = parameter(stack, "p", "a")
      stack:output("list", { p.Value, p.Type })
      stack:output("password", infra.secret "correct horse")
    end)
    local run = world:run(declaration)
    assert.same({ "a", "String" }, run.result.outputs.list)
    assert.is_nil(require("host.json").encode(run.result.outputs):find("correct horse", 1, true))
    assert.same(run.result.outputs, world:with_state(function(store) return store:outputs() end))
  end)

  it("of what failed are missing", function()
    local run = world:apply(World.declare(function(stack)
      local bucket = stack:resource("AWS::S3::Bucket", "b", { BucketName = "No_Bucket" })
      stack:output("name", bucket.BucketName)
      stack:output("other", "x")
    end))
    assert.equal(1, #run.result.failures)
    assert.same({ other = "x" }, run.result.outputs)
  end)
end)

describe("failures", function()
  it("stop what depends on them and nothing else, and the next run goes on", function()
    local function declare(name)
      return World.declare(function(stack)
        local bucket = stack:resource("AWS::S3::Bucket", "b", { BucketName = name })
        parameter(stack, "after", bucket.Arn)
        parameter(stack, "beside", "x")
      end)
    end
    local run = world:apply(declare "No_Bucket")
    assert.equal("failed", run.result.outcome)
    assert.equal("b", run.result.failures[1].resource)
    assert.matches("plan_spec.lua:%d+", run.result.failures[1].source)
    assert.equal(1, run.result.skipped)
    assert.equal("x", value_of "beside")
    assert.same({ b = "create", after = "create" }, World.actions(world:run(declare "a-bucket").plan))
  end)

  it("of references are told with the resource", function()
    local _, err = world:plan(World.declare(function(stack)
      local group = stack:resource("AWS::EC2::SecurityGroup", "g", { GroupDescription = "g", VpcId = "vpc-1",
        SecurityGroupIngress = {} })
      parameter(stack, "p", "x" .. group.SecurityGroupIngress)
    end))
    assert.equal("BadReference", err.code)
    assert.equal("p", err.resource)
    assert.matches("plan_spec.lua:%d+", err.source)
  end)
end)
