-- The frontend's files in a second region: the role with which S3 copies them there. Part of the layer edge.

local policy = require "infra.layers.policy"

--- The ReplicationConfiguration of the bucket called `source`: every file, also its deletion, goes to the bucket
--- `replica` (a resource). Only what is written from then on is copied.
return function(stack, source, replica)
  local arn = ("arn:%s:s3:::%s"):format(stack.partition, source)
  local role = stack:resource("AWS::IAM::Role", "replication-role", {
    RoleName = stack.name .. "-replication-role",
    AssumeRolePolicyDocument = policy.trust "s3.amazonaws.com",
    Policies = { {
      PolicyName = "replication", PolicyDocument = policy.document {
        policy.allow("Source", { "s3:GetReplicationConfiguration", "s3:ListBucket" }, { arn }),
        policy.allow("Read", {
          "s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging",
        }, { arn .. "/*" }),
        policy.allow("Write", { "s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags" },
          { replica.Arn .. "/*" }),
      },
    } },
  })
  return {
    Role = role.Arn,
    Rules = {
      {
        Id = "everything", Status = "Enabled", Priority = 1, Filter = { Prefix = "" },
        DeleteMarkerReplication = { Status = "Enabled" }, Destination = { Bucket = replica.Arn },
      },
    },
  }
end
