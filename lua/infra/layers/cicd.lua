-- What builds and deploys: a pipeline each for the infrastructure, the backend and the frontend, the bucket through
-- which they hand over their artifacts, and the connection to where the sources are.
--
--   stack:layer("cicd", {
--     roles = security.roles, repository = compute.repository, lambda = compute.lambda, alias = compute.alias,
--     bucket = edge.bucket, distribution = edge.distribution, domain = "example.com", topic = observability.topic,
--   })
--
-- A pipeline is made when what it deploys is given. The builds run lua/infra/layers/cicd/*.yml. What the infra pipeline
-- applies, it applies as `deployer`: a role that an administrator makes, and which trusts the role NAME-infra-build. A
-- stack does not give itself the right to change everything.
--
-- Returns { artifacts, connection (nil when the option gives one), pipelines, projects (both by name) }.

local bucket = require "infra.layers.bucket"
local infra = require "infra"
local joined = require "infra.joined"
local json = require "host.json"
local merged = require "infra.merged"
local modules = require "host.modules"
local permissions = require "infra.layers.cicd.permissions"
local pipeline = require "infra.layers.cicd.pipeline"
local policy = require "infra.layers.policy"

local cicd = {
  options = {
    roles = infra.optional("table", "{ codebuild, codepipeline }, the security layer's; no pipelines without them"),
    repository = infra.optional("table", "the ECR repository of the backend's images"),
    lambda = infra.optional("table", "the function that the backend pipeline releases"),
    alias = infra.optional("table", "the alias that it moves"),
    bucket = infra.optional("table", "the bucket of the frontend's files"),
    distribution = infra.optional("table", "the CloudFront distribution in front of it"),
    domain = infra.optional("string", "the application's host name: a release must answer at /health/ there"),
    topic = infra.optional("table", "who is told of failures and of plans that wait for an approval"),
    connection_arn = infra.optional("string", "an authorised connection; by default one is made, to be authorised"),
    provider = infra.one_of({ "GitHub", "GitLab", "Bitbucket" }, "where the sources are"),
    repositories = infra.optional("table", "{ infra, backend, frontend } as OWNER/NAME; by default PROJECT/infra, ..."),
    branch = infra.default("main", "the branch that is deployed"),
    stack_file = infra.optional("string", "what the infra pipeline applies; by default stacks/ENVIRONMENT.lua"),
    infra_url = infra.default("source", "where its builds get this program, for Ubuntu 22.04; `source`: they build it"),
    deployer = infra.optional("string", "ARN of the role that it applies as; by default the account's NAME-deployer"),
    output = infra.default("dist", "the folder that the frontend's build fills"),
    image = infra.default("aws/codebuild/standard:7.0", "what builds run in"),
    architecture = infra.one_of({ "x86_64", "arm64" }, "what the backend's image is built for, and on: the function's"),
    compute = infra.default("BUILD_GENERAL1_SMALL", "the builds' machine"),
    timeout = infra.default(60, "minutes after which a build is stopped"),
    artifact_days = infra.default(30, "days until an artifact expires"),
    log_days = infra.default(30, "days that build logs are kept"),
  },
}

-- -- what each pipeline deploys ---------------------------------------------------------------------------------------

local DEPLOYMENTS = { "infra", "backend", "frontend" }

-- What builds on something else than `image` run in, by architecture ("EC2 compute images" in the CodeBuild guide).
local MACHINES = {
  arm64 = { Type = "ARM_CONTAINER", Image = "aws/codebuild/amazonlinux-aarch64-standard:3.0" },
}

-- name -> function(stack, options) -> { environment, statements, docker = builds images, machine = one of MACHINES,
-- approval = asks between a plan and its application }, or nil when the options do not say what to deploy.
local deployment = {}

function deployment.infra(stack, options)
  local deployer = options.deployer
    or ("arn:%s:iam::%s:role/%s-deployer"):format(stack.partition, stack.account, stack.name)
  return {
    environment = {
      STACK = options.stack_file or ("stacks/%s.lua"):format(stack.environment), DEPLOYER = deployer,
      STATE = ("s3://%s/state"):format(permissions.artifact_bucket(stack)), INFRA_URL = options.infra_url,
      TIMEOUT = ("%d"):format(options.timeout),
    },
    statements = permissions.infra(stack, deployer), approval = true,
  }
end

function deployment.backend(_, options)
  return options.repository and options.lambda and options.alias and options.domain and {
    environment = {
      REPOSITORY = options.repository.RepositoryUri, FUNCTION = options.lambda.FunctionName, ALIAS = options.alias.Name,
      HEALTH_URL = ("https://%s/health/"):format(options.domain),
    },
    statements = permissions.backend(options), docker = true, machine = MACHINES[options.architecture],
  }
end

function deployment.frontend(stack, options)
  return options.bucket and options.distribution and {
    environment = {
      BUCKET = options.bucket.BucketName, DISTRIBUTION = options.distribution.Id, OUTPUT = options.output,
    },
    statements = permissions.frontend(stack, options),
  }
end

-- Only the builds that may become the deployer have a role of their own: the others share one.
local function build_role(stack, options, name, deploy)
  if not deploy.approval then
    stack:resource("AWS::IAM::ManagedPolicy", name .. "-deploy", {
      Description = ("What builds of the %s pipeline deploy"):format(name),
      PolicyDocument = policy.document(deploy.statements), Roles = { options.roles.codebuild.RoleName },
    })
    return options.roles.codebuild
  end
  local statements = permissions.build(stack)
  return stack:resource("AWS::IAM::Role", name .. "-build-role", {
    RoleName = ("%s-%s-build"):format(stack.name, name),
    AssumeRolePolicyDocument = policy.trust("codebuild.amazonaws.com", stack.account),
    Policies = { {
      PolicyName = name, PolicyDocument = policy.document(joined(statements, deploy.statements)),
    } },
  })
end

-- -- its parts --------------------------------------------------------------------------------------------------------

-- Pipelines put artifacts under the first 20 letters of their names. The state, which infra's builds keep beside them,
-- stays: only what its versions replaced goes.
local function artifact_bucket(stack, options)
  return bucket(stack, "artifacts", permissions.artifact_bucket(stack), {
    LifecycleConfiguration = {
      Rules = {
        {
          Id = "expire", Status = "Enabled", Prefix = (stack.name .. "-"):sub(1, 20),
          ExpirationInDays = options.artifact_days, NoncurrentVersionExpiration = { NoncurrentDays = 1 },
          AbortIncompleteMultipartUpload = { DaysAfterInitiation = 1 },
        },
        {
          Id = "old-states", Status = "Enabled", Prefix = "state/",
          NoncurrentVersionExpiration = { NoncurrentDays = 90 },
        },
      },
    },
  })
end

local function variables(values)
  local list = json.array {}
  for name, value in pairs(values) do
    list[#list + 1] = { Name = name, Type = "PLAINTEXT", Value = value }
  end
  table.sort(list, function(a, b)
    return a.Name < b.Name
  end)
  return list
end

local function project(stack, options, name, deploy)
  local full_name = ("%s-%s"):format(stack.name, name)
  local logs = stack:resource("AWS::Logs::LogGroup", name .. "-build-logs", {
    LogGroupName = "/aws/codebuild/" .. full_name, RetentionInDays = options.log_days,
  })
  return stack:resource("AWS::CodeBuild::Project", name .. "-build", {
    Name = full_name, ServiceRole = build_role(stack, options, name, deploy).Arn,
    Source = { Type = "CODEPIPELINE", BuildSpec = assert(modules.text("infra.layers.cicd." .. name)) },
    Artifacts = { Type = "CODEPIPELINE" },
    Environment = merged({
      Type = "LINUX_CONTAINER", Image = options.image, ComputeType = options.compute,
      PrivilegedMode = deploy.docker or false, EnvironmentVariables = variables(deploy.environment),
    }, deploy.machine),
    LogsConfig = { CloudWatchLogs = { Status = "ENABLED", GroupName = logs.LogGroupName } },
    TimeoutInMinutes = options.timeout,
  })
end

-- Tells the topic of an event of CodePipeline, about these pipelines.
local function tell(stack, options, name, kind, pipelines, detail)
  detail.pipeline = json.array {}
  for _, one in pairs(pipelines) do
    table.insert(detail.pipeline, one.Name)
  end
  table.sort(detail.pipeline)
  stack:resource("AWS::Events::Rule", name, {
    EventPattern = { source = { "aws.codepipeline" }, ["detail-type"] = { kind }, detail = detail },
    Targets = { { Id = "alerts", Arn = options.topic.TopicArn } },
  })
end

function cicd.build(stack, options)
  local result = { artifacts = artifact_bucket(stack, options), pipelines = {}, projects = {} }
  if not options.roles then
    return result
  end
  local connection_arn = options.connection_arn
  if not connection_arn then
    result.connection = stack:resource("AWS::CodeConnections::Connection", "connection", {
      ConnectionName = stack.name:sub(1, 32), ProviderType = options.provider,
    })
    connection_arn = result.connection.ConnectionArn
  end
  for _, name in ipairs(DEPLOYMENTS) do
    local deploy = deployment[name](stack, options)
    if deploy then
      result.projects[name] = project(stack, options, name, deploy)
      result.pipelines[name] = pipeline(stack, name, {
        role = options.roles.codepipeline, artifacts = result.artifacts, project = result.projects[name],
        connection_arn = connection_arn, branch = options.branch, approval = deploy.approval,
        repository = (options.repositories or {})[name] or ("%s/%s"):format(stack.project, name),
      })
    end
  end
  if options.topic then
    tell(stack, options, "failures", "CodePipeline Pipeline Execution State Change", result.pipelines,
      { state = { "FAILED" } })
    tell(stack, options, "approvals", "CodePipeline Action Execution State Change", { result.pipelines.infra },
      { state = { "STARTED" }, type = { category = { "Approval" } } })
  end
  return result
end

return cicd
