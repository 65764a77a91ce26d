local World = require "spec.engine.world"
local contains = require "infra.contains"
local merged = require "infra.merged"

local function declare(options)
  return World.declare(function(stack)
    local network = stack:layer("network", { nat = "none" })
    stack:layer("security", merged({ vpc = network.vpc }, options))
  end)
end

describe("the layer security", function()
  local world

  before_each(function()
    world = World.new()
  end)
  after_each(function()
    world:close()
  end)

  local function log_role()
    return world:call("apigateway", "GetAccount").cloudwatchRoleArn
  end

  it("lets API Gateway write logs, and leaves that setting of the account to the next stack", function()
    world:run(declare())
    assert.matches(":role/demo%-test%-apigw%-cloudwatch%-role$", log_role())
    world:unchanged(declare())
    world:destroy(declare())
    assert.same({}, world:rows())
    world:run(declare()) -- the role of that name is another one now
    assert.matches(":role/demo%-test%-apigw%-cloudwatch%-role$", log_role())
  end)

  it("does without it where somebody else looks after the account", function()
    world:run(declare { api_logs = false })
    assert.is_nil(log_role())
  end)

  it("lets AWS Backup do what its guide asks of a role for Aurora, everywhere only what knows no resources", function()
    local wide, all = {}, {}
    local role = declare().resources["security/backup-role"].properties
    for _, statement in ipairs(role.Policies[1].PolicyDocument.Statement) do
      table.move(statement.Action, 1, #statement.Action, #all + 1, all)
      if statement.Resource[1] == "*" then
        wide = statement.Action
      end
    end
    assert.same({ "tag:GetResources" }, { table.unpack(wide) })
    for _, action in ipairs {
      "rds:CreateDBClusterSnapshot", "rds:CopyDBClusterSnapshot", "rds:DescribeDBClusterAutomatedBackups",
      "rds:ModifyDBClusterSnapshotAttribute",
    } do
      assert.is_true(contains(all, action), action)
    end
  end)

  it("lets the function out, and nothing but the function in", function()
    local resources = declare().resources
    assert.same({}, resources["security/lambda"].properties.SecurityGroupIngress)
    for name, port in pairs { aurora = 5432, redis = 6379 } do
      local group = resources["security/" .. name].properties
      assert.same({}, group.SecurityGroupEgress)
      assert.same({ 1, port, port },
        { #group.SecurityGroupIngress, group.SecurityGroupIngress[1].FromPort, group.SecurityGroupIngress[1].ToPort })
    end
  end)
end)
