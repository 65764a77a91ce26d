local argparse = require "argparse"
local verb = require "infra.cli.models"

-- What `infra models ...` prints -> text, err.
local function run(...)
  local parser, out = argparse "infra", {}
  parser.error = function(_, message)
    error(message, 0)
  end
  verb.arguments(parser:command(verb.name))
  local _, err = verb.run(parser:parse { verb.name, ... }, {
    out = function(text)
      out[#out + 1] = text
    end,
  })
  return table.concat(out), err
end

-- Whether `text` has a line that starts with `words`, however they are spaced.
local function has_line(text, words)
  local squeezed = "\n" .. text:gsub(" +", " "):gsub("\n ", "\n")
  return squeezed:find("\n" .. words, 1, true) ~= nil
end

describe("infra models", function()
  it("says which models there are", function()
    local text = run()
    assert.matches("calls %s+%S+ [%d.]+ +%d+ services, [%d,]+ operations", text)
    assert.matches("resources %s+aws%-service%-spec [%d.]+ +1,%d+ types, %d+ metrics", text)
  end)

  it("shows a resource type", function()
    local text = run("show", "AWS::EC2::VPC")
    assert.matches("^AWS::EC2::VPC\n\nSpecifies a virtual private cloud", text)
    assert.is_true(has_line(text, "identified by VpcId"))
    assert.is_true(has_line(text, "CidrBlock string, update replaces"))
    assert.is_true(has_line(text, "InstanceTenancy string, update can replace"))
    assert.is_true(has_line(text, "DefaultSecurityGroup string"))
    assert.matches("\n      The IPv4 network range for the VPC, in CIDR notation%.\n", text)
    assert.is_true(has_line(text, "Mode string, monitor | enforce"))
    assert.is_false(has_line(run("show", "AWS::EC2::VPC", "--depth", "1"), "Mode string"))
  end)

  it("shows required properties first", function()
    local text = run("show", "AWS::EC2::Subnet")
    assert.matches("\nproperties\n  VpcId +string, required, update replaces", text)
  end)

  it("shows one property with all that is said about it", function()
    local text = run("show", "AWS::EC2::VPC", "CidrBlock")
    assert.matches("^AWS::EC2::VPC CidrBlock\n", text)
    assert.matches("You must specify either", text)
    text = run("show", "AWS::RDS::DBCluster", "ServerlessV2ScalingConfiguration.MinCapacity")
    assert.matches("minimum number of Aurora capacity units", text)
    text = run("show", "AWS::EC2::VPC", "VpcEncryptionControl.State") -- an attribute with a dot in its name
    assert.matches("^AWS::EC2::VPC VpcEncryptionControl.State\n", text)
  end)

  it("shows an operation with its wire names", function()
    local text = run("show", "ec2", "CreateVpc")
    assert.matches("^ec2 CreateVpc\n", text)
    assert.is_true(has_line(text, "POST / (ec2)"))
    assert.is_true(has_line(text, "TagSpecifications list of structure, sent as TagSpecification"))
    assert.is_true(has_line(text, "VpcId string, sent as vpcId"))
    text = run("show", "s3", "PutBucketPolicy")
    assert.is_true(has_line(text, "Bucket string, required, uri Bucket"))
    assert.is_true(has_line(text, "Policy string, required, body"))
    text = run("show", "ec2", "CreateVpc", "TagSpecifications.Tags")
    assert.is_true(has_line(text, "Key string, sent as key"))
  end)

  it("shows a service and the metrics of a namespace", function()
    local text = run("show", "ec2")
    assert.is_true(has_line(text, "CreateVpc"))
    assert.is_true(has_line(text, "VpcAvailable DescribeVpcs"))
    assert.is_true(has_line(run("show", "AWS/NATGateway"), "ErrorPortAllocation Sum, {NatGatewayId}"))
  end)

  it("keeps to the width", function()
    for text in run("show", "AWS::Logs::LogGroup", "RetentionInDays"):gmatch "[^\n]+" do
      assert.is_true(#text <= 100)
    end
  end)

  it("lists what has a text in its name", function()
    local text = run("list", "natgateway")
    assert.matches("\nec2 CreateNatGateway\n", "\n" .. text)
    assert.matches("\nAWS::EC2::NatGateway\n", text)
    assert.is_nil(text:find("CreateVpc\n", 1, true))
    text = run "list"
    assert.matches("\nec2\n", text)
    assert.is_nil(text:find("ec2 CreateVpc", 1, true))
  end)

  it("lists the types that can be put into a stack, and marks the others", function()
    assert.equal("AWS::ECR::Repository\nInfra::ECR::Image\n", run("types", "ecr::"))
    assert.is_nil(run("types"):find("AWS::DynamoDB::Table", 1, true))
    local text = run("list", "dynamodb::table") .. run("list", "hostedzone")
    assert.is_true(has_line(text, "AWS::DynamoDB::Table (no native handler)\n"))
    assert.is_true(has_line(text, "AWS::Route53::HostedZone\n"))
    assert.is_true(has_line(text, "Infra::HostedZone\n"))
  end)

  it("says of a type whether it can be put into a stack", function()
    local remark = "no native handler: only a plug-in can bring it into a stack"
    assert.is_true(has_line(run("show", "AWS::DynamoDB::Table"), remark))
    assert.is_false(has_line(run("show", "AWS::EC2::VPC"), remark))
    local text = run("show", "Infra::HostedZone")
    assert.is_true(has_line(text, "DomainName string, required"))
    assert.is_false(has_line(text, remark))
  end)

  it("takes for wrong usage what there is not, and names the nearest", function()
    for message, words in pairs {
      ["there is no resource type called AWS::EC2::VPCC, did you mean AWS::EC2::VPC?"] = { "AWS::EC2::VPCC" },
      ["there is no resource type called Infra::HostedZon, did you mean Infra::HostedZone?"] = { "Infra::HostedZon" },
      ["there is no AWS service called EC2, did you mean ec2?"] = { "EC2", "CreateVpc" },
      ["there is no AWS service called nonesuch"] = { "nonesuch" },
      ["ec2 has no operation CreateVpcc, did you mean CreateVpc?"] = { "ec2", "CreateVpcc" },
      ["AWS::EC2::VPC has no member CidrBlok, did you mean CidrBlock?"] = { "AWS::EC2::VPC", "CidrBlok" },
    } do
      local text, err = run("show", table.unpack(words))
      assert.equal("", text)
      assert.equal("Usage", err.code)
      assert.equal(message, err.message)
    end
  end)
end)
