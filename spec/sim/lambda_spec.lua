-- The simulated Lambda: what its API reference and the known traps of functions, versions, aliases, permissions and
-- network interfaces say.

local caller = require "spec.sim.caller"
local crypto = require "host.crypto"
local json = require "host.json"

local function trust(service)
  return json.encode {
    Version = "2012-10-17",
    Statement = { { Effect = "Allow", Principal = { Service = service }, Action = "sts:AssumeRole" } },
  }
end

local NETWORKING = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
local REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/app"
local FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"

local function digest_of(data)
  return "sha256:" .. crypto.hex(crypto.sha256(data))
end

-- Pushes an image of one blob; returns its digest.
local function push(call, content, tag)
  local id = assert(call("ecr", "InitiateLayerUpload", { repositoryName = "app" })).uploadId
  assert(call("ecr", "UploadLayerPart", {
    repositoryName = "app", uploadId = id, partFirstByte = 0, partLastByte = #content - 1, layerPartBlob = content,
  }))
  local blob = digest_of(content)
  assert(call("ecr", "CompleteLayerUpload", { repositoryName = "app", uploadId = id, layerDigests = { blob } }))
  return assert(call("ecr", "PutImage", {
    repositoryName = "app",
    imageTag = tag,
    imageManifestMediaType = "application/vnd.oci.image.manifest.v1+json",
    imageManifest = json.encode { schemaVersion = 2, config = { digest = blob }, layers = { { digest = blob } } },
  })).image.imageId.imageDigest
end

-- Runs `body(lambda, call, sleep, env, world)`: lambda(operation, params) adds the name "f"; env = { role, uri, digest
-- }. Until then `options.patient` leaves AWS time before each call.
local function simulated(body, options)
  options = options or {}
  caller.run(options, function(plain_call, _, world)
    local patient = options.patient
    local function call(...)
      world.scheduler:sleep(patient and 60 or 0)
      return plain_call(...)
    end
    local function lambda(operation, params)
      local all = { FunctionName = "f" }
      for name, value in pairs(params or {}) do
        all[name] = value
      end
      return call("lambda", operation, all)
    end
    local env = { uri = REPOSITORY .. ":v1" }
    env.role = assert(call("iam", "CreateRole", {
      RoleName = "r", AssumeRolePolicyDocument = trust "lambda.amazonaws.com",
    })).Role.Arn
    assert(call("ecr", "CreateRepository", { repositoryName = "app" }))
    env.digest = push(call, "one", "v1")
    world.scheduler:sleep(60)
    patient = false
    body(lambda, call, function(seconds) world.scheduler:sleep(seconds) end, env, world)
  end)
end

local function create(lambda, env, params)
  local all = { Role = env.role, PackageType = "Image", Code = { ImageUri = env.uri } }
  for name, value in pairs(params or {}) do
    all[name] = value
  end
  return lambda("CreateFunction", all)
end

local function code(output, err)
  assert.is_nil(output)
  return err.code, err.message
end

-- The same, when the message says `text` too.
local function refused(expected, text, output, err)
  local found, message = code(output, err)
  assert.equal(expected, found)
  assert.truthy(message:find(text, 1, true), message)
end

local INVALID = "InvalidParameterValueException"
local BUSY = "ResourceConflictException"

