-- What spec/stacks/emulator.lua makes, as another client sees it: function(outputs of the stack) -> rows of service,
-- operation and parameters as boto3 calls them, region (the stack's by default), and `has`: what the answer contains.
-- When all is destroyed the call must be refused, or have none of the members that `has` names, or have what `left`
-- says. Used by spec/emulator/layers_spec.lua.

local NAME <const> = "apprentice-final-staging"
local PARAMETERS <const> = "/apprentice-final/staging/"
local DOMAIN <const> = "bardhi.devops.konitron.com"
local ACCOUNT <const> = "123456789012"
local GLOBAL <const> = "us-east-1"
local MINE <const> = { Filters = { { Name = "tag:ManagedBy", Values = { "infra" } } } }
local BUILT <const> = {
  Filters = { MINE.Filters[1], { Name = "state", Values = { "pending", "available" } } },
}

-- The account's, not the stack's alone: it stays.
local LOGGING <const> = {
  cloudwatchRoleArn = ("arn:aws:iam::%s:role/%s-apigw-cloudwatch-role"):format(ACCOUNT, NAME),
}

local function network(outputs)
  return {
    { "ec2", "describe_vpcs", MINE, has = { Vpcs = { { CidrBlock = "10.20.0.0/16" } } } },
    { "ec2", "describe_vpc_attribute", { VpcId = outputs.vpc, Attribute = "enableDnsHostnames" },
      has = { EnableDnsHostnames = { Value = true } } },
    { "ec2", "describe_subnets", MINE, has = { Subnets = {
      { CidrBlock = "10.20.0.0/24", AvailabilityZone = "eu-west-1a", MapPublicIpOnLaunch = false },
      { CidrBlock = "10.20.1.0/24", AvailabilityZone = "eu-west-1b" },
      { CidrBlock = "10.20.16.0/24", AvailabilityZone = "eu-west-1a" },
      { CidrBlock = "10.20.17.0/24", AvailabilityZone = "eu-west-1b" },
    } } },
    { "ec2", "describe_route_tables", MINE, has = { RouteTables = {
      { VpcId = outputs.vpc, Routes = { { DestinationCidrBlock = "0.0.0.0/0", State = "active" } } },
    } } },
    { "ec2", "describe_internet_gateways", MINE,
      has = { InternetGateways = { { Attachments = { { VpcId = outputs.vpc } } } } } },
    { "ec2", "describe_nat_gateways", BUILT, has = { NatGateways = { { VpcId = outputs.vpc } } } },
    { "ec2", "describe_addresses", MINE, has = { Addresses = { { Domain = "vpc" } } } },
    { "ec2", "describe_vpc_endpoints", MINE, has = { VpcEndpoints = {
      { VpcEndpointType = "Gateway", ServiceName = "com.amazonaws.eu-west-1.s3" },
    } }, left = { VpcEndpoints = { { State = "deleted" } } } },
  }
end

local function security()
  return {
    { "ec2", "describe_security_groups", MINE, has = { SecurityGroups = {
      { Description = "Aurora PostgreSQL: from Lambda only",
        IpPermissions = { { IpProtocol = "tcp", FromPort = 5432, ToPort = 5432 } } },
      { Description = "ElastiCache: from Lambda only",
        IpPermissions = { { IpProtocol = "tcp", FromPort = 6379, ToPort = 6379 } } },
      { Description = "Lambda functions: outbound only",
        IpPermissionsEgress = { { IpProtocol = "-1", IpRanges = { { CidrIp = "0.0.0.0/0" } } } } },
    } } },
    { "iam", "get_account_authorization_details", { Filter = { "Role" } }, has = { RoleDetailList = {
      { RoleName = NAME .. "-lambda-role", RolePolicyList = { { PolicyName = "lambda" } } },
      { RoleName = NAME .. "-operator-role" }, { RoleName = NAME .. "-codepipeline-role" },
      { RoleName = NAME .. "-backup-role", AssumeRolePolicyDocument = { Statement = {
        { Principal = { Service = "backup.amazonaws.com" } },
      } } },
    } } },
    { "apigateway", "get_account", {}, has = LOGGING, left = LOGGING },
  }
end

local function data(outputs)
  return {
    { "rds", "describe_db_clusters", {}, has = { DBClusters = { {
      DBClusterIdentifier = NAME .. "-aurora", Engine = "aurora-postgresql", EngineVersion = "16.1",
      BackupRetentionPeriod = 7, StorageEncrypted = true, EnabledCloudwatchLogsExports = { "postgresql" },
      ServerlessV2ScalingConfiguration = { MinCapacity = 0.5, MaxCapacity = 4 },
    } } } },
    { "rds", "describe_db_instances", {}, has = { DBInstances = {
      { DBInstanceClass = "db.serverless", AvailabilityZone = "eu-west-1a", PubliclyAccessible = false },
      { DBInstanceClass = "db.serverless", AvailabilityZone = "eu-west-1b" },
    } } },
    { "rds", "describe_db_subnet_groups", {}, has = { DBSubnetGroups = { { VpcId = outputs.vpc } } } },
    { "rds", "describe_db_cluster_parameters", { DBClusterParameterGroupName = NAME .. "-aurora-postgresql16" },
      has = { Parameters = { { ParameterName = "rds.force_ssl", ParameterValue = "1" } } } },
    { "secretsmanager", "list_secrets", {}, has = { SecretList = { { Name = NAME .. "/aurora" } } } },
    { "kms", "describe_key", { KeyId = outputs.key }, has = { KeyMetadata = { KeyState = "Enabled" } },
      left = { KeyMetadata = { KeyState = "PendingDeletion" } } },
    { "kms", "list_aliases", { KeyId = outputs.key },
      has = { Aliases = { { AliasName = "alias/" .. NAME .. "-data" } } } },
    { "ssm", "get_parameters", { Names = { PARAMETERS .. "DATABASE_NAME", PARAMETERS .. "SECRET_KEY" } },
      has = { Parameters = {
        { Name = PARAMETERS .. "DATABASE_NAME", Type = "String", Value = "habittracker" },
        { Name = PARAMETERS .. "SECRET_KEY", Type = "SecureString" },
      } } },
    { "ssm", "describe_parameters", {}, has = { Parameters = { {} } } },
  }
end

local function compute(outputs)
  local api = { ApiId = outputs.api }
  return {
    { "logs", "describe_log_groups", {}, has = { logGroups = {
      { logGroupName = "/aws/lambda/" .. NAME .. "-api", retentionInDays = 30 },
      { logGroupName = "/aws/apigateway/" .. NAME .. "-http-api", retentionInDays = 30 },
    } } },
    { "ecr", "describe_repositories", {}, has = { repositories = {
      { repositoryName = NAME, imageScanningConfiguration = { scanOnPush = true }, imageTagMutability = "MUTABLE" },
    } } },
    { "lambda", "get_function", { FunctionName = NAME .. "-api" }, has = { Configuration = {
      MemorySize = 1024, Timeout = 30, PackageType = "Image",
      Environment = { Variables = { PARAMETER_PATH = PARAMETERS } },
    } } },
    { "lambda", "list_aliases", { FunctionName = NAME .. "-api" },
      has = { Aliases = { { Name = "live", FunctionVersion = "1" } } } },
    { "apigatewayv2", "get_apis", {}, has = { Items = {
      { ProtocolType = "HTTP", CorsConfiguration = { AllowOrigins = { "https://" .. DOMAIN }, MaxAge = 300 } },
    } } },
    { "apigatewayv2", "get_routes", api, has = { Items = {
      { RouteKey = "$default" }, { RouteKey = "ANY /api/{proxy+}" }, { RouteKey = "GET /health/" },
    } } },
    { "apigatewayv2", "get_integrations", api,
      has = { Items = { { IntegrationType = "AWS_PROXY", PayloadFormatVersion = "2.0" } } } },
    { "apigatewayv2", "get_stages", api, has = { Items = { { StageName = "staging", AutoDeploy = true } } } },
  }
end

local function edge(outputs)
  return {
    { "acm", "list_certificates", {}, GLOBAL, has = { CertificateSummaryList = { { DomainName = DOMAIN } } } },
    { "route53", "list_hosted_zones", {}, has = { HostedZones = { { Name = DOMAIN .. "." } } } },
    { "route53", "list_resource_record_sets", { HostedZoneId = outputs.zone }, has = { ResourceRecordSets = {
      { Name = DOMAIN .. ".", Type = "A", AliasTarget = { EvaluateTargetHealth = false } },
      { Name = DOMAIN .. ".", Type = "AAAA" },
      { Name = "www." .. DOMAIN .. ".", Type = "CNAME", TTL = 60, Failover = "PRIMARY" },
    } } },
    { "wafv2", "list_web_acls", { Scope = "CLOUDFRONT" }, GLOBAL,
      has = { WebACLs = { { Name = NAME .. "-web-acl" } } } },
    { "wafv2", "list_ip_sets", { Scope = "CLOUDFRONT" }, GLOBAL, has = { IPSets = { {} } } },
    { "cloudfront", "get_distribution_config", { Id = outputs.distribution }, has = { DistributionConfig = {
      Aliases = { Items = { DOMAIN } }, DefaultRootObject = "index.html", HttpVersion = "http2and3", Enabled = true,
      DefaultCacheBehavior = { ViewerProtocolPolicy = "redirect-to-https" },
      CacheBehaviors = { Items = { { PathPattern = "/api/*", TargetOriginId = "api" } } },
      ViewerCertificate = { SSLSupportMethod = "sni-only", MinimumProtocolVersion = "TLSv1.2_2021" },
    } } },
    { "cloudfront", "list_distributions", {}, has = { DistributionList = { Quantity = 1 } },
      left = { DistributionList = { Quantity = 0 } } },
    { "cloudfront", "list_origin_access_controls", {}, has = { OriginAccessControlList = { Items = {
      { Name = NAME .. "-frontend", SigningBehavior = "always" },
    } } }, left = { OriginAccessControlList = { Quantity = 0 } } },
  }
end

local function observability(outputs)
  return {
    { "sns", "list_topics", {}, has = { Topics = { { TopicArn = outputs.topic } } } },
    { "sns", "list_subscriptions", {},
      has = { Subscriptions = { { Protocol = "email", Endpoint = "ops@example.com", TopicArn = outputs.topic } } } },
    { "cloudwatch", "describe_alarms", {}, has = { MetricAlarms = {
      { Namespace = "AWS/RDS", Threshold = 80, AlarmActions = { outputs.topic } }, { Namespace = "AWS/Lambda" },
      { AlarmName = NAME .. "-backup-failed", Period = 3600 },
    } } },
    { "cloudwatch", "list_dashboards", {}, has = { DashboardEntries = { { DashboardName = NAME .. "-overview" } } } },
  }
end

local function cicd()
  local artifacts = { Bucket = NAME .. "-artifacts-" .. ACCOUNT }
  return {
    { "s3", "list_buckets", {}, has = { Buckets = { { Name = artifacts.Bucket }, { Name = NAME .. "-frontend" } } } },
    { "s3", "get_bucket_versioning", artifacts, has = { Status = "Enabled" } },
    { "s3", "get_bucket_ownership_controls", artifacts,
      has = { OwnershipControls = { Rules = { { ObjectOwnership = "BucketOwnerEnforced" } } } } },
    { "s3", "get_public_access_block", artifacts,
      has = { PublicAccessBlockConfiguration = { BlockPublicPolicy = true, RestrictPublicBuckets = true } } },
    { "s3", "get_bucket_lifecycle_configuration", artifacts,
      has = { Rules = { { ID = "expire" }, { ID = "old-states" } } } },
    { "s3", "get_bucket_replication", { Bucket = NAME .. "-original" }, has = { ReplicationConfiguration = { Rules = {
      { ID = "everything", Destination = { Bucket = ("arn:aws:s3:::%s-copy"):format(NAME) } },
    } } } },
    { "s3", "get_bucket_location", { Bucket = NAME .. "-copy" }, has = { LocationConstraint = "us-west-2" } },
    { "iam", "list_policies", { Scope = "Local" }, has = { Policies = { { AttachmentCount = 1 } } } },
    { "codepipeline", "get_pipeline", { name = NAME .. "-release" }, has = { pipeline = {
      stages = { { name = "Source" }, { name = "Plan" }, { name = "Approve" }, { name = "Apply" } },
    } } },
  }
end

local function dr()
  local vaults = { BackupVaultList = { { BackupVaultName = NAME .. "-backup" } } }
  return {
    { "backup", "list_backup_vaults", {}, has = vaults },
    { "backup", "list_backup_vaults", {}, "us-west-2", has = vaults },
    { "backup", "list_backup_plans", {}, has = { BackupPlansList = { { BackupPlanName = NAME .. "-aurora" } } } },
    { "events", "list_rules", {}, has = { Rules = { { Name = NAME .. "-backup-failures" } } } },
    { "route53", "list_health_checks", {}, has = { HealthChecks = {
      { HealthCheckConfig = { Type = "HTTPS", FullyQualifiedDomainName = DOMAIN, ResourcePath = "/health/" } },
    } } },
  }
end

return function(outputs)
  local rows = {}
  for _, layer in ipairs { network, security, data, compute, edge, observability, cicd, dr } do
    local own = layer(outputs)
    table.move(own, 1, #own, #rows + 1, rows)
  end
  for _, row in ipairs(rows) do
    row[4] = row[4] or "eu-west-1"
  end
  return rows
end
