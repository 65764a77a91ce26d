-- The estimate of what a stack costs, against sums done by hand.

local cost = require "infra.cost"
local report = require "infra.report.cost"

local function near(expected, actual)
  assert.is_true(math.abs(expected - actual) < 0.005, ("%.4f is not %.4f"):format(actual, expected))
end

local function resource(type_name, properties)
  return { type = type_name, properties = properties or {} }
end

describe("infra.cost", function()
  it("counts hours, data and requests", function()
    near(730 * 0.045 + 10 * 0.045, cost.estimate({ resource "AWS::EC2::NatGateway" }).total)
    near(730 * 0.12 + 5 * 0.10 + 5 * 0.20, cost.estimate({ resource "AWS::RDS::DBCluster" }).total)
    near(0.3 * 0.20 + 300000 * 0.1 * 0.0000166667, cost.estimate({ resource("AWS::Lambda::Function",
      { MemorySize = 1024 }) }).total)
  end)

  it("shares what is assumed for the stack, and adds what each costs by itself", function()
    local one = cost.estimate({ resource "AWS::EC2::NatGateway" }).total
    local two = cost.estimate({ resource "AWS::EC2::NatGateway", resource "AWS::EC2::NatGateway" }).total
    near(32.85, two - one)
  end)

  it("knows limits and free quantities", function()
    near(2 * 730 * 0.12 + 1.5, cost.estimate({ resource("AWS::RDS::DBCluster",
      { ServerlessV2ScalingConfiguration = { MinCapacity = 2, MaxCapacity = 4 } }) }).total)
    near(0, cost.estimate({ resource "AWS::CloudFront::Distribution" }).total)
    near(2, cost.estimate({ resource "AWS::CodePipeline::Pipeline", resource "AWS::CodePipeline::Pipeline",
      resource "AWS::CodePipeline::Pipeline" }).total)
  end)

  it("takes other assumptions", function()
    near(730 * 0.045, cost.estimate({ resource "AWS::EC2::NatGateway" }, { nat_gb = 0 }).total)
  end)

  it("shows the working", function()
    local text = report.text(cost.estimate({ resource "AWS::EC2::NatGateway" }))
    assert.matches("730 hours +0%.045 +32%.85", text)
    assert.matches("total +33%.30", text)
    local markdown = report.markdown(cost.estimate({ resource "AWS::EC2::NatGateway" }), "x", {})
    assert.matches("| %*%*total%*%* | %*%*33%.30%*%* |", markdown)
  end)

  it("tells what a change costs", function()
    local before, after = cost.estimate {}, cost.estimate { resource "AWS::SecretsManager::Secret" }
    assert.equal("Cost: 0.40 USD a month, +0.40 (estimate; see infra cost)", report.change(before, after))
  end)
end)
