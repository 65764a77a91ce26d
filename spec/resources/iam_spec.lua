local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local merged = require "infra.merged"

local world

before_each(function()
  world = World.new()
end)
after_each(function()
  world:close()
end)

local URL <const> = "https://token.actions.githubusercontent.com"

local function provider(properties, options)
  return World.declare(function(stack)
    local all = merged({ Url = URL, ClientIdList = { "sts.amazonaws.com" } }, properties)
    local made = stack:resource("AWS::IAM::OIDCProvider", "github", all, options)
    stack:output("arn", made.Arn)
  end)
end

describe("AWS::IAM::OIDCProvider", function()
  it("is created, and is the same afterwards, although IAM drops the scheme and fetches a thumbprint", function()
    local run = world:run(provider())
    assert.equal("arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com", run.result.outputs.arn)
    world:unchanged(provider())
    world:unchanged(provider { Url = URL .. "/" })
  end)

  it("gets and loses clients one by one, in no order", function()
    world:run(provider { ClientIdList = { "a", "b" } })
    world:unchanged(provider { ClientIdList = { "b", "a" } })
    local run = world:run(provider { ClientIdList = { "b", "c" } })
    assert.same({ "AddClientIDToOpenIDConnectProvider", "RemoveClientIDFromOpenIDConnectProvider" }, calls.changes(run))
    world:unchanged(provider { ClientIdList = { "b", "c" } })
  end)

  it("keeps its thumbprints when they are not declared any more: they cannot be removed", function()
    local prints = { ("a"):rep(40) }
    world:run(provider { ThumbprintList = prints })
    assert.same({ "UpdateOpenIDConnectProviderThumbprint" },
      calls.changes(world:run(provider { ThumbprintList = { ("b"):rep(40) } })))
    world:unchanged(provider())
  end)

  it("is another one for another URL, and refused without https", function()
    world:run(provider())
    assert.same({ github = "replace" }, world:planned(provider { Url = "https://gitlab.com" }))
    local ok, err = pcall(provider, { Url = "gitlab.com" })
    assert.is_false(ok)
    assert.matches("Url must start with https://", tostring(err))
  end)

  it("is shared: it is taken over when it is told to, and stays when it is retained", function()
    world:as_other(function(call)
      assert(call("iam", "CreateOpenIDConnectProvider", { Url = URL, ClientIDList = { "theirs" } }))
    end)
    assert.equal("AlreadyExists", world:apply(provider()).result.failures[1].code)
    local shared = provider({ ClientIdList = { "theirs", "ours" } }, { adopt = true, retain = true })
    world:run(shared)
    world:unchanged(shared)
    world:destroy(shared)
    local left = world:call("iam", "ListOpenIDConnectProviders", {}).OpenIDConnectProviderList
    assert.equal(1, #left)
  end)

  it("is found again by its URL after a lost answer", function()
    local lost = calls.lose "CreateOpenIDConnectProvider"
    world:run(provider(), lost)
    world:unchanged(provider())
    world:destroy(provider())
    assert.same({}, world:rows())
  end)
end)

describe("AWS::IAM::ManagedPolicy", function()
  local DESCRIPTION <const> = "reads the demo" -- which the listing of the account leaves out

  local function attached(...)
    local names = { ... }
    return World.declare(function(stack)
      local roles = {}
      for _, name in ipairs { "one", "two" } do
        roles[name] = stack:resource("AWS::IAM::Role", name, { AssumeRolePolicyDocument = {
          Version = "2012-10-17", Statement = { {
            Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole",
          } },
        } })
      end
      for i, name in ipairs(names) do
        names[i] = roles[name] and roles[name].RoleName or name
      end
      stack:resource("AWS::IAM::ManagedPolicy", "policy", {
        Roles = #names > 0 and names or nil, Description = DESCRIPTION,
        PolicyDocument = { Version = "2012-10-17", Statement = { {
          Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::demo/*",
        } } },
      })
    end)
  end

  it("is attached to roles and detached from them, whoever attached it", function()
    world:run(attached("one"))
    world:unchanged(attached("one"))
    world:as_other(function(call)
      assert(call("iam", "AttachRolePolicy", { RoleName = "demo-test-two",
        PolicyArn = "arn:aws:iam::123456789012:policy/demo-test-policy" }))
    end)
    assert.same({ policy = "update" }, world:planned(attached("one")))
    assert.same({ "DetachRolePolicy" }, calls.changes(world:run(attached("one"))))
    assert.same({ "AttachRolePolicy", "DetachRolePolicy" }, calls.changes(world:run(attached("two"))))
    assert.same({ "DetachRolePolicy" }, calls.changes(world:run(attached())))
    world:unchanged(attached())
  end)

  it("is read with its roles and theirs by one listing of the account, however many others have", function()
    world:as_other(function(call)
      for i = 1, 120 do
        assert(call("iam", "CreateRole", { RoleName = "other-" .. i, AssumeRolePolicyDocument = [[{
          "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "Service": "ec2.amazonaws.com" }, "Action": "sts:AssumeRole"
          }]
        }]] }))
      end
    end)
    world:run(attached("one"))
    assert.equal(1, #calls.params(world:run(attached("one")), "GetAccountAuthorizationDetails"))
  end)

  it("is attached although IAM does not know it for two minutes", function()
    local first
    calls.with("iam", { AttachRolePolicy = function(original, ctx, params)
      first = first or ctx.now()
      if ctx.now() < first + 100 then
        ctx:fail("NoSuchEntity", "Policy does not exist or is not attachable.", 404)
      end
      return original(ctx, params)
    end }, function()
      world:run(attached("one"))
    end)
    world:unchanged(attached("one"))
  end)

  it("is deleted although roles have it", function()
    world:run(attached("one", "two"))
    world:destroy(attached("one", "two"))
    assert.same({}, world:rows())
  end)
end)
