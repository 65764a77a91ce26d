-- Other clients than ours against `infra sim`: that what it answers is AWS's wire format is for them to say.

local fs = require "host.fs"
local json = require "host.json"
local moto = require "spec.support.moto"
local program = require "spec.support.program"
local start_simulator = require "spec.support.simulator"
local temporary = require "spec.support.temporary"

local TRUST <const> = json.encode {
  Version = "2012-10-17",
  Statement = { { Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "123456789012" } } },
}
local TOPIC <const> = "arn:aws:sns:us-east-1:123456789012:t"
local REGION <const> = "us-east-1"
local LARGE <const> = 9 << 20 -- bytes: more than the CLI sends at once

-- service, operation, parameters, the path to a member of the answer, and what it is ("error" is nil where the
-- call is not refused). Every protocol, with lists, maps, documents, headers and refusals.
local CALLS = {
  { "sts", "get_caller_identity", {}, "Account", "123456789012" },
  { "ec2", "create_vpc", { CidrBlock = "10.0.0.0/16", TagSpecifications = { { ResourceType = "vpc",
    Tags = { { Key = "Name", Value = "a&b" } } } } }, "Vpc.Tags.1.Value", "a&b" },
  { "ec2", "describe_vpcs", { Filters = { { Name = "cidr", Values = { "10.0.0.0/16" } } } },
    "Vpcs.1.IsDefault", false },
  { "ec2", "describe_vpcs", { VpcIds = { "vpc-0123456789abcdef0" } }, "error", "InvalidVpcID.NotFound" },
  { "ec2", "describe_vpcs", { DryRun = true }, "error", "DryRunOperation" },
  { "iam", "create_role", { RoleName = "spec", AssumeRolePolicyDocument = TRUST },
    "Role.AssumeRolePolicyDocument.Statement.1.Effect", "Allow" },
  { "iam", "get_role", { RoleName = "none" }, "error", "NoSuchEntity" },
  { "sns", "create_topic", { Name = "t", Tags = { { Key = "k", Value = "v" } } }, "TopicArn", TOPIC },
  { "sns", "get_topic_attributes", { TopicArn = TOPIC }, "Attributes.Owner", "123456789012" },
  { "cloudwatch", "put_metric_alarm", { AlarmName = "a", Namespace = "n", MetricName = "m", Statistic = "Sum",
    Period = 60, EvaluationPeriods = 1, Threshold = 1.5, ComparisonOperator = "GreaterThanThreshold" },
    "error" },
  { "cloudwatch", "describe_alarms", {}, "MetricAlarms.1.Threshold", 1.5 },
  { "cloudwatch", "get_dashboard", { DashboardName = "none" }, "error", "ResourceNotFound" },
  { "ssm", "put_parameter", { Name = "/spec", Value = "é\n", Type = "SecureString" }, "Version", 1 },
  { "ssm", "get_parameter", { Name = "/spec", WithDecryption = true }, "Parameter.Value", "é\n" },
  { "secretsmanager", "create_secret", { Name = "s", SecretString = "é" }, "Name", "s" },
  { "secretsmanager", "get_secret_value", { SecretId = "s" }, "SecretString", "é" },
  { "logs", "create_log_group", { logGroupName = "/g", tags = { k = "v" } }, "error" },
  { "logs", "list_tags_log_group", { logGroupName = "/g" }, "tags.k", "v" },
  { "kms", "create_key", {}, "KeyMetadata.Enabled", true },
  { "events", "put_rule", { Name = "r", ScheduleExpression = "rate(5 minutes)" },
    "RuleArn", "arn:aws:events:us-east-1:123456789012:rule/r" },
  { "ecr", "create_repository", { repositoryName = "spec" }, "repository.repositoryName", "spec" },
  { "lambda", "list_functions", {}, "Functions.1" },
  { "lambda", "get_function", { FunctionName = "f" }, "error", "ResourceNotFoundException" },
  { "apigatewayv2", "create_api", { Name = "n", ProtocolType = "HTTP" }, "ProtocolType", "HTTP" },
  { "apigatewayv2", "get_apis", {}, "Items.1.Name", "n" },
  { "route53", "create_hosted_zone", { Name = "example.org", CallerReference = "1" },
    "HostedZone.Name", "example.org." },
  { "route53", "list_hosted_zones", {}, "HostedZones.1.ResourceRecordSetCount", 2 },
  { "cloudfront", "create_origin_access_control", { OriginAccessControlConfig = { Name = "o", SigningProtocol = "sigv4",
    SigningBehavior = "always", OriginAccessControlOriginType = "s3" } },
    "OriginAccessControl.OriginAccessControlConfig.SigningBehavior", "always" },
  { "wafv2", "create_ip_set", { Name = "w", Scope = "REGIONAL", IPAddressVersion = "IPV4", Addresses = {
    "192.0.2.0/24" } }, "Summary.Name", "w" },
  { "rds", "describe_db_clusters", { DBClusterIdentifier = "none" }, "error", "DBClusterNotFoundFault" },
  { "s3", "create_bucket", { Bucket = "spec-bucket" }, "Location", "/spec-bucket" },
  { "s3", "put_object", { Bucket = "spec-bucket", Key = "a b&+é", Body = "0123456789", Metadata = { m = "x" } },
    "error" },
  { "s3", "get_object", { Bucket = "spec-bucket", Key = "a b&+é", Range = "bytes=2-4" },
    "ContentRange", "bytes 2-4/10" },
  { "s3", "head_object", { Bucket = "spec-bucket", Key = "a b&+é" }, "Metadata.m", "x" },
  { "s3", "head_object", { Bucket = "spec-bucket", Key = "none" }, "error", "404" },
  { "s3", "list_objects_v2", { Bucket = "spec-bucket" }, "Contents.1.Key", "a b&+é" },
  { "s3", "list_objects_v2", { Bucket = "spec-bucket", MaxKeys = 0 }, "IsTruncated", false },
  { "s3", "get_bucket_location", { Bucket = "spec-bucket" }, "LocationConstraint", json.null },
  { "s3", "delete_bucket", { Bucket = "spec-bucket" }, "error", "BucketNotEmpty" },
  { "dynamodb", "list_tables", {}, "error", "UnknownOperationException" },
}

