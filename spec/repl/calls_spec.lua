local calls = require "infra.repl.calls"
local errors = require "infra.errors"
local reference = require "infra.engine.reference"

describe("infra.repl.calls", function()
  local sent, answers, writing

  -- A client that answers with `answers`, one after the other, and remembers what it was asked.
  local function answer(way)
    return function(_, service, operation, params, options)
      sent[#sent + 1] = { way, service, operation, params, options }
      return table.unpack(table.remove(answers, 1) or { {} }, 1, 2)
    end
  end

  local client = { call = answer "call", all = answer "all" }

  function client:pages(...)
    local first = { ... }
    return function()
      if #answers > 0 then
        return answer "pages"(self, table.unpack(first))
      end
    end
  end

  local aws = calls.new {
    client = client,
    may_write = function()
      return writing
    end,
    resolve = function(params)
      return reference.resolve(params, function(address, attribute)
        return address .. "-" .. attribute
      end)
    end,
  }

  before_each(function()
    sent, answers, writing = {}, {}, false
  end)

  -- What fn(...) throws, as text.
  local function problem(fn, ...)
    local ok, err = pcall(fn, ...)
    assert.is_false(ok)
    return tostring(err)
  end

  it("calls any operation of any service", function()
    answers = { { { Vpcs = { { VpcId = "vpc-1" } } } } }
    assert.equal("vpc-1", aws.ec2.DescribeVpcs({ MaxResults = 5 }, { region = "eu-west-1" }).Vpcs[1].VpcId)
    assert.same({ "call", "ec2", "DescribeVpcs", { MaxResults = 5 }, { region = "eu-west-1" } }, sent[1])
    aws.cognito_idp.ListUserPools { MaxResults = 1 }
    assert.equal("ListUserPools", sent[2][3])
    aws["cognito-idp"].ListUserPools { MaxResults = 1 }
    assert.equal(3, #sent)
    aws.sts.GetCallerIdentity()
    assert.same({}, sent[4][4])
  end)

  it("fetches all pages, and page by page", function()
    answers = { { { Vpcs = {} } } }
    aws.ec2.all.DescribeVpcs {}
    assert.equal("all", sent[1][1])
    answers = { { { NextToken = "1" } }, { { NextToken = "2" } } }
    local tokens = {}
    for page in aws.ec2.pages.DescribeVpcs {} do
      tokens[#tokens + 1] = page.NextToken
    end
    assert.same({ "1", "2" }, tokens)
  end)

  it("throws what AWS answers, on every page", function()
    local refused = errors.new { code = "Throttling", message = "slow down" }
    answers = { { nil, refused } }
    assert.equal("slow down", problem(aws.ec2.DescribeVpcs, {}))
    answers = { { {} }, { false, refused } }
    local following = aws.ec2.pages.DescribeVpcs {}
    following()
    assert.equal("slow down", problem(following))
  end)

  it("refuses what can change something until that is allowed", function()
    assert.equal("ec2 CreateVpc can change something\n  type :write to allow that, :read to go back",
      problem(aws.ec2.CreateVpc, { CidrBlock = "10.0.0.0/16" }))
    for _, operation in ipairs { aws.ec2.all.DeleteVpc, aws.s3.PutObject, aws.iam.AttachRolePolicy } do
      assert.matches("can change something", problem(operation, {}))
    end
    assert.same({}, sent)
    aws.ec2.DescribeVpcs {}
    aws.dynamodb.BatchGetItem { RequestItems = {} }
    aws.cloudtrail.LookupEvents {}
    aws.s3.HeadObject {}
    assert.equal(4, #sent)
    writing = true
    aws.ec2.CreateVpc { CidrBlock = "10.0.0.0/16" }
    assert.equal("CreateVpc", sent[5][3])
  end)

  it("has times and bytes as `infra aws` has them", function()
    answers = { { { Parameter = { LastModifiedDate = 1440938160.5 } } }, { { CiphertextBlob = "\0\xff" } } }
    assert.equal("2015-08-30T12:36:00.500Z", aws.ssm.GetParameter({ Name = "/x" }).Parameter.LastModifiedDate)
    writing = true
    assert.equal("AP8=", aws.kms.Encrypt({ KeyId = "k", Plaintext = "e30=" }).CiphertextBlob)
    assert.equal("{}", sent[2][4].Plaintext)
    assert.matches("is not base64", problem(aws.kms.Encrypt, { KeyId = "k", Plaintext = "?" }))
  end)

  it("gives secrets as secrets", function()
    answers = { { { Parameter = { Name = "/x", Value = "hunter22" } } }, { { SecretBinary = "\1" } } }
    local parameter = aws.ssm.GetParameter({ Name = "/x" }).Parameter
    assert.equal("/x", parameter.Name)
    assert.equal("(secret)", tostring(parameter.Value))
    assert.equal("hunter22", parameter.Value.reveal())
    assert.is_true(reference.is_secret(aws.secretsmanager.GetSecretValue({ SecretId = "s" }).SecretBinary))
  end)

  it("takes secrets and references in parameters", function()
    writing = true
    aws.ssm.PutParameter {
      Name = "/" .. reference.new("network/vpc", "VpcId"), Value = reference.secret "hunter22",
    }
    assert.same({ Name = "/network/vpc-VpcId", Value = "hunter22" }, sent[1][4])
  end)

  it("says what was meant by a name that is none", function()
    for message, look in pairs {
      ["there is no AWS service called ec3, did you mean ec2"] = function() return aws.ec3 end,
      ["ec2 has no operation DescribeVpc, did you mean DescribeVpcs"] = function() return aws.ec2.DescribeVpc end,
    } do
      assert.matches(message, problem(look), 1, true)
    end
    assert.matches("DescribeVpcs takes a table of parameters, got a string", problem(aws.ec2.DescribeVpcs, "vpc-1"))
  end)

  it("explains itself", function()
    assert.matches("aws.ec2.DescribeVpcs", tostring(aws), 1, true)
    assert.matches("^ec2: Amazon Elastic Compute Cloud, %d+ operations$", tostring(aws.ec2))
    local text = tostring(aws.ec2.DescribeVpcs)
    assert.matches("^ec2 DescribeVpcs\n", text)
    assert.matches("\ninput\n.*VpcIds +list of string.*\noutput\n.*Vpcs +list of structure", text)
  end)

  it("lists names for completion", function()
    local function names(value)
      local set = {}
      for _, name in ipairs(getmetatable(value).__names(value)) do
        set[name] = true
      end
      return set
    end
    assert.truthy(names(aws).ec2 and names(aws).cognito_idp)
    assert.truthy(names(aws.ec2).DescribeVpcs and names(aws.ec2).all and names(aws.ec2).pages)
    assert.is_nil(names(aws.ec2.all).all)
    assert.truthy(names(aws.ec2.DescribeVpcs).VpcIds)
  end)
end)
