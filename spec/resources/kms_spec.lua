local World = require "spec.engine.world"
local calls = require "spec.resources.calls"

describe("AWS::KMS::Key", function()
  local world

  before_each(function()
    world = World.new()
  end)
  after_each(function()
    world:close()
  end)

  local function declare(properties, options)
    return World.declare(function(stack)
      stack:resource("AWS::KMS::Key", "data", properties, options)
    end)
  end

  it("is created with what is declared, and is the same afterwards", function()
    local declaration = declare { Description = "data", EnableKeyRotation = true, RotationPeriodInDays = 180 }
    local run = world:run(declaration)
    assert.same({ "CreateKey", "EnableKeyRotation" }, calls.changes(run))
    assert.equal(180, calls.params(run, "EnableKeyRotation")[1].RotationPeriodInDays)
    world:unchanged(declaration)
  end)

  it("changes in place: description, rotation, policy, tags; and rotation only while it is enabled", function()
    world:run(declare { EnableKeyRotation = true })
    local policy = {
      Version = "2012-10-17",
      Statement = { {
        Effect = "Allow", Principal = { AWS = "arn:aws:iam::123456789012:root" }, Action = "kms:*", Resource = "*",
      } },
    }
    local off = {
      Enabled = false, EnableKeyRotation = false, Description = "old", KeyPolicy = policy, Tags = { A = "b" },
    }
    local run = world:run(declare(off))
    assert.same({ "PutKeyPolicy", "UpdateKeyDescription", "DisableKeyRotation", "DisableKey", "TagResource" },
      calls.changes(run))
    world:unchanged(declare(off))

    run = world:run(declare { Enabled = true, EnableKeyRotation = true })
    assert.same({ "EnableKey", "PutKeyPolicy", "UpdateKeyDescription", "EnableKeyRotation", "UntagResource" },
      calls.changes(run))
    assert.matches("key%-default%-1", calls.params(run, "PutKeyPolicy")[1].Policy)
  end)

  it("is another key when what it is for changes", function()
    world:run(declare {})
    local plan = assert(world:plan(declare { KeyUsage = "SIGN_VERIFY", KeySpec = "ECC_NIST_P256" }))
    assert.same({ ["data"] = "replace" }, World.actions(plan))
  end)

  it("is scheduled for deletion for as long as was declared, and is gone then", function()
    local declaration = declare { PendingWindowInDays = 7 }
    world:run(declaration)
    world:run(declare { PendingWindowInDays = 9 })
    local run = world:destroy(declaration)
    assert.equal(9, calls.params(run, "ScheduleKeyDeletion")[1].PendingWindowInDays)
    assert.same({}, world:rows())
  end)

  it("counts as deleted when somebody has scheduled its deletion meanwhile", function()
    local declaration = declare {}
    world:run(declaration)
    calls.with("kms", {
      ScheduleKeyDeletion = function(original, ctx, params)
        original(ctx, { KeyId = params.KeyId })
        return original(ctx, params)
      end,
    }, function()
      world:destroy(declaration)
    end)
    assert.same({}, world:rows())
    assert.same({ data = "create" }, world:planned(declaration))
  end)

  it("is not made twice when the answer is lost, however late it is listed", function()
    local hidden_until
    calls.with("kms", {
      ListKeys = function(original, ctx, params)
        hidden_until = hidden_until or ctx.now() + 20
        return ctx.now() < hidden_until and { Keys = {} } or original(ctx, params)
      end,
    }, function()
      local lost = calls.lose "CreateKey"
      local run = world:run(declare {}, lost)
      assert.equal(1, #calls.params(run, "CreateKey"))
    end)
    world:unchanged(declare {})
  end)

  it("is made once more only when nothing of the first can be found", function()
    local lost = { schedule = { { fault = "lost_request", operation = "CreateKey" } } }
    local run = world:run(declare {}, lost)
    assert.equal(1, #calls.params(run, "CreateKey"))
    assert.equal(1, #world:rows())
  end)

  it("is found again after a crash, among keys that keep us out", function()
    world:as_other(function(call)
      assert(call("kms", "CreateKey", {}))
    end)
    local asked = 0
    local crash = { schedule = { { fault = "crash", operation = "CreateKey" } } }
    world:apply(declare {}, { faults = crash })
    calls.with("kms", {
      ListResourceTags = function(original, ctx, params)
        asked = asked + 1
        local output = original(ctx, params)
        if #output.Tags == 0 then
          ctx:fail("AccessDeniedException", "not yours")
        end
        return output
      end,
    }, function()
      local run = world:run(declare {})
      assert.equal(0, #calls.params(run, "CreateKey"))
    end)
    assert.is_true(asked >= 2)
    world:unchanged(declare {})
  end)

  it("waits for a principal that is seconds old, and for a key that is", function()
    local refused = 0
    local function later(original, ctx, params)
      refused = refused + 1
      if refused % 3 ~= 0 then
        ctx:fail(refused < 3 and "MalformedPolicyDocumentException" or "NotFoundException", "not yet")
      end
      return original(ctx, params)
    end
    calls.with("kms", { CreateKey = later, EnableKeyRotation = later }, function()
      world:run(declare { EnableKeyRotation = true })
    end)
    assert.equal(6, refused)
  end)

  it("is refused when planning: a period without rotation, or of no allowed length", function()
    for _, period in ipairs { 30, 3000 } do
      assert.error_matches(function()
        declare { EnableKeyRotation = true, RotationPeriodInDays = period }
      end, "90 to 2560")
    end
    assert.error_matches(function()
      declare { RotationPeriodInDays = 100 }
    end, "needs EnableKeyRotation")
  end)
end)

describe("AWS::KMS::Alias", function()
  local world

  before_each(function()
    world = World.new()
  end)
  after_each(function()
    world:close()
  end)

  local function declare(target, name, options)
    return World.declare(function(stack)
      local keys = { one = stack:resource("AWS::KMS::Key", "one"), two = stack:resource("AWS::KMS::Key", "two") }
      stack:resource("AWS::KMS::Alias", "alias", {
        AliasName = name or "alias/demo", TargetKeyId = keys[target].Arn,
      }, options)
    end)
  end

  it("names a key by its ARN or id, and moves to another", function()
    world:run(declare "one")
    world:unchanged(declare "one")
    assert.same({ "UpdateAlias" }, calls.changes(world:run(declare "two")))
    local changes = calls.changes(world:destroy(declare "two"))
    assert.equal("ScheduleKeyDeletion", changes[3]) -- of the key that the alias names
    table.sort(changes)
    assert.same({ "DeleteAlias", "ScheduleKeyDeletion", "ScheduleKeyDeletion" }, changes)
  end)

  it("is read with one call for all", function()
    world:run(declare "one")
    local _, _, process = world:plan(declare "one")
    assert.equal(1, #calls.params(process, "ListAliases"))
  end)

  it("is ours after a lost answer, when it points where it should", function()
    local lost = calls.lose "CreateAlias"
    local run = world:run(declare "one", lost)
    assert.equal(1, #calls.params(run, "CreateAlias"))
  end)

  it("is not taken from somebody else, unless it is adopted", function()
    world:as_other(function(call)
      local key = assert(call("kms", "CreateKey", {})).KeyMetadata.KeyId
      assert(call("kms", "CreateAlias", { AliasName = "alias/demo", TargetKeyId = key }))
    end)
    local failed = world:apply(declare "one")
    assert.equal("AlreadyExists", failed.result.failures[1].code)
    world:run(declare("one", nil, { adopt = true }))
    world:run(declare("one", nil, { adopt = true }))
    world:unchanged(declare("one", nil, { adopt = true }))
  end)

  it("is refused when planning if its name is AWS's", function()
    for _, name in ipairs { "demo", "alias/aws/demo" } do
      assert.error_matches(function()
        declare("one", name)
      end, "alias/")
    end
  end)
end)
