-- Where services are: the partitions, the rule for hosts, and a row for each exception. Used by infra.aws.endpoints.
-- From the partitions.json and the endpoint rule sets of botocore 1.43, with which a spec compares all of it.

local data = {}

--- Partitions by their regions' names, first match: the domains of plain and of dual-stack hosts, and the region that
--- services sign for that have one endpoint for the whole partition.
data.PARTITIONS = {
  { id = "aws-cn", region = "^cn%-", suffix = "amazonaws.com.cn", dual = "api.amazonwebservices.com.cn",
    home = "cn-northwest-1" },
  { id = "aws-us-gov", region = "^us%-gov%-", suffix = "amazonaws.com", dual = "api.aws", home = "us-gov-west-1" },
  { id = "aws-iso", region = "^us%-iso%-", suffix = "c2s.ic.gov", dual = "api.aws.ic.gov", home = "us-iso-east-1" },
  { id = "aws-iso-b", region = "^us%-isob%-", suffix = "sc2s.sgov.gov", dual = "api.aws.scloud",
    home = "us-isob-east-1" },
  { id = "aws-iso-e", region = "^eu%-isoe%-", suffix = "cloud.adc-e.uk", dual = "api.cloud-aws.adc-e.uk",
    home = "eu-isoe-west-1" },
  { id = "aws-iso-f", region = "^us%-isof%-", suffix = "csp.hci.ic.gov", dual = "api.aws.hci.ic.gov",
    home = "us-isof-south-1" },
  { id = "aws-eusc", region = "^eusc%-", suffix = "amazonaws.eu", dual = "api.amazonwebservices.eu",
    home = "eusc-de-east-1" },
  { id = "aws", region = "", suffix = "amazonaws.com", dual = "api.aws", home = "us-east-1" },
}

--- The host of every service that no row of HOSTS is about.
data.HOST = "{service}{fips}.{region}.{suffix}"

