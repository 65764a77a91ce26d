local declared = require "spec.engine.declared"
local reference = require "infra.engine.reference"

-- The error of a stack with this build function.
local function failure(build)
  local declaration, err = declared(build)
  assert.is_nil(declaration)
  return err
end

describe("a declared resource", function()
  it("gives references to its attributes and properties, and its Ref", function()
    declared(function(stack)
      local vpc = stack:resource("AWS::EC2::VPC", "vpc", { CidrBlock = "10.0.0.0/16" })
      assert.equal(reference.new("vpc", "VpcId"), vpc.VpcId)
      assert.equal(reference.new("vpc", "CidrBlock"), vpc.CidrBlock)
      assert.equal(vpc.VpcId, vpc.Ref)
      assert.equal("AWS::EC2::VPC vpc", tostring(vpc))
    end)
  end)

  it("stands for its Ref inside properties and outputs", function()
    local declaration = assert(declared(function(stack)
      local vpc = stack:resource("AWS::EC2::VPC", "vpc", { CidrBlock = "10.0.0.0/16" })
      stack:resource("AWS::EC2::Subnet", "subnet", { VpcId = vpc, CidrBlock = "10.0.0.0/24" })
      stack:output("all", { vpc })
    end))
    assert.equal(reference.new("vpc", "VpcId"), declaration.resources.subnet.properties.VpcId)
    assert.same({ reference.new("vpc", "VpcId") }, declaration.outputs.all.value)
  end)

  it("gives attributes that are members of others", function()
    declared(function(stack)
      local bucket = stack:resource("AWS::S3::Bucket", "b")
      assert.equal(reference.new("b", "MetadataTableConfiguration.S3TablesDestination.TableArn"),
        bucket.MetadataTableConfiguration.S3TablesDestination.TableArn)
    end)
    local err = failure(function(stack)
      local bucket = stack:resource("AWS::S3::Bucket", "b")
      stack:resource("AWS::SSM::Parameter", "p", { Type = "String", Value = bucket.MetadataConfiguration.Destination and
        bucket.MetadataTableConfiguration.S3TablesDestination })
    end)
    assert.matches("is a group of attributes", err.message)
  end)

  it("refuses attributes that do not exist, with the stack's line and a suggestion", function()
    local err = failure(function(stack)
      local vpc = stack:resource("AWS::EC2::VPC", "vpc", { CidrBlock = "10.0.0.0/16" })
      return vpc.VpcIdd
    end)
    assert.equal("UnknownAttribute", err.code)
    assert.matches("resource_spec.lua:%d+", err.source)
    assert.matches("did you mean VpcId", err.message)
    assert.equal("UnknownAttribute", failure(function(stack)
      return stack:resource("AWS::EC2::InternetGateway", "g")[1]
    end).code)
  end)

  it("cannot be changed", function()
    assert.equal("ReadOnly", failure(function(stack)
      local vpc = stack:resource("AWS::EC2::VPC", "vpc", { CidrBlock = "10.0.0.0/16" })
      vpc.CidrBlock = "10.1.0.0/16"
    end).code)
  end)

  it("has a type that exists and that can be managed", function()
    assert.equal("UnknownType", failure(function(stack)
      stack:resource("AWS::EC2::VCP", "vpc")
    end).code)
    assert.equal("NoHandler", failure(function(stack)
      stack:resource("AWS::QLDB::Ledger", "ledger")
    end).code)
  end)

  it("has a name of its own, without what addresses and references are made of", function()
    for _, name in ipairs { "", "a/b", "a|b", "a}", "a b" } do
      assert.equal("BadName", failure(function(stack)
        stack:resource("AWS::EC2::InternetGateway", name)
      end).code)
    end
    assert.equal("BadName", failure(function(stack)
      stack:resource("AWS::EC2::InternetGateway")
    end).code)
    local err = failure(function(stack)
      stack:resource("AWS::EC2::InternetGateway", "g")
      stack:resource("AWS::EC2::InternetGateway", "g")
    end)
    assert.equal("DuplicateName", err.code)
    assert.matches("declared at .*resource_spec.lua:%d+", err.message)
  end)
end)

describe("resource options", function()
  local function option_error(options)
    return failure(function(stack)
      stack:resource("AWS::EC2::InternetGateway", "g", nil, options)
    end).message
  end

  it("are known by name and type", function()
    assert.matches("there is no resource option 'protekt', did you mean protect", option_error { protekt = true })
    assert.matches("'protect' must be a boolean", option_error { protect = "yes" })
    assert.matches("the stack names no role for account 123456789012", option_error { account = "123456789012" })
    assert.matches("'account' must be a string", option_error { account = 123456789012 })
  end)

  it("name properties and actions that exist", function()
    assert.matches("ignore_changes: there is no property 'Tag', did you mean Tags",
      option_error { ignore_changes = { "Tag" } })
    assert.matches("there is no timeout 'creat', did you mean create", option_error { timeouts = { creat = 1 } })
    assert.matches("timeout 'create' must be a number", option_error { timeouts = { create = "1 h" } })
  end)

  it("may choose another region", function()
    local declaration = assert(declared(function(stack)
      stack:resource("AWS::EC2::InternetGateway", "here")
      stack:resource("AWS::EC2::InternetGateway", "there", nil, { region = "eu-west-1" })
    end))
    assert.equal("us-east-1", declaration.resources.here.region)
    assert.equal("eu-west-1", declaration.resources.there.region)
  end)
end)
