-- ECR repositories. Images are in ecr_image.lua. The vocabulary is in handler/schema.lua.

local json = require "host.json"

local NAME = { "RepositoryName=repositoryName" }

-- AWS writes the rules of a lifecycle policy in an order of its own.
local function comparable_lifecycle(value)
  local policy = json.decode(value.LifecyclePolicyText or "")
  if type(policy) ~= "table" or type(policy.rules) ~= "table" then
    return value
  end
  table.sort(policy.rules, function(a, b)
    return (a.rulePriority or 0) < (b.rulePriority or 0)
  end)
  return { LifecyclePolicyText = json.encode(policy), RegistryId = value.RegistryId }
end

-- A key may be declared by an id or an alias; AWS answers with its ARN, from which neither can be told to differ.
local function decode_encryption(_, values, scope)
  local live, recorded = values.EncryptionConfiguration or {}, scope.EncryptionConfiguration or {}
  if live.KmsKey and recorded.KmsKey and not recorded.KmsKey:find "^arn:[^:]+:kms:.*:key/" then
    live.KmsKey = recorded.KmsKey
  end
end

-- Lambda adds a statement to the policy of a repository when a function uses one of its images, so a declared policy
-- has to contain it: "LambdaECRImageRetrievalPolicy" (layers/compute).
return {
  ["AWS::ECR::Repository"] = {
    service = "ecr",
    identity = { "RepositoryName" },
    name = { property = "RepositoryName", limit = 256, lower = true },
    form = {},
    typical = { create = 1, delete = 1 },
    retry = { { "InvalidParameterException", 120, message = "[Pp]rincipal" } }, -- one that was created a moment ago
    defaults = {
      ImageTagMutability = "MUTABLE", ImageScanningConfiguration = { ScanOnPush = false },
      EncryptionConfiguration = { EncryptionType = "AES256" },
    },
    canonical = { LifecyclePolicy = comparable_lifecycle },
    recorded = { "EmptyOnDelete" },
    create = {
      "CreateRepository",
      send = {
        "RepositoryName=repositoryName", "ImageTagMutability=imageTagMutability",
        "ImageScanningConfiguration=imageScanningConfiguration", "EncryptionConfiguration=encryptionConfiguration",
      },
      result = "repository", exists = { "RepositoryAlreadyExistsException" },
    },
    read = {
      "DescribeRepositories", list = "repositories", key = "repositoryName", ids = "repositoryNames", max = 100,
      absent = { "RepositoryNotFoundException" },
      map = {
        "RepositoryName=repositoryName", "Arn=repositoryArn", "RepositoryUri=repositoryUri",
        "ImageTagMutability=imageTagMutability", "ImageScanningConfiguration=imageScanningConfiguration",
        "EncryptionConfiguration=encryptionConfiguration",
      },
      decode = decode_encryption,
    },
    facets = {
      {
        properties = { "ImageTagMutability" },
        write = {
          "PutImageTagMutability", send = { "RepositoryName=repositoryName", "ImageTagMutability=imageTagMutability" },
        },
      },
      {
        properties = { "ImageScanningConfiguration" },
        write = {
          "PutImageScanningConfiguration",
          send = { "RepositoryName=repositoryName", "ImageScanningConfiguration=imageScanningConfiguration" },
        },
      },
      {
        properties = { "RepositoryPolicyText" },
        write = {
          "SetRepositoryPolicy", send = { "RepositoryName=repositoryName", "RepositoryPolicyText=policyText" },
        },
        clear = { "DeleteRepositoryPolicy", send = NAME },
        read = { "GetRepositoryPolicy", send = NAME, map = { "RepositoryPolicyText=policyText" },
          absent = { "RepositoryPolicyNotFoundException" } },
      },
      {
        properties = { "LifecyclePolicy" },
        write = {
          "PutLifecyclePolicy", send = NAME,
          encode = function(params, scope)
            params.lifecyclePolicyText = scope.LifecyclePolicy.LifecyclePolicyText
            params.registryId = scope.LifecyclePolicy.RegistryId
          end,
        },
        clear = { "DeleteLifecyclePolicy", send = NAME },
        read = {
          "GetLifecyclePolicy", send = NAME, gives = { "LifecyclePolicy" },
          decode = function(output, values)
            values.LifecyclePolicy = {
              LifecyclePolicyText = output.lifecyclePolicyText, RegistryId = output.registryId,
            }
          end,
          absent = { "LifecyclePolicyNotFoundException" },
        },
      },
    },
    tags = {
      form = "list", create = "tags",
      set = { "TagResource", send = { "Arn=resourceArn" }, tags = "tags" },
      unset = { "UntagResource", send = { "Arn=resourceArn" }, keys = "tagKeys" },
      read = { "ListTagsForResource", send = { "Arn=resourceArn" }, list = "tags",
        absent = { "RepositoryNotFoundException" } },
    },
    hints = {
      { "RepositoryNotEmptyException", hint = "set EmptyOnDelete = true in its properties and run once more before " ..
        "destroying it, or delete its images first" },
    },
    delete = { "DeleteRepository", send = { "RepositoryName=repositoryName", "EmptyOnDelete=force" }, wait = true },
    gone = { "RepositoryNotFoundException" },
  },
}
