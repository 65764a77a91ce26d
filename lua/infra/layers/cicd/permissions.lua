-- What builds may do: all of them, and each for what it deploys. Used by the layers cicd and security.

local policy = require "infra.layers.policy"

local permissions = {}

--- The name of the bucket through which pipelines hand over their artifacts.
function permissions.artifact_bucket(stack)
  return stack.name .. "-artifacts-" .. stack.account
end

local function artifacts(stack)
  return ("arn:%s:s3:::%s"):format(stack.partition, permissions.artifact_bucket(stack))
end

--- Every build reads its source from the artifact bucket and logs.
function permissions.build(stack)
  local bucket = artifacts(stack)
  return {
    policy.allow("Logs", { "logs:CreateLogStream", "logs:PutLogEvents" },
      { policy.arn(stack, "logs", "log-group:/aws/codebuild/" .. stack.name .. "-*:*") }),
    policy.allow("Artifacts", { "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject" }, { bucket .. "/*" }),
    policy.allow("ArtifactBucket", { "s3:GetBucketLocation", "s3:GetBucketAcl" }, { bucket }),
  }
end

--- The infra pipeline: the state, and the role that may change everything.
function permissions.infra(stack, deployer)
  return {
    policy.allow("State", { "s3:ListBucket" }, { artifacts(stack) },
      { condition = { StringLike = { ["s3:prefix"] = "state/*" } } }),
    policy.allow("Deployer", { "sts:AssumeRole" }, { deployer }),
  }
end

--- The backend pipeline: images into one repository, new versions of one function.
function permissions.backend(options)
  return {
    policy.allow("Login", { "ecr:GetAuthorizationToken" }, { "*" },
      { reason = "the token is the registry's, not a repository's: the call knows no resources" }),
    policy.allow("Push", {
      "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:GetDownloadUrlForLayer",
      "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
    }, { options.repository.Arn }),
    policy.allow("Release", {
      "lambda:GetAlias", "lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:PublishVersion",
      "lambda:UpdateAlias", "lambda:UpdateFunctionCode",
    }, { options.lambda.Arn, options.lambda.Arn .. ":*" }),
  }
end

--- The frontend pipeline: the files of one bucket, what one distribution has of them.
function permissions.frontend(stack, options)
  return {
    policy.allow("Files", { "s3:DeleteObject", "s3:GetObject", "s3:PutObject" }, { options.bucket.Arn .. "/*" }),
    policy.allow("Listing", { "s3:GetBucketLocation", "s3:ListBucket" }, { options.bucket.Arn }),
    policy.allow("Invalidation", { "cloudfront:CreateInvalidation" },
      { ("arn:%s:cloudfront::%s:distribution/%s"):format(stack.partition, stack.account, options.distribution.Id) }),
  }
end

return permissions
