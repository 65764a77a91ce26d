-- A small stack with one of every type that the engine was made for, for specs: `everything(stack, options)` declares
-- it. options: nat = false leaves out the NAT gateway; suffix = text in values that change in place.
local infra = require "infra"
local json = require "host.json"

local TRUST = {
  Version = "2012-10-17",
  Statement = { { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } } },
}

local function network(stack, options)
  local vpc = stack:resource("AWS::EC2::VPC", "vpc", { CidrBlock = "10.0.0.0/16", EnableDnsHostnames = true })
  local public = stack:resource("AWS::EC2::Subnet", "public", {
    VpcId = vpc.VpcId, CidrBlock = "10.0.0.0/24", AvailabilityZone = "us-east-1a", MapPublicIpOnLaunch = true,
  })
  local gateway = stack:resource("AWS::EC2::InternetGateway", "gateway")
  local attachment = stack:resource("AWS::EC2::VPCGatewayAttachment", "attachment", {
    VpcId = vpc.VpcId, InternetGatewayId = gateway.InternetGatewayId,
  })
  local routes = stack:resource("AWS::EC2::RouteTable", "routes", { VpcId = vpc.VpcId })
  local default = stack:resource("AWS::EC2::Route", "default", {
    RouteTableId = routes.RouteTableId, DestinationCidrBlock = "0.0.0.0/0", GatewayId = gateway.InternetGatewayId,
  }, { depends_on = attachment })
  stack:resource("AWS::EC2::SubnetRouteTableAssociation", "association", {
    SubnetId = public.SubnetId, RouteTableId = routes.RouteTableId,
  })
  if options.nat ~= false then
    local address = stack:resource("AWS::EC2::EIP", "address", { Domain = "vpc" }, { depends_on = attachment })
    stack:resource("AWS::EC2::NatGateway", "nat", {
      SubnetId = public.SubnetId, AllocationId = address.AllocationId,
    }, { depends_on = default })
  end
  local app = stack:resource("AWS::EC2::SecurityGroup", "app", {
    GroupDescription = "the application", VpcId = vpc.VpcId,
    SecurityGroupEgress = { { IpProtocol = "-1", CidrIp = "0.0.0.0/0", Description = "all" .. options.suffix } },
  })
  local database = stack:resource("AWS::EC2::SecurityGroup", "database", {
    GroupDescription = "the database", VpcId = vpc.VpcId, SecurityGroupEgress = json.array {},
  })
  stack:resource("AWS::EC2::SecurityGroupIngress", "from-app", {
    GroupId = database.GroupId, IpProtocol = "tcp", FromPort = 5432, ToPort = 5432, SourceSecurityGroupId = app.GroupId,
    Description = "from the application" .. options.suffix,
  })
end

local function access(stack, options)
  local policy = stack:resource("AWS::IAM::ManagedPolicy", "read", {
    PolicyDocument = { Version = "2012-10-17",
      Statement = { { Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::x" .. options.suffix ..
        "/*" } } },
  })
  return stack:resource("AWS::IAM::Role", "role", {
    AssumeRolePolicyDocument = TRUST, Description = "runs the application" .. options.suffix,
    ManagedPolicyArns = { policy.PolicyArn },
    Policies = { { PolicyName = "logs", PolicyDocument = { Version = "2012-10-17",
      Statement = { { Effect = "Allow", Action = "logs:PutLogEvents", Resource = "*" } } } } },
  })
end

local function storage(stack, options, role)
  local bucket = stack:resource("AWS::S3::Bucket", "files", {
    VersioningConfiguration = { Status = "Enabled" },
    PublicAccessBlockConfiguration = { BlockPublicAcls = true, IgnorePublicAcls = true },
    LifecycleConfiguration = { Rules = { { Id = "old", Status = "Enabled",
      ExpirationInDays = 30 + #options.suffix } } },
  })
  stack:resource("AWS::S3::BucketPolicy", "files-policy", {
    Bucket = bucket.BucketName,
    PolicyDocument = { Version = "2012-10-17", Statement = { { Effect = "Allow", Principal = { AWS = role.Arn },
      Action = "s3:GetObject", Resource = bucket.Arn .. "/*" .. options.suffix } } },
  })
  stack:resource("AWS::Logs::LogGroup", "logs", { LogGroupName = "/demo/app", RetentionInDays = 30 })
  stack:resource("AWS::SSM::Parameter", "level", { Name = "/demo/level", Type = "String", Value = "INFO" ..
    options.suffix })
  stack:resource("AWS::SSM::Parameter", "password", { Name = "/demo/password", Type = "SecureString",
    Value = infra.secret("correct horse" .. options.suffix) })
  local topic = stack:resource("AWS::SNS::Topic", "alerts", { DisplayName = "alerts" .. options.suffix })
  stack:resource("AWS::SNS::Subscription", "mail", {
    TopicArn = topic.TopicArn, Protocol = "email", Endpoint = "ops@example.com",
  })
  stack:resource("Infra::Value", "note", { Value = { bucket.BucketName, options.suffix } })
  stack:output("bucket", bucket.Arn)
  stack:output("topic", topic.TopicArn)
end

return function(stack, options)
  options = options or {}
  options.suffix = options.suffix or ""
  network(stack, options)
  storage(stack, options, access(stack, options))
end
