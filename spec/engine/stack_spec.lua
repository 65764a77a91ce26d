local declared = require "spec.engine.declared"
local infra = require "infra"
local json = require "host.json"
local stack = require "infra.engine.stack"

local function properties_of(build, fields, address)
  return assert(declared(build, fields)).resources[address].properties
end

describe("the definition of a stack", function()
  local function problem(fields)
    local ok, err = pcall(stack.define, fields)
    assert.is_false(ok)
    return err
  end

  it("has known fields of the right types, and all that it needs", function()
    assert.matches("there is no field 'name'", problem { name = "x" }.message)
    assert.matches("'project' must be a string", problem { project = 1 }.message)
    assert.matches("'environment' is required", problem { project = "p", region = "r", build = print }.message)
    assert.matches("stack_spec.lua:%d+", problem { project = 1 }.source)
  end)

  it("checks its options", function()
    local definition = stack.define {
      project = "p", environment = "e", region = "us-east-1", options = { size = infra.default(1, "how many") },
      build = function(_, options) assert(options.size == 2) end,
    }
    assert.is_not_nil(definition:evaluate { size = 2 })
    local _, err = definition:evaluate { sise = 2 }
    assert.equal("UnknownOption", err.code)
  end)
end)

describe("names that a stack leaves out", function()
  it("follow from the stack's and the resource's", function()
    assert.equal("demo-test-app", properties_of(function(s)
      s:resource("AWS::IAM::Role", "app", { AssumeRolePolicyDocument = {} })
    end, nil, "app").RoleName)
    assert.equal("demo-test-files", properties_of(function(s)
      s:resource("AWS::S3::Bucket", "Files")
    end, nil, "Files").BucketName)
  end)

  it("stay different when they have to be cut", function()
    local long = ("x"):rep(80)
    local declaration = assert(declared(function(s)
      s:resource("AWS::IAM::Role", long .. "1", { AssumeRolePolicyDocument = {} })
      s:resource("AWS::IAM::Role", long .. "2", { AssumeRolePolicyDocument = {} })
    end))
    local one = declaration.resources[long .. "1"].properties.RoleName
    local two = declaration.resources[long .. "2"].properties.RoleName
    assert.equal(64, #one)
    assert.is_not_equal(one, two)
  end)

  it("are not made up where the stack gives one, or the type needs none", function()
    assert.equal("mine", properties_of(function(s)
      s:resource("AWS::S3::Bucket", "b", { BucketName = "mine" })
    end, nil, "b").BucketName)
    assert.is_nil(properties_of(function(s)
      s:resource("AWS::EC2::Route", "r", { RouteTableId = "rtb-1", DestinationCidrBlock = "0.0.0.0/0" })
    end, nil, "r").Name)
  end)
end)

describe("tags", function()
  it("are the tool's, the stack's and the resource's own, the last one winning, as texts", function()
    local tags = properties_of(function(s)
      s:layer("net", {}, { options = {}, build = function()
        s:resource("AWS::EC2::VPC", "vpc", { CidrBlock = "10.0.0.0/16", Tags = { Team = "b", Cost = 42, On = true } })
      end })
    end, { owner = "ops", tags = { Team = "a", Stage = "x" } }, "net/vpc").Tags
    assert.same({
      Project = "demo", Environment = "test", ManagedBy = "infra", Component = "net", Owner = "ops", Stage = "x",
      Team = "b", Name = "demo-test-vpc", Cost = "42", On = "true",
    }, tags)
  end)

  it("are one map, in whichever of CloudFormation's forms they were written", function()
    local tags = properties_of(function(s)
      s:resource("AWS::EC2::VPC", "vpc", { CidrBlock = "10.0.0.0/16", Tags = json.array { { Key = "Name", Value = "n" },
        { Key = "Key", Value = "v" } } })
    end, nil, "vpc").Tags
    assert.equal("n", tags.Name)
    assert.equal("v", tags.Key)
    assert.equal("x", properties_of(function(s)
      s:resource("AWS::EC2::VPC", "vpc", { CidrBlock = "10.0.0.0/16", Tags = { Key = "x" } })
    end, nil, "vpc").Tags.Key)
  end)

  it("are left out where AWS knows none", function()
    assert.is_nil(properties_of(function(s)
      s:resource("AWS::EC2::Route", "r", { RouteTableId = "rtb-1", DestinationCidrBlock = "0.0.0.0/0" })
    end, nil, "r").Tags)
  end)

  it("do not leak from one resource into another that shares its table", function()
    local shared = { CidrBlock = "10.0.0.0/16", Tags = { a = "b" } }
    local declaration = assert(declared(function(s)
      s:resource("AWS::EC2::VPC", "one", shared)
      s:resource("AWS::EC2::VPC", "two", shared)
    end))
    assert.equal("demo-test-two", declaration.resources.two.properties.Tags.Name)
    assert.equal("demo-test-one", declaration.resources.one.properties.Tags.Name)
    assert.same({ CidrBlock = "10.0.0.0/16", Tags = { a = "b" } }, shared)
  end)
end)

describe("what AWS takes once", function()
  it("is not declared twice", function()
    local _, err = declared(function(s)
      for _, name in ipairs { "a", "b" } do
        s:resource("AWS::Logs::LogGroup", name, { LogGroupName = "/x" })
      end
    end)
    assert.equal("SameName", err.code)
    assert.equal("b", err.resource)
    assert.matches("LogGroupName: the same as of a, declared at [^ ]+stack_spec.lua:%d+", err.message)
    _, err = declared(function(s)
      local vpc = s:resource("AWS::EC2::VPC", "vpc", { CidrBlock = "10.0.0.0/16" })
      for _, name in ipairs { "a", "b" } do
        s:resource("AWS::EC2::Subnet", name, { VpcId = vpc.VpcId, CidrBlock = "10.0.0.0/24" })
      end
    end)
    assert.matches("CidrBlock and VpcId: the same as of a", err.message)
  end)

  it("may be declared once in each region and each VPC", function()
    assert.is_not_nil(declared(function(s)
      for _, region in ipairs { "us-east-1", "us-west-2" } do
        s:resource("AWS::Logs::LogGroup", "logs-" .. region, { LogGroupName = "/x" }, { region = region })
        local vpc = s:resource("AWS::EC2::VPC", "vpc-" .. region, { CidrBlock = "10.0.0.0/16" })
        s:resource("AWS::EC2::Subnet", "subnet-" .. region, { VpcId = vpc.VpcId, CidrBlock = "10.0.0.0/24" })
      end
    end))
  end)
end)

describe("layers", function()
  it("give addresses their first part, also one in the other", function()
    local inner = { options = {}, build = function(s) s:resource("AWS::EC2::InternetGateway", "g") end }
    local declaration = assert(declared(function(s)
      s:layer("outer", {}, { options = {}, build = function() s:layer("inner", {}, inner) end })
      s:resource("AWS::EC2::InternetGateway", "after")
    end))
    assert.is_not_nil(declaration.resources["outer/inner/g"])
    assert.is_not_nil(declaration.resources.after)
  end)

  it("check their options, and have to exist", function()
    local _, err = declared(function(s) s:layer("network", { cdir = "10.0.0.0/16" }) end)
    assert.equal("UnknownOption", err.code)
    assert.matches("layer network", err.message)
    _, err = declared(function(s) s:layer("network", {}, { region = "us-west-2" }) end)
    assert.equal("BadLayer", err.code)
    _, err = declared(function(s) s:layer "nettwork" end)
    assert.equal("UnknownLayer", err.code)
    assert.matches("stack_spec.lua:%d+", err.source)
  end)
end)

describe("outputs", function()
  it("have names of their own", function()
    local _, err = declared(function(s)
      s:output("a", 1)
      s:output("a", 2)
    end)
    assert.equal("DuplicateName", err.code)
    _, err = declared(function(s) s:output(nil, 1) end)
    assert.equal("BadName", err.code)
  end)

  it("are values", function()
    local _, err = declared(function(s) s:output("f", print) end)
    assert.equal("BadValue", err.code)
    assert.matches("output 'f': .*function", err.message)
    assert.matches("stack_spec.lua:%d+", err.source)
    assert.is_not_nil(declared(function(s) s:output("secret", { infra.secret "hunter2" }) end))
  end)
end)

describe("the methods of a stack", function()
  it("say when they are called without their colon", function()
    for _, method in ipairs { "resource", "layer", "output" } do
      local _, err = declared(function(s) s[method]("AWS::EC2::VPC", "vpc", {}) end)
      assert.equal("BadCall", err.code)
      assert.matches("write stack:" .. method, err.message, 1, true)
      assert.matches("stack_spec.lua:%d+", err.source)
    end
  end)
end)

describe("a mistake in the build function", function()
  it("is reported with its line, beside the faults found before it", function()
    local _, err = declared(function(s)
      s:resource("AWS::EC2::VPC", "vpc", { CidrBlok = "x" })
      error "boom"
    end)
    assert.matches("2 faults", err.message)
    assert.matches("has no property 'CidrBlok'", err.message)
    assert.matches("stack_spec.lua:%d+: boom", err.message)
  end)
end)
