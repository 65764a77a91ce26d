-- Where requests are handled: a repository of container images, the Lambda function that runs one of them, and the HTTP
-- API in front of it.
--
--   local compute = stack:layer("compute", {
--     network = network, security = security, domain = "example.com", parameter_path = data.path,
--     secret_arn = data.secret.Id,
--   })
--
-- All options may be left out. A new function runs the built-in bootstrap image, which answers the health check and
-- nothing else, until the pipeline brings the application: it lets the function use its image, publishes a version, and
-- moves the alias to it. A run leaves all three where the pipeline has put them. When what is declared of the function
-- changes, the run publishes a version of the newest code with it and moves the alias there.
--
-- Returns { repository, image, lambda, version, alias, api, stage, function_logs, api_logs, api_host, api_path (what
-- the API has before every path), url }.

local infra = require "infra"
local json = require "host.json"
local merged = require "infra.merged"
local policy = require "infra.layers.policy"
local private_subnets = require "infra.layers.private_subnets"

local compute = {
  options = {
    network = infra.optional("table", "what the network layer returned: private_subnets; without it the function is " ..
      "in no VPC"),
    security = infra.optional("table", "what the security layer returned: the group lambda and roles.lambda; " ..
      "without it the function has a role of its own, which may write logs"),
    domain = infra.optional("string", "host name whose pages may call the API from a browser (CORS)"),
    parameter_path = infra.optional("string", "path of the application's parameters"),
    secret_arn = infra.optional("string", "the secret with the database's password"),
    environment = infra.optional("table", "further environment variables: name = value"),

    image = infra.optional("string", "what the function runs: the URI of an image in ECR, or an OCI image layout on " ..
      "disk; by default the newest image of the repository"),
    architecture = infra.one_of({ "x86_64", "arm64" }, "what the image is built for"),
    memory = infra.default(1024, "MB"),
    timeout = infra.default(30, "seconds that a request may take; the API gives up after 30"),
    reserved_concurrency = infra.optional("number", "most requests at a time; by default what the account has left"),
    provisioned_concurrency = infra.default(0, "instances that are kept running; 0 is off"),
    alias = infra.default("live", "the alias that the API calls"),

    keep_images = infra.default(20, "images that the repository keeps"),
    immutable_tags = infra.default(false, "whether a tag always names the same image"),
    scan_on_push = infra.default(true, "whether images are scanned when they are pushed"),

    stage = infra.optional("string", "name of the API's stage; by default the stack's environment"),
    routes = infra.default({ default = "$default", api = "ANY /api/{proxy+}", health = "GET /health/" },
      "the API's routes: name = key"),
    cors_methods = infra.default({ "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" }, "what pages may send"),
    cors_headers = infra.default({ "authorization", "content-type", "x-csrftoken" }, "and with which headers"),
    log_days = infra.default(30, "days that logs are kept"),
  },
}

-- What is written of every request to the API.
local ACCESS_LOG = json.encode {
  requestId = "$context.requestId", ip = "$context.identity.sourceIp", requestTime = "$context.requestTime",
  httpMethod = "$context.httpMethod", routeKey = "$context.routeKey", path = "$context.path",
  status = "$context.status", protocol = "$context.protocol", responseLength = "$context.responseLength",
  responseLatency = "$context.responseLatency", integrationLatency = "$context.integrationLatency",
  integrationError = "$context.integrationErrorMessage", userAgent = "$context.identity.userAgent",
}

local function log_group(stack, options, name, path)
  return stack:resource("AWS::Logs::LogGroup", name, { LogGroupName = path, RetentionInDays = options.log_days })
end

-- -- images -----------------------------------------------------------------------------------------------------------

-- Lambda itself adds this statement when it is not there; then the declared policy would not be what there is.
local function retrieval(stack, function_name)
  return policy.document {
    {
      Sid = "LambdaECRImageRetrievalPolicy", Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" },
      Action = { "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer" },
      Condition = { StringLike = { ["aws:sourceArn"] = policy.arn(stack, "lambda", "function:" .. function_name) } },
    },
  }
end

local function keep_newest(count)
  return json.encode { rules = json.array {
    {
      rulePriority = 1, description = ("keep the last %d images"):format(count),
      selection = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = count },
      action = { type = "expire" },
    },
  } }
end

local function is_uri(image)
  return image:find "%.dkr%.ecr%.[%w-]+%.amazonaws%."
end