-- What the path leads to, by names and positions.
local function at(answer, path)
  for key in path:gmatch "[^.]+" do
    if type(answer) ~= "table" then
      return nil
    end
    answer = answer[tonumber(key) or key]
  end
  return answer
end

describe("infra sim", function()
  local directory, remove = temporary()
  teardown(remove)
  local simulator
  setup(function()
    simulator = start_simulator("--speed", "60")
  end)
  teardown(function()
    simulator:close()
  end)

  it("is understood by boto3", function()
    local calls = {}
    for i, call in ipairs(CALLS) do
      calls[i] = { call[1], call[2], call[3], REGION }
    end
    local answers = moto.witness(simulator.environment, calls)
    if not answers then
      pending(moto.NO_WITNESS)
      return
    end
    for i, call in ipairs(CALLS) do
      local name = ("%s %s: %s"):format(call[1], call[2], json.encode(answers[i]))
      assert.equal(call[5], at(answers[i], call[4]), name)
    end
  end)

  it("is understood by the AWS CLI, which moves large files in parts and streams them in chunks", function()
    if not moto.has "aws" then
      pending "aws is not in PATH: not checked with the AWS CLI"
      return
    end
    local sent, got = directory .. "/sent", directory .. "/got"
    assert(fs.write(sent, ("0123456789abcdef"):rep(LARGE // 16)))
    for _, command in ipairs {
      { "mb", "s3://cli-bucket" }, { "cp", sent, "s3://cli-bucket/a/b" }, { "cp", "s3://cli-bucket/a/b", got },
      { "rb", "--force", "s3://cli-bucket" },
    } do
      local ended = program.run { argv = { "aws", "s3", table.unpack(command) }, environment = simulator.environment }
      assert.equal(0, ended.status, ended.stderr)
    end
    assert.is_true(fs.read(sent) == fs.read(got))
  end)
end)
