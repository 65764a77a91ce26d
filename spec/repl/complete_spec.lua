local complete = require "infra.repl.complete"

describe("infra.repl.complete", function()
  local called = 0
  local operation = setmetatable({}, {
    __call = function() called = called + 1 end,
    __names = function() return { "Filters", "Fields", "Max" } end,
  })
  local aws = setmetatable({}, {
    __names = function() return { "ec2", "ecr", "cognito_idp" } end,
    __index = function(_, name)
      return name == "ec2" and { DescribeVpcs = operation, CreateVpc = operation } or error("there is none")
    end,
  })
  local Class = { method = function() end }
  Class.__index = Class
  local environment = {
    aws = aws, answer = 1, text = "x", run = function() called = called + 1 end,
    rows = { { name = 1 } },
    resources = { ["network/vpc"] = { VpcId = 1 }, ["network/nat"] = {}, network = {}, plain = {} },
    object = setmetatable({ field = 1 }, Class),
    dangerous = setmetatable({}, { __index = function() called = called + 1 end }),
  }
  local COMMANDS = {
    help = {}, time = {},
    type = { words = function() return { "AWS::EC2::VPC", "AWS::EC2::EIP", "AWS::S3::Bucket" } end },
  }

  -- What the line becomes with each of the words.
  local function lines(text)
    local words, start = complete.words(text, environment, COMMANDS)
    local found = {}
    for i, word in ipairs(words) do
      found[i] = text:sub(1, start - 1) .. word
    end
    return found
  end

  it("finds variables", function()
    assert.same({ "answer", "aws" }, lines "a")
    assert.same({ "x = 1 + answer" }, lines "x = 1 + an")
    assert.same({ "print(resources" }, lines "print(res")
    assert.same({}, lines "nothing")
    assert.same({}, lines "1 + ")
    assert.equal(8, #lines "")
  end)

  it("finds fields, also those that tables make when asked", function()
    assert.same({ "aws.ec2", "aws.ecr" }, lines "aws.ec")
    assert.same({ "aws.ec2.CreateVpc", "aws.ec2.DescribeVpcs" }, lines "aws.ec2.")
    assert.same({ "f(aws.ec2.DescribeVpcs" }, lines "f(aws.ec2.Desc")
    assert.same({ "rows[1].name" }, lines "rows[1].n")
    assert.same({}, lines "aws.absent.x")
    assert.same({}, lines "answer.x")
  end)

  it("finds methods", function()
    assert.same({ "object:method" }, lines "object:m")
    assert.same({ "object.field" }, lines "object.f")
    assert.same({ "text:find", "text:format" }, lines "text:f")
  end)

  it("finds keys in brackets, and closes those that are one", function()
    assert.same({ 'resources["network/vpc"]' }, lines 'resources["network/v')
    assert.same({ 'resources["network', 'resources["network/nat', 'resources["network/vpc' }, lines 'resources["net')
    assert.same({ 'resources["network/vpc"].VpcId' }, lines 'resources["network/vpc"].V')
    assert.same({ "resources.network", "resources.plain" }, lines "resources.")
  end)

  it("finds parameters where one can begin", function()
    local call = "aws.ec2.DescribeVpcs { "
    assert.same({ call .. "Fields", call .. "Filters" }, lines(call .. "Fi"))
    assert.same({ "x = aws.ec2.DescribeVpcs({ Max" }, lines "x = aws.ec2.DescribeVpcs({ M")
    assert.same({ "aws.ec2.DescribeVpcs { Max = 1, Filters" }, lines "aws.ec2.DescribeVpcs { Max = 1, Fil")
    assert.equal(3, #lines "aws.ec2.DescribeVpcs {")
    assert.same({ "aws.ec2.DescribeVpcs { Max = answer" }, lines "aws.ec2.DescribeVpcs { Max = ans")
    assert.same({ "run { answer" }, lines "run { ans")
  end)

  it("finds commands and their arguments", function()
    assert.same({ ":time", ":type" }, lines ":t")
    assert.equal(3, #lines ":")
    assert.same({ ":type AWS::EC2::EIP", ":type AWS::EC2::VPC" }, lines ":type AWS::EC2::")
    assert.same({}, lines ":help x")
    assert.same({}, lines ":absent x")
    assert.same({}, lines ":type a b")
  end)

  it("calls nothing", function()
    called = 0
    lines "dangerous.x.y"
    lines "run().x"
    lines "aws.ec2.DescribeVpcs { Filters = run()."
    assert.equal(0, called)
  end)
end)