-- The repository, the image resource (nil when the image is somebody else's), and the image's URI.
local function images(stack, options, function_name)
  local repository = stack:resource("AWS::ECR::Repository", "repository", {
    RepositoryName = stack.name, EmptyOnDelete = true,
    ImageScanningConfiguration = { ScanOnPush = options.scan_on_push },
    ImageTagMutability = options.immutable_tags and "IMMUTABLE" or "MUTABLE",
    LifecyclePolicy = { LifecyclePolicyText = keep_newest(options.keep_images) },
    RepositoryPolicyText = retrieval(stack, function_name),
  })
  if options.image and is_uri(options.image) then
    return repository, nil, options.image
  end
  -- Old images stay, as long as the repository keeps them: published versions run them.
  local image = stack:resource("Infra::ECR::Image", "image", {
    RepositoryName = repository.RepositoryName, Architecture = options.architecture, Source = options.image,
    OnlyIfEmpty = not options.image,
  }, { retain = true })
  return repository, image, image.ImageUri
end

-- -- the function -----------------------------------------------------------------------------------------------------

local function own_role(stack, function_name)
  return stack:resource("AWS::IAM::Role", "function-role", {
    RoleName = function_name .. "-role", AssumeRolePolicyDocument = policy.trust "lambda.amazonaws.com",
    Policies = { { PolicyName = "logs", PolicyDocument = policy.document {
      policy.allow("Logs", { "logs:CreateLogStream", "logs:PutLogEvents" },
        { policy.arn(stack, "logs", ("log-group:/aws/lambda/%s:*"):format(function_name)) }),
    } } },
  })
end

local function vpc_config(options)
  local subnet_ids = private_subnets("compute", options)
  return subnet_ids and { SubnetIds = subnet_ids, SecurityGroupIds = { options.security.lambda.GroupId } }
end

local function variables(stack, options)
  return merged({
    APP_ENVIRONMENT = stack.environment, PARAMETER_PATH = options.parameter_path, SECRET_ARN = options.secret_arn,
  }, options.environment)
end

-- The function, its version as of the last change of what is declared here, and the alias.
local function handler(stack, options, function_name, image, image_uri, logs)
  local role = options.security and options.security.roles.lambda or own_role(stack, function_name)
  local lambda = stack:resource("AWS::Lambda::Function", "function", {
    FunctionName = function_name, PackageType = "Image", Code = { ImageUri = image_uri },
    Architectures = { options.architecture }, Role = role.Arn, MemorySize = options.memory, Timeout = options.timeout,
    Environment = { Variables = variables(stack, options) }, VpcConfig = vpc_config(options),
    ReservedConcurrentExecutions = options.reserved_concurrency,
  }, { depends_on = { logs }, ignore_drift = image and { "Code" } or nil })
  local version = stack:resource("AWS::Lambda::Version", "version", { FunctionName = lambda.FunctionName },
    { replace_with = { lambda } })
  local count = options.provisioned_concurrency
  local alias = stack:resource("AWS::Lambda::Alias", "alias", {
    FunctionName = lambda.FunctionName, Name = options.alias, FunctionVersion = version.Version,
    ProvisionedConcurrencyConfig = count > 0 and { ProvisionedConcurrentExecutions = count } or nil,
  }, { ignore_drift = { "FunctionVersion" } })
  return lambda, version, alias
end

-- -- the API ----------------------------------------------------------------------------------------------------------

local function http_api(stack, options, name)
  return stack:resource("AWS::ApiGatewayV2::Api", "api", {
    Name = name, ProtocolType = "HTTP",
    CorsConfiguration = options.domain and {
      AllowOrigins = { "https://" .. options.domain }, AllowMethods = options.cors_methods,
      AllowHeaders = options.cors_headers, AllowCredentials = true, MaxAge = 300,
    } or nil,
  })
end

-- The routes to the alias, and who may call it.
local function routes_to(stack, options, api, alias, stage_name)
  local integration = stack:resource("AWS::ApiGatewayV2::Integration", "integration", {
    ApiId = api.ApiId, IntegrationType = "AWS_PROXY", IntegrationUri = alias.AliasArn, PayloadFormatVersion = "2.0",
  })
  local made = {
    stack:resource("AWS::Lambda::Permission", "permission", {
      FunctionName = alias.AliasArn, Action = "lambda:InvokeFunction", Principal = "apigateway.amazonaws.com",
      SourceArn = ("%s/%s/*"):format(api.ExecuteApiArn, stage_name),
    }),
  }
  for name, key in pairs(options.routes) do
    made[#made + 1] = stack:resource("AWS::ApiGatewayV2::Route", "route-" .. name, {
      ApiId = api.ApiId, RouteKey = key, Target = "integrations/" .. integration.IntegrationId,
    })
  end
  return made
end

function compute.build(stack, options)
  local function_name, api_name = stack.name .. "-api", stack.name .. "-http-api"
  local stage_name = options.stage or stack.environment
  local made = {
    function_logs = log_group(stack, options, "function-logs", "/aws/lambda/" .. function_name),
    api_logs = log_group(stack, options, "api-logs", "/aws/apigateway/" .. api_name),
  }
  local image_uri
  made.repository, made.image, image_uri = images(stack, options, function_name)
  made.lambda, made.version, made.alias = handler(stack, options, function_name, made.image, image_uri,
    made.function_logs)
  made.api = http_api(stack, options, api_name)
  made.stage = stack:resource("AWS::ApiGatewayV2::Stage", "stage", { -- last: it deploys what is there
    ApiId = made.api.ApiId, StageName = stage_name, AutoDeploy = true,
    AccessLogSettings = { DestinationArn = made.api_logs.Arn, Format = ACCESS_LOG },
  }, { depends_on = routes_to(stack, options, made.api, made.alias, stage_name) })
  made.api_host = ("%s.execute-api.%s.amazonaws.com"):format(made.api.ApiId, stack.region)
  made.api_path = stage_name ~= "$default" and "/" .. stage_name or ""
  made.url = made.api.ApiEndpoint .. made.api_path
  return made
end

return compute
