-- The policies that AWS manages, as far as the simulated IAM knows them: the well-known ones with their paths (AWS
-- Managed Policy Reference Guide). There are more than a thousand, so an unknown name is taken as it comes; a known
-- name under another path is not, because there is no such policy: "service-role/" is easily forgotten. Used by
-- infra.sim.iam.

local crypto = require "host.crypto"

local aws_managed = {}

local NAMES = {
  ["/"] = [[
    AdministratorAccess PowerUserAccess ReadOnlyAccess SecurityAudit IAMFullAccess IAMReadOnlyAccess
    AmazonAPIGatewayAdministrator AmazonAPIGatewayInvokeFullAccess AmazonDynamoDBFullAccess
    AmazonDynamoDBReadOnlyAccess AmazonEC2ContainerRegistryFullAccess AmazonEC2ContainerRegistryPowerUser
    AmazonEC2ContainerRegistryReadOnly AmazonEC2FullAccess AmazonEC2ReadOnlyAccess AmazonECS_FullAccess
    AmazonElastiCacheFullAccess AmazonRDSDataFullAccess AmazonRDSFullAccess AmazonRDSReadOnlyAccess
    AmazonRoute53FullAccess AmazonRoute53ReadOnlyAccess AmazonS3FullAccess AmazonS3ReadOnlyAccess
    AmazonSNSFullAccess AmazonSNSReadOnlyAccess AmazonSQSFullAccess AmazonSSMFullAccess AmazonSSMManagedInstanceCore
    AmazonSSMReadOnlyAccess AmazonVPCFullAccess AmazonVPCReadOnlyAccess AWSBackupFullAccess
    AWSBackupServiceRolePolicyForS3Backup AWSBackupServiceRolePolicyForS3Restore AWSCertificateManagerFullAccess
    AWSCertificateManagerReadOnly AWSCloudFormationFullAccess AWSCodeBuildAdminAccess AWSCodeBuildDeveloperAccess
    AWSCodeBuildReadOnlyAccess AWSCodePipeline_FullAccess AWSCodePipeline_ReadOnlyAccess
    AWSKeyManagementServicePowerUser AWSLambda_FullAccess AWSLambda_ReadOnlyAccess AWSLambdaExecute AWSWAFFullAccess
    AWSWAFReadOnlyAccess AWSXRayDaemonWriteAccess CloudFrontFullAccess CloudFrontReadOnlyAccess
    CloudWatchAgentServerPolicy CloudWatchFullAccess CloudWatchFullAccessV2
    CloudWatchLambdaInsightsExecutionRolePolicy CloudWatchLogsFullAccess CloudWatchLogsReadOnlyAccess
    CloudWatchReadOnlyAccess SecretsManagerReadWrite ResourceGroupsandTagEditorReadOnlyAccess
  ]],
  ["/service-role/"] = [[
    AmazonAPIGatewayPushToCloudWatchLogs AmazonECSTaskExecutionRolePolicy AmazonRDSEnhancedMonitoringRole
    AmazonSNSRole AWSBackupServiceRolePolicyForBackup AWSBackupServiceRolePolicyForRestores AWSConfigRole
    AWSLambdaBasicExecutionRole AWSLambdaDynamoDBExecutionRole AWSLambdaENIManagementAccess
    AWSLambdaKinesisExecutionRole AWSLambdaRole AWSLambdaSQSQueueExecutionRole AWSLambdaVPCAccessExecutionRole
    CloudWatchEventsBuiltInTargetExecutionAccess CloudWatchEventsInvocationAccess
  ]],
  ["/job-function/"] = [[
    Billing DatabaseAdministrator DataScientist NetworkAdministrator SupportUser SystemAdministrator ViewOnlyAccess
  ]],
  ["/aws-service-role/"] = [[
    APIGatewayServiceRolePolicy AmazonElastiCacheServiceRolePolicy AmazonRDSServiceRolePolicy
    AWSBackupServiceLinkedRolePolicyForBackup AWSLambdaReplicator WAFV2LoggingServiceRolePolicy
  ]],
}

-- The creation date that most of them share.
local CREATED = 1423159200.0

local path_of = {}
for path, names in pairs(NAMES) do
  for name in names:gmatch("%S+") do
    path_of[name] = path
  end
end

local function policy(partition, path, name)
  local arn = ("arn:%s:iam::aws:policy%s%s"):format(partition, path, name)
  return {
    PolicyName = name,
    PolicyId = "ANPA" .. crypto.hex(crypto.sha1(arn)):upper():sub(1, 17),
    Arn = arn,
    Path = path,
    DefaultVersionId = "v1",
    IsAttachable = path ~= "/aws-service-role/",
    CreateDate = CREATED,
    UpdateDate = CREATED,
  }
end

--- The AWS-managed policy with this ARN, as the members of the API's Policy; nil when there cannot be one.
function aws_managed.find(arn)
  local partition, path, name = arn:match("^arn:([%w-]+):iam::aws:policy(/.-)([%w_+=,.@-]+)$")
  if name and path == (path_of[name] or path) and path:find("/$") then
    return policy(partition, path, name)
  end
end

--- All well-known ones, in no order.
function aws_managed.all(partition)
  local all = {}
  for name, path in pairs(path_of) do
    all[#all + 1] = policy(partition, path, name)
  end
  return all
end

return aws_managed
