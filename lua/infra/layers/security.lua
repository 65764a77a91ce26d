-- Who may talk to whom and who may do what: security groups, and the roles of everything that runs.
--
--   local security = stack:layer("security", { vpc = network.vpc })
--
-- Returns { lambda, aurora, redis (security groups), roles = { lambda, apigateway, operator, backup, codebuild,
-- codepipeline } }.

local infra = require "infra"
local json = require "host.json"
local permissions = require "infra.layers.cicd.permissions"
local policy = require "infra.layers.policy"

local security = {
  options = {
    vpc = infra.required("table", "the VPC of the security groups"),
    database_port = infra.default(5432, "where Aurora listens"),
    cache_port = infra.default(6379, "where Redis listens"),
    operators = infra.optional("table", "ARNs that may take the operator role; by default this account's principals"),
    api_logs = infra.default(true, "let API Gateway write logs with this stack's role, where account and region " ..
      "have no other one for it"),
  },
}

local NOTHING = json.array {}
local EVERYTHING = { { IpProtocol = "-1", CidrIp = "0.0.0.0/0", Description = "all outbound" } }

local function security_groups(stack, options, role_of_lambda)
  local lambda = stack:resource("AWS::EC2::SecurityGroup", "lambda", {
    GroupDescription = "Lambda functions: outbound only", VpcId = options.vpc.VpcId,
    SecurityGroupIngress = NOTHING, SecurityGroupEgress = EVERYTHING,
  }, { depends_on = { role_of_lambda } }) -- Lambda removes its interfaces with the role: that must outlive the group
  local function reachable_from_lambda(name, description, port)
    return stack:resource("AWS::EC2::SecurityGroup", name, {
      GroupDescription = description, VpcId = options.vpc.VpcId, SecurityGroupEgress = NOTHING,
      SecurityGroupIngress = {
        {
          IpProtocol = "tcp", FromPort = port, ToPort = port, SourceSecurityGroupId = lambda.GroupId,
          Description = "from Lambda",
        },
      },
    })
  end
  return {
    lambda = lambda,
    aurora = reachable_from_lambda("aurora", "Aurora PostgreSQL: from Lambda only", options.database_port),
    redis = reachable_from_lambda("redis", "ElastiCache: from Lambda only", options.cache_port),
  }
end

-- ARN of something of this account in the stack's region.
local function arn(stack, service, rest)
  return "arn:" .. stack.partition .. ":" .. service .. ":" .. stack.region .. ":" .. stack.account .. ":" .. rest
end

local function role(stack, name, trust, statements)
  return stack:resource("AWS::IAM::Role", name .. "-role", {
    RoleName = stack.name .. "-" .. name .. "-role",
    AssumeRolePolicyDocument = trust,
    Policies = { { PolicyName = name, PolicyDocument = policy.document(statements) } },
  })
end

local function lambda_role(stack)
  return role(stack, "lambda", policy.trust "lambda.amazonaws.com", {
    policy.allow("Network", {
      "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
      "ec2:DeleteNetworkInterface",
      "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
    }, { "*" }, { reason = "the interfaces are made by Lambda's service under ids nobody knows before, and Lambda " ..
      "refuses a function whose role is narrower" }),
    policy.allow("Logs", { "logs:CreateLogStream", "logs:PutLogEvents" },
      { arn(stack, "logs", "log-group:/aws/lambda/" .. stack.name .. "-api:*") }),
    policy.allow("Secret", { "secretsmanager:GetSecretValue" },
      { arn(stack, "secretsmanager", "secret:" .. stack.name .. "/aurora-??????") }),
    policy.allow("Parameters", { "ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath" },
      { arn(stack, "ssm", "parameter/" .. stack.project .. "/" .. stack.environment .. "/*") }),
  })
end

-- What AWS's own managed policy for it allows, AmazonAPIGatewayPushToCloudWatchLogs, on log groups only. The role is
-- that of all APIs of the account, also those of others, and REST APIs name their groups
-- API-Gateway-Execution-Logs_ID/STAGE.
local function apigateway_role(stack)
  return role(stack, "apigw-cloudwatch", policy.trust "apigateway.amazonaws.com", {
    policy.allow("Groups", { "logs:CreateLogGroup", "logs:DescribeLogGroups", "logs:DescribeLogStreams" },
      { arn(stack, "logs", "*") }),
    policy.allow("Events", { "logs:CreateLogStream", "logs:PutLogEvents", "logs:GetLogEvents", "logs:FilterLogEvents" },
      { arn(stack, "logs", "log-group:*") }),
  })
end

