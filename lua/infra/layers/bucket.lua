-- A private bucket as every layer wants it: versioned, encrypted, no public access, no ACLs, and refusing plain HTTP.
-- Used by the layers edge and cicd.

local joined = require "infra.joined"
local merged = require "infra.merged"
local policy = require "infra.layers.policy"

--- Declares the bucket `name` with `extra` properties (may be nil) and its policy with further `statements`: a list, or
--- function(bucket) -> list, which may declare who is to read it. `options` are the resources' own. Returns the bucket.
return function(stack, name, bucket_name, extra, statements, options)
  local properties = merged({
    BucketName = bucket_name,
    VersioningConfiguration = { Status = "Enabled" },
    PublicAccessBlockConfiguration = {
      BlockPublicAcls = true, BlockPublicPolicy = true, IgnorePublicAcls = true, RestrictPublicBuckets = true,
    },
    BucketEncryption = {
      ServerSideEncryptionConfiguration = { { ServerSideEncryptionByDefault = { SSEAlgorithm = "AES256" } } },
    },
    OwnershipControls = { Rules = { { ObjectOwnership = "BucketOwnerEnforced" } } },
  }, extra)
  local bucket = stack:resource("AWS::S3::Bucket", name, properties, options)
  local tls_only = {
    Sid = "TlsOnly", Effect = "Deny", Principal = "*", Action = "s3:*",
    Resource = { bucket.Arn, bucket.Arn .. "/*" }, Condition = { Bool = { ["aws:SecureTransport"] = "false" } },
  }
  local further = type(statements) == "function" and statements(bucket) or statements
  stack:resource("AWS::S3::BucketPolicy", name .. "-policy", {
    Bucket = bucket.BucketName, PolicyDocument = policy.document(joined({ tls_only }, further)),
  }, options)
  return bucket
end
