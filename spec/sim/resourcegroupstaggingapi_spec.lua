-- The simulated Resource Groups Tagging API: what its API reference and its known traps say.

local World = require "spec.engine.world"
local caller = require "spec.sim.caller"

local code = caller.code

local SERVICE <const> = "resourcegroupstaggingapi"

-- Longer than a change takes to show.
local LATER <const> = 60

-- Runs body(call, later, resources): later(seconds) lets changes show, resources(params, region) = { [arn] = { key =
-- value } } of one page.
local function simulated(body)
  caller.run({}, function(call, _, world)
    local function later(seconds)
      world.scheduler:sleep(seconds or LATER)
    end
    local function resources(params, region)
      local found = {}
      local output = assert(call(SERVICE, "GetResources", params, { region = region }))
      for _, mapping in ipairs(output.ResourceTagMappingList) do
        assert.is_nil(found[mapping.ResourceARN])
        found[mapping.ResourceARN] = {}
        for _, tag in ipairs(mapping.Tags) do
          found[mapping.ResourceARN][tag.Key] = tag.Value
        end
      end
      return found
    end
    body(call, later, resources)
  end)
end

-- The ARNs of all pages, in the order they come in; and how many pages there were.
local function every_arn(call, params, how)
  local arns, pages = {}, 0
  repeat
    local page = assert(call(SERVICE, "GetResources", params, how))
    for _, mapping in ipairs(page.ResourceTagMappingList) do
      arns[#arns + 1] = mapping.ResourceARN
    end
    params.PaginationToken, pages = page.PaginationToken, pages + 1
  until params.PaginationToken == ""
  return arns, pages
end

local function parameter(call, name, tags, region)
  local list = {}
  for key, value in pairs(tags or {}) do
    list[#list + 1] = { Key = key, Value = value }
  end
  assert(call("ssm", "PutParameter", { Name = name, Value = "v", Type = "String", Tags = list }, { region = region }))
  return ("arn:aws:ssm:%s:123456789012:parameter/%s"):format(region or "us-east-1", name)
end

local function keys(map)
  local list = {}
  for key in pairs(map) do
    list[#list + 1] = key
  end
  table.sort(list)
  return list
end

describe("infra.sim.resourcegroupstaggingapi", function()
  it("knows tags, their changes and the end of a resource, each after a while", function()
    simulated(function(call, later, resources)
      local arn = parameter(call, "p", { a = "1" })
      assert.same({}, resources())
      later()
      assert.same({ [arn] = { a = "1" } }, resources())

      local named = { ResourceType = "Parameter", ResourceId = "p" }
      named.Tags = { { Key = "a", Value = "2" }, { Key = "b", Value = "" } }
      assert(call("ssm", "AddTagsToResource", named))
      assert.same({ [arn] = { a = "1" } }, resources())
      later()
      assert.same({ [arn] = { a = "2", b = "" } }, resources())

      assert(call("ssm", "DeleteParameter", { Name = "p" }))
      assert.same({ [arn] = { a = "2", b = "" } }, resources())
      later()
      assert.same({}, resources())
      parameter(call, "p")
      later()
      assert.same({}, resources()) -- another one, which never had a tag
    end)
  end)

  it("shows the last of several quick changes, in their order", function()
    simulated(function(call, later, resources)
      local arn = parameter(call, "p", { n = "0" })
      later()
      for n = 1, 3 do
        assert(call("ssm", "AddTagsToResource",
          { ResourceType = "Parameter", ResourceId = "p", Tags = { { Key = "n", Value = tostring(n) } } }))
      end
      assert.same({ [arn] = { n = "0" } }, resources())
      later()
      assert.same({ [arn] = { n = "3" } }, resources())
    end)
  end)

  it("leaves out what never had a tag, and keeps what once had one", function()
    simulated(function(call, later, resources)
      parameter(call, "plain")
      local arn = parameter(call, "once", { a = "1" })
      assert(call("ssm", "RemoveTagsFromResource",
        { ResourceType = "Parameter", ResourceId = "once", TagKeys = { "a" } }))
      local vpc = assert(call("ec2", "CreateVpc", { CidrBlock = "10.0.0.0/16" })).Vpc.VpcId
      local tags = { { Key = "a", Value = "1" } }
      assert(call("ec2", "CreateTags", { Resources = { vpc }, Tags = tags }))
      assert(call("ec2", "DeleteTags", { Resources = { vpc }, Tags = tags }))
      later()
      assert.same({ [arn] = {}, ["arn:aws:ec2:us-east-1:123456789012:vpc/" .. vpc] = {} }, resources())
      assert.same({}, resources { TagFilters = { { Key = "a" } } })
    end)
  end)

  it("answers for one region, and in us-east-1 for the services without", function()
    simulated(function(call, later, resources)
      local here, there = parameter(call, "p", { a = "1" }), parameter(call, "p", { a = "1" }, "eu-west-1")
      local tags = { { Key = "a", Value = "1" } }
      assert(call("iam", "CreateRole", {
        RoleName = "r", Tags = tags,
        AssumeRolePolicyDocument = [[{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole",
          "Principal":{"Service":"lambda.amazonaws.com"}}}]],
      }))
      local provider = assert(call("iam", "CreateOpenIDConnectProvider", {
        Url = "https://token.actions.githubusercontent.com", ClientIDList = { "sts.amazonaws.com" }, Tags = tags,
      })).OpenIDConnectProviderArn
      local zone = assert(call("route53", "CreateHostedZone", { Name = "example.com", CallerReference = "r" }))
      local zone_id = zone.HostedZone.Id:match "[^/]+$"
      assert(call("route53", "ChangeTagsForResource",
        { ResourceType = "hostedzone", ResourceId = zone_id, AddTags = tags }))
      assert(call("s3", "CreateBucket", { Bucket = "spec-bucket",
        CreateBucketConfiguration = { LocationConstraint = "eu-west-1" } }, { region = "eu-west-1" }))
      assert(call("s3", "PutBucketTagging", { Bucket = "spec-bucket", Tagging = { TagSet = tags } },
        { region = "eu-west-1" }))
      later()
      assert.same({ provider, "arn:aws:route53:::hostedzone/" .. zone_id, here }, keys(resources()))
      assert.same({ "arn:aws:s3:::spec-bucket", there }, keys(resources(nil, "eu-west-1")))
      assert.same({}, resources(nil, "us-west-2"))
    end)
  end)

  it("forgets what ends by itself, although nobody looks at it again", function()
    simulated(function(call, later, resources)
      local key = assert(call("kms", "CreateKey", { Tags = { { TagKey = "a", TagValue = "1" } } })).KeyMetadata
      assert(call("kms", "ScheduleKeyDeletion", { KeyId = key.KeyId, PendingWindowInDays = 7 }))
      later(6 * 86400)
      assert.same({ [key.Arn] = { a = "1" } }, resources())
      later(2 * 86400)
      assert.same({}, resources())
    end)
  end)

  it("filters by tags: every key, any of its values", function()
    simulated(function(call, later, resources)
      local one = parameter(call, "one", { stage = "x", owner = "a" })
      local two = parameter(call, "two", { stage = "y", owner = "" })
      parameter(call, "three", { owner = "a" })
      later()
      local function found(...)
        return keys(resources { TagFilters = { ... } })
      end
      assert.same({ one, two }, found { Key = "stage" })
      assert.same({ one, two }, found { Key = "stage", Values = { "y", "x" } })
      assert.same({ two }, found({ Key = "stage" }, { Key = "owner", Values = { "" } }))
      assert.same({}, found { Key = "Stage" })
      assert.same({}, found { Key = "stage", Values = { "X" } })
    end)
  end)

  it("filters by the service and type in ARNs, or by whole ARNs", function()
    simulated(function(call, later, resources)
      local text = parameter(call, "p", { a = "1" })
      local tags = { { Key = "a", Value = "1" } }
      local vpc = "arn:aws:ec2:us-east-1:123456789012:vpc/" .. assert(call("ec2", "CreateVpc", {
        CidrBlock = "10.0.0.0/16", TagSpecifications = { { ResourceType = "vpc", Tags = tags } },
      })).Vpc.VpcId
      local group = "arn:aws:logs:us-east-1:123456789012:log-group:/a/b"
      assert(call("logs", "CreateLogGroup", { logGroupName = "/a/b", tags = { a = "1" } }))
      assert(call("s3", "CreateBucket", { Bucket = "spec-bucket" }))
      assert(call("s3", "PutBucketTagging", { Bucket = "spec-bucket", Tagging = { TagSet = tags } }))
      later()
      local function found(...)
        return keys(resources { ResourceTypeFilters = { ... } })
      end
      assert.same({ vpc }, found "ec2")
      assert.same({ vpc, text }, found("ec2:vpc", "ssm"))
      assert.same({ group }, found("logs:log-group", "ec2:subnet", "s"))
      assert.same({ "arn:aws:s3:::spec-bucket" }, found "s3:bucket")
      assert.same({ group }, keys(resources { ResourceARNList = { group, group .. ":*", "arn:aws:s3:::none" } }))
    end)
  end)

  it("pages", function()
    simulated(function(call, later)
      local expected = {}
      for i = 1, 5 do
        expected[i] = parameter(call, "p" .. i, { a = tostring(i) })
      end
      later()
      local found, pages = every_arn(call, { ResourcesPerPage = 2 })
      assert.same(expected, found)
      assert.equal(3, pages)
      assert.equal("PaginationTokenExpiredException",
        code(call(SERVICE, "GetResources", { PaginationToken = "made up" })))
    end)
  end)

  it("refuses what does not go together, and too much", function()
    simulated(function(call)
      local arns = { "arn:aws:s3:::b" }
      local many = {}
      for i = 1, 101 do
        many[i] = "arn:aws:s3:::b" .. i
      end
      for _, params in ipairs {
        { ResourcesPerPage = 0 }, { ResourcesPerPage = 101 },
        { ResourceARNList = arns, ResourcesPerPage = 10 }, { ResourceARNList = arns, PaginationToken = "x" },
        { ResourceARNList = arns, TagFilters = { { Key = "a" } } },
        { ResourceARNList = many }, { ResourceTypeFilters = many },
        { TagFilters = { { Values = { "v" } } } }, { TagFilters = { { Key = "a", Values = many } } },
        { ExcludeCompliantResources = true },
      } do
        assert.equal("InvalidParameterException", code(call(SERVICE, "GetResources", params)))
      end
    end)
  end)

  it("lists the keys there are, and the values of one", function()
    simulated(function(call, later)
      parameter(call, "one", { stage = "x", owner = "" })
      parameter(call, "two", { stage = "y" })
      parameter(call, "far", { other = "z" }, "eu-west-1")
      later()
      assert.same({ "owner", "stage" }, assert(call(SERVICE, "GetTagKeys")).TagKeys)
      assert.same({ "x", "y" }, assert(call(SERVICE, "GetTagValues", { Key = "stage" })).TagValues)
      assert.same({ "" }, assert(call(SERVICE, "GetTagValues", { Key = "owner" })).TagValues)
    end)
  end)
end)

-- By type, what the ARNs of the staging stack's resources look like; "@" stands for region and account.
local ARNS = {
  ["AWS::ApiGatewayV2::Api"] = "arn:aws:apigateway:us%-east%-1::/apis/%w+",
  ["AWS::ApiGatewayV2::Stage"] = "arn:aws:apigateway:us%-east%-1::/apis/%w+/stages/staging",
  ["AWS::Backup::BackupPlan"] = "arn:aws:backup:@:backup%-plan:%x+%-%x+%-%x+%-%x+%-%x+",
  ["AWS::Backup::BackupVault"] = "arn:aws:backup:@:backup%-vault:[%w-]+",
  ["AWS::CertificateManager::Certificate"] = "arn:aws:acm:@:certificate/%x+%-%x+%-%x+%-%x+%-%x+",
  ["AWS::CloudFront::Distribution"] = "arn:aws:cloudfront::123456789012:distribution/E%w+",
  ["AWS::CloudFront::Function"] = "arn:aws:cloudfront::123456789012:function/[%w-]+",
  ["AWS::CloudWatch::Alarm"] = "arn:aws:cloudwatch:@:alarm:[%w-]+",
  ["AWS::CodeBuild::Project"] = "arn:aws:codebuild:@:project/[%w-]+",
  ["AWS::CodeConnections::Connection"] = "arn:aws:codeconnections:@:connection/%x+%-%x+%-%x+%-%x+%-%x+",
  ["AWS::CodePipeline::Pipeline"] = "arn:aws:codepipeline:@:[%w-]+",
  ["AWS::EC2::EIP"] = "arn:aws:ec2:@:elastic%-ip/eipalloc%-%x+",
  ["AWS::EC2::InternetGateway"] = "arn:aws:ec2:@:internet%-gateway/igw%-%x+",
  ["AWS::EC2::NatGateway"] = "arn:aws:ec2:@:natgateway/nat%-%x+",
  ["AWS::EC2::RouteTable"] = "arn:aws:ec2:@:route%-table/rtb%-%x+",
  ["AWS::EC2::SecurityGroup"] = "arn:aws:ec2:@:security%-group/sg%-%x+",
  ["AWS::EC2::Subnet"] = "arn:aws:ec2:@:subnet/subnet%-%x+",
  ["AWS::EC2::VPC"] = "arn:aws:ec2:@:vpc/vpc%-%x+",
  ["AWS::ECR::Repository"] = "arn:aws:ecr:@:repository/[%w-]+",
  ["AWS::ElastiCache::ServerlessCache"] = "arn:aws:elasticache:@:serverlesscache:[%w-]+",
  ["AWS::Events::Rule"] = "arn:aws:events:@:rule/[%w-]+",
  ["AWS::IAM::ManagedPolicy"] = "arn:aws:iam::123456789012:policy/[%w-]+",
  ["AWS::KMS::Key"] = "arn:aws:kms:@:key/%x+%-%x+%-%x+%-%x+%-%x+",
  ["AWS::Lambda::Function"] = "arn:aws:lambda:@:function:[%w-]+",
  ["AWS::Logs::LogGroup"] = "arn:aws:logs:@:log%-group:[%w/-]+",
  ["AWS::RDS::DBCluster"] = "arn:aws:rds:@:cluster:[%w-]+",
  ["AWS::RDS::DBClusterParameterGroup"] = "arn:aws:rds:@:cluster%-pg:[%w-]+",
  ["AWS::RDS::DBInstance"] = "arn:aws:rds:@:db:[%w-]+",
  ["AWS::RDS::DBSubnetGroup"] = "arn:aws:rds:@:subgrp:[%w-]+",
  ["AWS::Route53::HealthCheck"] = "arn:aws:route53:::healthcheck/%x+%-%x+%-%x+%-%x+%-%x+",
  ["AWS::Route53::HostedZone"] = "arn:aws:route53:::hostedzone/Z%w+",
  ["AWS::S3::Bucket"] = "arn:aws:s3:::[%w-]+",
  ["AWS::SNS::Topic"] = "arn:aws:sns:@:[%w-]+",
  ["AWS::SSM::Parameter"] = "arn:aws:ssm:@:parameter/[%w/_-]+",
  ["AWS::SecretsManager::Secret"] = "arn:aws:secretsmanager:@:secret:[%w/-]+%-%w%w%w%w%w%w",
  ["AWS::WAFv2::IPSet"] = "arn:aws:wafv2:@:global/ipset/[%w-]+/%x+%-%x+%-%x+%-%x+%-%x+",
  ["AWS::WAFv2::WebACL"] = "arn:aws:wafv2:@:global/webacl/[%w-]+/%x+%-%x+%-%x+%-%x+%-%x+",
}

describe("infra.sim.resourcegroupstaggingapi, of the staging stack", function()
  local world = World.new()
  teardown(function() world:close() end)

  it("knows everything with tags, each under its own ARN", function()
    local declaration = assert(dofile "stacks/staging.lua":evaluate())
    world:run(declaration)
    local arns, declared = {}, {}
    caller.run({ store = world.aws, time = world.aws.time + LATER }, function(call)
      for _, region in ipairs { "us-east-1", "us-west-2" } do
        local found = every_arn(call, {}, { region = region })
        table.move(found, 1, #found, #arns + 1, arns)
      end
    end)
    for _, resource in pairs(declaration.resources) do
      declared[resource.type.name] = (declared[resource.type.name] or 0) + 1
    end
    for type_name, form in pairs(ARNS) do
      local pattern, count = "^" .. form:gsub("@", "us%%-%%a+%%-%%d:123456789012") .. "$", 0
      for _, arn in ipairs(arns) do
        count = count + (arn:find(pattern) and 1 or 0)
      end
      assert.equal(declared[type_name], count, type_name)
    end
    for _, arn in ipairs(arns) do
      assert.is_nil(arn:find(":role/", 1, true)) -- GetResources knows no roles
    end
  end)
end)