-- People who look at a running system: logs, metrics, the function, pipelines. Nothing of IAM.
local function operator_role(stack, options)
  local principals = options.operators or { "arn:" .. stack.partition .. ":iam::" .. stack.account .. ":root" }
  local trust = policy.document {
    { Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = json.array(principals) } },
  }
  return role(stack, "operator", trust, {
    policy.allow("Logs", { "logs:FilterLogEvents", "logs:GetLogEvents", "logs:DescribeLogStreams" }, {
      arn(stack, "logs", "log-group:/aws/lambda/" .. stack.name .. "-*:*"),
      arn(stack, "logs", "log-group:/aws/apigateway/" .. stack.name .. "-*:*"),
    }),
    policy.allow("Metrics", { "cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "logs:DescribeLogGroups" }, { "*" },
      { reason = "CloudWatch's reads and the list of log groups know no resources" }),
    policy.allow("Alarms", { "cloudwatch:DescribeAlarms" },
      { arn(stack, "cloudwatch", "alarm:" .. stack.name .. "-*") }),
    policy.allow("Function", { "lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:GetAlias" },
      { arn(stack, "lambda", "function:" .. stack.name .. "-api") }),
    policy.allow("Pipelines", {
      "codepipeline:StartPipelineExecution", "codepipeline:GetPipelineState", "codepipeline:ListPipelineExecutions",
    }, { arn(stack, "codepipeline", stack.name .. "-*") }),
  })
end

local function backup_role(stack)
  return role(stack, "backup", policy.trust("backup.amazonaws.com", stack.account), {
    policy.allow("Snapshots", {
      "rds:CreateDBClusterSnapshot", "rds:CopyDBClusterSnapshot", "rds:DeleteDBClusterSnapshot",
      "rds:DescribeDBClusterSnapshots", "rds:DescribeDBClusters", "rds:ListTagsForResource", "rds:AddTagsToResource",
      "rds:DescribeDBClusterAutomatedBackups", "rds:ModifyDBClusterSnapshotAttribute",
      "rds:RestoreDBClusterFromSnapshot",
    }, {
      arn(stack, "rds", "cluster:" .. stack.name .. "-*"),
      arn(stack, "rds", "cluster-snapshot:awsbackup:*"),
      arn(stack, "rds", "cluster-auto-backup:*"),
      arn(stack, "rds", "subgrp:" .. stack.name .. "-*"),
    }),
    policy.allow("Points", { "backup:DescribeBackupVault", "backup:CopyIntoBackupVault" },
      { "arn:" .. stack.partition .. ":backup:*:" .. stack.account .. ":backup-vault:" .. stack.name .. "-*" }),
    policy.allow("Selection", { "tag:GetResources" }, { "*" },
      { reason = "the tagging API knows no resources, and AWS Backup takes no selection from a role without it" }),
  })
end

-- What each build deploys is added by the cicd layer.
local function codebuild_role(stack)
  return role(stack, "codebuild", policy.trust("codebuild.amazonaws.com", stack.account), permissions.build(stack))
end

local function codepipeline_role(stack)
  local artifacts = "arn:" .. stack.partition .. ":s3:::" .. stack.name .. "-artifacts-" .. stack.account
  return role(stack, "codepipeline", policy.trust("codepipeline.amazonaws.com", stack.account), {
    policy.allow("Artifacts", { "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject" }, { artifacts .. "/*" }),
    policy.allow("ArtifactBucket", { "s3:GetBucketVersioning", "s3:GetBucketLocation" }, { artifacts }),
    policy.allow("Builds", { "codebuild:StartBuild", "codebuild:BatchGetBuilds" },
      { arn(stack, "codebuild", "project/" .. stack.name .. "-*") }),
    policy.allow("Source", { "codeconnections:UseConnection", "codestar-connections:UseConnection" }, {
      arn(stack, "codeconnections", "connection/*"), arn(stack, "codestar-connections", "connection/*"),
    }),
  })
end

function security.build(stack, options)
  local lambda = lambda_role(stack)
  local groups = security_groups(stack, options, lambda)
  local apigateway = apigateway_role(stack)
  if options.api_logs then
    stack:resource("AWS::ApiGateway::Account", "api-logs", { CloudWatchRoleArn = apigateway.Arn })
  end
  return {
    lambda = groups.lambda, aurora = groups.aurora, redis = groups.redis,
    roles = {
      lambda = lambda, apigateway = apigateway, operator = operator_role(stack, options),
      backup = backup_role(stack), codebuild = codebuild_role(stack), codepipeline = codepipeline_role(stack),
    },
  }
end

return security
