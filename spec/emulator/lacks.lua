-- What moto lacks of what the layers need, or does unlike AWS, and what spec/emulator/layers_spec.lua leaves out for
-- it. Every entry is tried before it counts: with a moto that can do it, nothing is left out and nothing is said.
--
--   service, operation, params    the call that shows it; `before`: calls that it needs, made first; params may be a
--                                 function of what the last one of them answered
--   status, code                  how moto refuses it (an answer that is an error of another kind fails the spec), or
--   unlike(output) -> text | nil  what is not as at AWS in an answer that is no error
--   so                            what that means for the layers
--   set                           options of spec/stacks/emulator.lua that leave it out
--   without                       resources for which no layer has an option
--   drift                         a resource that a second run finds changed

local ROLE <const> = "arn:aws:iam::123456789012:role/probe"
local CACHING_OPTIMIZED <const> = "658327ea-f89d-4fab-a63d-7e88639e58f6"

-- The configuration of a distribution of one private bucket; `target`: what its default behaviour is served by.
local function distribution(target, origin_groups)
  return {
    CallerReference = target, Comment = "", Enabled = false, OriginGroups = origin_groups,
    Origins = { Quantity = 1, Items = { {
      Id = "bucket", DomainName = "probe.s3.eu-west-1.amazonaws.com", OriginAccessControlId = "E1PROBE",
      S3OriginConfig = { OriginAccessIdentity = "" },
    } } },
    DefaultCacheBehavior = {
      TargetOriginId = target, ViewerProtocolPolicy = "https-only", CachePolicyId = CACHING_OPTIMIZED,
    },
  }
end

local TWICE <const> = { Quantity = 2, Items = { { OriginId = "bucket" }, { OriginId = "bucket" } } }
local BUILD_OF_PIPELINE <const> = {
  name = "probe", source = { type = "CODEPIPELINE", buildspec = "version: 0.2" }, artifacts = { type = "CODEPIPELINE" },
  environment = {
    type = "LINUX_CONTAINER", image = "aws/codebuild/standard:7.0", computeType = "BUILD_GENERAL1_SMALL",
  },
  serviceRole = ROLE,
}

return {
  {
    service = "elasticache", operation = "DescribeServerlessCaches", params = {}, status = 500,
    so = "data is without its cache, observability without the cache's alarms", set = { "cache=false" },
  },
  {
    service = "ecr", operation = "BatchCheckLayerAvailability",
    params = { repositoryName = "probe", layerDigests = { "sha256:" .. ("0"):rep(64) } }, status = 500,
    so = "compute pushes no image of its own, and runs one that is said to be there", set = { "push=false" },
  },
  {
    service = "apigatewayv2", operation = "CreateStage",
    before = { { "apigatewayv2", "CreateApi", { Name = "probe", ProtocolType = "HTTP" } } },
    params = function(api)
      return { ApiId = api.ApiId, StageName = "probe", AutoDeploy = true }
    end,
    unlike = function(output)
      return not output.LastDeploymentStatusMessage and "with AutoDeploy, no deployment is ever told of"
    end,
    so = "compute waits for one for 10 s",
  },
  {
    service = "cloudfront", operation = "CreateFunction", status = 404,
    params = {
      Name = "probe", FunctionConfig = { Comment = "", Runtime = "cloudfront-js-2.0" },
      FunctionCode = "function handler(event) { return event.request }",
    },
    so = "edge is without the routes of a single-page application", set = { "single_page=false" },
  },
  {
    service = "cloudfront", operation = "CreateDistribution", code = "NoSuchOrigin",
    params = { DistributionConfig = distribution("group", { Quantity = 1, Items = { {
      Id = "group", Members = TWICE, FailoverCriteria = { StatusCodes = { Quantity = 1, Items = { 500 } } },
    } } }) },
    so = "edge is without the replica, behind which origins fail over as a group", set = { "replica=false" },
  },
  {
    service = "cloudfront", operation = "CreateDistribution",
    params = { DistributionConfig = distribution "bucket" },
    unlike = function(output)
      local origin = output.Distribution.DistributionConfig.Origins.Items[1]
      return not (origin.OriginAccessControlId and origin.S3OriginConfig)
        and "OriginAccessControlId and S3OriginConfig of an origin are forgotten"
    end,
    so = "edge has its distribution updated by every run", drift = "edge/distribution",
  },
  {
    service = "s3", operation = "GetBucketReplication", params = { Bucket = "probe" },
    before = {
      { "s3", "CreateBucket", { Bucket = "probe", CreateBucketConfiguration = { LocationConstraint = "eu-west-1" } } },
      { "s3", "PutBucketVersioning", { Bucket = "probe", VersioningConfiguration = { Status = "Enabled" } } },
      { "s3", "PutBucketReplication", { Bucket = "probe", ReplicationConfiguration = {
        Role = ROLE, Rules = { {
          Status = "Enabled", Priority = 1, Filter = { Prefix = "" }, DeleteMarkerReplication = { Status = "Enabled" },
          Destination = { Bucket = "arn:aws:s3:::probe" },
        } },
      } } },
    },
    unlike = function(output)
      return output.ReplicationConfiguration.Rules[1].DeleteMarkerReplication.Status ~= "Enabled"
        and "DeleteMarkerReplication is Disabled, whatever was put"
    end,
    so = "a replicated bucket is updated by every run", drift = "original",
  },
  {
    service = "codeconnections", operation = "CreateConnection", status = 500,
    params = { ConnectionName = "probe", ProviderType = "GitHub" },
    so = "cicd is given a connection instead of making one", set = { "connect=false" },
  },
  {
    service = "codebuild", operation = "CreateProject", params = BUILD_OF_PIPELINE, code = "InvalidInputException",
    so = "cicd is without builds that get their source from a pipeline, and without what needs them",
    without = {
      "cicd/infra-build", "cicd/infra-pipeline", "cicd/backend-build", "cicd/backend-pipeline", "cicd/frontend-build",
      "cicd/frontend-pipeline", "cicd/failures", "cicd/approvals",
    },
  },
  {
    service = "backup", operation = "PutBackupVaultAccessPolicy", status = 404,
    params = { BackupVaultName = "probe", Policy = "{}" },
    so = "dr lets administrators delete backups", set = { "keep=false" },
  },
  {
    service = "backup", operation = "CreateBackupSelection", status = 500,
    params = {
      BackupPlanId = "probe", BackupSelection = { SelectionName = "probe", IamRoleArn = ROLE, Resources = { "*" } },
    },
    so = "dr is without what its plan backs up", without = { "dr/backup-selection" },
  },
  {
    service = "resourcegroupstaggingapi", operation = "GetResources",
    before = {
      { "ssm", "PutParameter",
        { Name = "probe", Value = "1", Type = "String", Tags = { { Key = "a", Value = "b" } } } },
    },
    params = { ResourceARNList = { "arn:aws:sns:eu-west-1:123456789012:probe" } },
    unlike = function(output)
      return #output.ResourceTagMappingList > 0 and "ResourceARNList is ignored: everything is listed, 50 on a page"
    end,
    so = "a run makes more requests for tags than at AWS",
  },
}
