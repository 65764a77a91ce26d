-- Endpoints of services in three partitions, as a table: what AWS's own SDKs (botocore 1.43) say.

local endpoints = require "infra.aws.endpoints"
local models = require "infra.models"

-- service, region, variant, host, signing name, signing region
local CASES = [[
  ec2               eu-west-1     plain ec2.eu-west-1.amazonaws.com                  ec2                eu-west-1
  ec2               cn-north-1    plain ec2.cn-north-1.amazonaws.com.cn              ec2                cn-north-1
  ec2               us-gov-east-1 plain ec2.us-gov-east-1.amazonaws.com              ec2                us-gov-east-1
  s3                eu-west-1     plain s3.eu-west-1.amazonaws.com                   s3                 eu-west-1
  s3                cn-north-1    plain s3.cn-north-1.amazonaws.com.cn               s3                 cn-north-1
  s3                us-gov-east-1 plain s3.us-gov-east-1.amazonaws.com               s3                 us-gov-east-1
  sts               eu-west-1     plain sts.eu-west-1.amazonaws.com                  sts                eu-west-1
  sts               cn-north-1    plain sts.cn-north-1.amazonaws.com.cn              sts                cn-north-1
  sts               us-gov-east-1 plain sts.us-gov-east-1.amazonaws.com              sts                us-gov-east-1
  iam               eu-west-1     plain iam.amazonaws.com                            iam                us-east-1
  iam               cn-north-1    plain iam.cn-north-1.amazonaws.com.cn              iam                cn-north-1
  iam               us-gov-east-1 plain iam.us-gov.amazonaws.com                     iam                us-gov-west-1
  route53           eu-west-1     plain route53.amazonaws.com                        route53            us-east-1
  route53           cn-north-1    plain route53.amazonaws.com.cn                     route53            cn-northwest-1
  route53           us-gov-east-1 plain route53.us-gov.amazonaws.com                 route53            us-gov-west-1
  cloudfront        eu-west-1     plain cloudfront.amazonaws.com                     cloudfront         us-east-1
  cloudfront        cn-north-1    plain cloudfront.cn-northwest-1.amazonaws.com.cn   cloudfront         cn-northwest-1
  cloudfront        us-gov-east-1 plain cloudfront.amazonaws.com                     cloudfront         us-gov-west-1
  lambda            eu-west-1     plain lambda.eu-west-1.amazonaws.com               lambda             eu-west-1
  lambda            cn-north-1    plain lambda.cn-north-1.amazonaws.com.cn           lambda             cn-north-1
  lambda            us-gov-east-1 plain lambda.us-gov-east-1.amazonaws.com           lambda             us-gov-east-1
  dynamodb          eu-west-1     plain dynamodb.eu-west-1.amazonaws.com             dynamodb           eu-west-1
  dynamodb          cn-north-1    plain dynamodb.cn-north-1.amazonaws.com.cn         dynamodb           cn-north-1
  dynamodb          us-gov-east-1 plain dynamodb.us-gov-east-1.amazonaws.com         dynamodb           us-gov-east-1
  rds               eu-west-1     plain rds.eu-west-1.amazonaws.com                  rds                eu-west-1
  rds               cn-north-1    plain rds.cn-north-1.amazonaws.com.cn              rds                cn-north-1
  rds               us-gov-east-1 plain rds.us-gov-east-1.amazonaws.com              rds                us-gov-east-1
  elbv2             eu-west-1     plain elasticloadbalancing.eu-west-1.amazonaws.com elasticloadbalancing eu-west-1
  elbv2             cn-north-1    plain elasticloadbalancing.cn-north-1.amazonaws.com.cn elasticloadbalancing cn-north-1
  elbv2 us-gov-east-1 plain elasticloadbalancing.us-gov-east-1.amazonaws.com elasticloadbalancing us-gov-east-1
  ecr               eu-west-1     plain api.ecr.eu-west-1.amazonaws.com              ecr                eu-west-1
  ecr               cn-north-1    plain api.ecr.cn-north-1.amazonaws.com.cn          ecr                cn-north-1
  ecr               us-gov-east-1 plain api.ecr.us-gov-east-1.amazonaws.com          ecr                us-gov-east-1
  eks               eu-west-1     plain eks.eu-west-1.amazonaws.com                  eks                eu-west-1
  eks               cn-north-1    plain eks.cn-north-1.amazonaws.com.cn              eks                cn-north-1
  eks               us-gov-east-1 plain eks.us-gov-east-1.amazonaws.com              eks                us-gov-east-1
  batch             eu-west-1     plain batch.eu-west-1.amazonaws.com                batch              eu-west-1
  batch             cn-north-1    plain batch.cn-north-1.amazonaws.com.cn            batch              cn-north-1
  batch             us-gov-east-1 plain batch.us-gov-east-1.amazonaws.com            batch              us-gov-east-1
  kms               eu-west-1     plain kms.eu-west-1.amazonaws.com                  kms                eu-west-1
  kms               cn-north-1    plain kms.cn-north-1.amazonaws.com.cn              kms                cn-north-1
  kms               us-gov-east-1 plain kms.us-gov-east-1.amazonaws.com              kms                us-gov-east-1
  secretsmanager    eu-west-1     plain secretsmanager.eu-west-1.amazonaws.com       secretsmanager     eu-west-1
  secretsmanager    cn-north-1    plain secretsmanager.cn-north-1.amazonaws.com.cn   secretsmanager     cn-north-1
  secretsmanager    us-gov-east-1 plain secretsmanager.us-gov-east-1.amazonaws.com   secretsmanager     us-gov-east-1
  ssm               eu-west-1     plain ssm.eu-west-1.amazonaws.com                  ssm                eu-west-1
  ssm               cn-north-1    plain ssm.cn-north-1.amazonaws.com.cn              ssm                cn-north-1
  ssm               us-gov-east-1 plain ssm.us-gov-east-1.amazonaws.com              ssm                us-gov-east-1
  sqs               eu-west-1     plain sqs.eu-west-1.amazonaws.com                  sqs                eu-west-1
  sqs               cn-north-1    plain sqs.cn-north-1.amazonaws.com.cn              sqs                cn-north-1
  sqs               us-gov-east-1 plain sqs.us-gov-east-1.amazonaws.com              sqs                us-gov-east-1
  sns               eu-west-1     plain sns.eu-west-1.amazonaws.com                  sns                eu-west-1
  sns               cn-north-1    plain sns.cn-north-1.amazonaws.com.cn              sns                cn-north-1
  sns               us-gov-east-1 plain sns.us-gov-east-1.amazonaws.com              sns                us-gov-east-1
  cloudwatch        eu-west-1     plain monitoring.eu-west-1.amazonaws.com           monitoring         eu-west-1
  cloudwatch        cn-north-1    plain monitoring.cn-north-1.amazonaws.com.cn       monitoring         cn-north-1
  cloudwatch        us-gov-east-1 plain monitoring.us-gov-east-1.amazonaws.com       monitoring         us-gov-east-1
  stepfunctions     eu-west-1     plain states.eu-west-1.amazonaws.com               states             eu-west-1
  stepfunctions     cn-north-1    plain states.cn-north-1.amazonaws.com.cn           states             cn-north-1
  stepfunctions     us-gov-east-1 plain states.us-gov-east-1.amazonaws.com           states             us-gov-east-1
  apigateway        eu-west-1     plain apigateway.eu-west-1.amazonaws.com           apigateway         eu-west-1
  apigateway        cn-north-1    plain apigateway.cn-north-1.amazonaws.com.cn       apigateway         cn-north-1
  apigateway        us-gov-east-1 plain apigateway.us-gov-east-1.amazonaws.com       apigateway         us-gov-east-1
  opensearch        eu-west-1     plain es.eu-west-1.amazonaws.com                   es                 eu-west-1
  opensearch        cn-north-1    plain es.cn-north-1.amazonaws.com.cn               es                 cn-north-1
  opensearch        us-gov-east-1 plain es.us-gov-east-1.amazonaws.com               es                 us-gov-east-1
  organizations     eu-west-1     plain organizations.us-east-1.amazonaws.com        organizations      us-east-1
  organizations     cn-north-1    plain organizations.cn-northwest-1.amazonaws.com.cn organizations      cn-northwest-1
  organizations     us-gov-east-1 plain organizations.us-gov-west-1.amazonaws.com    organizations      us-gov-west-1
  support           eu-west-1     plain support.us-east-1.amazonaws.com              support            us-east-1
  support           cn-north-1    plain support.cn-north-1.amazonaws.com.cn          support            cn-north-1
  support           us-gov-east-1 plain support.us-gov-west-1.amazonaws.com          support            us-gov-west-1
  ses               eu-west-1     plain email.eu-west-1.amazonaws.com                ses                eu-west-1
  ses               cn-north-1    plain email.cn-north-1.amazonaws.com.cn            ses                cn-north-1
  ses               us-gov-east-1 plain email.us-gov-east-1.amazonaws.com            ses                us-gov-east-1
  cognito-idp       eu-west-1     plain cognito-idp.eu-west-1.amazonaws.com          cognito-idp        eu-west-1
  cognito-idp       cn-north-1    plain cognito-idp.cn-north-1.amazonaws.com.cn      cognito-idp        cn-north-1
  cognito-idp       us-gov-east-1 plain cognito-idp.us-gov-east-1.amazonaws.com      cognito-idp        us-gov-east-1
  transcribe        eu-west-1     plain transcribe.eu-west-1.amazonaws.com           transcribe         eu-west-1
  transcribe        cn-north-1    plain cn.transcribe.cn-north-1.amazonaws.com.cn    transcribe         cn-north-1
  transcribe        us-gov-east-1 plain transcribe.us-gov-east-1.amazonaws.com       transcribe         us-gov-east-1
  budgets           eu-west-1     plain budgets.amazonaws.com                        budgets            us-east-1
  budgets           cn-north-1    plain budgets.amazonaws.com.cn                     budgets            cn-northwest-1
  budgets           us-gov-east-1 plain budgets.amazonaws.com                        budgets            us-gov-west-1
  networkmanager    eu-west-1     plain networkmanager.us-west-2.amazonaws.com       networkmanager     us-west-2
  networkmanager    cn-north-1    plain networkmanager.cn-northwest-1.amazonaws.com.cn networkmanager     cn-northwest-1
  networkmanager    us-gov-east-1 plain networkmanager.us-gov-west-1.amazonaws.com   networkmanager     us-gov-west-1
  sagemaker-runtime eu-west-1     plain runtime.sagemaker.eu-west-1.amazonaws.com    sagemaker          eu-west-1
  sagemaker-runtime cn-north-1    plain runtime.sagemaker.cn-north-1.amazonaws.com.cn sagemaker          cn-north-1
  sagemaker-runtime us-gov-east-1 plain runtime.sagemaker.us-gov-east-1.amazonaws.com sagemaker          us-gov-east-1
  ec2               eu-west-1     both  ec2-fips.eu-west-1.api.aws                   ec2                eu-west-1
  ec2               us-gov-west-1 fips  ec2.us-gov-west-1.amazonaws.com              ec2                us-gov-west-1
  s3                us-east-1     fips  s3-fips.us-east-1.amazonaws.com              s3                 us-east-1
  s3                eu-west-1     dual  s3.dualstack.eu-west-1.amazonaws.com         s3                 eu-west-1
  s3                us-gov-west-1 both  s3-fips.dualstack.us-gov-west-1.amazonaws.com s3                 us-gov-west-1
  sts               us-east-1     fips  sts-fips.us-east-1.amazonaws.com             sts                us-east-1
  iam               us-east-1     both  iam-fips.global.api.aws                      iam                us-east-1
  iam               us-gov-east-1 fips  iam.us-gov.amazonaws.com                     iam                us-gov-west-1
  iam               cn-north-1    dual  iam.global.api.amazonwebservices.com.cn      iam                cn-north-1
  route53           us-east-1     fips  route53-fips.amazonaws.com                   route53            us-east-1
  route53           eu-west-1     dual  route53.global.api.aws                       route53            us-east-1
  cloudfront        us-east-1     both  cloudfront-fips.global.api.aws               cloudfront         us-east-1
  dynamodb          us-west-2     dual  dynamodb.us-west-2.api.aws                   dynamodb           us-west-2
  dynamodbstreams   eu-west-1     dual  streams-dynamodb.eu-west-1.api.aws           dynamodb           eu-west-1
  ecr               us-west-2     fips  api.ecr-fips.us-west-2.amazonaws.com         ecr                us-west-2
  ecr               cn-north-1    dual  ecr.cn-north-1.api.amazonwebservices.com.cn  ecr                cn-north-1
  eks               us-east-1     fips  fips.eks.us-east-1.amazonaws.com             eks                us-east-1
  eks               us-gov-west-1 fips  eks.us-gov-west-1.amazonaws.com              eks                us-gov-west-1
  batch             us-west-2     fips  fips.batch.us-west-2.amazonaws.com           batch              us-west-2
  efs               eu-west-1     dual  efs.eu-west-1.api.aws                        elasticfilesystem  eu-west-1
  kms               us-east-1     fips  kms-fips.us-east-1.amazonaws.com             kms                us-east-1
  secretsmanager    eu-west-1     dual  secretsmanager.eu-west-1.amazonaws.com       secretsmanager     eu-west-1
  secretsmanager    cn-north-1    dual  secretsmanager.cn-north-1.amazonaws.com.cn   secretsmanager     cn-north-1
  cloudwatch        us-gov-west-1 both  monitoring.us-gov-west-1.api.aws             monitoring         us-gov-west-1
  stepfunctions     us-gov-west-1 fips  states.us-gov-west-1.amazonaws.com           states             us-gov-west-1
  stepfunctions     us-gov-east-1 fips  states-fips.us-gov-east-1.amazonaws.com      states             us-gov-east-1
  opensearch        eu-west-1     dual  aos.eu-west-1.api.aws                        es                 eu-west-1
  organizations     us-west-2     fips  organizations-fips.us-east-1.amazonaws.com   organizations      us-east-1
  cognito-idp       us-east-1     both  cognito-idp-fips.us-east-1.amazonaws.com     cognito-idp        us-east-1
  cognito-idp       eu-west-1     both  cognito-idp-fips.eu-west-1.api.aws           cognito-idp        eu-west-1
  transcribe        us-east-1     fips  fips.transcribe.us-east-1.amazonaws.com      transcribe         us-east-1
  budgets           eu-west-1     dual  budgets.us-east-1.api.aws                    budgets            us-east-1
  networkmanager    us-gov-east-1 both  networkmanager.us-gov-west-1.api.aws         networkmanager     us-gov-west-1
  sagemaker-runtime us-east-1     fips  runtime-fips.sagemaker.us-east-1.amazonaws.com sagemaker          us-east-1
  sagemaker-runtime us-gov-west-1 fips  runtime.sagemaker.us-gov-west-1.amazonaws.com sagemaker          us-gov-west-1
  datazone          eu-west-1     plain datazone.eu-west-1.api.aws                   datazone           eu-west-1
  timestream-query  us-gov-west-1 both  timestream-query.us-gov-west-1.api.aws       timestream         us-gov-west-1
  support           us-gov-east-1 fips  support.us-gov-west-1.amazonaws.com          support            us-gov-west-1
]]

local CASE = "^%s*(%S+)%s+(%S+)%s+(%S+)%s+(%S+)%s+(%S+)%s+(%S+)$"

describe("infra.aws.endpoints of", function()
  for line in CASES:gmatch "[^\n]+" do
    local id, region, variant, host, signing_name, signing_region = line:match(CASE)
    it(("%s in %s, %s"):format(id, region, variant), function()
      local endpoint = assert(endpoints.resolve(assert(models.service(id)), region, { variant = variant }))
      assert.same({ host, signing_name, signing_region },
        { endpoint.host, endpoint.signing_name, endpoint.signing_region })
    end)
  end
end)
