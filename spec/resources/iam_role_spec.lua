-- What IAM does to those who manage roles, and how the handlers meet it.

local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local merged = require "infra.merged"

local world

before_each(function() world = World.new() end)
after_each(function() world:close() end)

local function trust(principal)
  return { Version = "2012-10-17", Statement = { { Effect = "Allow", Action = "sts:AssumeRole",
    Principal = principal or { Service = "lambda.amazonaws.com" } } } }
end

local function document(action)
  return { Version = "2012-10-17", Statement = { { Effect = "Allow", Action = action, Resource = "*" } } }
end

local function declare(properties)
  return World.declare(function(stack)
    local all = merged({ RoleName = "app", AssumeRolePolicyDocument = trust() }, properties)
    stack:resource("AWS::IAM::Role", "role", all)
  end)
end

local function role()
  return world:call("iam", "GetRole", { RoleName = "app" }).Role
end

describe("AWS::IAM::Role", function()
  it("is deleted whatever others attached to it", function()
    world:run(declare())
    world:as_other(function(call)
      assert(call("iam", "PutRolePolicy", { RoleName = "app", PolicyName = "theirs",
        PolicyDocument = require("host.json").encode(document "s3:GetObject") }))
      assert(call("iam", "AttachRolePolicy", { RoleName = "app",
        PolicyArn = "arn:aws:iam::aws:policy/ReadOnlyAccess" }))
    end)
    world:destroy(declare())
    assert.same({}, world:census())
  end)

  it("is taken out of instance profiles before it is deleted", function()
    world:run(declare())
    local left = {}
    calls.with("iam", {
      ListInstanceProfilesForRole = function()
        return { InstanceProfiles = { { InstanceProfileName = "servers", Path = "/", InstanceProfileId = "AIPA1",
          Arn = "arn:aws:iam::123456789012:instance-profile/servers", CreateDate = 0, Roles = {} } },
          IsTruncated = false }
      end,
      RemoveRoleFromInstanceProfile = function(_, _, params)
        left[#left + 1] = params.InstanceProfileName
      end,
    }, function() world:destroy(declare()) end)
    assert.same({ "servers" }, left)
  end)

  it("waits while IAM has not noticed that nothing is attached any more", function()
    world:run(declare())
    local failing, tries = calls.failing({ "DeleteConflict", "must detach all policies first", 409 },
      { "DeleteConflict", "must detach all policies first", 409 })
    calls.with("iam", { DeleteRole = failing }, function() world:destroy(declare()) end)
    assert.equal(3, tries())
  end)

  it("waits for a principal that is too new to be known", function()
    local declaration = World.declare(function(stack)
      local first = stack:resource("AWS::IAM::Role", "first", { AssumeRolePolicyDocument = trust() })
      stack:resource("AWS::IAM::Role", "second", { AssumeRolePolicyDocument = trust { AWS = first.Arn } })
    end)
    local run = world:run(declaration)
    assert.is_true(#calls.params(run, "CreateRole") > 2)
    world:unchanged(declaration)
  end)

  it("gives up on a document that no waiting makes right", function()
    local run = world:apply(declare { AssumeRolePolicyDocument = document "sts:AssumeRole" })
    assert.equal("MalformedPolicyDocument", run.result.failures[1].code)
    assert.is_true(run.seconds < 30)
  end)

  it("is sent description and duration together: what is left out is reset", function()
    world:run(declare { Description = "a", MaxSessionDuration = 7200 })
    world:run(declare { Description = "b", MaxSessionDuration = 7200 })
    assert.equal(7200, role().MaxSessionDuration)
    world:run(declare { MaxSessionDuration = 7200 })
    assert.equal(7200, role().MaxSessionDuration)
    world:unchanged(declare { MaxSessionDuration = 7200 })
    world:run(declare())
    assert.equal(3600, role().MaxSessionDuration)
    world:unchanged(declare())
  end)

  it("gains and loses policies without touching the others", function()
    local function policies(...)
      local list = {}
      for _, name in ipairs { ... } do
        list[#list + 1] = { PolicyName = name, PolicyDocument = document("s3:" .. name) }
      end
      return { Policies = list, ManagedPolicyArns = { "arn:aws:iam::aws:policy/ReadOnlyAccess" } }
    end
    world:run(declare(policies("GetObject", "PutObject")))
    world:unchanged(declare(policies("PutObject", "GetObject")))
    local run = world:run(declare(policies("PutObject", "ListBucket")))
    assert.equal(1, #calls.params(run, "DeleteRolePolicy"))
    assert.same({}, calls.params(run, "AttachRolePolicy"))
    world:unchanged(declare(policies("PutObject", "ListBucket")))
    world:run(declare())
    world:unchanged(declare())
  end)

  it("is found again by its name, and nobody else's role is", function()
    world:run(declare(), calls.lose "CreateRole")
    world:unchanged(declare())
    world:destroy(declare())
    world:as_other(function(call)
      assert(call("iam", "CreateRole", { RoleName = "app",
        AssumeRolePolicyDocument = require("host.json").encode(trust()) }))
    end)
    local run = world:apply(declare())
    assert.equal("AlreadyExists", run.result.failures[1].code)
  end)
end)

describe("AWS::IAM::ManagedPolicy", function()
  local function policy(action)
    return World.declare(function(stack)
      stack:resource("AWS::IAM::ManagedPolicy", "policy", { PolicyDocument = document(action) })
    end)
  end

  it("keeps five versions at most, the oldest going first", function()
    for i = 1, 8 do
      world:run(policy("s3:Get" .. i))
    end
    local versions = world:as_other(function(call)
      local arn = "arn:aws:iam::123456789012:policy/demo-test-policy"
      return assert(call("iam", "ListPolicyVersions", { PolicyArn = arn })).Versions
    end)
    assert.equal(5, #versions)
    assert.equal("v8", versions[1].VersionId)
    world:unchanged(policy "s3:Get8")
    world:destroy(policy "s3:Get8")
    assert.same({}, world:census())
  end)
end)
