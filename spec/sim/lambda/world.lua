-- What the specs of the simulated Lambda have in common: an account with a role, a repository and images in it.

local assert = require "luassert"
local caller = require "spec.sim.caller"
local crypto = require "host.crypto"
local json = require "host.json"
local merged = require "infra.merged"

local code = caller.code

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
      return call("lambda", operation, merged({ FunctionName = "f" }, params))
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
  local all = merged({ Role = env.role, PackageType = "Image", Code = { ImageUri = env.uri } }, params)
  return lambda("CreateFunction", all)
end

-- The same, when the message says `text` too.
local function refused(expected, text, output, err)
  local found, message = code(output, err)
  assert.equal(expected, found)
  assert.truthy(message:find(text, 1, true), message)
end

local INVALID = "InvalidParameterValueException"
local BUSY = "ResourceConflictException"

-- With a function "f" that is active and has the version 1.
local function published(body, options)
  simulated(function(lambda, call, sleep, env, world)
    assert(create(lambda, env, { Publish = true }))
    sleep(60)
    body(lambda, call, sleep, env, world)
  end, options)
end

return {
  trust = trust,
  NETWORKING = NETWORKING,
  REPOSITORY = REPOSITORY,
  FUNCTION = FUNCTION,
  push = push,
  simulated = simulated,
  create = create,
  code = code,
  refused = refused,
  INVALID = INVALID,
  BUSY = BUSY,
  published = published,
}
