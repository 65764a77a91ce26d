local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local fs = require "host.fs"
local infra = require "infra"

describe("AWS::SSM::Parameter", function()
  local world

  before_each(function()
    world = World.new()
  end)
  after_each(function()
    world:close()
  end)

  local function declare(properties, options)
    properties.Name = properties.Name or "/demo/key"
    return World.declare(function(stack)
      stack:resource("AWS::SSM::Parameter", "key", properties, options)
    end)
  end

  local function secure(properties)
    properties.Type = "SecureString"
    return declare(properties)
  end

  local function live()
    return world:call("ssm", "GetParameter", { Name = "/demo/key", WithDecryption = true }).Parameter
  end

  local function is_recorded(text)
    return ((fs.read(world.path) or "") .. (fs.read(world.path .. "-wal") or "")):find(text, 1, true) ~= nil
  end

  describe("as a SecureString", function()
    it("takes a secret, compares it by what was recorded, and changes it in place", function()
      world:run(secure { Value = infra.secret "first-value" })
      assert.same({ "SecureString", "first-value" }, { live().Type, live().Value })
      assert.is_false(is_recorded "first-value")
      world:unchanged(secure { Value = infra.secret "first-value" })
      assert.same({ "PutParameter" }, calls.changes(world:run(secure { Value = infra.secret "second-value" })))
      assert.equal("second-value", live().Value)
    end)

    it("is refused in clear, and with no value or two", function()
      for message, properties in pairs {
        ["must be infra.secret"] = { Value = "hunter2" },
        ["or GenerateValue is needed"] = {},
        ["and not both"] = { Value = infra.secret "x", GenerateValue = {} },
        ["together"] = { GenerateValue = { GenerateStringKey = "key" } },
      } do
        assert.error_matches(function()
          secure(properties)
        end, message)
      end
    end)

    it("can be made up, once; it keeps its value when other settings change", function()
      local declaration = secure { GenerateValue = { PasswordLength = 50, ExcludePunctuation = true } }
      world:run(declaration)
      local value = live().Value
      assert.matches("^%w+$", value)
      assert.equal(50, #value)
      assert.is_false(is_recorded(value))
      world:unchanged(declaration)
      local described = secure {
        GenerateValue = { PasswordLength = 50, ExcludePunctuation = true }, Description = "signs sessions",
      }
      assert.same({ "PutParameter" }, calls.changes(world:run(described)))
      assert.equal(value, live().Value)
      world:unchanged(described)
    end)

    it("is encrypted with the key that is declared, and goes back to AWS's", function()
      local key = world:call("kms", "CreateKey", {}).KeyMetadata.KeyId
      local run = world:run(secure { Value = infra.secret "v", KeyId = key })
      assert.equal(key, calls.params(run, "PutParameter")[1].KeyId)
      run = world:run(secure { Value = infra.secret "v" })
      assert.equal("alias/aws/ssm", calls.params(run, "PutParameter")[1].KeyId)
      world:unchanged(secure { Value = infra.secret "v" })
    end)

    it("is not made twice when the answer is lost, and keeps its first value", function()
      local lost = calls.lose "PutParameter"
      local declaration = secure { GenerateValue = { PasswordLength = 30 } }
      local run = world:run(declaration, lost)
      assert.equal(1, #calls.params(run, "PutParameter"))
      world:unchanged(declaration)
    end)
  end)

  it("in clear must not hold a secret, or what Parameter Store takes for a parameter", function()
    for message, properties in pairs {
      ["make it a SecureString"] = { Value = "{{resolve:secretsmanager:demo}}" },
      ["must not contain {{"] = { Value = "a {{ b }}" },
      ["Value is needed"] = {},
      ["belongs to a SecureString"] = { Value = "v", KeyId = "alias/x" },
    } do
      properties.Type = "String"
      assert.error_matches(function()
        declare(properties)
      end, message)
    end
  end)

  it("is another one when its type changes, or its tier goes down", function()
    world:run(declare { Type = "String", Value = "v", Tier = "Advanced" })
    for _, properties in ipairs {
      { Type = "StringList", Value = "v", Tier = "Advanced" }, { Type = "String", Value = "v" },
    } do
      assert.same({ key = "replace" }, world:planned(declare(properties)))
    end
  end)

  it("forgets a description that is not declared any more, and is updated without tags", function()
    world:run(declare { Type = "String", Value = "v", Description = "d", Tags = { A = "1" } })
    local run = world:run(declare { Type = "String", Value = "w", Tags = { A = "2" } })
    local sent = calls.params(run, "PutParameter")[1]
    assert.same({ "", true }, { sent.Description, sent.Overwrite })
    assert.is_nil(sent.Tags)
    assert.same({ "PutParameter", "AddTagsToResource" }, calls.changes(run))
    world:unchanged(declare { Type = "String", Value = "w", Tags = { A = "2" } })
  end)

  it("takes a number for text", function()
    local declaration = declare { Type = "String", Value = 5432 }
    world:run(declaration)
    assert.equal("5432", live().Value)
    world:unchanged(declaration)
  end)

  it("keeps trying when Parameter Store lets few writes through", function()
    local refused = 0
    calls.with("ssm", {
      PutParameter = function(original, ctx, params)
        refused = refused + 1
        if refused < 12 then
          ctx:fail("ThrottlingException", "Rate exceeded", 400)
        end
        return original(ctx, params)
      end,
    }, function()
      world:run(declare { Type = "String", Value = "v" })
    end)
    assert.equal(12, refused)
  end)
end)
