-- The options of a resource: what they change about plans.

local World = require "spec.engine.world"
local parameters = require "spec.engine.parameters"

local nothing, one, parameter = parameters.none, parameters.one, parameters.declare

local world

before_each(function() world = World.new() end)
after_each(function() world:close() end)

describe("the option", function()
  it("protect says what would replace, and names everything that it keeps", function()
    local function two(name)
      return World.declare(function(stack)
        for _, one_of_them in ipairs { "p", "q" } do
          stack:resource("AWS::SSM::Parameter", one_of_them, { Name = name .. one_of_them, Type = "String",
            Value = "v" }, { protect = true })
        end
      end)
    end
    world:run(two "/before/")
    local _, err = world:plan(two "/after/")
    assert.equal("Protected", err.code)
    assert.matches("^2 changes are refused\n  p, q: it is protected and this would replace it: Name changes\n" ..
      "  leave it as it is, [^\n]+ protect = false [^\n]+$", tostring(err))
    _, err = world:plan(two "/before/", { destroy = true })
    assert.matches("^2 changes are refused\n  p, q: it is protected and this would delete it\n", tostring(err))
  end)

  it("protect refuses to delete and to replace, as declared or as recorded", function()
    world:run(one("a", { protect = true }))
    for _, try in ipairs { { nothing }, { one("a", { protect = true, region = "eu-west-1" }) },
      { one "a", { destroy = true } } } do
      local plan, err = world:plan(try[1], try[2])
      assert.is_nil(plan)
      assert.equal("Protected", err.code)
      assert.equal("p", err.resource)
    end
    assert.same({ p = "update" }, world:planned(one("b", { protect = true })))
    assert.equal("Protected", select(2, world:plan(one("a", { region = "eu-west-1" }))).code) -- what is recorded
    assert.same({ p = "replace" }, world:planned(one("a", { protect = false, region = "eu-west-1" })))
    world:run(one "a") -- records that it is not protected any more
    assert.same({ p = "delete" }, world:planned(nothing))
  end)

  it("protect is about what exists, also when something of another type takes its address", function()
    local function other(options)
      return World.declare(function(stack) stack:resource("AWS::Logs::LogGroup", "p", {}, options) end)
    end
    world:run(one("a", { protect = true }))
    assert.equal("Protected", select(2, world:plan(other())).code)
    assert.equal("Protected", select(2, world:plan(other { protect = true })).code)
    world:run(other { protect = false })
    world:run(one("a", { protect = false }))
    assert.same({ p = "replace" }, world:planned(other { protect = true })) -- nothing that was protected goes
  end)

  it("retain forgets instead of deleting, also in a replacement", function()
    world:run(one("a", { retain = true }))
    world:run(one("b", { retain = true, region = "eu-west-1" }))
    assert.equal("a", parameters.value(world, "p"))
    assert.equal(1, #world:rows())
    assert.same({ p = "forget" }, world:planned(nothing))
    local run = world:run(nothing)
    assert.same({}, world:rows())
    for _, call in ipairs(run.calls) do
      assert.equal("read", call.kind)
    end
  end)

  it("ignore_changes leaves a property as it is, also when others change", function()
    local function declare(value, tags)
      return World.declare(function(stack)
        stack:resource("AWS::SSM::Parameter", "p", { Name = "/demo/p", Type = "String", Value = value, Tags = tags,
          Description = tags.a }, { ignore_changes = { "Value" } })
      end)
    end
    world:run(declare("a", { a = "1" }))
    world:as_other(function(call)
      assert(call("ssm", "PutParameter", { Name = "/demo/p", Value = "theirs", Overwrite = true }))
    end)
    world:unchanged(declare("b", { a = "1" }))
    assert.same({ p = "update" }, world:planned(declare("b", { a = "2" })))
    world:run(declare("b", { a = "2" }))
    assert.equal("theirs", parameters.value(world, "p"))
  end)

  it("renamed_from moves the record, and what refers to it", function()
    local function declare(name, options, alone)
      return World.declare(function(stack)
        local vpc = stack:resource("AWS::EC2::VPC", name, { CidrBlock = "10.0.0.0/16", Tags = { Name = "n" } }, options)
        if not alone then
          stack:resource("AWS::EC2::Subnet", "subnet", { VpcId = vpc.VpcId, CidrBlock = "10.0.0.0/24" })
        end
      end)
    end
    world:run(declare "old")
    local function renamed(with_subnet)
      return declare("new", { renamed_from = "old" }, not with_subnet)
    end
    local plan = assert(world:plan(renamed(true)))
    assert.same({}, World.actions(plan))
    assert.equal("old", plan.by_address.new.row.moved_from)
    world:run(renamed(true))
    local rows = world:rows()
    assert.same({ "new", "subnet" }, { rows[1].address, rows[2].address })
    assert.same({ "new" }, rows[2].dependencies)
    world:unchanged(renamed(true))
    world:run(renamed(false))
  end)

  it("renamed_from keeps the name that the tool gave, then and later", function()
    local function group(name, options)
      return World.declare(function(stack)
        stack:resource("AWS::Logs::LogGroup", name, { RetentionInDays = 7 }, options)
      end)
    end
    world:run(group "old")
    local name = world:rows()[1].properties.LogGroupName
    assert.matches("old$", name)
    world:run(group("new", { renamed_from = "old" }))
    world:unchanged(group "new")
    assert.equal(name, world:rows()[1].properties.LogGroupName)
  end)

  it("renamed_from is asked for where a new resource has the name of one that goes", function()
    local function bucket(name, options)
      return World.declare(function(stack)
        stack:resource("AWS::S3::Bucket", name, { BucketName = "files-of-mine" }, options)
      end)
    end
    world:run(bucket "old")
    local plan, err = world:plan(bucket "new")
    assert.is_nil(plan)
    assert.equal("SameName", err.code)
    assert.matches("BucketName: the same as of old, which this would delete", err.message)
    assert.matches('renamed_from = "old"', err.hint)
    assert.same({ new = "update" }, world:planned(bucket("new", { renamed_from = "old" }))) -- its tag Name
  end)

  it("renamed_from and deletion of what depended on it keep their order", function()
    world:run(World.declare(function(stack)
      local vpc = stack:resource("AWS::EC2::VPC", "old", { CidrBlock = "10.0.0.0/16" })
      stack:resource("AWS::EC2::Subnet", "subnet", { VpcId = vpc.VpcId, CidrBlock = "10.0.0.0/24" })
    end))
    local run = world:run(World.declare(function(stack)
      stack:resource("AWS::EC2::VPC", "new", { CidrBlock = "10.9.0.0/16" }, { renamed_from = "old" })
    end))
    assert.is_true(run.seconds < 60)
  end)

  it("renamed_from something that is declared too is an error", function()
    world:run(one "a")
    local _, err = world:plan(World.declare(function(stack)
      parameter(stack, "p", "a")
      stack:resource("AWS::SSM::Parameter", "q", { Name = "/demo/q", Type = "String", Value = "a" },
        { renamed_from = "p" })
    end))
    assert.equal("BadRename", err.code)
    assert.equal("q", err.resource)
  end)

  it("adopt takes over what exists, as it is declared, and marks it", function()
    world:as_other(function(call)
      assert(call("logs", "CreateLogGroup", { logGroupName = "/demo/app" }))
    end)
    local function declare(options)
      return World.declare(function(stack)
        stack:resource("AWS::Logs::LogGroup", "logs", { LogGroupName = "/demo/app", RetentionInDays = 30 }, options)
      end)
    end
    local run = world:apply(declare())
    assert.equal("AlreadyExists", run.result.failures[1].code)
    assert.matches("adopt = true", run.result.failures[1].hint)
    assert.same({}, world:rows())
    world:run(declare { adopt = true })
    world:unchanged(declare())
    world:as_other(function(call)
      local group = assert(call("logs", "DescribeLogGroups", {})).logGroups[1]
      assert.equal(30, group.retentionInDays)
      local tags = assert(call("logs", "ListTagsForResource", { resourceArn = group.logGroupArn or
        group.arn:gsub(":%*$", "") })).tags
      assert.equal(world:rows()[1].token, tags["infra:id"])
      assert.equal("infra", tags.ManagedBy)
    end)
  end)

  it("adopt refuses what could not become what is declared", function()
    world:as_other(function(call)
      assert(call("logs", "CreateLogGroup", { logGroupName = "/demo/app", logGroupClass = "INFREQUENT_ACCESS" }))
    end)
    local run = world:apply(World.declare(function(stack)
      stack:resource("AWS::IAM::Role", "role", { RoleName = "app", Path = "/team/", AssumeRolePolicyDocument = {
        Version = "2012-10-17", Statement = { { Effect = "Allow", Action = "sts:AssumeRole",
          Principal = { Service = "lambda.amazonaws.com" } } } } }, { adopt = true })
      stack:resource("AWS::Logs::LogGroup", "logs", { LogGroupName = "/demo/app", LogGroupClass = "STANDARD" },
        { adopt = true })
    end))
    assert.equal("CannotAdopt", run.result.failures[1].code)
    assert.equal("logs", run.result.failures[1].resource)
    assert.equal(1, #world:rows())
  end)

  it("wait = false goes on before AWS calls it ready", function()
    local function nat(wait)
      return World.declare(function(stack)
        local vpc = stack:resource("AWS::EC2::VPC", "vpc", { CidrBlock = "10.0.0.0/16" })
        local subnet = stack:resource("AWS::EC2::Subnet", "subnet", { VpcId = vpc.VpcId, CidrBlock = "10.0.0.0/24" })
        stack:resource("AWS::EC2::NatGateway", "nat", { SubnetId = subnet.SubnetId, ConnectivityType = "private" },
          { wait = wait })
      end)
    end
    assert.is_true(world:run(nat(false)).seconds < 30)
    world:unchanged(nat(true))
    world:destroy(nat())
    assert.is_true(world:run(nat()).seconds > 90)
  end)

  it("timeouts limits how long an action waits, also a deletion of what is not declared any more", function()
    local function nat(timeouts)
      return World.declare(function(stack)
        local vpc = stack:resource("AWS::EC2::VPC", "vpc", { CidrBlock = "10.0.0.0/16" })
        local subnet = stack:resource("AWS::EC2::Subnet", "subnet", { VpcId = vpc.VpcId, CidrBlock = "10.0.0.0/24" })
        stack:resource("AWS::EC2::NatGateway", "nat", { SubnetId = subnet.SubnetId, ConnectivityType = "private" },
          { timeouts = timeouts })
      end)
    end
    local run = world:apply(nat { create = 20 })
    assert.equal("WaitTimeout", run.result.failures[1].code)
    world:run(nat { delete = 10 }) -- goes on where that stopped
    run = world:apply(nothing)
    assert.equal("WaitTimeout", run.result.failures[1].code)
    for _ = 1, 5 do
      world:apply(nothing)
    end
    assert.same({}, world:rows())
  end)
end)
