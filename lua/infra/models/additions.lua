-- CloudWatch metrics that AWS documents and aws-service-spec lacks, for the resource types whose alarms are checked
-- against the metrics that exist. Read when the models are compiled (infra.models.service_spec).
--
-- `dimensions` are the sets of dimensions that AWS publishes these metrics under; the metrics stand under the statistic
-- that says most about them.

return {
  -- "Serverless cache metrics" in the ElastiCache guide. A serverless cache has no CPU and no memory of its own to
  -- measure, and its dimension is not a node cluster's CacheClusterId.
  {
    namespace = "AWS/ElastiCache",
    type = "AWS::ElastiCache::ServerlessCache",
    dimensions = { { { name = "clusterId" } } },
    metrics = {
      Average = {
        "BytesUsedForCache", "CacheHitRate", "CurrConnections", "CurrItems", "CurrVolatileItems",
        "SuccessfulReadRequestLatency", "SuccessfulWriteRequestLatency",
      },
      Sum = {
        "AuthenticationFailures", "CacheHits", "CacheMisses", "CommandAuthorizationFailures",
        "ElastiCacheProcessingUnits", "Evictions", "IamAuthenticationExpirations", "IamAuthenticationThrottling",
        "KeyAuthorizationFailures", "NetworkBytesIn", "NetworkBytesOut", "NewConnections", "ThrottledCmds",
        "TotalCmdsCount",
      },
    },
  },
  -- "Performance and scaling for Aurora Serverless v2" and "Amazon CloudWatch metrics for Aurora" in the Aurora guide.
  {
    namespace = "AWS/RDS",
    type = "AWS::RDS::DBCluster",
    dimensions = {
      { { name = "DBClusterIdentifier" } },
      { { name = "DBClusterIdentifier" }, { name = "Role" } },
    },
    metrics = { Average = { "ACUUtilization", "ServerlessDatabaseCapacity", "VolumeBytesUsed" } },
  },
  {
    namespace = "AWS/RDS",
    type = "AWS::RDS::DBInstance",
    dimensions = { { { name = "DBInstanceIdentifier" } } },
    metrics = { Average = { "ACUUtilization" } },
  },
  -- "Working with metrics for HTTP APIs" in the API Gateway guide: 4xx and 5xx, where a REST API has 4XXError.
  {
    namespace = "AWS/ApiGateway",
    type = "AWS::ApiGatewayV2::Stage",
    dimensions = { { { name = "ApiId" }, { name = "Stage" } } },
    metrics = { Sum = { "4xx", "5xx", "DataProcessed" } },
  },
  -- "AWS Backup metrics with Amazon CloudWatch" in the Backup guide. A metric exists only after its first datapoint.
  {
    namespace = "AWS/Backup",
    type = "AWS::Backup::BackupVault",
    dimensions = {
      { { name = "BackupVaultName" } },
      { { name = "BackupVaultName" }, { name = "ResourceType" } },
    },
    metrics = {
      Sum = {
        "NumberOfBackupJobsAborted", "NumberOfBackupJobsCompleted", "NumberOfBackupJobsCreated",
        "NumberOfBackupJobsExpired", "NumberOfBackupJobsFailed", "NumberOfBackupJobsPending",
        "NumberOfBackupJobsRunning", "NumberOfCopyJobsCompleted", "NumberOfCopyJobsCreated",
        "NumberOfCopyJobsFailed", "NumberOfCopyJobsRunning", "NumberOfRecoveryPointsCold",
        "NumberOfRecoveryPointsCompleted", "NumberOfRecoveryPointsDeleting", "NumberOfRecoveryPointsExpired",
        "NumberOfRecoveryPointsPartial", "NumberOfRestoreJobsCompleted", "NumberOfRestoreJobsFailed",
        "NumberOfRestoreJobsPending", "NumberOfRestoreJobsRunning",
      },
    },
  },
}