--- { endpoint prefixes, partitions or regions, variants, host or false where there is none [, home region] }; of the
--- rows about a service the first that matches counts. "*" is any. The variants are plain, legacy (plain, where old
--- settings ask for the endpoints of before regions had their own), fips, dual (stack), and both of these. In hosts:
---   {service}  the endpoint prefix        {fips}          "-fips" in FIPS variants, else nothing
---   {region}   the region                 {dns}, {dual}   the partition's domains
---   {home}     the home region            {suffix}        {dual} in dual-stack variants, else {dns}
--- A request is signed for the home region that a row names, or else for the region, or, where the host has none in
--- it, for the partition's home region.
data.HOSTS = {
  -- One endpoint in the whole partition.
  { "iam route53", "aws-us-gov", "*", "{service}.us-gov.{suffix}" },
  { "iam", "aws-cn", "plain", "{service}.{home}.{suffix}", "cn-north-1" },
  { "iam", "aws-cn", "dual", "{service}.global.{suffix}", "cn-north-1" },
  { "iam", "aws-iso aws-iso-b", "plain fips", "{service}{fips}.{home}.{suffix}" },
  { "iam", "aws-eusc aws-iso-e aws-iso-f", "plain", "{service}.{home}.{suffix}" },
  { "route53", "aws-cn aws-eusc", "dual", "{service}.global.{suffix}" },
  { "cloudfront", "aws-cn", "plain fips", "{service}{fips}.{home}.{suffix}" },
  { "cloudfront iam route53", "aws", "dual both", "{service}{fips}.global.{suffix}" },
  { "budgets", "aws", "dual", "{service}.{home}.{suffix}" },
  { "budgets", "aws-eusc", "plain dual", "{service}.{home}.{dual}" },
  { "budgets", "aws-iso-b aws-iso-e aws-iso-f", "plain", "{service}.global.{suffix}" },
  { "budgets cloudfront iam route53", "*", "*", "{service}{fips}.{suffix}" },
  { "waf", "aws", "plain fips", "{service}{fips}.{suffix}" },
  { "savingsplans", "aws", "plain", "{service}.{suffix}" },
  { "savingsplans", "aws", "dual", "{service}.global.{suffix}" },
  { "billingconductor chime shield", "aws", "plain", "{service}.{home}.{suffix}" },
  { "shield", "aws", "fips", "{service}{fips}.{home}.{suffix}" },
  { "support", "aws-cn", "plain", "{service}.{home}.{suffix}", "cn-north-1" },
  { "support", "aws aws-iso aws-iso-b aws-us-gov", "plain", "{service}.{home}.{suffix}" },
  { "support organizations", "aws-us-gov", "fips", "{service}.{home}.{suffix}" },
  { "organizations", "*", "plain", "{service}.{home}.{suffix}" },
  { "organizations", "aws", "fips", "{service}{fips}.{home}.{suffix}" },
  { "networkmanager", "aws", "*", "{service}{fips}.{home}.{suffix}", "us-west-2" },
  { "networkmanager", "aws-us-gov", "*", "{service}.{home}.{suffix}" },
  { "route53-recovery-control-config", "aws", "plain", "{service}.{home}.{suffix}", "us-west-2" },
  { "route53-recovery-control-config", "aws", "dual", "arc-recovery-control-config.{home}.{suffix}", "us-west-2" },
  { "billing", "aws", "plain", "{service}.{home}.{dual}" },
  { "ce", "aws-eusc", "plain", "{service}.{home}.{dual}" },
  { "account artifact billing ce networkmanager route53-recovery-control-config tax", "*", "*",
    "{service}{fips}.{home}.{suffix}" },
  { "freetier", "aws", "plain dual", "{service}.{home}.{dual}" },
  { "bcm-data-exports", "aws-iso aws-iso-b aws-iso-e aws-iso-f", "plain dual", "{service}.{home}.{dns}" },
  { "bcm-dashboards bcm-data-exports bcm-pricing-calculator bcm-recommended-actions invoicing notifications-contacts",
    "*", "*", "{service}{fips}.{home}.{dual}" },
  { "partnercentral-channel sustainability", "aws-us-gov", "*", "{service}{fips}.us-gov.{dual}" },
  { "sustainability", "aws", "plain dual", "api.{service}.{region}.{dual}", "us-east-1" },
  { "codecatalyst partnercentral-channel sustainability", "*", "*", "{service}{fips}.global.{dual}" },

  -- What settings of old ask for.
  { "s3", "us-east-1", "legacy", "{service}.{suffix}" },
  { "sts", [[ap-northeast-1 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 eu-central-1 eu-north-1 eu-west-1
    eu-west-2 eu-west-3 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2]], "legacy", "{service}.{suffix}" },

  -- Names that differ between variants, partitions or regions.
  { "s3 s3-control", "aws-cn", "fips both", false },
  { "s3 s3-control", "*", "dual both", "{service}{fips}.dualstack.{region}.{dns}" },
  { "sdb", "us-east-1", "plain", "{service}.{suffix}" },
  { "batch eks", "aws", "fips", "fips.{service}.{region}.{suffix}" },
  { "transcribe", "aws aws-us-gov", "fips", "fips.{service}.{region}.{suffix}" },
  { "transcribe", "aws-cn", "plain", "cn.{service}.{region}.{suffix}" },
  { "mediaconvert", "cn-northwest-1", "plain", "subscribe.{service}.{region}.{suffix}" },
  { "models.lex", "aws aws-us-gov", "fips", "models-fips.lex.{region}.{suffix}" },
  { "runtime.lex", "aws aws-us-gov", "fips", "runtime-fips.lex.{region}.{suffix}" },
  { "api.sagemaker", "aws aws-us-gov", "fips", "api-fips.sagemaker.{region}.{suffix}" },
  { "metrics.sagemaker", "aws", "fips", "metrics-fips.sagemaker.{region}.{suffix}" },
  { "runtime.sagemaker", "aws", "fips", "runtime-fips.sagemaker.{region}.{suffix}" },
  { "data-ats.iot", "cn-north-1", "plain", "data.ats.iot.{region}.{suffix}" },
  { "data-ats.iot", "aws-us-gov ca-central-1 us-east-1 us-east-2 us-west-1 us-west-2", "fips",
    "data.iot-fips.{region}.{suffix}" },
  { "api.ecr", "*", "dual both", "ecr{fips}.{region}.{suffix}" },
  { "api.ecr-public", "aws", "dual", "ecr-public.{region}.{suffix}" },
  { "api.detective", "aws aws-us-gov", "dual both", "detective{fips}.{region}.{suffix}" },
  { "api.mediatailor", "aws", "dual", "mediatailor.{region}.{suffix}" },
  { "api.tunneling.iot", "aws aws-cn aws-us-gov", "dual both", "api.iot-tunneling{fips}.{region}.{suffix}" },
  { "elasticfilesystem", "aws aws-cn aws-us-gov", "dual both", "efs{fips}.{region}.{suffix}" },
  { "streams.dynamodb", "aws aws-cn aws-us-gov", "dual both", "streams-dynamodb{fips}.{region}.{suffix}" },
  { "query.timestream", "aws", "dual both", "timestream-query{fips}.{region}.{suffix}" },
  { "query.timestream", "aws-us-gov", "dual both", "timestream-query.{region}.{suffix}" },
  { "ingest.timestream", "aws", "dual both", "timestream-ingest{fips}.{region}.{suffix}" },
  { "ingest.timestream", "aws-us-gov", "dual both", "timestream-ingest.{region}.{suffix}" },
  { "kafka", "aws", "dual both", "{service}-api{fips}.{region}.{suffix}" },
  { "kafka", "aws-cn aws-eusc", "dual", "{service}-api.{region}.{suffix}" },
  { "kafka", "aws-us-gov", "dual both", "{service}-api.{region}.{suffix}" },
  { "catalog.marketplace", "us-east-1", "dual", "catalog-marketplace.{region}.{suffix}" },
  { "entitlement.marketplace", "aws-cn aws-eusc", "plain", "entitlement-marketplace.{region}.{suffix}" },
  { "entitlement.marketplace", "aws aws-cn", "dual", "entitlement-marketplace.{region}.{suffix}" },
  { "metering.marketplace", "aws-eusc", "plain", "metering-marketplace.{region}.{suffix}" },
  { "metering.marketplace", "aws aws-cn aws-us-gov", "dual", "metering-marketplace.{region}.{suffix}" },
  { "signin", "aws", "plain", "{region}.{service}.aws.amazon.com" },
  { "signin", "aws-cn", "plain", "{region}.{service}.amazonaws.cn" },
  { "signin", "aws-us-gov", "plain", "{region}.{service}.amazonaws-us-gov.com" },
  { "geo-maps", "aws aws-us-gov", "*", "maps.geo{fips}.{region}.{suffix}/v2" },
  { "geo-places", "aws aws-us-gov", "*", "places.geo{fips}.{region}.{suffix}" },
  { "geo-routes", "aws", "*", "routes.geo{fips}.{region}.{suffix}/v2" },
  { "geo-routes", "aws-us-gov", "*", "routes.geo{fips}.{region}.us-gov.{suffix}/v2" },

  -- Domains: old ones in dual-stack variants, dual-stack ones everywhere.
  { "es", "aws aws-cn aws-us-gov", "dual", "aos.{region}.{suffix}" },
  { "cognito-identity cognito-idp", "us-east-1 us-east-2 us-west-1 us-west-2", "both",
    "{service}{fips}.{region}.{dns}" },
  { "cognito-identity cognito-idp", "aws", "dual", "{service}.{region}.{dns}" },
  { "secretsmanager", "aws aws-us-gov", "dual both", "{service}{fips}.{region}.{dns}" },
  { "servicediscovery", "aws aws-us-gov", "dual", "{service}.{region}.{dns}" },
  { "secretsmanager servicediscovery", "aws-cn", "dual", "{service}.{region}.{dns}" },
  { "health", "aws-eusc", "plain fips", "{service}{fips}.{region}.{dual}" },
  { [[aidevops airflow-serverless api.iotmanagedintegrations application-signals arc-region-switch backup-search
    cassandra-streams datazone discovery-marketplace dsql eks-auth freetier gameliftstreams health-agent interconnect
    kendra-ranking mpa networkflowmonitor notifications partnercentral-account partnercentral-benefits
    partnercentral-selling qbusiness route53globalresolver s3files s3vectors security-ir securityagent uxc
    workspaces-instances]], "*", "*", "{service}{fips}.{region}.{dual}" },

  -- GovCloud's regular endpoints are the FIPS ones.
  { "databrew states", "us-gov-west-1", "fips", "{service}.{region}.{suffix}" },
  { "states swf", "aws-us-gov", "dual", "{service}-fips.{region}.{suffix}" },
  { "events kafkaconnect monitoring", "aws-us-gov", "both", "{service}.{region}.{suffix}" },
  { "dms", "aws-iso aws-iso-b", "fips", "{service}.{region}.{suffix}" },
  { [[access-analyzer acm acm-pca appconfig appconfigdata application-autoscaling autoscaling autoscaling-plans batch
    cassandra clouddirectory cloudformation cloudtrail config connect dlm dms dynamodb ec2 eks elasticache
    elasticbeanstalk elasticloadbalancing elasticmapreduce emr-containers events fis glacier greengrass guardduty
    identitystore imagebuilder ingest.timestream kafka kafkaconnect kinesis logs mediaconvert monitoring oidc outposts
    participant.connect portal.sso query.timestream ram rds redshift resource-groups route53resolver runtime.sagemaker
    serverlessrepo servicecatalog-appregistry servicequotas sns sqs ssm sso streams.dynamodb sts swf]],
    "aws-us-gov", "fips", "{service}.{region}.{suffix}" },
}

return data
