-- Something for the layers observability, cicd and dr to watch, release and back up: declares on `stack` what other
-- layers would, and returns it by the names of those layers' options.

return function(stack)
  local function trust(service)
    return { Version = "2012-10-17", Statement = { {
      Effect = "Allow", Principal = { Service = service }, Action = "sts:AssumeRole",
    } } }
  end
  local function role(name)
    return stack:resource("AWS::IAM::Role", name .. "-role", {
      RoleName = "watched-" .. name, -- beside the layer security's
      AssumeRolePolicyDocument = trust(name .. ".amazonaws.com"),
    })
  end
  local api = stack:resource("AWS::ApiGatewayV2::Api", "api", { Name = "api", ProtocolType = "HTTP" })
  local lambda_role = role "lambda"
  local lambda = stack:resource("AWS::Lambda::Function", "lambda", {
    FunctionName = "demo-api", Role = lambda_role.Arn, PackageType = "Image",
    Code = { ImageUri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/demo:1" },
  })
  local bucket = stack:resource("AWS::S3::Bucket", "frontend", { BucketName = "demo-frontend" })
  local stage = stack:resource("AWS::ApiGatewayV2::Stage", "stage", { ApiId = api.ApiId, StageName = "staging" })
  return {
    api = api, stage = stage,
    lambda = lambda,
    alias = stack:resource("AWS::Lambda::Alias", "live", {
      Name = "live", FunctionName = lambda.FunctionName, FunctionVersion = "1",
    }),
    cluster = stack:resource("AWS::RDS::DBCluster", "cluster", {
      Engine = "aurora-postgresql", DBClusterIdentifier = "demo", MasterUsername = "admin",
      ManageMasterUserPassword = true,
    }),
    cache = stack:resource("AWS::ElastiCache::ServerlessCache", "cache", {
      Engine = "redis", ServerlessCacheName = "demo",
    }),
    repository = stack:resource("AWS::ECR::Repository", "repository", { RepositoryName = "demo" }),
    bucket = bucket,
    distribution = stack:resource("AWS::CloudFront::Distribution", "distribution", { DistributionConfig = {
      Enabled = true, Origins = { { Id = "s3", DomainName = bucket.RegionalDomainName, S3OriginConfig = {} } },
      DefaultCacheBehavior = {
        TargetOriginId = "s3", ViewerProtocolPolicy = "redirect-to-https",
        CachePolicyId = "658327ea-f89d-4fab-a63d-7e88639e58f6",
      },
    } }),
    roles = { codebuild = role "codebuild", codepipeline = role "codepipeline", backup = role "backup" },
  }
end
