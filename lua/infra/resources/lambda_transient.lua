-- Errors of Lambda's that pass by themselves, for `retry` in handler specs: seconds and words of the message, by which
-- they are told from the lasting errors that have the same codes. Used by resources/lambda*.

local IAM <const> = 300 -- for a role or its policies to be known everywhere

return {
  { "InvalidParameterValueException", IAM, message = "cannot be assumed by Lambda" },
  { "InvalidParameterValueException", IAM, message = "execution role does not have permissions" },
  { "InvalidParameterValueException", IAM + 540, message = "throttled by EC2" },
  { "InvalidParameterValueException", IAM, message = "KMS key is invalid for CreateGrant" },
  { "KMSAccessDeniedException", IAM },
  -- A subnet or a security group that is seconds old.
  { "InvalidParameterValueException", 120, message = "EC2 Error Code: Invalid%w+%.NotFound" },
  -- An image that was pushed, or a repository's policy that was set, a moment ago.
  { "InvalidParameterValueException", 120, message = "[Ss]ource image.* does not exist" },
  { "InvalidParameterValueException", 120, message = "permission.* ECR" },
  { "AccessDeniedException", 120, message = "permission.* ECR" },
  -- Only one change of a function at a time.
  { "ResourceConflictException", 300, message = "in progress" },
  { "ResourceConflictException", 300, message = "cannot be performed at this time" },
}
