local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local functions = require "spec.resources.functions"

local NAME <const> = functions.NAME

describe("AWS::Lambda::Function", function()
  local world

  before_each(function()
    world = World.new()
  end)
  after_each(function()
    world:close()
  end)

  local function declare(properties, options)
    return World.declare(function(stack)
      functions.declare(stack, properties, options)
    end)
  end

  -- Names of the calls of Lambda's that a run made, in order, reads too.
  local function lambda_calls(run)
    local names = {}
    for _, call in ipairs(run.calls) do
      if call.service == "lambda" then
        names[#names + 1] = call.operation
      end
    end
    return names
  end

  -- Lets the first `count` calls of an operation fail.
  local function failing(operation, count, code, message, status, fn)
    local tries = 0
    calls.with("lambda", {
      [operation] = function(original, ctx, params)
        tries = tries + 1
        if tries <= count then
          ctx:fail(code, message, status)
        end
        return original(ctx, params)
      end,
    }, fn)
    return tries
  end

  it("is created, waited for, and is the same afterwards", function()
    local declaration = declare { MemorySize = 1024, Timeout = 30, Description = "the application",
      Environment = { Variables = { A = "1" } }, Architectures = { "x86_64" }, TracingConfig = { Mode = "Active" },
      EphemeralStorage = { Size = 1024 }, LoggingConfig = { LogFormat = "JSON" }, ReservedConcurrentExecutions = 5 }
    local run = world:run(declaration)
    local created = calls.params(run, "CreateFunction")
    assert.equal(1024, created[#created].MemorySize)
    assert.matches("@sha256:%x+$", created[#created].Code.ImageUri)
    assert.equal(5, calls.params(run, "PutFunctionConcurrency")[1].ReservedConcurrentExecutions)
    world:unchanged(declaration)
    local _, _, process = world:plan(declaration)
    assert.equal(1, #lambda_calls(process))
    world:destroy(declaration)
    assert.same({}, world:census())
  end)

  it("is retried while its role, its image or its permissions are not known everywhere", function()
    for _, message in ipairs {
      "The role defined for the function cannot be assumed by Lambda.",
      "The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
      "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: none",
      "Your request has been throttled by EC2, please make sure you have enough API rate limit.",
      "Lambda was unable to configure access to your variables because the KMS key is invalid for CreateGrant.",
      "Source image 1.dkr.ecr.us-east-1.amazonaws.com/x@sha256:1 does not exist. Provide a valid source image.",
      "Lambda does not have permission to access the ECR image. Check the ECR permissions.",
    } do
      assert.is_true(failing("CreateFunction", 5, "InvalidParameterValueException", message, 400, function()
        world:run(declare {})
        world:destroy(declare {})
      end) > 5)
    end
  end)

  it("is not retried when the mistake will not pass", function()
    local code = "InvalidParameterValueException"
    local tries = failing("CreateFunction", 5, code, "MemorySize is not good", 400, function()
      assert.equal(code, world:apply(declare {}).result.failures[1].code)
    end)
    assert.equal(1, tries)
  end)

  it("tells one that exists from one that is being changed, which have the same code", function()
    assert.is_true(failing("CreateFunction", 3, "ResourceConflictException",
      "The operation cannot be performed at this time. An update is in progress for resource: x", 409, function()
        world:run(declare {})
      end) > 3)
    world:run(declare({}, { retain = true }))
    world:run(World.declare(function() end)) -- the function stays, and does not belong to this stack any more
    local run = world:apply(declare {})
    assert.equal("AlreadyExists", run.result.failures[1].code)
    world:run(declare({ MemorySize = 256 }, { adopt = true }))
    world:unchanged(declare { MemorySize = 256 })
  end)

  it("is found when the answer to its creation is lost", function()
    calls.with("lambda", { CreateFunction = calls.unanswered() }, function()
      world:run(declare {})
    end)
    world:unchanged(declare {})
  end)

  it("changes code and configuration one after the other, waiting in between", function()
    world:run(declare { MemorySize = 512 })
    local uri = world:as_other(function(call)
      return functions.push(call, "new")
    end)
    local run = world:run(declare { MemorySize = 1024, Code = { ImageUri = uri } })
    local names = lambda_calls(run)
    local text = table.concat(names, " ")
    assert.matches("UpdateFunctionConfiguration GetFunction .*GetFunction UpdateFunctionCode GetFunction", text)
    for _, call in ipairs(run.calls) do
      assert.is_nil(call.code)
    end
    assert.same({ FunctionName = NAME, MemorySize = 1024 }, calls.params(run, "UpdateFunctionConfiguration")[1])
    assert.equal(uri, calls.params(run, "UpdateFunctionCode")[1].ImageUri)
    world:unchanged(declare { MemorySize = 1024, Code = { ImageUri = uri } })
  end)

  it("waits when somebody else's update is in progress", function()
    world:run(declare { MemorySize = 512 })
    assert.is_true(failing("UpdateFunctionConfiguration", 4, "ResourceConflictException",
      "The operation cannot be performed at this time. An update is in progress for resource: x", 409, function()
        world:run(declare { MemorySize = 1024 })
      end) > 4)
  end)

  it("sends only what changes, and what is not declared any more as empty", function()
    local full = declare { Description = "x", MemorySize = 256, Timeout = 10, EphemeralStorage = { Size = 1024 },
      Environment = { Variables = { A = "1" } }, TracingConfig = { Mode = "Active" },
      ImageConfig = { Command = { "run" } }, ReservedConcurrentExecutions = 3,
      LoggingConfig = { LogFormat = "JSON", LogGroup = "/other" } }
    world:run(full)
    world:unchanged(full)
    local run = world:run(declare { MemorySize = 256 })
    local sent = calls.params(run, "UpdateFunctionConfiguration")[1]
    assert.same({
      FunctionName = NAME, Description = "", Timeout = 3, EphemeralStorage = { Size = 512 },
      Environment = { Variables = {} }, TracingConfig = { Mode = "PassThrough" }, ImageConfig = {},
      LoggingConfig = { LogFormat = "Text", LogGroup = "/aws/lambda/" .. NAME },
    }, sent)
    assert.equal(1, #calls.params(run, "DeleteFunctionConcurrency"))
    world:unchanged(declare { MemorySize = 256 })
  end)

  it("leaves its VPC with explicit empties, and does not care for the order of what is in it", function()
    local function in_vpc(reversed)
      return World.declare(function(stack)
        local vpc = stack:resource("AWS::EC2::VPC", "vpc", { CidrBlock = "10.0.0.0/16" })
        local ids = {}
        for i = 1, 2 do
          ids[i] = stack:resource("AWS::EC2::Subnet", "subnet-" .. i, { VpcId = vpc.VpcId,
            CidrBlock = ("10.0.%d.0/24"):format(i) }).SubnetId
        end
        local group = stack:resource("AWS::EC2::SecurityGroup", "group", { GroupDescription = "x", VpcId = vpc.VpcId })
        local config = { SubnetIds = reversed and { ids[2], ids[1] } or ids, SecurityGroupIds = { group.GroupId } }
        functions.declare(stack, { VpcConfig = reversed ~= "none" and config or nil })
      end)
    end
    world:run(in_vpc())
    world:unchanged(in_vpc(true))
    local run = world:run(in_vpc "none")
    assert.same({ SubnetIds = {}, SecurityGroupIds = {} },
      calls.params(run, "UpdateFunctionConfiguration")[1].VpcConfig)
    world:unchanged(in_vpc "none")
  end)

  it("has the declared environment and no more", function()
    local declaration = declare { Environment = { Variables = { A = "1" } } }
    world:run(declaration)
    world:as_other(function(call)
      assert(call("lambda", "UpdateFunctionConfiguration",
        { FunctionName = NAME, Environment = { Variables = { A = "1", B = "2" } } }))
    end)
    local run = world:run(declaration)
    assert.same({ A = "1" }, calls.params(run, "UpdateFunctionConfiguration")[1].Environment.Variables)
    world:unchanged(declaration)
  end)

  it("shows a changed image by its digest, however it was named", function()
    local declaration = declare {}
    world:run(declaration)
    world:as_other(function(call)
      functions.push(call, "tagged")
      assert(call("lambda", "UpdateFunctionCode", { FunctionName = NAME,
        ImageUri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/demo-test-images:tagged" }))
    end)
    -- The image resource stands for the newest one, which is the one that the function has now.
    world:unchanged(declaration)
    local older = world:as_other(function(call)
      local uri = functions.push(call, "even-newer")
      assert(call("ecr", "BatchDeleteImage",
        { repositoryName = "demo-test-images", imageIds = { { imageTag = "tagged" } } }))
      return uri
    end)
    local plan = assert(world:plan(declaration))
    local difference = plan.by_address.api.differences[1]
    assert.same({ "Code", older }, { difference.name, difference.after.ImageUri })
    assert.matches("@sha256:", difference.before.ImageUri)
  end)

  it("keeps the images of the pipeline when it ignores drift of its code", function()
    local function ignoring(memory)
      return declare({ MemorySize = memory }, { ignore_drift = { "Code" } })
    end
    world:run(ignoring(512))
    local uri = world:as_other(function(call)
      local pushed = functions.push(call, "v1")
      assert(call("lambda", "UpdateFunctionCode", { FunctionName = NAME, ImageUri = pushed }))
      functions.push(call, "v2-not-deployed")
      return pushed
    end)
    world:unchanged(ignoring(512))
    local run = world:run(ignoring(1024))
    assert.same({ "UpdateFunctionConfiguration" }, calls.changes(run))
    world:as_other(function(call)
      assert.equal(uri, assert(call("lambda", "GetFunction", { FunctionName = NAME })).Code.ImageUri)
    end)
  end)

  it("fails with AWS's reason when it cannot become active, and is made anew after that", function()
    local broken = true
    calls.with("lambda", {
      GetFunction = function(original, ctx, params)
        local output = original(ctx, params)
        if broken then
          output.Configuration.State, output.Configuration.StateReason = "Failed", "no more interfaces"
          output.Configuration.StateReasonCode = "EniLimitExceeded"
        end
        return output
      end,
    }, function()
      local failure = world:apply(declare {}).result.failures[1]
      assert.matches("no more interfaces %(EniLimitExceeded%)", failure.message)
      local plan = assert(world:plan(declare {}))
      assert.equal("replace", plan.by_address.api.action)
      broken = false
    end)
    world:run(declare {})
    world:unchanged(declare {})
  end)

  it("is written once more when its last update failed", function()
    world:run(declare { MemorySize = 512 })
    local broken
    calls.with("lambda", {
      UpdateFunctionConfiguration = function(original, ctx, params)
        local output = original(ctx, params)
        broken = not broken
        return output
      end,
      GetFunction = function(original, ctx, params)
        local output = original(ctx, params)
        if broken then
          output.Configuration.LastUpdateStatus = "Failed"
          output.Configuration.LastUpdateStatusReason = "The subnet is full"
          output.Configuration.LastUpdateStatusReasonCode = "SubnetOutOfIPAddresses"
        end
        return output
      end,
    }, function()
      local failure = world:apply(declare { MemorySize = 1024 }).result.failures[1]
      assert.matches("The subnet is full %(SubnetOutOfIPAddresses%)", failure.message)
      local plan = assert(world:plan(declare { MemorySize = 1024 }))
      assert.same({ "update" }, { plan.by_address.api.action })
      assert.matches("The subnet is full", plan.by_address.api.reason)
      local run = world:run(declare { MemorySize = 1024 })
      assert.equal(1024, calls.params(run, "UpdateFunctionConfiguration")[1].MemorySize)
      world:unchanged(declare { MemorySize = 1024 })
    end)
  end)

  it("counts an update whose state is not told yet as in progress", function()
    local looks = 0
    calls.with("lambda", {
      GetFunction = function(original, ctx, params)
        local output = original(ctx, params)
        looks = looks + 1
        if looks < 4 then
          output.Configuration.State, output.Configuration.LastUpdateStatus = "Active", nil
        end
        return output
      end,
    }, function()
      world:run(declare {})
    end)
    assert.is_true(looks >= 4)
  end)

  it("that nobody has called for weeks is as good as any", function()
    world:run(declare { MemorySize = 512 })
    calls.with("lambda", {
      GetFunction = function(original, ctx, params)
        local output = original(ctx, params)
        output.Configuration.State = "Inactive"
        return output
      end,
    }, function()
      world:unchanged(declare { MemorySize = 512 })
      world:run(declare { MemorySize = 1024 })
    end)
  end)

  it("is deleted with patience where CloudFront has copies of it", function()
    world:run(declare {})
    local tries = 0
    calls.with("lambda", {
      DeleteFunction = function(original, ctx, params)
        tries = tries + 1
        if ctx.now() < 1704067200 + 3 * 3600 then
          ctx:fail("InvalidParameterValueException",
            "Lambda was unable to delete x because it is a replicated function.", 400)
        end
        return original(ctx, params)
      end,
    }, function()
      world:destroy(declare {})
    end)
    assert.is_true(tries > 1)
    assert.same({}, world:census())
  end)

  it("refuses at plan time what it cannot do", function()
    for _, properties in ipairs {
      { Code = { ZipFile = "exports.handler = 1" } }, { PackageType = "Zip" }, { RecursiveLoop = "Allow" },
      { Environment = { Variables = { AWS_REGION = "x" } } }, { Environment = { Variables = { AWS_LAMBDA_X = "x" } } },
      { Code = { S3Bucket = "b", S3Key = "k", SourceKMSKeyArn = "arn" } },
    } do
      assert.has_error(function()
        declare(properties)
      end)
    end
  end)

  it("keeps to the order of the API whatever changes: it is never changed twice at a time", function()
    -- Two stacks' worth of changes of one function: tags, concurrency, configuration and code together.
    world:run(declare { MemorySize = 512 })
    local uri = world:as_other(function(call)
      return functions.push(call, "x")
    end)
    local run = world:run(declare { MemorySize = 1024, Code = { ImageUri = uri }, ReservedConcurrentExecutions = 2,
      Tags = { New = "tag" } })
    for _, call in ipairs(run.calls) do
      assert.is_nil(call.code)
    end
    assert.same({ "UpdateFunctionConfiguration", "PutFunctionConcurrency", "UpdateFunctionCode", "TagResource" },
      calls.changes(run))
  end)
end)
