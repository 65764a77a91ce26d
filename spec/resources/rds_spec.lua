local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local merged = require "infra.merged"
local rds = require "spec.resources.rds_world"

local failing, lose, subnets = calls.failing, calls.lose, rds.subnets

local world

before_each(function()
  world = World.new()
end)
after_each(function()
  world:close()
end)

describe("AWS::RDS::DBSubnetGroup", function()
  local function declare(count, properties)
    return World.declare(function(stack)
      local ids = table.move(subnets(stack), 1, count, 1, {})
      local all = merged({ DBSubnetGroupName = "Demo-Group", DBSubnetGroupDescription = "private", SubnetIds = ids },
        properties)
      stack:resource("AWS::RDS::DBSubnetGroup", "group", all)
    end)
  end

  it("is the same afterwards: names in small letters, subnets in any order", function()
    world:run(declare(2))
    world:unchanged(declare(2))
  end)

  it("changes description, subnets and tags in place, and is replaced under another name", function()
    world:run(declare(2))
    local changed = { DBSubnetGroupDescription = "others", Tags = { A = "1" } }
    assert.same({ "ModifyDBSubnetGroup", "AddTagsToResource" }, calls.changes(world:run(declare(3, changed))))
    world:unchanged(declare(3, changed))
    local plan = assert(world:plan(declare(3, { DBSubnetGroupName = "other" })))
    assert.equal("replace", World.actions(plan).group)
  end)

  it("waits for subnets that are seconds old, and to go until the last cluster has let go", function()
    local create, creates = failing({ "InvalidSubnet", "Some input subnets are invalid." })
    local delete, deletes = failing({ "InvalidDBSubnetGroupStateFault", "in use" },
      { "InvalidDBSubnetGroupStateFault", "in use" })
    calls.with("rds", { CreateDBSubnetGroup = create, DeleteDBSubnetGroup = delete }, function()
      world:run(declare(2))
      world:destroy(declare(2))
    end)
    assert.same({ 2, 3 }, { creates(), deletes() })
  end)

  it("is not made twice when the answer is lost, nor taken from somebody else", function()
    assert.equal(1, #calls.params(world:run(declare(2), lose "CreateDBSubnetGroup"), "CreateDBSubnetGroup"))
    local other = world:neighbour()
    assert.equal("AlreadyExists", other:apply(declare(2)).result.failures[1].code)
    other:close()
  end)
end)

describe("AWS::RDS::DBClusterParameterGroup", function()
  local function declare(parameters, properties)
    return World.declare(function(stack)
      local all = merged({ Family = "aurora-postgresql16", Description = "demo", Parameters = parameters }, properties)
      stack:resource("AWS::RDS::DBClusterParameterGroup", "group", all)
    end)
  end

  it("takes parameters as text, numbers or switches, and is the same afterwards", function()
    local declaration = declare { ["rds.force_ssl"] = true, log_min_duration_statement = 500, timezone = "UTC" }
    local run = world:run(declaration)
    local sent = {}
    for _, parameter in ipairs(calls.params(run, "ModifyDBClusterParameterGroup")[1].Parameters) do
      sent[parameter.ParameterName] = parameter.ParameterValue
    end
    assert.same({ ["rds.force_ssl"] = "1", log_min_duration_statement = "500", timezone = "UTC" }, sent)
    world:unchanged(declaration)
  end)

  it("sends twenty at a time", function()
    local many = {}
    for i = 1, 45 do
      many["parameter_" .. i] = i
    end
    local sizes = {}
    calls.with("rds", {
      ModifyDBClusterParameterGroup = function(_, _, params)
        sizes[#sizes + 1] = #params.Parameters
        return {}
      end,
    }, function()
      world:run(declare(many))
    end)
    assert.same({ 20, 20, 5 }, sizes)
  end)

  it("changes what differs, dynamic parameters at once, static ones with a reboot, and resets the others", function()
    world:run(declare { ["rds.force_ssl"] = "1", timezone = "UTC" })
    local changed = declare { ["rds.force_ssl"] = "0", shared_preload_libraries = "pg_stat_statements" }
    local run = world:run(changed)
    assert.same({ "ModifyDBClusterParameterGroup", "ResetDBClusterParameterGroup" }, calls.changes(run))
    assert.same({
      { ParameterName = "rds.force_ssl", ParameterValue = "0", ApplyMethod = "immediate" },
      { ParameterName = "shared_preload_libraries", ParameterValue = "pg_stat_statements",
        ApplyMethod = "pending-reboot" },
    }, calls.params(run, "ModifyDBClusterParameterGroup")[1].Parameters)
    assert.equal("timezone", calls.params(run, "ResetDBClusterParameterGroup")[1].Parameters[1].ParameterName)
    world:unchanged(changed)
  end)

  it("compares values as RDS writes them, and finds those that are what they would be anyway", function()
    local declaration = declare { shared_preload_libraries = "pg_stat_statements,auto_explain", timezone = "utc" }
    world:run(declaration)
    calls.with("rds", {
      DescribeDBClusterParameters = function(_, _, params)
        if params.Source == "user" then
          return { Parameters = { { ParameterName = "shared_preload_libraries",
            ParameterValue = "auto_explain, PG_STAT_STATEMENTS" } } }
        end
        return { Parameters = { { ParameterName = "timezone", ParameterValue = "UTC", Source = "system" } } }
      end,
    }, function()
      world:unchanged(declaration)
    end)
  end)

  it("is another group with another family or description", function()
    world:run(declare { timezone = "UTC" })
    for _, properties in ipairs { { Family = "aurora-postgresql15" }, { Description = "other" } } do
      local plan = assert(world:plan(declare({ timezone = "UTC" }, properties)))
      assert.equal("replace", World.actions(plan).group)
    end
  end)

  it("waits while changes are pending, and until a cluster lets go", function()
    local reset, resets = failing({ "InvalidDBParameterGroupState", "has pending changes" })
    local delete, deletes = failing({ "InvalidDBParameterGroupState", "still members of this parameter group" })
    calls.with("rds", { ResetDBClusterParameterGroup = reset, DeleteDBClusterParameterGroup = delete }, function()
      world:run(declare { timezone = "UTC" })
      world:run(declare { ["rds.force_ssl"] = 1 })
      world:destroy(declare {})
    end)
    assert.same({ 2, 2 }, { resets(), deletes() })
  end)
end)
