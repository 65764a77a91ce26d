-- The simulated ECR: what its API reference and the known traps of pushing images by it say.

local caller = require "spec.sim.caller"
local crypto = require "host.crypto"
local json = require "host.json"
local merged = require "infra.merged"

local MIB <const> = 1024 * 1024
local MEDIA_TYPE = "application/vnd.docker.distribution.manifest.v2+json"

-- Runs `body(ecr, call, sleep)` with a repository "app"; ecr(operation, params) adds its name.
local function simulated(body, options)
  caller.run(options or {}, function(call, _, world)
    local function ecr(operation, params)
      return call("ecr", operation, merged({ repositoryName = "app" }, params))
    end
    assert(ecr "CreateRepository")
    body(ecr, call, function(seconds) world.scheduler:sleep(seconds) end)
  end)
end

local function code(output, err)
  assert.is_nil(output)
  return err.code, err
end

local function digest_of(data)
  return "sha256:" .. crypto.hex(crypto.sha256(data))
end

local function upload(ecr, data)
  local id = assert(ecr "InitiateLayerUpload").uploadId
  assert(ecr("UploadLayerPart", {
    uploadId = id, partFirstByte = 0, partLastByte = #data - 1, layerPartBlob = data,
  }))
  return ecr("CompleteLayerUpload", { uploadId = id, layerDigests = { digest_of(data) } })
end

local function manifest_of(config, layer)
  return json.encode {
    schemaVersion = 2,
    mediaType = MEDIA_TYPE,
    config = {
      mediaType = "application/vnd.docker.container.image.v1+json", size = #config, digest = digest_of(config),
    },
    layers = { {
      mediaType = "application/vnd.docker.image.rootfs.diff.tar.gzip", size = #layer, digest = digest_of(layer),
    } },
  }
end

-- Pushes an image; returns its digest.
local function push(ecr, content, tag)
  local config = '{"architecture":"arm64","os":"' .. content .. '"}'
  assert(upload(ecr, config))
  assert(upload(ecr, content))
  local text = manifest_of(config, content)
  return assert(ecr("PutImage", { imageManifest = text, imageTag = tag })).image.imageId.imageDigest, text
end

