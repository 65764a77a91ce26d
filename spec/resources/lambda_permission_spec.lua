-- Who may call a function.

local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local functions = require "spec.resources.functions"
local json = require "host.json"

local NAME <const> = functions.NAME
local ARN <const> = "arn:aws:lambda:us-east-1:123456789012:function:" .. NAME

describe("AWS::Lambda::Permission", function()
  local world

  before_each(function()
    world = World.new()
  end)
  after_each(function()
    world:close()
  end)

  -- The function with its alias; more(stack, alias, handler) declares further resources.
  local function declare(more)
    return World.declare(function(stack)
      local handler = functions.declare(stack)
      local version = stack:resource("AWS::Lambda::Version", "version", { FunctionName = handler.FunctionName })
      more(stack, stack:resource("AWS::Lambda::Alias", "live", {
        FunctionName = handler.FunctionName, Name = "live", FunctionVersion = version.Version,
      }), handler)
    end)
  end

  local function permitted(count, source)
    return declare(function(stack, live)
      for i = 1, count or 1 do
        stack:resource("AWS::Lambda::Permission", "permission-" .. i, {
          FunctionName = live.AliasArn, Action = "lambda:InvokeFunction", Principal = "apigateway.amazonaws.com",
          SourceArn = source or "arn:aws:execute-api:us-east-1:123456789012:abc" .. i .. "/*/*",
          SourceAccount = "123456789012",
        })
      end
    end)
  end

  local function statements(qualifier)
    return world:as_other(function(call)
      local output = call("lambda", "GetPolicy", { FunctionName = NAME, Qualifier = qualifier })
      return output and json.decode(output.Policy).Statement or {}
    end)
  end

  it("is a statement of the alias, under an id that nobody else has", function()
    local run = world:run(permitted())
    local added = calls.params(run, "AddPermission")[1]
    assert.same({ NAME, "live" }, { added.FunctionName, added.Qualifier })
    assert.matches("^permission%-1%-%x+$", added.StatementId)
    assert.equal(1, #statements "live")
    assert.same({}, statements())
    world:unchanged(permitted())
    world:destroy(permitted())
    assert.same({}, world:census())
  end)

  it("is added alone: Lambda loses statements that are added at the same time", function()
    local running, most = 0, 0
    calls.with("lambda", {
      AddPermission = function(original, ctx, params)
        running = running + 1
        most = math.max(most, running)
        return original(ctx, params)
      end,
    }, function()
      world:run(permitted(5), { observe = function(call)
        if call.operation == "AddPermission" then
          running = running - 1
        end
      end })
    end)
    assert.equal(1, most)
    assert.equal(5, #statements "live")
  end)

  it("is read with all others of its alias at once", function()
    world:run(permitted(5))
    local _, _, process = world:plan(permitted(5))
    assert.equal(1, #calls.params(process, "GetPolicy"))
  end)

  it("is added in its new form before the old one goes", function()
    world:run(permitted(1, "arn:aws:execute-api:us-east-1:123456789012:old/*/*"))
    local run = world:run(permitted(1, "arn:aws:execute-api:us-east-1:123456789012:new/*/*"))
    assert.same({ "AddPermission", "RemovePermission" }, calls.changes(run))
    assert.matches("new/", statements("live")[1].Condition.ArnLike["AWS:SourceArn"])
  end)

  it("is waited for until it can be read", function()
    local failure = { "ResourceNotFoundException", "No policy is associated with the given resource.", 404 }
    local refuse, looks = calls.failing(failure, failure, failure)
    calls.with("lambda", { GetPolicy = refuse }, function()
      world:run(permitted())
    end)
    assert.is_true(looks() >= 4)
  end)

  it("is retried while the alias is not known everywhere", function()
    local failure = { "ResourceNotFoundException", "Cannot find alias arn", 404 }
    local refuse = calls.failing(failure, failure, failure)
    calls.with("lambda", { AddPermission = refuse }, function()
      world:run(permitted())
    end)
  end)

  it("is found when the answer is lost", function()
    calls.with("lambda", { AddPermission = calls.unanswered() }, function()
      world:run(permitted())
    end)
    assert.equal(1, #statements "live")
    world:unchanged(permitted())
  end)

  it("is seen to have changed, and an account's number means its root user", function()
    local function account(principal)
      return declare(function(stack)
        stack:resource("AWS::Lambda::Permission", "permission", { FunctionName = ARN .. ":live", Principal = principal,
          Action = "lambda:InvokeFunction" }, { depends_on = { "live" } })
      end)
    end
    world:run(account "210987654321")
    world:unchanged(account "210987654321")
    world:unchanged(account "arn:aws:iam::210987654321:root")
    assert.same({ permission = "replace" }, world:planned(account "*"))
    world:as_other(function(call)
      assert(call("lambda", "RemovePermission", { FunctionName = NAME, Qualifier = "live",
        StatementId = statements("live")[1].Sid }))
    end)
    assert.same({ permission = "create" }, world:planned(account "210987654321"))
  end)

  it("is of the function itself when it names no alias", function()
    local declaration = declare(function(stack, _, handler)
      stack:resource("AWS::Lambda::Permission", "permission", { FunctionName = handler.Arn,
        Action = "lambda:InvokeFunction", Principal = "events.amazonaws.com" })
    end)
    world:run(declaration)
    assert.equal(1, #statements())
    world:unchanged(declaration)
  end)
end)
