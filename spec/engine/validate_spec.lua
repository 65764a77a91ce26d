local declared = require "spec.engine.declared"
local json = require "host.json"
local reference = require "infra.engine.reference"
local resources = require "infra.resources"
local validate = require "infra.engine.validate"

-- The faults of these properties, as one text.
local function faults(type_name, properties)
  local found = {}
  validate.properties(assert(resources.type(type_name)), properties, function(message)
    found[#found + 1] = message
  end)
  table.sort(found)
  return table.concat(found, "\n")
end

local VPC = reference.new("vpc", "VpcId")

describe("validation of properties", function()
  it("accepts what fits", function()
    assert.equal("", faults("AWS::EC2::VPC", { CidrBlock = "10.0.0.0/16", EnableDnsSupport = true,
      Tags = { a = "b" } }))
    assert.equal("", faults("AWS::Logs::LogGroup", { RetentionInDays = 30 }))
    assert.equal("", faults("AWS::S3::Bucket", { VersioningConfiguration = { Status = "Enabled" } }))
  end)

  it("doubts values that AWS's data does not list, which may be new ones", function()
    local function doubts(type_name, properties)
      return validate.properties(assert(resources.type(type_name)), properties, error)
    end
    assert.same({ "RetentionInDays is the number 13; AWS's data knows 1, 3, 5, 7, 14" },
      { doubts("AWS::Logs::LogGroup", { RetentionInDays = 13 })[1]:match "^.* 14" })
    assert.same({ [[VersioningConfiguration.Status is the string "On"; AWS's data knows Enabled, Suspended]] },
      doubts("AWS::S3::Bucket", { VersioningConfiguration = { Status = "On" } }))
    assert.same({}, doubts("AWS::S3::Bucket", { VersioningConfiguration = { Status = VPC } }))
    assert.same({}, doubts("AWS::SSM::Parameter", { Type = "SecureString", GenerateValue = {} }))
  end)

  it("names a misspelt property and what it may be", function()
    assert.matches("AWS::EC2::VPC has no property 'CidrBlok', did you mean CidrBlock?",
      faults("AWS::EC2::VPC", { CidrBlok = "10.0.0.0/16" }), 1, true)
  end)

  it("names a misspelt member with its place", function()
    assert.matches("PublicAccessBlockConfiguration has no member 'BlockPublicAcl', did you mean BlockPublicAcls",
      faults("AWS::S3::Bucket", { PublicAccessBlockConfiguration = { BlockPublicAcl = true } }), 1, true)
    assert.matches("SecurityGroupIngress[2] has no member 'Port'", faults("AWS::EC2::SecurityGroup", {
      GroupDescription = "d", VpcId = VPC,
      SecurityGroupIngress = { { IpProtocol = "-1", CidrIp = "10.0.0.0/8" }, { IpProtocol = "tcp", Port = 1 } },
    }), 1, true)
  end)

  it("wants what is required, in structures as well", function()
    assert.matches("property 'VpcId' is required", faults("AWS::EC2::Subnet", { CidrBlock = "10.0.0.0/24" }))
    assert.matches("VersioningConfiguration needs the member 'Status'",
      faults("AWS::S3::Bucket", { VersioningConfiguration = {} }))
  end)

  it("tells types apart", function()
    assert.matches("CidrBlock must be a string, is a list", faults("AWS::EC2::VPC", { CidrBlock = { "10.0.0.0/16" } }))
    assert.matches("EnableDnsSupport must be a boolean, is the string \"true\"",
      faults("AWS::EC2::VPC", { EnableDnsSupport = "true" }))
    assert.matches("RetentionInDays must be an integer, is the string", faults("AWS::Logs::LogGroup",
      { RetentionInDays = "30" }))
    assert.matches("RetentionInDays must be an integer, is the number 30.5", faults("AWS::Logs::LogGroup",
      { RetentionInDays = 30.5 }))
    assert.matches("ManagedPolicyArns must be a list, is a table", faults("AWS::IAM::Role",
      { AssumeRolePolicyDocument = {}, ManagedPolicyArns = { first = "arn" } }))
    assert.matches("ManagedPolicyArns must be a list", faults("AWS::IAM::Role",
      { AssumeRolePolicyDocument = {}, ManagedPolicyArns = { "arn", note = "x" } }))
    assert.matches("CidrBlock must be a string, is a function", faults("AWS::EC2::VPC", { CidrBlock = print }))
  end)

  it("takes numbers and booleans for texts, as CloudFormation does", function()
    assert.equal("", faults("AWS::SSM::Parameter", { Type = "String", Value = 5432 }))
    assert.equal("", faults("AWS::SSM::Parameter", { Type = "String", Value = true }))
  end)

  it("lets references stand for anything", function()
    assert.equal("", faults("AWS::EC2::Subnet", { VpcId = VPC, CidrBlock = VPC, MapPublicIpOnLaunch = VPC }))
  end)

  it("refuses what the handler cannot set", function()
    assert.matches("handler cannot set 'AccelerateConfiguration'", faults("AWS::S3::Bucket",
      { AccelerateConfiguration = { AccelerationStatus = "Enabled" } }))
  end)

  it("knows both forms of tags, and only those", function()
    for _, tags in ipairs { { a = "b", c = 1, d = VPC }, { { Key = "a", Value = "b" } }, {}, json.array {} } do
      assert.equal("", faults("AWS::EC2::VPC", { CidrBlock = "10.0.0.0/16", Tags = tags }))
    end
    assert.matches("Tags must be a table of tags", faults("AWS::EC2::VPC", { Tags = "a=b" }))
    assert.matches("Tags[1] must be a table with a text as Key",
      faults("AWS::EC2::VPC", { Tags = { { Name = "a" } } }), 1,
      true)
    assert.matches("Tags[a] must be a text", faults("AWS::EC2::VPC", { Tags = { a = {} } }), 1, true)
  end)

  it("takes an empty table for an empty list and an empty structure", function()
    assert.equal("", faults("AWS::IAM::Role", { AssumeRolePolicyDocument = { Statement = {} },
      ManagedPolicyArns = {} }))
  end)

  it("reports all faults of a stack, each with its line, before any call", function()
    local declaration, err = declared(function(stack)
      stack:resource("AWS::EC2::VPC", "one", { CidrBlok = "10.0.0.0/16" })
      stack:resource("AWS::EC2::VPC", "two", { CidrBlock = 1, EnableDnsSupport = 2 })
    end)
    assert.is_nil(declaration)
    assert.matches("2 faults", err.message)
    assert.matches("validate_spec.lua:%d+: one: AWS::EC2::VPC has no property", err.message)
    assert.matches("validate_spec.lua:%d+: two: AWS::EC2::VPC: EnableDnsSupport must be a boolean", err.message)
  end)
end)
