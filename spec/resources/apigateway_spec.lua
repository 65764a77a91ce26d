local World = require "spec.engine.world"
local calls = require "spec.resources.calls"

describe("AWS::ApiGateway::Account", function()
  local world

  before_each(function()
    world = World.new()
  end)
  after_each(function()
    world:close()
  end)

  local TRUST = {
    Version = "2012-10-17",
    Statement = { {
      Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "apigateway.amazonaws.com" },
    } },
  }
  local POLICY <const> = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"

  local function declare(name, others)
    return World.declare(function(stack)
      local roles = {}
      for _, each in ipairs { name, table.unpack(others or {}) } do
        roles[each] = stack:resource("AWS::IAM::Role", each, {
          RoleName = each, AssumeRolePolicyDocument = TRUST, ManagedPolicyArns = { POLICY },
        })
      end
      stack:resource("AWS::ApiGateway::Account", "account", { CloudWatchRoleArn = roles[name].Arn })
    end)
  end

  local function role()
    return world:as_other(function(call)
      local arn = assert(call("apigateway", "GetAccount", {})).cloudwatchRoleArn
      return arn and arn:match "[^/]+$"
    end)
  end

  -- Sets the account's role as another stack would; makes the role, too.
  local function set_as_other(name)
    world:as_other(function(call, session)
      local document = require("host.json").encode(TRUST)
      local created = assert(call("iam", "CreateRole", { RoleName = name, AssumeRolePolicyDocument = document }))
      assert(call("iam", "AttachRolePolicy", { RoleName = name, PolicyArn = POLICY }))
      session.runtime.scheduler:sleep(120)
      assert(call("apigateway", "UpdateAccount", { patchOperations = {
        { op = "replace", path = "/cloudwatchRoleArn", value = created.Role.Arn } } }))
    end)
  end

  it("is set as soon as the role is known everywhere, and is the same afterwards", function()
    local run = world:run(declare "one")
    assert.is_true(#calls.params(run, "UpdateAccount") > 1)
    assert.equal("one", role())
    world:unchanged(declare "one")
  end)

  it("follows another role of the stack", function()
    world:run(declare "one")
    world:run(declare("two", { "one" }))
    assert.equal("two", role())
    world:unchanged(declare("two", { "one" }))
  end)

  it("leaves the role that another stack has set: they would undo each other's work for ever", function()
    set_as_other "theirs"
    local run = world:run(declare "one")
    assert.equal(0, #calls.params(run, "UpdateAccount"))
    assert.equal("theirs", role())
    world:unchanged(declare "one")
    world:run(declare("two", { "one" }))
    assert.equal("theirs", role())
  end)

  it("takes over from a role that no longer exists", function()
    set_as_other "theirs"
    world:run(declare "one")
    world:as_other(function(call)
      assert(call("iam", "DetachRolePolicy", { RoleName = "theirs", PolicyArn = POLICY }))
      assert(call("iam", "DeleteRole", { RoleName = "theirs" }))
    end)
    assert.same({ account = "create" }, world:planned(declare "one"))
    world:run(declare "one")
    assert.equal("one", role())
  end)

  it("is left alone when the stack is destroyed: it is everybody's", function()
    world:run(declare "one")
    local run = world:destroy(declare "one")
    assert.equal(0, #calls.params(run, "UpdateAccount"))
    assert.equal("one", role())
  end)

  it("is patient with a service that takes one change in twenty seconds", function()
    local failure = { "TooManyRequestsException", "Too Many Requests", 429 }
    local refuse = calls.failing(failure, failure, failure, failure, failure, failure, failure)
    calls.with("apigateway", { UpdateAccount = refuse }, function()
      world:run(declare "one")
    end)
    assert.equal("one", role())
  end)
end)