describe("infra.sim.lambda functions", function()
  it("are pending, then active, with AWS's defaults", function()
    simulated(function(lambda, _, sleep, env)
      local made = assert(create(lambda, env))
      assert.same({ "Pending", FUNCTION, "$LATEST" }, { made.State, made.FunctionArn, made.Version })
      assert.is_nil(made.LastUpdateStatus)
      refused(BUSY, "state: Pending", lambda("UpdateFunctionConfiguration", { Timeout = 5 }))
      sleep(15)
      local output = assert(lambda "GetFunction")
      local found = output.Configuration
      assert.same({ "Active", "Successful", 3, 128, 512 }, {
        found.State, found.LastUpdateStatus, found.Timeout, found.MemorySize, found.EphemeralStorage.Size,
      })
      assert.same({ LogFormat = "Text", LogGroup = "/aws/lambda/f" }, found.LoggingConfig)
      assert.same({ "x86_64" }, found.Architectures)
      assert.same({ "PassThrough", "" }, { found.TracingConfig.Mode, found.VpcConfig.VpcId })
      assert.equal(env.digest, "sha256:" .. found.CodeSha256)
      assert.equal(env.uri, output.Code.ImageUri)
      assert.equal(REPOSITORY .. "@" .. env.digest, output.Code.ResolvedImageUri)
      refused(BUSY, "Function already exist", create(lambda, env))
    end)
  end)

  it("need a role that Lambda can assume by now", function()
    simulated(function(lambda, call, sleep, env)
      local fresh = assert(call("iam", "CreateRole", {
        RoleName = "fresh", AssumeRolePolicyDocument = trust "lambda.amazonaws.com",
      })).Role.Arn
      local other = assert(call("iam", "CreateRole", {
        RoleName = "other", AssumeRolePolicyDocument = trust "ec2.amazonaws.com",
      })).Role.Arn
      refused(INVALID, "cannot be assumed by Lambda", create(lambda, env, { Role = fresh }))
      sleep(60)
      refused(INVALID, "cannot be assumed by Lambda", create(lambda, env, { Role = other }))
      assert(create(lambda, env, { Role = fresh }))
    end)
  end)

  it("need an image that is there, and one image only", function()
    simulated(function(lambda, call, _, env)
      refused(INVALID, "does not exist", create(lambda, env, { Code = { ImageUri = REPOSITORY .. ":v2" } }))
      refused(INVALID, "not valid", create(lambda, env, {
        Code = { ImageUri = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1" },
      }))
      assert(call("ecr", "PutImage", {
        repositoryName = "app",
        imageTag = "index",
        imageManifest = json.encode {
          schemaVersion = 2, mediaType = "application/vnd.oci.image.index.v1+json",
          manifests = { { digest = env.digest } },
        },
      }))
      refused(INVALID, "not supported", create(lambda, env, { Code = { ImageUri = REPOSITORY .. ":index" } }))
    end)
  end)

  it("make their repository let Lambda in, once", function()
    simulated(function(lambda, call, _, env)
      assert(create(lambda, env))
      local text = assert(call("ecr", "GetRepositoryPolicy", { repositoryName = "app" })).policyText
      assert.equal("LambdaECRImageRetrievalPolicy", json.decode(text).Statement[1].Sid)
      assert(create(lambda, env, { FunctionName = "g" }))
      assert.equal(text, assert(call("ecr", "GetRepositoryPolicy", { repositoryName = "app" })).policyText)
    end)
  end)

  it("refuse reserved variables and values out of range", function()
    simulated(function(lambda, _, _, env)
      refused(INVALID, "reserved keys", create(lambda, env, { Environment = { Variables = { AWS_REGION = "x" } } }))
      refused(INVALID, "4KB", create(lambda, env, { Environment = { Variables = { A = ("x"):rep(5000) } } }))
      assert.equal("ValidationException", code(create(lambda, env, { MemorySize = 64 })))
      refused(INVALID, "Handler", create(lambda, env, { Handler = "x.y" }))
    end)
  end)

  it("go with everything that is theirs", function()
    simulated(function(lambda, _, sleep, env)
      assert(create(lambda, env, { Publish = true }))
      sleep(30)
      assert(lambda("CreateAlias", { Name = "live", FunctionVersion = "1" }))
      assert(lambda("AddPermission", {
        StatementId = "s", Action = "lambda:InvokeFunction", Principal = "apigateway.amazonaws.com", Qualifier = "live",
      }))
      assert(lambda "DeleteFunction")
      assert.equal("ResourceNotFoundException", code(lambda "GetFunction"))
      assert(create(lambda, env))
      assert.equal("ResourceNotFoundException", code(lambda("GetAlias", { Name = "live" })))
      assert.equal("ResourceNotFoundException", code(lambda("GetFunction", { Qualifier = "1" })))
    end)
  end)

  it("have tags and reserved concurrency as a whole", function()
    simulated(function(lambda, call, sleep, env)
      assert(create(lambda, env, { Tags = { a = "1" }, Publish = true }))
      sleep(30)
      assert(call("lambda", "TagResource", { Resource = FUNCTION, Tags = { b = "2" } }))
      assert(call("lambda", "UntagResource", { Resource = FUNCTION, TagKeys = { "a" } }))
      assert.same({ b = "2" }, assert(call("lambda", "ListTags", { Resource = FUNCTION })).Tags)
      assert.equal(INVALID, code(call("lambda", "TagResource", { Resource = FUNCTION .. ":1", Tags = { c = "3" } })))
      refused(INVALID, "[100]", lambda("PutFunctionConcurrency", { ReservedConcurrentExecutions = 901 }))
      assert(lambda("PutFunctionConcurrency", { ReservedConcurrentExecutions = 900 }))
      local whole, one = assert(lambda "GetFunction"), assert(lambda("GetFunction", { Qualifier = "1" }))
      assert.equal(900, whole.Concurrency.ReservedConcurrentExecutions)
      assert.same({ b = "2" }, whole.Tags)
      assert.is_nil(one.Concurrency)
      assert.is_nil(one.Tags)
      assert(lambda "DeleteFunctionConcurrency")
      assert.equal(1000, assert(call("lambda", "GetAccountSettings")).AccountLimit.UnreservedConcurrentExecutions)
    end)
  end)

  it("are listed without their states, in pages", function()
    simulated(function(lambda, call, _, env)
      assert(create(lambda, env))
      assert(create(lambda, env, { FunctionName = "g" }))
      local first = assert(call("lambda", "ListFunctions", { MaxItems = 1 }))
      assert.equal("f", first.Functions[1].FunctionName)
      assert.is_nil(first.Functions[1].State)
      local second = assert(call("lambda", "ListFunctions", { Marker = first.NextMarker }))
      assert.equal("g", second.Functions[1].FunctionName)
    end)
  end)
end)

describe("infra.sim.lambda updates", function()
  it("come one after the other", function()
    simulated(function(lambda, _, sleep, env)
      assert(create(lambda, env))
      sleep(15)
      assert.equal("InProgress", assert(lambda("UpdateFunctionConfiguration", { Timeout = 5 })).LastUpdateStatus)
      refused(BUSY, "An update is in progress", lambda("UpdateFunctionCode", { ImageUri = env.uri }))
      refused(BUSY, "An update is in progress", lambda "PublishVersion")
      sleep(5)
      assert.equal("Successful", assert(lambda "GetFunctionConfiguration").LastUpdateStatus)
      assert(lambda("UpdateFunctionCode", { ImageUri = env.uri }))
    end)
  end)

  it("change only what they mention; the environment as a whole", function()
    simulated(function(lambda, _, sleep, env)
      assert(create(lambda, env, {
        Environment = { Variables = { A = "1", B = "2" } }, ImageConfig = { Command = { "c" } }, Description = "d",
      }))
      sleep(15)
      local function update(params)
        local output = assert(lambda("UpdateFunctionConfiguration", params))
        sleep(40)
        return output
      end
      local changed = update { Environment = { Variables = { A = "3" } }, LoggingConfig = { LogFormat = "JSON" } }
      assert.same({ A = "3" }, changed.Environment.Variables)
      assert.equal("INFO", changed.LoggingConfig.ApplicationLogLevel)
      assert.same({ "c" }, changed.ImageConfigResponse.ImageConfig.Command)
      assert.equal("d", changed.Description)
      changed = update { Environment = { Variables = {} }, ImageConfig = {} }
      assert.is_nil(changed.Environment)
      assert.is_nil(changed.ImageConfigResponse)
    end)
  end)

  it("lock by revision, and do not follow a tag that moves", function()
    simulated(function(lambda, call, sleep, env)
      local made = assert(create(lambda, env))
      sleep(15)
      local second = push(call, "two", "v1")
      assert.equal(env.digest, "sha256:" .. assert(lambda "GetFunctionConfiguration").CodeSha256)
      local changed = assert(lambda("UpdateFunctionCode", { ImageUri = env.uri, RevisionId = made.RevisionId }))
      assert.equal(second, "sha256:" .. changed.CodeSha256)
      sleep(20)
      assert.equal("PreconditionFailedException",
        code(lambda("UpdateFunctionCode", { ImageUri = env.uri, RevisionId = made.RevisionId })))
    end)
  end)
end)

-- With a function "f" that is active and has the version 1.
local function published(body, options)
  simulated(function(lambda, call, sleep, env, world)
    assert(create(lambda, env, { Publish = true }))
    sleep(60)
    body(lambda, call, sleep, env, world)
  end, options)
end

describe("infra.sim.lambda versions and aliases", function()
  it("make no version when nothing has changed", function()
    published(function(lambda, _, sleep)
      assert.equal("1", assert(lambda "PublishVersion").Version)
      assert(lambda("UpdateFunctionConfiguration", { Timeout = 9 }))
      sleep(10)
      local second = assert(lambda "PublishVersion")
      assert.same({ "2", "Pending", FUNCTION .. ":2" }, { second.Version, second.State, second.FunctionArn })
      sleep(10)
      assert.equal("Active", assert(lambda("GetFunctionConfiguration", { Qualifier = "2" })).State)
      local all = assert(lambda "ListVersionsByFunction").Versions
      assert.same({ "$LATEST", "1", "2" }, { all[1].Version, all[2].Version, all[3].Version })
      assert.equal(3, all[2].Timeout)
      refused(INVALID, "CodeSHA256", lambda("PublishVersion", { CodeSha256 = "x" }))
    end)
  end)

  it("keep a version that an alias points to", function()
    published(function(lambda)
      assert(lambda("CreateAlias", { Name = "live", FunctionVersion = "1" }))
      refused(BUSY, "referenced by aliases", lambda("DeleteFunction", { Qualifier = "1" }))
      assert(lambda("DeleteAlias", { Name = "live" }))
      assert(lambda("DeleteAlias", { Name = "live" }))
      assert(lambda("DeleteFunction", { Qualifier = "1" }))
      assert.equal("ResourceNotFoundException", code(lambda("GetFunction", { Qualifier = "1" })))
      assert.equal(INVALID, code(lambda("DeleteFunction", { Qualifier = "$LATEST" })))
    end)
  end)

  it("have aliases once, on versions that exist", function()
    published(function(lambda)
      assert.equal(FUNCTION .. ":live",
        assert(lambda("CreateAlias", { Name = "live", FunctionVersion = "1" })).AliasArn)
      assert.equal(BUSY, code(lambda("CreateAlias", { Name = "live", FunctionVersion = "1" })))
      assert.equal("ResourceNotFoundException", code(lambda("CreateAlias", { Name = "b", FunctionVersion = "7" })))
      assert.equal("ValidationException", code(lambda("CreateAlias", { Name = "12", FunctionVersion = "1" })))
      local found = assert(lambda("GetFunction", { Qualifier = "live" })).Configuration
      assert.same({ FUNCTION .. ":live", "1" }, { found.FunctionArn, found.Version })
    end)
  end)

  it("show weights that nobody set while an alias with provisioned concurrency moves", function()
    published(function(lambda, _, sleep)
      assert(lambda("CreateAlias", { Name = "live", FunctionVersion = "1" }))
      local function provision(count)
        return lambda("PutProvisionedConcurrencyConfig", {
          Qualifier = "live", ProvisionedConcurrentExecutions = count,
        })
      end
      assert(provision(2))
      assert(lambda("UpdateFunctionConfiguration", { Timeout = 9 }))
      sleep(120)
      assert(lambda "PublishVersion")
      sleep(30)
      local moving = assert(lambda("UpdateAlias", { Name = "live", FunctionVersion = "2" }))
      assert.truthy(moving.RoutingConfig.AdditionalVersionWeights["1"])
      refused(INVALID, "Alias with weights", provision(3))
      sleep(90)
      assert.is_nil(assert(lambda("GetAlias", { Name = "live" })).RoutingConfig)
      assert(provision(3))
    end)
  end)
end)

describe("infra.sim.lambda provisioned concurrency", function()
  it("takes minutes and is neither on $LATEST nor twice on a version", function()
    published(function(lambda, _, sleep)
      local function provision(qualifier, count)
        return lambda("PutProvisionedConcurrencyConfig", {
          Qualifier = qualifier, ProvisionedConcurrentExecutions = count or 2,
        })
      end
      assert.equal("ProvisionedConcurrencyConfigNotFoundException",
        code(lambda("GetProvisionedConcurrencyConfig", { Qualifier = "1" })))
      assert(lambda("CreateAlias", { Name = "live", FunctionVersion = "1" }))
      refused(INVALID, "unpublished", provision "$LATEST")
      local begun = assert(provision "live")
      assert.same({ "IN_PROGRESS", 2, 0 }, {
        begun.Status, begun.RequestedProvisionedConcurrentExecutions, begun.AllocatedProvisionedConcurrentExecutions,
      })
      assert.equal(BUSY, code(provision("live", 3)))
      assert.equal(INVALID, code(provision "1"))
      sleep(120)
      assert.equal("READY", assert(lambda("GetProvisionedConcurrencyConfig", { Qualifier = "live" })).Status)
      assert.equal(INVALID, code(provision("live", 950)))
      assert.equal(FUNCTION .. ":live",
        assert(lambda "ListProvisionedConcurrencyConfigs").ProvisionedConcurrencyConfigs[1].FunctionArn)
      assert(lambda("DeleteProvisionedConcurrencyConfig", { Qualifier = "live" }))
      assert(provision "1")
    end)
  end)
end)

describe("infra.sim.lambda permissions", function()
  local function add(lambda, sid, params)
    local all = { StatementId = sid, Action = "lambda:InvokeFunction", Principal = "apigateway.amazonaws.com" }
    for name, value in pairs(params or {}) do
      all[name] = value
    end
    return lambda("AddPermission", all)
  end

  local function statements(lambda, qualifier)
    return json.decode(assert(lambda("GetPolicy", { Qualifier = qualifier })).Policy).Statement
  end

  it("are those of one qualifier", function()
    published(function(lambda)
      assert(lambda("CreateAlias", { Name = "live", FunctionVersion = "1" }))
      local arn = "arn:aws:execute-api:us-east-1:123456789012:abc/*/*"
      assert(add(lambda, "s", { Qualifier = "live", SourceArn = arn, SourceAccount = "123456789012" }))
      assert.equal("ResourceNotFoundException", code(lambda "GetPolicy"))
      assert.same({
        Sid = "s", Effect = "Allow", Action = "lambda:InvokeFunction", Resource = FUNCTION .. ":live",
        Principal = { Service = "apigateway.amazonaws.com" },
        Condition = {
          ArnLike = { ["AWS:SourceArn"] = arn }, StringEquals = { ["AWS:SourceAccount"] = "123456789012" },
        },
      }, statements(lambda, "live")[1])
      assert.equal(INVALID, code(add(lambda, "s", { Qualifier = "$LATEST" })))
      refused(BUSY, "already exists", add(lambda, "s", { Qualifier = "live" }))
      assert(add(lambda, "s", { Principal = "210987654321" }))
      assert.equal("arn:aws:iam::210987654321:root", statements(lambda)[1].Principal.AWS)
    end)
  end)

  it("are missed when they are gone", function()
    published(function(lambda)
      assert(add(lambda, "s"))
      assert(add(lambda, "t"))
      assert(lambda("RemovePermission", { StatementId = "s" }))
      assert.equal("ResourceNotFoundException", code(lambda("RemovePermission", { StatementId = "s" })))
      assert(lambda("RemovePermission", { StatementId = "t" }))
      assert.equal("ResourceNotFoundException", code(lambda "GetPolicy"))
    end)
  end)

  it("get lost when they are changed at the same time", function()
    local function count_after(change)
      local count
      published(function(lambda, _, sleep, _, world)
        change(lambda, world.scheduler)
        sleep(60)
        count = #statements(lambda)
      end, { patient = true, faults = { consistency = 10 } })
      return count
    end
    assert.equal(5, count_after(function(lambda)
      for i = 1, 5 do
        assert(add(lambda, "s" .. i))
      end
    end))
    assert.truthy(count_after(function(lambda, scheduler)
      local adding = {}
      for i = 1, 20 do
        adding[i] = function() assert(add(lambda, "s" .. i)) end
      end
      scheduler:all(adding)
    end) < 20)
  end)
end)

describe("infra.sim.lambda in a VPC", function()
  -- Runs `body(lambda, call, sleep, env, net)`; net = { subnet, group }.
  local function networked(body)
    simulated(function(lambda, call, sleep, env)
      local vpc = assert(call("ec2", "CreateVpc", { CidrBlock = "10.0.0.0/16" })).Vpc.VpcId
      local net = {
        SubnetIds = { assert(call("ec2", "CreateSubnet", { VpcId = vpc, CidrBlock = "10.0.0.0/28" })).Subnet.SubnetId },
        SecurityGroupIds = { assert(call("ec2", "CreateSecurityGroup", {
          VpcId = vpc, GroupName = "g", Description = "d",
        })).GroupId },
      }
      assert(call("iam", "AttachRolePolicy", { RoleName = "r", PolicyArn = NETWORKING }))
      body(lambda, call, sleep, env, net)
    end)
  end

  local function interfaces(call, net)
    return assert(call("ec2", "DescribeNetworkInterfaces", {
      Filters = { { Name = "group-id", Values = net.SecurityGroupIds } },
    })).NetworkInterfaces
  end

  it("shares an interface that outlives its functions", function()
    networked(function(lambda, call, sleep, env, net)
      local made = assert(create(lambda, env, { VpcConfig = net, Publish = true }))
      assert.truthy(made.VpcConfig.VpcId:find("^vpc%-"))
      assert(create(lambda, env, { FunctionName = "g", VpcConfig = net }))
      local interface = interfaces(call, net)[1]
      assert.equal(1, #interfaces(call, net))
      assert.truthy(interface.Description:find("^AWS Lambda VPC ENI"))
      assert.same({ "lambda", true, "amazon-aws" }, {
        interface.InterfaceType, interface.RequesterManaged, interface.Attachment.InstanceOwnerId,
      })
      assert.equal("InvalidParameterValue",
        code(call("ec2", "DeleteNetworkInterface", { NetworkInterfaceId = interface.NetworkInterfaceId })))
      sleep(20)
      assert.equal("Pending", assert(lambda "GetFunctionConfiguration").State)
      sleep(20)
      assert(lambda "DeleteFunction")
      assert(lambda("DeleteFunction", { FunctionName = "g" }))
      assert.equal("DependencyViolation",
        code(call("ec2", "DeleteSecurityGroup", { GroupId = net.SecurityGroupIds[1] })))
      sleep(600)
      assert.equal("DependencyViolation", code(call("ec2", "DeleteSubnet", { SubnetId = net.SubnetIds[1] })))
      sleep(700)
      assert.equal(0, #interfaces(call, net))
      assert(call("ec2", "DeleteSecurityGroup", { GroupId = net.SecurityGroupIds[1] }))
      assert(call("ec2", "DeleteSubnet", { SubnetId = net.SubnetIds[1] }))
    end)
  end)

  it("keeps the interface for an old version", function()
    networked(function(lambda, call, sleep, env, net)
      assert(create(lambda, env, { VpcConfig = net, Publish = true }))
      sleep(60)
      local changed = assert(lambda("UpdateFunctionConfiguration", {
        VpcConfig = { SubnetIds = {}, SecurityGroupIds = {} },
      }))
      assert.same({}, changed.VpcConfig.SubnetIds)
      sleep(4000)
      assert.equal(1, #interfaces(call, net))
      assert(lambda("DeleteFunction", { Qualifier = "1" }))
      sleep(1500)
      assert.equal(0, #interfaces(call, net))
    end)
  end)

  it("refuses what cannot be connected", function()
    networked(function(lambda, call, _, env, net)
      refused(INVALID, "InvalidSubnetID.NotFound", create(lambda, env, {
        VpcConfig = { SubnetIds = { "subnet-0123" }, SecurityGroupIds = net.SecurityGroupIds },
      }))
      refused(INVALID, "InvalidGroup.NotFound", create(lambda, env, {
        VpcConfig = { SubnetIds = net.SubnetIds, SecurityGroupIds = { "sg-0123" } },
      }))
      refused(INVALID, "must coexist", create(lambda, env, { VpcConfig = { SubnetIds = net.SubnetIds } }))
      assert(call("iam", "DetachRolePolicy", { RoleName = "r", PolicyArn = NETWORKING }))
      refused(INVALID, "does not have permissions to call CreateNetworkInterface",
        create(lambda, env, { VpcConfig = net }))
      assert(call("iam", "PutRolePolicy", {
        RoleName = "r", PolicyName = "p", PolicyDocument = json.encode {
          Version = "2012-10-17", Statement = { { Effect = "Allow", Action = { "ec2:Create*" }, Resource = "*" } },
        },
      }))
      assert(create(lambda, env, { VpcConfig = net }))
    end)
  end)

  it("fails for good in a subnet that is full", function()
    networked(function(lambda, call, sleep, env, net)
      for _ = 1, 11 do
        assert(call("ec2", "CreateNetworkInterface", { SubnetId = net.SubnetIds[1] }))
      end
      assert(create(lambda, env, { VpcConfig = net }))
      sleep(60)
      local found = assert(lambda "GetFunctionConfiguration")
      assert.same({ "Failed", "SubnetOutOfIPAddresses" }, { found.State, found.StateReasonCode })
      assert(lambda "DeleteFunction")
    end)
  end)
end)
