local models = require "infra.models"
local request = require "infra.aws.request"

describe("infra.aws.request", function()
  local function operation(service, name)
    local found = assert(models.service(service))
    return assert(found:operation(name)), found
  end

  it("knows the operations that may always be repeated, by their names and by HTTP's word", function()
    for name, service in pairs {
      DescribeVpcs = "ec2", GetRole = "iam", ListRoles = "iam", HeadBucket = "s3", FilterLogEvents = "logs",
      BatchGetProjects = "codebuild", SimulatePrincipalPolicy = "iam", AssumeRole = "sts", LookupEvents = "cloudtrail",
    } do
      assert.truthy(request.is_read((operation(service, name))), name)
    end
    for name, service in pairs {
      CreateVpc = "ec2", PutBucketPolicy = "s3", Invoke = "lambda", CheckoutLicense = "license-manager",
      BatchWriteItem = "dynamodb", ReceiveMessage = "sqs", GenerateDataKey = "kms",
    } do
      assert.falsy(request.is_read((operation(service, name))), name)
    end
  end)

  local function prepare(service, name, params, options)
    local chosen, owner = operation(service, name)
    return request.prepare(owner, chosen, params, options or {}, function(n) return ("\0"):rep(n) end)
  end

  it("calls an operation safe to repeat when it reads, has a token, or the caller says so", function()
    assert.is_true(prepare("logs", "DescribeLogGroups").is_safe)
    assert.is_true(prepare("secretsmanager", "CreateSecret", { Name = "n" }).is_safe)
    assert.is_false(prepare("logs", "CreateLogGroup", { logGroupName = "g" }).is_safe)
    assert.is_true(prepare("logs", "CreateLogGroup", { logGroupName = "g" }, { retry_unsafe = true }).is_safe)
  end)

  it("refuses parameters that do not fit", function()
    local call, err = prepare("logs", "CreateLogGroup", { logGroupNam = "g" })
    assert.is_nil(call)
    assert.equal("ParamValidation", err.code)
    assert.truthy(err.message:find "logGroupNam:")
    assert.truthy(err.message:find "logGroupName:")
  end)
end)
