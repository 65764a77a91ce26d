local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local json = require "host.json"

local RETRIEVAL = {
  Version = "2012-10-17",
  Statement = { {
    Sid = "LambdaECRImageRetrievalPolicy", Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" },
    Action = { "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer" },
  } },
}

local function lifecycle(count)
  return { LifecyclePolicyText = json.encode { rules = {
    { rulePriority = 1, selection = { tagStatus = "untagged", countType = "imageCountMoreThan", countNumber = 5 },
      action = { type = "expire" } },
    { rulePriority = 2, selection = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = count },
      action = { type = "expire" } },
  } } }
end

describe("AWS::ECR::Repository", function()
  local world

  before_each(function()
    world = World.new()
  end)
  after_each(function()
    world:close()
  end)

  local function declare(properties, options)
    return World.declare(function(stack)
      stack:resource("AWS::ECR::Repository", "api", properties, options)
    end)
  end

  it("is created with what is declared, and is the same afterwards", function()
    local declaration = declare {
      ImageScanningConfiguration = { ScanOnPush = true }, ImageTagMutability = "IMMUTABLE", EmptyOnDelete = true,
      EncryptionConfiguration = { EncryptionType = "AES256" }, RepositoryPolicyText = RETRIEVAL,
      LifecyclePolicy = lifecycle(20),
    }
    local run = world:run(declaration)
    assert.same({ "CreateRepository", "SetRepositoryPolicy", "PutLifecyclePolicy" }, calls.changes(run))
    local created = calls.params(run, "CreateRepository")[1]
    assert.same({ "demo-test-api", "IMMUTABLE", true }, { created.repositoryName, created.imageTagMutability,
      created.imageScanningConfiguration.scanOnPush })
    world:unchanged(declaration)
    world:destroy(declaration)
    assert.same({}, world:census())
  end)

  it("changes in place, and goes back to what AWS has by itself", function()
    world:run(declare { ImageScanningConfiguration = { ScanOnPush = true }, ImageTagMutability = "IMMUTABLE",
      RepositoryPolicyText = RETRIEVAL, LifecyclePolicy = lifecycle(20), Tags = { A = "b" } })
    local other = declare { LifecyclePolicy = lifecycle(10) }
    local run = world:run(other)
    assert.same({ "PutImageTagMutability", "PutImageScanningConfiguration", "DeleteRepositoryPolicy",
      "PutLifecyclePolicy", "UntagResource" }, calls.changes(run))
    assert.equal("MUTABLE", calls.params(run, "PutImageTagMutability")[1].imageTagMutability)
    assert.is_false(calls.params(run, "PutImageScanningConfiguration")[1].imageScanningConfiguration.scanOnPush)
    world:unchanged(other)
    assert.same({ "DeleteLifecyclePolicy" }, calls.changes(world:run(declare {})))
  end)

  it("is another one under another name or with other encryption", function()
    world:run(declare {})
    assert.same({ api = "replace" }, world:planned(declare { RepositoryName = "other" }))
    assert.same({ api = "replace" }, world:planned(declare { EncryptionConfiguration = { EncryptionType = "KMS" } }))
  end)

  it("keeps a key that is named by an alias", function()
    local declaration = World.declare(function(stack)
      local key = stack:resource("AWS::KMS::Key", "key")
      stack:resource("AWS::KMS::Alias", "alias", { AliasName = "alias/images", TargetKeyId = key.KeyId })
      stack:resource("AWS::ECR::Repository", "api", {
        EncryptionConfiguration = { EncryptionType = "KMS", KmsKey = "alias/images" },
      }, { depends_on = { key } })
    end)
    calls.with("ecr", {
      DescribeRepositories = function(original, ctx, params)
        local output = original(ctx, params)
        for _, repository in ipairs(output.repositories) do
          repository.encryptionConfiguration = { encryptionType = "KMS",
            kmsKey = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
        end
        return output
      end,
      CreateRepository = function(original, ctx, params)
        params.encryptionConfiguration = nil
        return original(ctx, params)
      end,
    }, function()
      world:run(declaration)
      assert.is_nil(world:planned(declaration).api)
    end)
  end)

  it("sees no difference in how AWS writes its policies", function()
    local declaration = declare { RepositoryPolicyText = RETRIEVAL, LifecyclePolicy = lifecycle(20) }
    world:run(declaration)
    world:as_other(function(call)
      local rules = json.decode(lifecycle(20).LifecyclePolicyText).rules
      assert(call("ecr", "PutLifecyclePolicy", { repositoryName = "demo-test-api",
        lifecyclePolicyText = json.encode({ rules = { rules[2], rules[1] } }, { indent = true }) }))
    end)
    world:unchanged(declaration)
    world:as_other(function(call)
      assert(call("ecr", "PutLifecyclePolicy", { repositoryName = "demo-test-api",
        lifecyclePolicyText = lifecycle(3).LifecyclePolicyText }))
    end)
    assert.same({ api = "update" }, world:planned(declaration))
  end)

  it("waits until a principal of its policy is known", function()
    local tries = 0
    calls.with("ecr", {
      SetRepositoryPolicy = function(original, ctx, params)
        tries = tries + 1
        if tries < 4 then
          ctx:fail("InvalidParameterException", "Invalid parameter at 'PolicyText' failed to satisfy constraint: "
            .. "'Principal not found'", 400)
        end
        return original(ctx, params)
      end,
    }, function()
      world:run(declare { RepositoryPolicyText = RETRIEVAL })
    end)
    assert.equal(4, tries)
  end)

  it("is missed alone when it is gone, although the question about all of them fails then", function()
    local declaration = World.declare(function(stack)
      for _, name in ipairs { "a", "b", "c" } do
        stack:resource("AWS::ECR::Repository", name)
      end
    end)
    world:run(declaration)
    world:as_other(function(call)
      assert(call("ecr", "DeleteRepository", { repositoryName = "demo-test-b" }))
    end)
    local plan, _, process = world:plan(declaration)
    assert.same({ b = "create" }, World.actions(plan))
    local asked = {}
    for i, params in ipairs(calls.params(process, "DescribeRepositories")) do
      asked[i] = #params.repositoryNames
    end
    assert.same({ 3, 1, 1, 1 }, table.move(asked, 1, 4, 1, {}))
  end)

  it("is read together with the others", function()
    local declaration = World.declare(function(stack)
      for i = 1, 5 do
        stack:resource("AWS::ECR::Repository", "r" .. i)
      end
    end)
    world:run(declaration)
    local _, _, process = world:plan(declaration)
    assert.equal(1, #calls.params(process, "DescribeRepositories"))
  end)

  it("says what to do when there are images in it", function()
    local declaration = World.declare(function(stack)
      local repository = stack:resource("AWS::ECR::Repository", "api")
      stack:resource("Infra::ECR::Image", "image", { RepositoryName = repository.RepositoryName }, { retain = true })
    end)
    world:run(declaration)
    local run = world:apply(declaration, { destroy = true })
    assert.equal("RepositoryNotEmptyException", run.result.failures[1].code)
    assert.matches("EmptyOnDelete", run.result.failures[1].hint)
  end)

  it("is found again when the answer to its creation is lost, and not taken from others", function()
    local lost = false
    calls.with("ecr", {
      CreateRepository = function(original, ctx, params)
        local output = original(ctx, params)
        if not lost then
          lost = true
          ctx:fail("ServerException", "lost", 500)
        end
        return output
      end,
    }, function()
      local run = world:run(declare { RepositoryPolicyText = RETRIEVAL })
      assert.equal(1, #calls.params(run, "SetRepositoryPolicy"))
    end)

    local foreign = declare { RepositoryName = "foreign" }
    world:as_other(function(call)
      assert(call("ecr", "CreateRepository", { repositoryName = "foreign" }))
    end)
    world:destroy(declare {})
    assert.equal("AlreadyExists", world:apply(foreign).result.failures[1].code)
    world:run(declare({ RepositoryName = "foreign", ImageTagMutability = "IMMUTABLE" }, { adopt = true }))
    world:unchanged(declare({ RepositoryName = "foreign", ImageTagMutability = "IMMUTABLE" }))
  end)
end)