describe("infra.sim.ecr repositories", function()
  it("have a name once", function()
    simulated(function(ecr, call)
      assert.equal("RepositoryAlreadyExistsException", code(ecr "CreateRepository"))
      assert.equal("InvalidParameterException", code(call("ecr", "CreateRepository", { repositoryName = "App" })))
      local found = assert(call("ecr", "DescribeRepositories", { repositoryNames = { "app" } })).repositories[1]
      assert.equal("arn:aws:ecr:us-east-1:123456789012:repository/app", found.repositoryArn)
      assert.equal("123456789012.dkr.ecr.us-east-1.amazonaws.com/app", found.repositoryUri)
      assert.equal("AES256", found.encryptionConfiguration.encryptionType)
      assert.equal("RepositoryNotFoundException",
        code(call("ecr", "DescribeRepositories", { repositoryNames = { "app", "other" } })))
    end)
  end)

  it("list in pages", function()
    simulated(function(_, call)
      assert(call("ecr", "CreateRepository", { repositoryName = "app/b" }))
      local first = assert(call("ecr", "DescribeRepositories", { maxResults = 1 }))
      assert.equal(1, #first.repositories)
      local second = assert(call("ecr", "DescribeRepositories", { maxResults = 1, nextToken = first.nextToken }))
      assert.equal("app/b", second.repositories[1].repositoryName)
      assert.is_nil(second.nextToken)
    end)
  end)

  it("show tags by themselves", function()
    simulated(function(_, call)
      local arn = "arn:aws:ecr:us-east-1:123456789012:repository/app"
      local tags = { { Key = "a", Value = "1" }, { Key = "b", Value = "" } }
      assert(call("ecr", "TagResource", { resourceArn = arn, tags = tags }))
      assert(call("ecr", "UntagResource", { resourceArn = arn, tagKeys = { "b" } }))
      assert.same({ tags[1] }, assert(call("ecr", "ListTagsForResource", { resourceArn = arn })).tags)
    end)
  end)

  it("go only when empty or by force", function()
    simulated(function(ecr)
      push(ecr, "one", "v1")
      assert.equal("RepositoryNotEmptyException", code(ecr "DeleteRepository"))
      assert(ecr("DeleteRepository", { force = true }))
      assert(ecr "CreateRepository")
      assert.same({}, assert(ecr "ListImages").imageIds)
      assert(ecr "DeleteRepository")
      assert.equal("RepositoryNotFoundException", code(ecr "ListImages"))
    end)
  end)
end)

describe("infra.sim.ecr pushing", function()
  it("verifies the digest of what was uploaded", function()
    simulated(function(ecr)
      local id = assert(ecr "InitiateLayerUpload").uploadId
      assert.equal("EmptyUploadException",
        code(ecr("CompleteLayerUpload", { uploadId = id, layerDigests = { digest_of "x" } })))
      assert(ecr("UploadLayerPart", { uploadId = id, partFirstByte = 0, partLastByte = 2, layerPartBlob = "abc" }))
      assert.equal("InvalidLayerException",
        code(ecr("CompleteLayerUpload", { uploadId = id, layerDigests = { digest_of "abd" } })))
      assert.equal(digest_of "abc",
        assert(ecr("CompleteLayerUpload", { uploadId = id, layerDigests = { digest_of "abc" } })).layerDigest)
      assert.equal("UploadNotFoundException",
        code(ecr("CompleteLayerUpload", { uploadId = id, layerDigests = { digest_of "abc" } })))
      assert.equal("LayerAlreadyExistsException", code(upload(ecr, "abc")))
    end)
  end)

  it("takes parts in order and says where to go on", function()
    simulated(function(ecr)
      local id = assert(ecr "InitiateLayerUpload").uploadId
      local first, second = ("a"):rep(5 * MIB), "end"
      assert(ecr("UploadLayerPart", {
        uploadId = id, partFirstByte = 0, partLastByte = #first - 1, layerPartBlob = first,
      }))
      local refused, err = code(ecr("UploadLayerPart", {
        uploadId = id, partFirstByte = 0, partLastByte = 2, layerPartBlob = second,
      }))
      assert.equal("InvalidLayerPartException", refused)
      assert.equal(#first - 1, err.fields.lastValidByteReceived)
      assert(ecr("UploadLayerPart", {
        uploadId = id, partFirstByte = #first, partLastByte = #first + 2, layerPartBlob = second,
      }))
      assert(ecr("CompleteLayerUpload", { uploadId = id, layerDigests = { digest_of(first .. second) } }))
    end)
  end)

  it("lets only the last part be small", function()
    simulated(function(ecr)
      local id = assert(ecr "InitiateLayerUpload").uploadId
      for position, byte in ipairs { "a", "b" } do
        assert(ecr("UploadLayerPart", {
          uploadId = id, partFirstByte = position - 1, partLastByte = position - 1, layerPartBlob = byte,
        }))
      end
      assert.equal("LayerPartTooSmallException",
        code(ecr("CompleteLayerUpload", { uploadId = id, layerDigests = { digest_of "ab" } })))
    end)
  end)

  it("knows which blobs are there", function()
    simulated(function(ecr)
      assert(upload(ecr, "abc"))
      local output = assert(ecr("BatchCheckLayerAvailability", {
        layerDigests = { digest_of "abc", digest_of "x", "sha256:1" },
      }))
      assert.same({ "AVAILABLE", "UNAVAILABLE" }, {
        output.layers[1].layerAvailability, output.layers[2].layerAvailability,
      })
      assert.equal("InvalidLayerDigest", output.failures[1].failureCode)
    end)
  end)

  it("names an image by the bytes of its manifest", function()
    simulated(function(ecr)
      local digest, text = push(ecr, "one", "v1")
      assert.equal(digest_of(text), digest)
      assert.equal("ImageAlreadyExistsException", code(ecr("PutImage", { imageManifest = text, imageTag = "v1" })))
      assert.equal("ImageDigestDoesNotMatchException",
        code(ecr("PutImage", { imageManifest = text .. " ", imageDigest = digest })))
      local other = assert(ecr("PutImage", { imageManifest = text .. " " })).image.imageId.imageDigest
      assert.not_equal(digest, other)
    end)
  end)

  it("needs all blobs, the configuration too", function()
    simulated(function(ecr)
      assert(upload(ecr, "layer"))
      assert.equal("LayersNotFoundException", code(ecr("PutImage", { imageManifest = manifest_of("{}", "layer") })))
      assert(upload(ecr, "{}"))
      assert(ecr("PutImage", { imageManifest = manifest_of("{}", "layer"), imageManifestMediaType = MEDIA_TYPE }))
      assert.equal("InvalidParameterException", code(ecr("PutImage", { imageManifest = "{" })))
    end)
  end)

  it("moves a tag, unless tags are immutable", function()
    simulated(function(ecr)
      local first = push(ecr, "one", "v1")
      local second = push(ecr, "two", "v1")
      local details = assert(ecr("DescribeImages", { imageIds = { { imageDigest = first } } })).imageDetails
      assert.is_nil(details[1].imageTags)
      assert.equal(second, assert(ecr("DescribeImages", { imageIds = { { imageTag = "v1" } } }))
        .imageDetails[1].imageDigest)
      assert(ecr("PutImageTagMutability", { imageTagMutability = "IMMUTABLE" }))
      local text = assert(ecr("BatchGetImage", { imageIds = { { imageDigest = first } } })).images[1].imageManifest
      assert.equal("ImageTagAlreadyExistsException", code(ecr("PutImage", { imageManifest = text, imageTag = "v1" })))
      assert(ecr("PutImage", { imageManifest = text, imageTag = "v2" }))
    end)
  end)
end)

describe("infra.sim.ecr images", function()
  it("are read and deleted in batches that fail item by item", function()
    simulated(function(ecr)
      local digest = push(ecr, "one", "v1")
      local got = assert(ecr("BatchGetImage", { imageIds = { { imageTag = "v1" }, { imageTag = "no" }, {} } }))
      assert.equal(digest, got.images[1].imageId.imageDigest)
      assert.same({ "ImageNotFound", "MissingDigestAndTag" }, {
        got.failures[1].failureCode, got.failures[2].failureCode,
      })
      assert.equal("ImageNotFoundException", code(ecr("DescribeImages", { imageIds = { { imageTag = "no" } } })))
      local deleted = assert(ecr("BatchDeleteImage", { imageIds = { { imageTag = "v1" }, { imageTag = "v1" } } }))
      assert.equal(1, #deleted.imageIds)
      assert.equal(1, #deleted.failures)
    end)
  end)

  it("lose a tag first and go with the last one", function()
    simulated(function(ecr)
      local digest, text = push(ecr, "one", "v1")
      assert(ecr("PutImage", { imageManifest = text, imageTag = "v2" }))
      assert.equal(2, #assert(ecr "ListImages").imageIds)
      assert(ecr("BatchDeleteImage", { imageIds = { { imageTag = "v1" } } }))
      assert.same({ "v2" }, assert(ecr("DescribeImages", { imageIds = { { imageDigest = digest } } }))
        .imageDetails[1].imageTags)
      assert(ecr("BatchDeleteImage", { imageIds = { { imageTag = "v2" } } }))
      assert.same({}, assert(ecr "ListImages").imageIds)
    end)
  end)
end)

describe("infra.sim.ecr policies", function()
  local function lifecycle(rules)
    return json.encode({ rules = rules }, { indent = true })
  end

  local function rule(priority, selection)
    return {
      rulePriority = priority, description = ("x"):rep(40), selection = selection, action = { type = "expire" },
    }
  end

  local ANY = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 5 }
  local UNTAGGED = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 1 }

  it("of the lifecycle are written anew", function()
    simulated(function(ecr)
      assert.equal("LifecyclePolicyNotFoundException", code(ecr "GetLifecyclePolicy"))
      local text = lifecycle { rule(2, ANY), rule(1, UNTAGGED) }
      assert(ecr("PutLifecyclePolicy", { lifecyclePolicyText = text }))
      local kept = assert(ecr "GetLifecyclePolicy").lifecyclePolicyText
      assert.not_equal(text, kept)
      assert.equal(1, json.decode(kept).rules[1].rulePriority)
      assert(ecr "DeleteLifecyclePolicy")
      assert.equal("LifecyclePolicyNotFoundException", code(ecr "DeleteLifecyclePolicy"))
    end)
  end)

  it("of the lifecycle follow the rules", function()
    simulated(function(ecr)
      for _, rules in ipairs {
        { rule(1, ANY), rule(2, UNTAGGED) },
        { rule(1, UNTAGGED), rule(1, ANY) },
        { rule(1, { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 5, countUnit = "days" }) },
        { rule(1, { tagStatus = "tagged", countType = "imageCountMoreThan", countNumber = 5 }) },
        {},
      } do
        assert.equal("InvalidParameterException", code(ecr("PutLifecyclePolicy", {
          lifecyclePolicyText = lifecycle(rules),
        })))
      end
    end)
  end)

  it("of the repository name principals that ECR knows by now", function()
    simulated(function(ecr, call, sleep)
      local trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":'
        .. '"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
      local role = assert(call("iam", "CreateRole", { RoleName = "r", AssumeRolePolicyDocument = trust })).Role.Arn
      local text = json.encode { Version = "2012-10-17", Statement = { {
        Effect = "Allow", Principal = { AWS = role }, Action = "ecr:BatchGetImage",
      } } }
      assert.equal("RepositoryPolicyNotFoundException", code(ecr "GetRepositoryPolicy"))
      local refused, err = code(ecr("SetRepositoryPolicy", { policyText = text }))
      assert.equal("InvalidParameterException", refused)
      assert.truthy(err.message:find("Principal not found", 1, true))
      sleep(30)
      assert(ecr("SetRepositoryPolicy", { policyText = text }))
      assert.same(json.decode(text), json.decode(assert(ecr "GetRepositoryPolicy").policyText))
      assert(ecr "DeleteRepositoryPolicy")
    end)
  end)
end)
