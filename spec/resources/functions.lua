-- What specs of Lambda's types need around a function: a repository with an image, and a role.

local merged = require "infra.merged"

local functions = {}

local TRUST = {
  Version = "2012-10-17",
  Statement = { { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } } },
}

local RETRIEVAL = {
  Version = "2012-10-17",
  Statement = { {
    Sid = "LambdaECRImageRetrievalPolicy", Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" },
    Action = { "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer" },
  } },
}

--- Declares them and the function "api" with further `properties`. Returns the function, the image and the role.
function functions.declare(stack, properties, options)
  local repository = stack:resource("AWS::ECR::Repository", "images", {
    EmptyOnDelete = true, RepositoryPolicyText = RETRIEVAL,
  })
  local image = stack:resource("Infra::ECR::Image", "image", {
    RepositoryName = repository.RepositoryName, OnlyIfEmpty = true,
  }, { retain = true })
  local role = stack:resource("AWS::IAM::Role", "role", {
    AssumeRolePolicyDocument = TRUST,
    ManagedPolicyArns = { "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole" },
  })
  local all = merged({ PackageType = "Image", Code = { ImageUri = image.ImageUri }, Role = role.Arn }, properties)
  return stack:resource("AWS::Lambda::Function", "api", all, options), image, role
end

--- The name of that function.
functions.NAME = "demo-test-api"

--- What the pipeline does, through call(service, operation, params): pushes another image. Returns its URI.
function functions.push(call, tag)
  local image = require("infra.oci").bootstrap()
  local json = require "host.json"
  local manifest = json.decode(image.manifest)
  manifest.annotations = { tag = tag }
  local output = assert(call("ecr", "PutImage", {
    repositoryName = "demo-test-images", imageTag = tag, imageManifest = json.encode(manifest),
    imageManifestMediaType = image.media_type,
  }))
  return "123456789012.dkr.ecr.us-east-1.amazonaws.com/demo-test-images@" .. output.image.imageId.imageDigest
end

--- And lets the function use the image, publishes a version, and moves the alias "live" to it. Returns the version.
function functions.deploy(call, session, uri)
  local function settled()
    repeat
      session.runtime.scheduler:sleep(1)
      local configuration = assert(call("lambda", "GetFunctionConfiguration", { FunctionName = functions.NAME }))
    until configuration.LastUpdateStatus == "Successful"
  end
  assert(call("lambda", "UpdateFunctionCode", { FunctionName = functions.NAME, ImageUri = uri }))
  settled()
  local version = assert(call("lambda", "PublishVersion", { FunctionName = functions.NAME })).Version
  settled()
  session.runtime.scheduler:sleep(60)
  assert(call("lambda", "UpdateAlias", { FunctionName = functions.NAME, Name = "live", FunctionVersion = version }))
  session.runtime.scheduler:sleep(120)
  return version
end

return functions
