-- A private bucket as every layer wants it: versioned, encrypted, no public access, no ACLs, and refusing plain HTTP.
-- Used by the layers edge and cicd.

local policy = require "infra.layers.policy"

--- Declares the bucket `name` with `extra` properties (may be nil) and its policy with further `statements`. Returns the
--- bucket.
return function(stack, name, bucket_name, extra, statements)
  local properties = {
    BucketName = bucket_name,
    VersioningConfiguration = { Status = "Enabled" },
    PublicAccessBlockConfiguration = {
      BlockPublicAcls = true, BlockPublicPolicy = true, IgnorePublicAcls = true, RestrictPublicBuckets = true,
    },
    BucketEncryption = {
      ServerSideEncryptionConfiguration = { { ServerSideEncryptionByDefault = { SSEAlgorithm = "AES256" } } },
    },
    OwnershipControls = { Rules = { { ObjectOwnership = "BucketOwnerEnforced" } } },
  }
  for key, value in pairs(extra or {}) do
    properties[key] = value
  end
  local bucket = stack:resource("AWS::S3::Bucket", name, properties)
  local all = {
    {
      Sid = "TlsOnly", Effect = "Deny", Principal = "*", Action = "s3:*",
      Resource = { bucket.Arn, bucket.Arn .. "/*" }, Condition = { Bool = { ["aws:SecureTransport"] = "false" } },
    },
  }
  table.move(statements or {}, 1, #(statements or {}), 2, all)
  stack:resource("AWS::S3::BucketPolicy", name .. "-policy", {
    Bucket = bucket.BucketName, PolicyDocument = policy.document(all),
  })
  return bucket
end
